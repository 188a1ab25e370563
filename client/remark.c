/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Remark: see remark.h. */
#include "remark.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"

#define WARNING "warning: "

/* Digits, then a colon. Returns what follows, or NULL. */
static const char *read_place(const char *text, uint32_t *ret_number)
{
        unsigned long number;
        char *end;

        if (!isdigit((unsigned char) *text))
                return NULL;
        errno = 0;
        number = strtoul(text, &end, 10);
        if (errno != 0 || number > UINT32_MAX || *end != ':')
                return NULL;
        *ret_number = (uint32_t) number;
        return end + 1;
}

/* Cuts "name:line:column:" off; both places stay 0 if it is not there. */
static const char *cut_place(const char *text, const char *name, Remark *remark)
{
        size_t n_name = strlen(name);
        const char *at = text;

        if (strncmp(at, name, n_name) == 0 && at[n_name] == ':')
                at += n_name + 1;
        text = at;
        at = read_place(at, &remark->line);
        if (at)
                at = read_place(at, &remark->column);
        if (!at)
                remark->line = remark->column = 0;
        else
                text = at;
        while (*text == ' ')
                text++;
        return text;
}

static int grade(json_object *remark, const char *message)
{
        size_t n = strlen(WARNING);
        int is_warning = strncmp(message, WARNING, n) == 0;
        json_object *text = json_object_new_string(message + (is_warning ? n : 0));
        int r;

        if (!text || json_object_object_add(remark, "message", text) < 0)
                return -ENOMEM;
        r = json_object_object_add(remark, "severity",
                                   json_object_new_string(is_warning ? "warning" : "fault"));
        return r < 0 ? -ENOMEM : 0;
}

static json_object *remark_new(const char *line, const char *name)
{
        _cleanup_(json_object_putp) json_object *object = json_object_new_object();
        Remark remark = {0};
        const char *message = cut_place(line, name, &remark);

        if (!object ||
            json_object_object_add(object, "line", json_object_new_uint64(remark.line)) < 0 ||
            json_object_object_add(object, "column", json_object_new_uint64(remark.column)) < 0 ||
            grade(object, message) < 0 ||
            json_object_object_add(object, "hint", json_object_new_string("")) < 0)
                return NULL;
        return TAKE_PTR(object);
}

int remarks_read(const char *message, const char *name, json_object **ret_remarks)
{
        _cleanup_(json_object_putp) json_object *remarks = json_object_new_array();
        _cleanup_(freep) char *lines = strdup(message);
        char *rest = NULL;

        if (!remarks || !lines)
                return -ENOMEM;
        for (char *line = strtok_r(lines, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
                json_object *remark = remark_new(line, name);

                if (!remark || json_object_array_add(remarks, remark) < 0) {
                        json_object_put(remark);
                        return -ENOMEM;
                }
        }
        *ret_remarks = TAKE_PTR(remarks);
        return 0;
}

int remarks_grade(json_object *rows)
{
        for (size_t i = 0; i < json_object_array_length(rows); i++) {
                json_object *row = json_object_array_get_idx(rows, i);
                _cleanup_(freep) char *message = strdup(json_text(row, "message"));

                if (!message || grade(row, message) < 0)
                        return -ENOMEM;
        }
        return 0;
}

void remarks_print(json_object *remarks, const SourceDocument *document, FILE *file)
{
        for (size_t i = 0; i < json_object_array_length(remarks); i++) {
                json_object *object = json_object_array_get_idx(remarks, i);
                const Remark remark = {
                        .line = (uint32_t) json_number(object, "line"),
                        .column = (uint32_t) json_number(object, "column"),
                        .warning = strcmp(json_text(object, "severity"), "warning") == 0,
                        .message = json_text(object, "message"),
                        .hint = json_text(object, "hint"),
                };

                source_document_point(document, &remark, file);
        }
}
