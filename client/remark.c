/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Remark: see remark.h. */
#include "remark.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

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

static int fill(json_object *object, const Remark *remark)
{
        int r = json_add_number(object, "line", remark->line);

        if (r >= 0)
                r = json_add_number(object, "column", remark->column);
        if (r >= 0)
                r = json_add_text(object, "severity", remark->warning ? "warning" : "fault");
        if (r >= 0)
                r = json_add_text(object, "message", remark->message);
        return r < 0 ? r : json_add_text(object, "hint", "");
}

static json_object *remark_new(const char *line, const char *name)
{
        _cleanup_(json_object_putp) json_object *object = json_object_new_object();
        Remark remark = {.hint = ""};

        remark.message = cut_place(line, name, &remark);
        if (strncmp(remark.message, WARNING, strlen(WARNING)) == 0) {
                remark.warning = 1;
                remark.message += strlen(WARNING);
        }
        if (!object || fill(object, &remark) < 0)
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

                if (!remark || json_add(remarks, NULL, remark) < 0)
                        return -ENOMEM;
        }
        *ret_remarks = TAKE_PTR(remarks);
        return 0;
}

int remarks_grade(json_object *rows)
{
        for (size_t i = 0; i < json_object_array_length(rows); i++)
                if (json_add_text(json_object_array_get_idx(rows, i), "severity", "warning") < 0)
                        return -ENOMEM;
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
