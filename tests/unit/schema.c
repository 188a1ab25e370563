/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Schema: see schema.h. */
#include "schema.h"

#include <glib.h>
#include <string.h>

static json_object *member(json_object *object, const char *key)
{
        json_object *value = NULL;

        json_object_object_get_ex(object, key, &value);
        return value;
}

static int is_of_type(const char *type, json_object *value)
{
        static const struct {
                const char *name;
                json_type type;
        } types[] = {{"object", json_type_object},   {"array", json_type_array},
                     {"string", json_type_string},   {"integer", json_type_int},
                     {"boolean", json_type_boolean}, {"number", json_type_double}};

        for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
                if (g_str_equal(types[i].name, type))
                        return json_object_is_type(value, types[i].type);
        g_error("type %s", type);
}

static int fits_type(json_object *types, json_object *value)
{
        if (json_object_is_type(types, json_type_string))
                return is_of_type(json_object_get_string(types), value);
        for (size_t i = 0; i < json_object_array_length(types); i++)
                if (is_of_type(json_object_get_string(json_object_array_get_idx(types, i)), value))
                        return 1;
        return 0;
}

static int is_among(json_object *words, json_object *value)
{
        for (size_t i = 0; i < json_object_array_length(words); i++)
                if (json_object_equal(json_object_array_get_idx(words, i), value))
                        return 1;
        return 0;
}

static int has_all(json_object *keys, json_object *value)
{
        for (size_t i = 0; i < json_object_array_length(keys); i++)
                if (!json_object_object_get_ex(
                            value, json_object_get_string(json_object_array_get_idx(keys, i)),
                            NULL))
                        return 0;
        return 1;
}

static int properties_fit(json_object *root, json_object *schema, json_object *value)
{
        json_object *properties = member(schema, "properties");

        json_object_object_foreach(value, key, inner)
        {
                json_object *of_key = member(properties, key);

                if (!of_key || !schema_fits(root, of_key, inner))
                        return 0;
        }
        return 1;
}

static int one_fits(json_object *root, json_object *schemas, json_object *value)
{
        int n = 0;

        for (size_t i = 0; i < json_object_array_length(schemas); i++)
                n += schema_fits(root, json_object_array_get_idx(schemas, i), value);
        return n == 1;
}

static int all_fit(json_object *root, json_object *schema, json_object *value)
{
        for (size_t i = 0; i < json_object_array_length(value); i++)
                if (!schema_fits(root, schema, json_object_array_get_idx(value, i)))
                        return 0;
        return 1;
}

static json_object *target_of(json_object *root, const char *reference)
{
        const char *prefix = "#/$defs/";
        json_object *target;

        g_assert_true(g_str_has_prefix(reference, prefix));
        target = member(member(root, "$defs"), reference + strlen(prefix));
        g_assert_nonnull(target);
        return target;
}

static int keyword_fits(json_object *root, json_object *schema, const char *word, json_object *of,
                        json_object *value)
{
        if (g_str_equal(word, "$ref"))
                return schema_fits(root, target_of(root, json_object_get_string(of)), value);
        if (g_str_equal(word, "oneOf"))
                return one_fits(root, of, value);
        if (g_str_equal(word, "type"))
                return fits_type(of, value);
        if (g_str_equal(word, "enum"))
                return is_among(of, value);
        if (g_str_equal(word, "required"))
                return has_all(of, value);
        if (g_str_equal(word, "properties"))
                return properties_fit(root, schema, value);
        if (g_str_equal(word, "items"))
                return all_fit(root, of, value);
        if (g_str_equal(word, "minimum"))
                return json_object_get_uint64(value) >= json_object_get_uint64(of) &&
                       (json_object_get_int64(value) >= 0);
        if (g_str_equal(word, "maximum"))
                return json_object_get_uint64(value) <= json_object_get_uint64(of);
        if (g_str_equal(word, "additionalProperties")) {
                g_assert_false(json_object_get_boolean(of)); /* as properties_fit() takes it */
                return 1;
        }
        if (*word == '$' || g_str_equal(word, "title") || g_str_equal(word, "description"))
                return 1;
        g_error("keyword %s", word);
}

int schema_fits(json_object *root, json_object *schema, json_object *value)
{
        json_object_object_foreach(schema, word, of)
        {
                if (!keyword_fits(root, schema, word, of, value))
                        return 0;
        }
        return 1;
}
