/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Events as CEF, version 0: a line of a head, whose fields end with |, and of key=value. Text is
 * escaped as everywhere first, so that no line end is left in it, and then as the format says. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build-config.h"
#include "event-format.h"
#include "text.h"
#include "util/cleanup.h"

static void write_escaped(FILE *out, const char *text, const char *specials)
{
        _cleanup_(freep) char *clean = text_escape(text, strlen(text));

        for (const char *at = clean ? clean : ""; *at; at++) {
                if (strchr(specials, *at))
                        fputc('\\', out);
                fputc(*at, out);
        }
}

static void write_head(FILE *out, const char *text)
{
        write_escaped(out, text, "\\|");
        fputc('|', out);
}

static void write_text(FILE *out, const char *key, const char *text)
{
        if (!*text)
                return;
        fprintf(out, " %s=", key);
        write_escaped(out, text, "\\=");
}

static void write_number(FILE *out, const char *key, json_object *event, const char *field)
{
        if (json_object_object_get_ex(event, field, NULL))
                fprintf(out, " %s=%" PRIu64, key, json_number(event, field));
}

/* One that the format has no name for. */
static void write_custom(FILE *out, unsigned number, const char *label, const char *text)
{
        char key[16];

        if (!*text)
                return;
        snprintf(key, sizeof(key), "cs%u", number);
        fprintf(out, " %sLabel=%s", key, label);
        write_text(out, key, text);
}

static void write_access(FILE *out, json_object *event)
{
        for (size_t i = 0; i < json_count(event, "access"); i++) {
                json_object *one = json_element(event, "access", i);

                fputs(i == 0 ? " cs4Label=access cs4=" : ",", out);
                if (json_object_is_type(one, json_type_string))
                        write_escaped(out, json_object_get_string(one), "\\=");
        }
}

static void write_event(FILE *out, json_object *event, uint64_t usec)
{
        const char *verdict = json_text(event, "verdict"), *address = json_text(event, "address");
        int denied = strcmp(verdict, "denied") == 0;

        write_head(out, json_text(event, "hook"));
        write_head(out, verdict);
        fprintf(out, "%s|rt=%" PRIu64, denied ? "6" : "3", usec / 1000);
        write_number(out, "externalId", event, "seq");
        write_text(out, "act", verdict);
        write_text(out, "outcome", denied ? "failure" : "success");
        write_text(out, "sproc", json_text(event, "comm"));
        write_number(out, "spid", event, "pid");
        write_number(out, "suid", event, "uid");
        write_text(out, "filePath", json_text(event, "path"));
        write_text(out, strchr(address, ':') ? "c6a3" : "dst", address);
        if (strchr(address, ':'))
                fputs(" c6a3Label=address", out);
        write_number(out, "dpt", event, "port");
        write_text(out, "proto", json_text(event, "protocol"));
        write_number(out, "cnt", event, "count");
        write_custom(out, 1, "policy", json_text(event, "policy"));
        write_custom(out, 2, "rule", json_text(event, "rule"));
        write_custom(out, 3, "id", json_text(event, "id"));
        write_access(out, event);
        write_custom(out, 5, "operation", json_text(event, "operation"));
        write_text(out, "reason", json_text(event, "reason"));
        write_text(out, "msg", json_text(event, "why"));
}

static void write_lost(FILE *out, json_object *event, uint64_t usec)
{
        fprintf(out, "lost|events were lost here|5|rt=%" PRIu64, usec / 1000);
        write_number(out, "cnt", event, "lost");
}

char *event_to_cef(json_object *event, uint64_t boot_usec, uint64_t now_usec)
{
        char *text = NULL;
        size_t n;
        FILE *out = open_memstream(&text, &n);
        int failed;

        if (!out)
                return NULL;
        fputs("CEF:0|Aegis|Aegis Enforcer|" AEGIS_VERSION "|", out);
        if (json_object_object_get_ex(event, "lost", NULL))
                write_lost(out, event, now_usec);
        else
                write_event(out, event, boot_usec + json_number(event, "time_usec"));
        failed = ferror(out);
        if (fclose(out) == 0 && !failed)
                return text;
        free(text);
        return NULL;
}
