/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Surface: see surface.h. */
#include "surface.h"

#include <string.h>

#include "value.h"

static void member_free(gpointer data)
{
        Member *member = data;

        g_free(member->interface);
        g_free(member->path);
        g_free(member->type);
        g_free(member);
}

char *surface_key(const char *interface, const char *name)
{
        return g_strdup_printf("%s.%s", strrchr(interface, '.') + 1, name);
}

static void add(GHashTable *table, const char *interface, const char *path, const char *name,
                char *type)
{
        char *key = surface_key(interface, name);
        Member *member = g_new0(Member, 1);

        *member = (Member){
                .interface = g_strdup(interface),
                .path = g_strdup(path),
                .name = name,
                .type = type,
        };
        if (g_hash_table_contains(table, key)) {
                member_free(member);
                g_free(key);
        } else {
                g_hash_table_insert(table, key, member);
        }
}

/* No other is, and these are root's. */
int surface_is_writable(const char *interface, const char *name)
{
        return g_str_equal(interface, "org.freedesktop.LogControl1") &&
               (g_str_equal(name, "LogLevel") || g_str_equal(name, "LogTarget"));
}

static void add_interface(Surface *surface, const char *path, const GDBusInterfaceInfo *interface)
{
        for (GDBusMethodInfo **method = interface->methods; method && *method; method++)
                add(surface->methods, interface->name, path, (*method)->name,
                    value_type((*method)->in_args));
        for (GDBusPropertyInfo **property = interface->properties; property && *property;
             property++) {
                int flags = G_DBUS_PROPERTY_INFO_FLAGS_READABLE;

                if (surface_is_writable(interface->name, (*property)->name))
                        flags |= G_DBUS_PROPERTY_INFO_FLAGS_WRITABLE;
                g_assert_cmpint((*property)->flags, ==, flags);
                add(surface->properties, interface->name, path, (*property)->name,
                    g_strdup((*property)->signature));
        }
}

static GDBusNodeInfo *parse(Surface *surface, const char *xml)
{
        GError *error = NULL;
        GDBusNodeInfo *node = g_dbus_node_info_new_for_xml(xml, &error);

        g_assert_no_error(error);
        g_ptr_array_add(surface->nodes, node);
        return node;
}

static void add_live(Surface *surface, Lab *lab, const char *path)
{
        GDBusNodeInfo *node = lab_introspect(lab, path);

        g_ptr_array_add(surface->nodes, node);
        for (GDBusInterfaceInfo **interface = node->interfaces; interface && *interface;
             interface++)
                add_interface(surface, path, *interface);
        for (GDBusNodeInfo **child = node->nodes; child && *child; child++) {
                char *below = g_build_path("/", path, (*child)->path, NULL);

                add_live(surface, lab, below);
                g_free(below);
        }
}

/* path: "" for what is written and not served. */
static void add_written(Surface *surface)
{
        GDir *directory = g_dir_open(SOURCE_ROOT "/dbus-interfaces", 0, NULL);
        const char *name;

        g_assert_nonnull(directory);
        while ((name = g_dir_read_name(directory))) {
                char *path = g_build_filename(SOURCE_ROOT "/dbus-interfaces", name, NULL), *text;

                if (g_str_has_suffix(name, ".xml")) {
                        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
                        add_interface(surface, "", parse(surface, text)->interfaces[0]);
                        g_free(text);
                }
                g_free(path);
        }
        g_dir_close(directory);
}

Surface *surface_new(Lab *lab, const char *path)
{
        Surface *surface = g_new0(Surface, 1);

        surface->methods = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, member_free);
        surface->properties = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, member_free);
        surface->nodes = g_ptr_array_new_with_free_func((GDestroyNotify) g_dbus_node_info_unref);
        add_live(surface, lab, path);
        return surface;
}

Surface *surface_new_whole(Lab *lab)
{
        Surface *surface = surface_new(lab, LAB_ROOT);

        add_live(surface, lab, "/"); /* and what stands elsewhere */
        add_written(surface);
        return surface;
}

void surface_free(Surface *surface)
{
        g_hash_table_destroy(surface->methods);
        g_hash_table_destroy(surface->properties);
        g_ptr_array_unref(surface->nodes);
        g_free(surface);
}
