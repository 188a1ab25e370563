/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Event line: see event-line.h. */
#include "event-line.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "output.h"

static void print_strings(json_object *event, const char *key)
{
        for (size_t i = 0; i < json_count(event, key); i++) {
                json_object *element = json_element(event, key, i);

                putchar(i == 0 ? ' ' : ',');
                if (json_object_is_type(element, json_type_string))
                        output_text(stdout, json_object_get_string(element));
        }
}

/* A number where the protocol has no name. */
static void print_address(json_object *event)
{
        const char *address = json_text(event, "address"), *protocol = json_text(event, "protocol");
        int is_v6 = strchr(address, ':') != NULL;

        fputs(is_v6 ? "[" : "", stdout);
        output_text(stdout, address);
        printf("%s:%" PRIu64 "/", is_v6 ? "]" : "", json_number(event, "port"));
        if (*protocol)
                output_text(stdout, protocol);
        else
                printf("%" PRIu64, json_number(event, "protocol"));
}

static void print_object(json_object *event)
{
        if (*json_text(event, "address"))
                print_address(event);
        else
                output_text(stdout, json_text(event, "path"));
        print_strings(event, "access");
}

static void print_cause(json_object *event)
{
        if (*json_text(event, "policy")) {
                fputs("; ", stdout);
                output_text(stdout, json_text(event, "policy"));
                printf(":%" PRIu64 ": ", json_number(event, "line"));
                output_text(stdout, json_text(event, "rule"));
        } else if (*json_text(event, "reason")) {
                fputs("; ", stdout);
                output_text(stdout, json_text(event, "reason"));
        }
}

void event_print(json_object *event, uint64_t boot_usec)
{
        const char *verdict = json_text(event, "verdict");
        Colour colour = strcmp(verdict, "denied") == 0 ? COLOUR_BAD : COLOUR_DOUBTFUL;
        char when[32];

        output_time(boot_usec + json_number(event, "time_usec"), when, sizeof(when));
        printf("%" PRIu64 " %s %s", json_number(event, "seq"), when, colour_sequence(colour));
        output_text(stdout, verdict);
        printf("%s ", colour_sequence(COLOUR_NONE));
        output_text(stdout, json_text(event, "hook"));
        putchar(' ');
        print_object(event);
        fputs(" by ", stdout);
        output_text(stdout, json_text(event, "comm"));
        printf("[%" PRIu64 "] uid %" PRIu64, json_number(event, "pid"), json_number(event, "uid"));
        print_cause(event);
        if (json_number(event, "first_seq"))
                printf(" (%" PRIu64 " more like %" PRIu64 ")", json_number(event, "count"),
                       json_number(event, "first_seq"));
}
