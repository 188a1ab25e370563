/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls at random: whatever the service says it has is called with arguments of the right types and
 * of others, as root and as nobody. It must live, answer each, and for nobody be as it was. */
#include <string.h>
#include <sys/wait.h>

#include "fuzz-value.h"
#include "lab.h"
#include "value.h"

#define DOCUMENT "version=1\n[deny_path]\n/srv/one\n"
#define CALLS 10000u
#define AT_ONCE 8u /* as few as dbus-daemon is sure to let through */

typedef struct Method {
        char *path, *interface, *name, *type;
} Method;

static void method_free(gpointer data)
{
        Method *method = data;

        g_free(method->path);
        g_free(method->interface);
        g_free(method->name);
        g_free(method->type);
        g_free(method);
}

static void add_methods(GPtrArray *methods, const char *path, const GDBusInterfaceInfo *interface)
{
        for (GDBusMethodInfo **info = interface->methods; info && *info; info++) {
                Method *method = g_new(Method, 1);

                *method = (Method){g_strdup(path), g_strdup(interface->name),
                                   g_strdup((*info)->name), value_type((*info)->in_args)};
                g_ptr_array_add(methods, method);
        }
}

static void walk(Lab *lab, GPtrArray *methods, const char *path)
{
        GDBusNodeInfo *node = lab_introspect(lab, path);

        for (GDBusInterfaceInfo **info = node->interfaces; info && *info; info++)
                add_methods(methods, path, *info);
        for (GDBusNodeInfo **child = node->nodes; child && *child; child++) {
                char *below = g_build_path("/", path, (*child)->path, NULL);

                /* One hook is as good as another. */
                if (!g_str_has_suffix(path, "/hook") || child == node->nodes)
                        walk(lab, methods, below);
                g_free(below);
        }
        g_dbus_node_info_unref(node);
}

/* NULL where the library that sends refuses it already. */
static sd_bus_message *random_call(const GPtrArray *methods, sd_bus *bus)
{
        const Method *method = methods->pdata[g_test_rand_int_range(0, (gint32) methods->len)];
        int is_right = g_test_rand_int_range(0, 10) < 7;
        int is_nameless = g_test_rand_int_range(0, 50) == 0;
        char *type = is_right ? g_strdup(method->type) : random_type();
        GVariant *arguments = random_value(type);
        sd_bus_message *m = lab_message(bus, method->path, is_nameless ? NULL : method->interface,
                                        method->name);

        if (value_append(m, arguments) < 0)
                m = sd_bus_message_unref(m);
        g_variant_unref(arguments);
        g_free(type);
        return m;
}

/* A message that the bus finds too large ends its sender's connection: none is. */
static void check_answer(const char *member, const char *error)
{
        static const char *const never[] = {SD_BUS_ERROR_NO_REPLY, SD_BUS_ERROR_TIMEOUT,
                                            SD_BUS_ERROR_DISCONNECTED, SD_BUS_ERROR_SERVICE_UNKNOWN,
                                            SD_BUS_ERROR_NAME_HAS_NO_OWNER};

        for (size_t i = 0; i < G_N_ELEMENTS(never); i++)
                g_assert_cmpstr(error, !=, never[i]);
        if (error[0] && !g_str_has_prefix(error, "org.freedesktop.DBus.Error.") &&
            !g_str_has_prefix(error, "org.aegis.Enforcer.Error."))
                g_error("%s: an error of no known name: %s", member, error);
}

static void count(GHashTable *counts, const char *error)
{
        guint n = GPOINTER_TO_UINT(g_hash_table_lookup(counts, error));

        g_hash_table_insert(counts, g_strdup(error), GUINT_TO_POINTER(n + 1));
}

static void say_counts(GHashTable *counts)
{
        GHashTableIter all;
        gpointer error, n;

        g_hash_table_iter_init(&all, counts);
        while (g_hash_table_iter_next(&all, &error, &n))
                g_test_message("%6u %s", GPOINTER_TO_UINT(n),
                               *(char *) error ? (char *) error : "done");
}

static void send_calls(Lab *lab, const GPtrArray *methods, sd_bus *const *buses, unsigned n_buses)
{
        GHashTable *counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        Pending *pending[AT_ONCE] = {NULL};
        char *members[AT_ONCE] = {NULL};

        for (unsigned i = 0; i < CALLS + AT_ONCE; i++) {
                Pending **place = &pending[i % AT_ONCE];

                if (*place) {
                        sd_bus_message *reply = lab_wait(lab, *place);

                        check_answer(members[i % AT_ONCE], lab_error(reply));
                        count(counts, lab_error(reply));
                        sd_bus_message_unref(reply);
                        *place = NULL;
                }
                while (i < CALLS && !*place) {
                        sd_bus_message *m = random_call(methods, buses[i % n_buses]);

                        g_free(members[i % AT_ONCE]);
                        members[i % AT_ONCE] = g_strdup(m ? sd_bus_message_get_member(m) : "");
                        *place = m ? lab_send(m, g_test_rand_int_range(0, 2) ? INTERACTIVE : SILENT)
                                   : NULL;
                }
        }
        for (unsigned i = 0; i < AT_ONCE; i++)
                g_free(members[i]);
        say_counts(counts);
        g_hash_table_destroy(counts);
}

static void check_calls(Lab *lab, sd_bus *const *buses, unsigned n_buses)
{
        GPtrArray *methods = g_ptr_array_new_with_free_func(method_free);
        unsigned before;

        walk(lab, methods, "/");
        lab_settle(lab);
        before = lab_descriptors(lab);
        send_calls(lab, methods, buses, n_buses);
        lab_settle(lab);
        g_assert_cmpint(waitpid(lab->aegisd, NULL, WNOHANG), ==, 0); /* lives */
        g_assert_cmpuint(lab_descriptors(lab), <=, before + 1);      /* polkit may have gone */
        g_ptr_array_unref(methods);
}

static void test_random_calls_of_root_are_answered(Lab *lab)
{
        lab_must_apply(lab, "web", DOCUMENT);
        check_calls(lab, &lab->root, 1);
        lab_must_apply(lab, "afterwards", DOCUMENT);
}

/* With the users of the lab: one alone would soon call too often. */
static void test_random_calls_of_nobody_are_answered_and_change_nothing(Lab *lab)
{
        sd_bus *buses[LAB_USERS + 1];
        char *before, *after;

        for (unsigned i = 0; i < G_N_ELEMENTS(buses); i++)
                buses[i] = lab_connect(lab, i == 0 ? 65534 : LAB_USER + i - 1);
        lab_must_apply(lab, "web", DOCUMENT);
        before = lab_state(lab);
        check_calls(lab, buses, G_N_ELEMENTS(buses));
        after = lab_state(lab);
        g_assert_cmpstr(before, ==, after);
        free(before);
        free(after);
        for (unsigned i = 0; i < G_N_ELEMENTS(buses); i++)
                lab_disconnect(buses[i]);
}

#define TEST(name)                                                                                 \
        {                                                                                          \
#name, test_##name                                                                 \
        }

int main(int argc, char **argv)
{
        static const LabTest tests[] = {
                TEST(random_calls_of_root_are_answered),
                TEST(random_calls_of_nobody_are_answered_and_change_nothing),
        };

        return lab_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
