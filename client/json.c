/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON: see json.h. */
#include "json.h"

#include <errno.h>
#include <string.h>

int json_add(json_object *container, const char *key, json_object *value)
{
        int r = key ? json_object_object_add(container, key, value)
                    : json_object_array_add(container, value);

        if (r < 0)
                json_object_put(value);
        return r < 0 ? -ENOMEM : 0;
}

static int add_new(json_object *object, const char *key, json_object *value)
{
        return value ? json_add(object, key, value) : -ENOMEM;
}

int json_add_text(json_object *object, const char *key, const char *text)
{
        return add_new(object, key, json_object_new_string(text));
}

int json_add_number(json_object *object, const char *key, uint64_t number)
{
        return add_new(object, key, json_object_new_uint64(number));
}

int json_add_truth(json_object *object, const char *key, int truth)
{
        return add_new(object, key, json_object_new_boolean(truth));
}

static json_object *field_of_type(json_object *object, const char *key, json_type type)
{
        json_object *field = NULL;

        if (!json_object_is_type(object, json_type_object) ||
            !json_object_object_get_ex(object, key, &field) || !json_object_is_type(field, type))
                return NULL;
        return field;
}

const char *json_text(json_object *object, const char *key)
{
        json_object *field = field_of_type(object, key, json_type_string);

        return field ? json_object_get_string(field) : "";
}

uint64_t json_number(json_object *object, const char *key)
{
        json_object *field = field_of_type(object, key, json_type_int);

        return field ? json_object_get_uint64(field) : 0;
}

int json_truth(json_object *object, const char *key)
{
        json_object *field = field_of_type(object, key, json_type_boolean);

        return field && json_object_get_boolean(field);
}

size_t json_count(json_object *object, const char *key)
{
        json_object *field = field_of_type(object, key, json_type_array);

        return field ? json_object_array_length(field) : 0;
}

json_object *json_element(json_object *object, const char *key, size_t i)
{
        json_object *field = field_of_type(object, key, json_type_array);

        return field && i < json_object_array_length(field) ? json_object_array_get_idx(field, i)
                                                            : NULL;
}

static int compare_names(const void *a, const void *b)
{
        return strcmp(json_text(*(json_object *const *) a, "name"),
                      json_text(*(json_object *const *) b, "name"));
}

void json_sort_by_name(json_object *array)
{
        json_object_array_sort(array, compare_names);
}
