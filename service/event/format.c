/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Format: one event as one JSON object. Members are only ever added. In this order:
 *
 *   seq         number of the event; numbers missing in between were lost or not asked for
 *   time_usec   since boot, suspended time included (CLOCK_BOOTTIME)
 *   hook        "file_open", "socket_connect", … as the Hook objects are called
 *   verdict     "denied" or "audited" (it would have been denied: the mode is audit)
 *   generation  of the image that decided
 *   policy, line, rule   the document, the line in it, and "section entry"; or, without a rule:
 *   reason      why it was denied without one, or why its rule cannot be named
 *   pid, ppid, uid, gid, loginuid, comm, cgroup_id
 *   start_usec  when that process began, since boot: with pid, it means one process for ever
 *   exe         {"device": "8:1", "inode": 42} of the executable
 * then, about a file:
 *   path        as seen by the service, or from the root of its file system if that is not mounted
 *               here; with an ellipsis and a slash in front when the beginning did not fit
 *   device, inode
 *   access      array of "read", "write", "exec", "create", "delete", "link", "attr"
 * or about a socket:
 *   address     text; an IPv4 address also when it came as ::ffff:a.b.c.d
 *   port        number
 *   protocol    "tcp", "udp", or its number
 *
 * All text is UTF-8; what is not, and control characters, become \xNN. */
#include <arpa/inet.h>
#include <errno.h>
#include <json-c/json.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "backend/backend.h"
#include "event/internal.h"
#include "event/text.h"
#include "util/array.h"

int event_is_network(const struct event *event)
{
        return event->hook == HOOK_SOCKET_BIND || event->hook == HOOK_SOCKET_CONNECT ||
               event->hook == HOOK_SOCKET_SENDMSG;
}

/* Takes value, which may be NULL when memory was short. */
static int add(json_object *object, const char *key, json_object *value)
{
        if (!value)
                return -ENOMEM;
        if (json_object_object_add(object, key, value) != 0) {
                json_object_put(value);
                return -ENOMEM;
        }
        return 0;
}

static int add_number(json_object *object, const char *key, uint64_t number)
{
        return add(object, key, json_object_new_uint64(number));
}

static int add_text(json_object *object, const char *key, const char *text, size_t n)
{
        _cleanup_(freep) char *clean = event_text(text, n);

        return clean ? add(object, key, json_object_new_string(clean)) : -ENOMEM;
}

static int add_device(json_object *object, uint32_t device)
{
        char text[32];

        snprintf(text, sizeof(text), "%u:%u", device >> 20, device & 0xfffffu);
        return add(object, "device", json_object_new_string(text));
}

static int add_decision(json_object *object, const struct event *event)
{
        const char *verdict = event->verdict == VERDICT_AUDITED ? "audited" : "denied";

        if (add_number(object, "seq", event->seq) < 0 ||
            add_number(object, "time_usec", event->time_ns / 1000) < 0 ||
            add(object, "hook", json_object_new_string(hook_to_string(event->hook))) < 0 ||
            add(object, "verdict", json_object_new_string(verdict)) < 0 ||
            add_number(object, "generation", event->generation) < 0)
                return -ENOMEM;
        return 0;
}

static const char *reason_of(const struct event *event)
{
        if (event->rule != RULE_NONE)
                return "the policy of that generation is no longer known";
        if (event->flags & EVENT_HOLDS_RULES)
                return "rules name something below this directory";
        return "the name could not be followed to its root";
}

static int add_rule(json_object *object, const struct event *event, const ImageRule *rule)
{
        _cleanup_(freep) char *text = NULL;

        if (!rule)
                return add(object, "reason", json_object_new_string(reason_of(event)));
        if (asprintf(&text, "%s%s%s", rule->section, rule->entry[0] ? " " : "", rule->entry) < 0) {
                text = NULL;
                return -ENOMEM;
        }
        if (add_text(object, "policy", rule->document, strlen(rule->document)) < 0 ||
            add_number(object, "line", rule->line) < 0 ||
            add_text(object, "rule", text, strlen(text)) < 0)
                return -ENOMEM;
        return 0;
}

static int add_executable(json_object *object, const struct event *event)
{
        json_object *executable = json_object_new_object();

        if (add(object, "exe", executable) < 0)
                return -ENOMEM;
        if (add_device(executable, event->exe_device) < 0)
                return -ENOMEM;
        return add_number(executable, "inode", event->exe_inode);
}

static int add_subject(json_object *object, const struct event *event)
{
        if (add_number(object, "pid", event->pid) < 0 ||
            add_number(object, "ppid", event->ppid) < 0 ||
            add_number(object, "uid", event->uid) < 0 ||
            add_number(object, "gid", event->gid) < 0 ||
            add_number(object, "loginuid", event->loginuid) < 0 ||
            add_text(object, "comm", event->comm, strnlen(event->comm, sizeof(event->comm))) < 0 ||
            add_number(object, "start_usec", event->start_ns / 1000) < 0 ||
            add_number(object, "cgroup_id", event->cgroup) < 0)
                return -ENOMEM;
        return add_executable(object, event);
}

static int add_access(json_object *object, uint32_t access)
{
        static const struct {
                uint32_t bit;
                const char *name;
        } kinds[] = {
                {ACCESS_READ, "read"},     {ACCESS_WRITE, "write"},   {ACCESS_EXEC, "exec"},
                {ACCESS_CREATE, "create"}, {ACCESS_DELETE, "delete"}, {ACCESS_LINK, "link"},
                {ACCESS_ATTR, "attr"},
        };
        json_object *list = json_object_new_array();

        if (add(object, "access", list) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTS_OF(kinds); i++) {
                json_object *name;

                if (!(access & kinds[i].bit))
                        continue;
                name = json_object_new_string(kinds[i].name);
                if (!name)
                        return -ENOMEM;
                if (json_object_array_add(list, name) != 0) {
                        json_object_put(name);
                        return -ENOMEM;
                }
        }
        return 0;
}

static int add_file(json_object *object, const struct event *event, const char *path)
{
        _cleanup_(freep) char *own = path ? NULL : event_path(event);
        const char *told = path ? path : own;

        if (!told || add_text(object, "path", told, strlen(told)) < 0 ||
            add_device(object, event->device) < 0 || add_number(object, "inode", event->inode) < 0)
                return -ENOMEM;
        return add_access(object, event->access);
}

static void format_address(const struct event *event, char ret_text[INET6_ADDRSTRLEN])
{
        struct in6_addr address;

        memcpy(&address, event->address, sizeof(address));
        if (IN6_IS_ADDR_V4MAPPED(&address))
                inet_ntop(AF_INET, &address.s6_addr[12], ret_text, INET6_ADDRSTRLEN);
        else
                inet_ntop(AF_INET6, &address, ret_text, INET6_ADDRSTRLEN);
}

static int add_protocol(json_object *object, uint16_t protocol)
{
        switch (protocol) {
        case IPPROTO_TCP:
                return add(object, "protocol", json_object_new_string("tcp"));
        case IPPROTO_UDP:
                return add(object, "protocol", json_object_new_string("udp"));
        default: /* the kernel's numbers, not an enum of ours */
                return add_number(object, "protocol", protocol);
        }
}

static int add_socket(json_object *object, const struct event *event)
{
        char address[INET6_ADDRSTRLEN];

        format_address(event, address);
        if (add(object, "address", json_object_new_string(address)) < 0 ||
            add_number(object, "port", event->port) < 0)
                return -ENOMEM;
        return add_protocol(object, event->protocol);
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
            add_subject(object, event) < 0)
                return NULL;
        if ((event_is_network(event) ? add_socket(object, event) : add_file(object, event, path)) <
            0)
                return NULL;
        text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
                                                              JSON_C_TO_STRING_NOSLASHESCAPE);
        return text ? strdup(text) : NULL;
}
