/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exception: see exception.h. A way is an object and a set of conditions on the subject: which of
 * them wins over the rule that denied is for the compiled policy to say. */
#include "event/exception.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event/internal.h"
#include "policy/rule-text.h"
#include "util/array.h"

/* More conditions win over fewer. */
static const uint32_t subjects[] = {
        SUBJECT_EXE | SUBJECT_UID,
        SUBJECT_EXE | SUBJECT_UID | SUBJECT_GID,
        SUBJECT_EXE | SUBJECT_UID | SUBJECT_GID | SUBJECT_CGROUP,
};

const char *exception_refusal(const struct event *event)
{
        if (event->flags & (EVENT_SELF | EVENT_FORGED))
                return "what guards the service allows no exception";
        if (event->rule == RULE_NONE ||
            (event->flags &
             (EVENT_UNPLACED | EVENT_HOLDS_RULES | EVENT_COPY | EVENT_UNHASHED | EVENT_UNKEPT)))
                return "no rule denied it, so that none can allow it";
        if (event->flags & EVENT_PATH_CUT)
                return "its path is longer than the event has room for";
        if (event_kind(event) == EVENT_OF_SOCKET &&
            (event->operation == NET_ACCEPT || event->operation == NET_RECV))
                return "what comes in has no program yet that could be named";
        return NULL;
}

char *exception_path(const struct event *event)
{
        size_t n =
                event->path_length < sizeof(event->path) ? event->path_length : sizeof(event->path);
        char *path = malloc(n + 2), *at = path;

        if (!path)
                return NULL;
        /* From the root, which is the last, to the object. */
        for (size_t end = n; end > 0;) {
                size_t begin = end - 1;

                while (begin > 0 && event->path[begin - 1] != '\0')
                        begin--;
                if (end - 1 > begin) {
                        *at++ = '/';
                        at = mempcpy(at, event->path + begin, end - 1 - begin);
                }
                end = begin;
        }
        if (at == path)
                *at++ = '/';
        *at = '\0';
        return path;
}

/* ---- objects ---- */

static uint32_t access_of(const struct event *event)
{
        /* A program that is run is opened first, and mapped. */
        return event->access & ACCESS_EXEC ? event->access | ACCESS_MAP : event->access;
}

static int file_object(const struct event *event, const ExceptionNames *names, unsigned object,
                       Rule *rule)
{
        const char *slash = names->path ? strrchr(names->path, '/') : NULL;

        if (event->digest_algorithm != 0) {
                rule->kind = RULE_DIGEST;
                rule->digest.algorithm = event->digest_algorithm;
                memcpy(rule->digest.digest, event->digest, DIGEST_SIZE);
                return object > 0;
        }
        switch (object) {
        case 0:
                rule->kind = RULE_FILE;
                rule->file.path = names->path;
                rule->file.access = access_of(event);
                return !names->path;
        case 1:
                rule->kind = RULE_INODE;
                rule->inode.device = event->device;
                rule->inode.inode = event->inode;
                rule->inode.access = access_of(event);
                return event->inode == 0;
        case 2:
                rule->kind = RULE_COMM;
                rule->comm = slash ? slash + 1 : "";
                return !(event->access & ACCESS_EXEC) || !*rule->comm || strlen(rule->comm) > 15;
        default: /* no enum: a number from 0 */
                return 1;
        }
}

static void net_object(const struct event *event, Rule *rule)
{
        rule->kind = RULE_NET;
        memcpy(rule->net.address, event->address, sizeof(rule->net.address));
        rule->net.prefix = 128;
        rule->net.operations = (uint8_t) (1u << event->operation);
        rule->net.protocol = event->protocol;
        rule->net.first_port = rule->net.last_port = event->port;
}

/* Returns 0, or 1 if there is no such object. */
static int set_object(const struct event *event, const ExceptionNames *names, unsigned object,
                      Rule *rule)
{
        switch (event_kind(event)) {
        case EVENT_OF_FILE:
                return file_object(event, names, object, rule);
        case EVENT_OF_SOCKET:
                net_object(event, rule);
                return object > 0 || event->operation >= N_NET_OPERATIONS;
        case EVENT_OF_KERNEL:
                rule->kind = RULE_KERNEL;
                rule->kernel = event->operation;
                return object > 0 || event->operation >= N_KERNEL_OBJECTS;
        }
        return 1;
}

/* ---- texts ---- */

/* A file by its number is asked about by its name. */
static int write_question(const struct event *event, const ExceptionNames *names, Rule rule,
                          char **ret_question)
{
        RuleOptions options = *rule.options;

        options.subject = subjects[ELEMENTS_OF(subjects) - 1];
        if (!names->cgroup)
                options.subject &= ~SUBJECT_CGROUP;
        if (!names->exe)
                options.subject &= ~SUBJECT_EXE;
        options.cgroup = names->cgroup;
        options.cgroup_id = 0;
        options.id = NULL;
        rule.options = &options;
        if (rule.kind == RULE_INODE || rule.kind == RULE_COMM)
                file_object(event, names, 0, &rule);
        return rule_to_text(&rule, ret_question);
}

int exception_way(const struct event *event, const ExceptionNames *names, unsigned way,
                  char **ret_entry, char **ret_question)
{
        _cleanup_(freep) char *entry = NULL;
        RuleOptions options = {
                .subject = subjects[way % ELEMENTS_OF(subjects)],
                .uid = event->uid,
                .gid = event->gid,
                .exe = names->exe,
                .cgroup = names->cgroup,
                .id = names->id,
        };
        Rule rule = {.verdict = RULE_ALLOW, .options = &options};

        if (set_object(event, names, way / ELEMENTS_OF(subjects), &rule))
                return 1;
        if (!names->cgroup)
                options.subject &= ~SUBJECT_CGROUP;
        if (rule_to_text(&rule, &entry) < 0 || write_question(event, names, rule, ret_question) < 0)
                return -ENOMEM;
        *ret_entry = TAKE_PTR(entry);
        return 0;
}

int exception_question(const struct event *event, const ExceptionNames *names, char **ret_question)
{
        const RuleOptions options = {.uid = event->uid, .gid = event->gid, .exe = names->exe};
        Rule rule = {.verdict = RULE_ALLOW, .options = &options};

        if (exception_refusal(event) || set_object(event, names, 0, &rule))
                return 1;
        return write_question(event, names, rule, ret_question) < 0 ? -ENOMEM : 0;
}
