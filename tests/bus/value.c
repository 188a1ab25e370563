/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Value: see value.h. */
#include "value.h"

char *value_type(GDBusArgInfo *const *args)
{
        GString *type = g_string_new("(");

        for (; args && *args; args++)
                g_string_append(type, (*args)->signature);
        g_string_append_c(type, ')');
        return g_string_free(type, FALSE);
}

GVariant *value_parse(const char *type, const char *text)
{
        GError *error = NULL;
        GVariant *value = g_variant_parse(G_VARIANT_TYPE(type), text, NULL, NULL, &error);

        g_assert_no_error(error);
        return value;
}

static int append_basic(sd_bus_message *m, char type, GVariant *value)
{
        /* All numbers are in the serialised form as the bus wants them; a boolean is wider there.
         */
        if (type == SD_BUS_TYPE_BOOLEAN)
                return sd_bus_message_append(m, "b", g_variant_get_boolean(value));
        return sd_bus_message_append_basic(m, type, g_variant_get_data(value));
}

static int append(sd_bus_message *m, GVariant *value);

static int append_children(sd_bus_message *m, GVariant *value)
{
        int r = 0;

        for (gsize i = 0; r >= 0 && i < g_variant_n_children(value); i++) {
                GVariant *child = g_variant_get_child_value(value, i);

                r = append(m, child);
                g_variant_unref(child);
        }
        return r;
}

/* What stands within a container, as sd-bus wants it: an array's element, a structure's members,
 * the type of a variant's value. */
static char *contents(GVariant *value)
{
        const char *type = g_variant_get_type_string(value);
        GVariant *inner;
        char *copy;

        if (g_variant_is_of_type(value, G_VARIANT_TYPE_ARRAY))
                return g_strdup(type + 1);
        if (!g_variant_is_of_type(value, G_VARIANT_TYPE_VARIANT))
                return g_strndup(type + 1, strlen(type) - 2);
        inner = g_variant_get_variant(value);
        copy = g_strdup(g_variant_get_type_string(inner));
        g_variant_unref(inner);
        return copy;
}

static int append_container(sd_bus_message *m, char type, GVariant *value)
{
        char *within = contents(value);
        int r = sd_bus_message_open_container(m, type, within);

        g_free(within);
        if (r >= 0)
                r = append_children(m, value);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append(sd_bus_message *m, GVariant *value)
{
        switch (g_variant_classify(value)) {
        case G_VARIANT_CLASS_ARRAY:
                return append_container(m, SD_BUS_TYPE_ARRAY, value);
        case G_VARIANT_CLASS_TUPLE:
                return append_container(m, SD_BUS_TYPE_STRUCT, value);
        case G_VARIANT_CLASS_DICT_ENTRY:
                return append_container(m, SD_BUS_TYPE_DICT_ENTRY, value);
        case G_VARIANT_CLASS_VARIANT:
                return append_container(m, SD_BUS_TYPE_VARIANT, value);
        default:
                return append_basic(m, g_variant_get_type_string(value)[0], value);
        }
}

int value_append(sd_bus_message *m, GVariant *tuple)
{
        return append_children(m, tuple);
}
