/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exception: the rule that would allow what an event denied, that very thing to that very program
 * and user, and nothing else. */
#pragma once

#include "event/event.h"

/* What the event tells by number, by name. */
typedef struct ExceptionNames {
        const char *path;   /* of the object, as it is: not escaped; NULL if it is about none */
        const char *exe;    /* of the program */
        const char *cgroup; /* "/a/b"; NULL: not known */
        const char *id;     /* what the rule is called */
} ExceptionNames;

/* Why there can be no exception from an event, whatever the policy is; NULL if there can. */
const char *exception_refusal(const struct event *event);

/* The names of an event as they are, "/a/b" inside its file system. Returns a new string or NULL.
 */
char *exception_path(const struct event *event);

/* Ways to allow it, from the one that allows least to say who. Each fills the entry of a rule under
 * [allow], without a ttl, and the access as a question. Returns 0, 1 if there is no such way, or
 * -ENOMEM. */
int exception_way(const struct event *event, const ExceptionNames *names, unsigned way,
                  char **ret_entry, char **ret_question);

/* What was done, as a question, by whom as far as that is known: names->exe may be NULL. Returns 0,
 * 1 if it cannot be asked, or -ENOMEM. */
int exception_question(const struct event *event, const ExceptionNames *names, char **ret_question);
