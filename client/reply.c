/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reply: see reply.h. sd-bus has checked the message's form; here each type is checked against what
 * is expected, so that a service of another version is an error and never a crash. */
#include "reply.h"

#include <errno.h>
#include <string.h>

#include "json.h"
#include "util/cleanup.h"

static int read_any(sd_bus_message *reply, unsigned depth, json_object **ret_value);

static int read_string(sd_bus_message *reply, char type, json_object **ret_value)
{
        const char *text;
        int r = sd_bus_message_read_basic(reply, type, &text);

        if (r < 0)
                return r;
        *ret_value = json_object_new_string(text);
        return *ret_value ? 0 : -ENOMEM;
}

static int read_signed(sd_bus_message *reply, char type, json_object **ret_value)
{
        union {
                int16_t n;
                int32_t i;
                int64_t x;
        } number;
        int r = sd_bus_message_read_basic(reply, type, &number);

        if (r < 0)
                return r;
        *ret_value = json_object_new_int64(type == 'n'   ? number.n
                                           : type == 'i' ? number.i
                                                         : number.x);
        return *ret_value ? 0 : -ENOMEM;
}

static int read_unsigned(sd_bus_message *reply, char type, json_object **ret_value)
{
        union {
                uint8_t y;
                uint16_t q;
                uint32_t u;
                uint64_t t;
        } number;
        int r = sd_bus_message_read_basic(reply, type, &number);

        if (r < 0)
                return r;
        *ret_value = json_object_new_uint64(type == 'y'   ? number.y
                                            : type == 'q' ? number.q
                                            : type == 'u' ? number.u
                                                          : number.t);
        return *ret_value ? 0 : -ENOMEM;
}

static int read_boolean(sd_bus_message *reply, json_object **ret_value)
{
        int truth;
        int r = sd_bus_message_read_basic(reply, 'b', &truth);

        if (r < 0)
                return r;
        *ret_value = json_object_new_boolean(truth);
        return *ret_value ? 0 : -ENOMEM;
}

static int read_real(sd_bus_message *reply, json_object **ret_value)
{
        double real;
        int r = sd_bus_message_read_basic(reply, 'd', &real);

        if (r < 0)
                return r;
        *ret_value = json_object_new_double(real);
        return *ret_value ? 0 : -ENOMEM;
}

static int read_descriptor(sd_bus_message *reply, json_object **ret_value)
{
        int r = sd_bus_message_skip(reply, "h");

        if (r < 0)
                return r;
        *ret_value = NULL;
        return 0;
}

static int read_basic(sd_bus_message *reply, char type, json_object **ret_value)
{
        switch (type) {
        case 's':
        case 'o':
        case 'g':
                return read_string(reply, type, ret_value);
        case 'n':
        case 'i':
        case 'x':
                return read_signed(reply, type, ret_value);
        case 'y':
        case 'q':
        case 'u':
        case 't':
                return read_unsigned(reply, type, ret_value);
        case 'b':
                return read_boolean(reply, ret_value);
        case 'd':
                return read_real(reply, ret_value);
        case 'h':
                return read_descriptor(reply, ret_value);
        default:
                return -EBADMSG;
        }
}

/* A key that is no string has no place in JSON. */
static int read_entry(sd_bus_message *reply, unsigned depth, json_object *object)
{
        json_object *value = NULL;
        const char *key;
        int r = sd_bus_message_read_basic(reply, 's', &key);

        if (r < 0)
                return r == -ENXIO ? -EBADMSG : r;
        r = read_any(reply, depth, &value);
        return r < 0 ? r : json_add(object, key, value);
}

static int read_elements(sd_bus_message *reply, unsigned depth, json_object *container)
{
        int is_object = json_object_is_type(container, json_type_object), r;

        while ((r = sd_bus_message_at_end(reply, 0)) == 0) {
                json_object *value = NULL;

                if (is_object) {
                        r = sd_bus_message_enter_container(reply, SD_BUS_TYPE_DICT_ENTRY, NULL);
                        if (r >= 0)
                                r = read_entry(reply, depth, container);
                        if (r >= 0)
                                r = sd_bus_message_exit_container(reply);
                } else {
                        r = read_any(reply, depth, &value);
                        if (r >= 0)
                                r = json_add(container, NULL, value);
                }
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : 0;
}

/* Inside the container of this type already. */
static int read_contents(sd_bus_message *reply, char type, const char *contents, unsigned depth,
                         json_object **ret_value)
{
        _cleanup_(json_object_putp) json_object *container = NULL;
        int r;

        if (type == SD_BUS_TYPE_VARIANT)
                return read_any(reply, depth, ret_value);
        container = type == SD_BUS_TYPE_ARRAY && contents[0] == SD_BUS_TYPE_DICT_ENTRY_BEGIN
                            ? json_object_new_object()
                            : json_object_new_array();
        if (!container)
                return -ENOMEM;
        r = read_elements(reply, depth, container);
        if (r < 0)
                return r;
        *ret_value = TAKE_PTR(container);
        return 0;
}

static int read_any(sd_bus_message *reply, unsigned depth, json_object **ret_value)
{
        _cleanup_(json_object_putp) json_object *value = NULL;
        const char *contents;
        char type;
        int r = sd_bus_message_peek_type(reply, &type, &contents);

        if (r <= 0)
                return r < 0 ? r : -EBADMSG;
        if (type != SD_BUS_TYPE_ARRAY && type != SD_BUS_TYPE_STRUCT && type != SD_BUS_TYPE_VARIANT)
                return read_basic(reply, type, ret_value);
        if (depth == 0)
                return -EBADMSG;
        r = sd_bus_message_enter_container(reply, type, contents);
        if (r < 0)
                return r;
        r = read_contents(reply, type, contents, depth - 1, &value);
        if (r < 0)
                return r;
        r = sd_bus_message_exit_container(reply);
        if (r < 0)
                return r;
        *ret_value = TAKE_PTR(value);
        return 0;
}

int reply_read_value(sd_bus_message *reply, json_object **ret_value)
{
        return read_any(reply, REPLY_DEPTH_MAX, ret_value);
}

static const Field *field_find(const Field *fields, const char *property)
{
        for (; fields->property; fields++)
                if (strcmp(fields->property, property) == 0)
                        return fields;
        return NULL;
}

/* At the variant of a property. */
static int read_property(sd_bus_message *reply, const Field *field, json_object *object)
{
        json_object *value = NULL;
        int r;

        if (!field)
                return sd_bus_message_skip(reply, "v");
        r = sd_bus_message_enter_container(reply, SD_BUS_TYPE_VARIANT, field->type);
        if (r < 0)
                return r == -ENXIO ? -EBADMSG : r;
        r = reply_read_value(reply, &value);
        if (r < 0)
                return r;
        r = json_add(object, field->key, value);
        if (r < 0)
                return r;
        return sd_bus_message_exit_container(reply);
}

int reply_read_properties(sd_bus_message *reply, const Field *fields, json_object **ret_object)
{
        _cleanup_(json_object_putp) json_object *object = json_object_new_object();
        int r = object ? sd_bus_message_enter_container(reply, SD_BUS_TYPE_ARRAY, "{sv}") : -ENOMEM;

        if (r < 0)
                return r == -ENXIO ? -EBADMSG : r;
        while ((r = sd_bus_message_enter_container(reply, SD_BUS_TYPE_DICT_ENTRY, "sv")) > 0) {
                const char *property;

                r = sd_bus_message_read_basic(reply, 's', &property);
                if (r < 0)
                        return r;
                r = read_property(reply, field_find(fields, property), object);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(reply);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        r = sd_bus_message_exit_container(reply);
        if (r < 0)
                return r;
        *ret_object = TAKE_PTR(object);
        return 0;
}

/* At the a{sa{sv}} of an object: the properties of one interface, NULL if it has not got it. */
static int read_interface(sd_bus_message *reply, const char *interface, const Field *fields,
                          json_object **ret_object)
{
        _cleanup_(json_object_putp) json_object *object = NULL;
        int r = sd_bus_message_enter_container(reply, SD_BUS_TYPE_ARRAY, "{sa{sv}}");

        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(reply, SD_BUS_TYPE_DICT_ENTRY, "sa{sv}")) > 0) {
                const char *name;

                r = sd_bus_message_read_basic(reply, 's', &name);
                if (r >= 0)
                        r = object || strcmp(name, interface) != 0
                                    ? sd_bus_message_skip(reply, "a{sv}")
                                    : reply_read_properties(reply, fields, &object);
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        r = sd_bus_message_exit_container(reply);
        if (r < 0)
                return r;
        *ret_object = TAKE_PTR(object);
        return 0;
}

static int read_object(sd_bus_message *reply, const char *interface, const Field *fields,
                       json_object *array)
{
        json_object *object = NULL, *path = NULL;
        int r = read_string(reply, 'o', &path);

        if (r < 0)
                return r;
        r = read_interface(reply, interface, fields, &object);
        if (r < 0 || !object) {
                json_object_put(path);
                return r;
        }
        r = json_add(object, "object", path);
        if (r < 0) {
                json_object_put(object);
                return r;
        }
        return json_add(array, NULL, object);
}

int reply_read_objects(sd_bus_message *reply, const char *interface, const Field *fields,
                       json_object **ret_array)
{
        _cleanup_(json_object_putp) json_object *array = json_object_new_array();
        int r = array ? sd_bus_message_rewind(reply, 1) : -ENOMEM;

        if (r < 0)
                return r;
        r = sd_bus_message_enter_container(reply, SD_BUS_TYPE_ARRAY, "{oa{sa{sv}}}");
        if (r < 0)
                return r == -ENXIO ? -EBADMSG : r;
        while ((r = sd_bus_message_enter_container(reply, SD_BUS_TYPE_DICT_ENTRY, "oa{sa{sv}}")) >
               0) {
                r = read_object(reply, interface, fields, array);
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        json_sort_by_name(array);
        *ret_array = TAKE_PTR(array);
        return 0;
}

/* At a structure. */
static int read_row(sd_bus_message *reply, const char *contents, const char *const *keys,
                    json_object *array)
{
        _cleanup_(json_object_putp) json_object *row = json_object_new_object();
        int r = row ? sd_bus_message_enter_container(reply, SD_BUS_TYPE_STRUCT, contents) : -ENOMEM;

        if (r <= 0)
                return r;
        for (size_t i = 0; contents[i]; i++) {
                json_object *value = NULL;

                r = read_basic(reply, contents[i], &value);
                if (r < 0)
                        return r;
                r = json_add(row, keys[i], value);
                if (r < 0)
                        return r;
        }
        r = sd_bus_message_exit_container(reply);
        if (r < 0)
                return r;
        r = json_add(array, NULL, TAKE_PTR(row));
        return r < 0 ? r : 1;
}

int reply_read_rows(sd_bus_message *reply, const char *contents, const char *const *keys,
                    json_object **ret_array)
{
        _cleanup_(json_object_putp) json_object *array = json_object_new_array();
        int r = array ? sd_bus_message_enter_container(reply, SD_BUS_TYPE_ARRAY, NULL) : -ENOMEM;

        if (r < 0)
                return r == -ENXIO ? -EBADMSG : r;
        do
                r = read_row(reply, contents, keys, array);
        while (r > 0);
        if (r < 0)
                return r == -ENXIO ? -EBADMSG : r;
        r = sd_bus_message_exit_container(reply);
        if (r < 0)
                return r;
        *ret_array = TAKE_PTR(array);
        return 0;
}
