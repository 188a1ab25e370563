/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes: see changes.h. */
#include "changes.h"

#include <stdio.h>
#include <string.h>

#include "output.h"
#include "reply.h"

int changes_read(sd_bus_message *reply, json_object **ret_changes)
{
        static const char *const keys[] = {"kind", "section", "entry"};

        return reply_read_rows(reply, "sss", keys, ret_changes);
}

/* A kind that is neither added nor removed is a word of the service's about the list itself. */
static void print_change(json_object *change)
{
        const char *kind = json_text(change, "kind"), *section = json_text(change, "section");
        int is_added = strcmp(kind, "added") == 0, is_removed = strcmp(kind, "removed") == 0;

        if (is_added || is_removed)
                printf("%s%c ", colour_sequence(is_added ? COLOUR_GOOD : COLOUR_BAD),
                       is_added ? '+' : '-');
        else
                printf("%s  ", colour_sequence(COLOUR_QUIET));
        fputs(*section ? "[" : "", stdout);
        output_text(stdout, section);
        fputs(*section ? "] " : "", stdout);
        output_text(stdout, json_text(change, "entry"));
        printf("%s\n", colour_sequence(COLOUR_NONE));
}

void changes_print(json_object *changes)
{
        for (size_t i = 0; i < json_object_array_length(changes); i++)
                print_change(json_object_array_get_idx(changes, i));
}

void changes_print_diff(json_object *changes, const char *before, const char *after)
{
        if (json_object_array_length(changes) == 0)
                return;
        fputs("--- ", stdout);
        output_text(stdout, before);
        fputs("\n+++ ", stdout);
        output_text(stdout, after);
        putchar('\n');
        changes_print(changes);
}
