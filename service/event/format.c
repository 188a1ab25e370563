/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Format: one event as one JSON object. Members are only ever added. In this order:
 *
 *   seq         number of the event; numbers missing in between were lost or not asked for
 *   time_usec   since boot, suspended time included (CLOCK_BOOTTIME)
 *   hook        "file_open", "socket_connect", … as the Hook objects are called
 *   verdict     "denied" or "audited" (it would have been denied: the mode is audit)
 *   count, first_seq, first_usec  it tells of so many more like event first_seq, which began then;
 *               time_usec is when the last of them was
 *   generation  of the image that decided
 *   policy, line, rule   the document, the line in it, and "section entry"
 *   id, why     as the rule says: its name, and what is told to the person who is denied; or,
 * without a rule: reason      why it was denied without one, or why its rule cannot be named signal
 * "SIGTERM" or "SIGKILL", if one was sent to the process pid, ppid, uid, gid, loginuid, comm,
 * cgroup_id start_usec  when that process began, since boot: with pid, it means one process for
 * ever exe         {"device": "8:1", "inode": 42} of the executable then, about a file: path as
 * seen by the service, or from the root of its file system if that is not mounted here; with an
 * ellipsis and a slash in front when the beginning did not fit device, inode access      array of
 * "read", "write", "exec", "create", "delete", "link", "attr", "map" digest      "sha256:…" or
 * "fsverity:…", if the rule is about it or about a socket: operation   "connect", "bind", "listen",
 * "accept", "send", "recv" address     text; an IPv4 address also when it came as ::ffff:a.b.c.d
 *   port        number
 *   protocol    "tcp", "udp", "raw", "packet", or its number
 * or about the kernel, a process or the service:
 *   operation   "ptrace", "module", "bpf", "mount", "kexec"; not for what guards the service
 *   target      the other process, or the command of bpf()
 *   path        of what is mounted on, say
 *
 * All text is UTF-8; what is not, and control characters, become \xNN. */
#include <errno.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "backend/backend.h"
#include "event/internal.h"
#include "event/json.h"
#include "event/text.h"

int json_add(json_object *object, const char *key, json_object *value)
{
        if (!value)
                return -ENOMEM;
        if (json_object_object_add(object, key, value) != 0) {
                json_object_put(value);
                return -ENOMEM;
        }
        return 0;
}

int json_add_number(json_object *object, const char *key, uint64_t number)
{
        return json_add(object, key, json_object_new_uint64(number));
}

int json_add_word(json_object *object, const char *key, const char *word)
{
        return json_add(object, key, json_object_new_string(word));
}

int json_add_text(json_object *object, const char *key, const char *text)
{
        _cleanup_(freep) char *clean = event_text(text, strlen(text));

        return clean ? json_add_word(object, key, clean) : -ENOMEM;
}

int json_add_device(json_object *object, uint32_t device)
{
        char text[32];

        snprintf(text, sizeof(text), "%u:%u", device >> 20, device & 0xfffffu);
        return json_add_word(object, "device", text);
}

static int add_decision(json_object *object, const struct event *event)
{
        const char *verdict = event->verdict == VERDICT_AUDITED ? "audited" : "denied";

        if (json_add_number(object, "seq", event->seq) < 0 ||
            json_add_number(object, "time_usec", event->time_ns / 1000) < 0 ||
            json_add_word(object, "hook", hook_to_string(event->hook)) < 0 ||
            json_add_word(object, "verdict", verdict) < 0)
                return -ENOMEM;
        if (event->first_seq && (json_add_number(object, "count", event->count) < 0 ||
                                 json_add_number(object, "first_seq", event->first_seq) < 0 ||
                                 json_add_number(object, "first_usec", event->first_ns / 1000) < 0))
                return -ENOMEM;
        if (event->emergency && json_add(object, "emergency", json_object_new_boolean(1)) < 0)
                return -ENOMEM;
        return json_add_number(object, "generation", event->generation);
}

static const char *reason_of(const struct event *event)
{
        if (event->flags & EVENT_SELF)
                return "the service guards itself";
        if (event->flags & EVENT_FORGED)
                return "the process would have passed for another program";
        if (event->flags & EVENT_UNKEPT)
                return "memory was short for what must be kept in mind of the process";
        if (event->flags & EVENT_UNHASHED)
                return "the digest of the program could not be told";
        if (event->rule != RULE_NONE)
                return "the policy of that generation is no longer known";
        if (event->flags & EVENT_HOLDS_RULES)
                return "rules name something below this directory";
        if (event->flags & EVENT_COPY)
                return "an overlay would have copied what rules are about";
        return "the name could not be followed to its root";
}

static int add_rule(json_object *object, const struct event *event, const ImageRule *rule)
{
        _cleanup_(freep) char *text = NULL;
        const Rule *said = rule ? rule->rule : NULL;
        char id[IMAGE_RULE_ID_SIZE];

        if (!rule)
                return json_add_word(object, "reason", reason_of(event));
        if (asprintf(&text, "%s%s%s", said->section, said->entry[0] ? " " : "", said->entry) < 0) {
                text = NULL;
                return -ENOMEM;
        }
        if (json_add_text(object, "policy", rule->document) < 0 ||
            json_add_number(object, "line", said->line) < 0 ||
            json_add_text(object, "rule", text) < 0 ||
            json_add_text(object, "id", image_rule_id(rule, id)) < 0)
                return -ENOMEM;
        return said->options->why ? json_add_text(object, "why", said->options->why) : 0;
}

static int add_signal(json_object *object, const struct event *event)
{
        if (!event->signal)
                return 0;
        return json_add_word(object, "signal", event->signal == SIGKILL ? "SIGKILL" : "SIGTERM");
}

static int add_executable(json_object *object, const struct event *event)
{
        json_object *executable = json_object_new_object();

        if (json_add(object, "exe", executable) < 0 ||
            json_add_device(executable, event->exe_device) < 0)
                return -ENOMEM;
        return json_add_number(executable, "inode", event->exe_inode);
}

static int add_name(json_object *object, const struct event *event)
{
        char name[EVENT_COMM_SIZE + 1];

        snprintf(name, sizeof(name), "%.*s", EVENT_COMM_SIZE, event->comm);
        return json_add_text(object, "comm", name);
}

static int add_subject(json_object *object, const struct event *event)
{
        if (json_add_number(object, "pid", event->pid) < 0 ||
            json_add_number(object, "ppid", event->ppid) < 0 ||
            json_add_number(object, "uid", event->uid) < 0 ||
            json_add_number(object, "gid", event->gid) < 0 ||
            json_add_number(object, "loginuid", event->loginuid) < 0 ||
            add_name(object, event) < 0 ||
            json_add_number(object, "start_usec", event->start_ns / 1000) < 0 ||
            json_add_number(object, "cgroup_id", event->cgroup) < 0)
                return -ENOMEM;
        return add_executable(object, event);
}

static void json_object_freep(json_object **object)
{
        json_object_put(*object);
}

char *event_format(const struct event *event, const ImageRule *rule, const char *path)
{
        _cleanup_(json_object_freep) json_object *object = json_object_new_object();
        const char *text;

        if (!object || add_decision(object, event) < 0 || add_rule(object, event, rule) < 0 ||
            add_signal(object, event) < 0 || add_subject(object, event) < 0 ||
            json_add_object_of(object, event, path) < 0)
                return NULL;
        text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
                                                              JSON_C_TO_STRING_NOSLASHESCAPE);
        return text ? strdup(text) : NULL;
}
