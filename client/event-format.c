/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Event formats in JSON: see event-format.h. */
#include "event-format.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "build-config.h"
#include "util/array.h"

int event_format_from_string(const char *text, EventFormat *ret_format)
{
        static const char *const words[] = {
                [EVENT_TEXT] = "text", [EVENT_JSON] = "json", [EVENT_OCSF] = "ocsf",
                [EVENT_ECS] = "ecs",   [EVENT_CEF] = "cef",
        };

        for (size_t i = 0; i < ELEMENTS_OF(words); i++)
                if (strcmp(words[i], text) == 0) {
                        *ret_format = (EventFormat) i;
                        return 0;
                }
        return -EINVAL;
}

/* ---- what a record is ---- */

typedef enum Kind {
        KIND_LOST,
        KIND_FILE,
        KIND_PROCESS, /* something was to be run */
        KIND_SOCKET,
        KIND_KERNEL,
} Kind;

static int has_access(json_object *event, const char *access)
{
        for (size_t i = 0; i < json_count(event, "access"); i++) {
                json_object *one = json_element(event, "access", i);

                if (json_object_is_type(one, json_type_string) &&
                    strcmp(json_object_get_string(one), access) == 0)
                        return 1;
        }
        return 0;
}

static Kind kind_of(json_object *event)
{
        if (json_object_object_get_ex(event, "lost", NULL))
                return KIND_LOST;
        if (*json_text(event, "address"))
                return KIND_SOCKET;
        if (!json_object_object_get_ex(event, "access", NULL))
                return KIND_KERNEL;
        return has_access(event, "exec") ? KIND_PROCESS : KIND_FILE;
}

static int is_denied(json_object *event)
{
        return strcmp(json_text(event, "verdict"), "denied") == 0;
}

/* A field under another name, of whatever type it is; nothing if it is not there. */
static int copy(json_object *to, const char *name, json_object *event, const char *key)
{
        json_object *value = NULL;

        if (!json_object_object_get_ex(event, key, &value))
                return 0;
        return json_add(to, name, json_object_get(value));
}

/* A new object inside another, which owns it; NULL when memory is short. */
static json_object *inner(json_object *in, const char *key)
{
        json_object *object = in ? json_object_new_object() : NULL;

        return object && json_add(in, key, object) == 0 ? object : NULL;
}

static json_object *whole(json_object *object, int r)
{
        if (r == 0)
                return object;
        json_object_put(object);
        return NULL;
}

/* ---- OCSF ---- */

static uint64_t ocsf_class(Kind kind)
{
        switch (kind) {
        case KIND_LOST:
                return 0; /* Base Event */
        case KIND_FILE:
                return 1001;
        case KIND_KERNEL:
                return 1003;
        case KIND_PROCESS:
                return 1007;
        case KIND_SOCKET:
                return 4001;
        }
        return 0;
}

/* The numbers of OCSF's classes; 99: other. */
static uint64_t ocsf_activity(json_object *event, Kind kind)
{
        static const struct {
                const char *access;
                uint64_t activity;
        } of_files[] = {{"create", 1}, {"delete", 4}, {"link", 5},
                        {"attr", 6},   {"write", 3},  {"read", 2}};

        switch (kind) {
        case KIND_FILE:
                for (size_t i = 0; i < ELEMENTS_OF(of_files); i++)
                        if (has_access(event, of_files[i].access))
                                return of_files[i].activity;
                return 99;
        case KIND_PROCESS:
                return 1; /* Launch */
        case KIND_SOCKET:
                return strcmp(json_text(event, "operation"), "connect") == 0 ? 1 /* Open */ : 99;
        case KIND_KERNEL:
                return 4; /* Invoke */
        case KIND_LOST:
                break;
        }
        return 99;
}

static int ocsf_head(json_object *to, json_object *event, Kind kind)
{
        uint64_t class = ocsf_class(kind), activity = ocsf_activity(event, kind);
        json_object *metadata = inner(to, "metadata"), *product = inner(metadata, "product");
        json_object *profiles = json_object_new_array();

        if (!product || json_add(metadata, "profiles", profiles) < 0 ||
            json_add(profiles, NULL, json_object_new_string("security_control")) < 0 ||
            json_add_text(metadata, "version", "1.1.0") < 0 ||
            copy(metadata, "sequence", event, "seq") < 0 ||
            json_add_text(product, "name", "Aegis Enforcer") < 0 ||
            json_add_text(product, "vendor_name", "Aegis") < 0 ||
            json_add_text(product, "version", AEGIS_VERSION) < 0)
                return -ENOMEM;
        if (json_add_number(to, "category_uid", class / 1000) < 0 ||
            json_add_number(to, "class_uid", class) < 0 ||
            json_add_number(to, "activity_id", activity) < 0 ||
            json_add_number(to, "type_uid", class * 100 + activity) < 0)
                return -ENOMEM;
        return 0;
}

static int ocsf_verdict(json_object *to, json_object *event, Kind kind)
{
        int denied = is_denied(event);
        json_object *rule = *json_text(event, "policy") ? inner(to, "firewall_rule") : NULL;

        /* 3 medium, 2 low; 2 failure, 1 success; 2 denied, 1 allowed; 2 blocked, 17 logged */
        if (json_add_number(to, "severity_id", denied || kind == KIND_LOST ? 3 : 2) < 0 ||
            json_add_number(to, "status_id", denied ? 2 : 1) < 0 ||
            json_add_number(to, "action_id",
                            kind == KIND_LOST ? 0
                            : denied          ? 2
                                              : 1) < 0 ||
            json_add_number(to, "disposition_id",
                            kind == KIND_LOST ? 0
                            : denied          ? 2
                                              : 17) < 0)
                return -ENOMEM;
        if (rule && (copy(rule, "name", event, "rule") < 0 || copy(rule, "uid", event, "id") < 0 ||
                     copy(rule, "desc", event, "why") < 0))
                return -ENOMEM;
        return copy(to, "status_detail", event, "reason");
}

static int ocsf_subject(json_object *to, json_object *event)
{
        json_object *actor = inner(to, "actor"), *process = inner(actor, "process");
        json_object *user = inner(process, "user"), *parent = inner(process, "parent_process");
        char uid[24];

        snprintf(uid, sizeof(uid), "%llu", (unsigned long long) json_number(event, "uid"));
        if (!user || !parent || copy(process, "name", event, "comm") < 0 ||
            copy(process, "pid", event, "pid") < 0 || json_add_text(user, "uid", uid) < 0)
                return -ENOMEM;
        return copy(parent, "pid", event, "ppid");
}

static int ocsf_file(json_object *to, json_object *event, const char *key)
{
        const char *path = json_text(event, "path"), *slash = strrchr(path, '/');
        json_object *file = inner(to, key);

        if (!file || copy(file, "path", event, "path") < 0)
                return -ENOMEM;
        if (json_add_text(file, "name", slash && slash[1] ? slash + 1 : path) < 0)
                return -ENOMEM;
        return json_add_number(file, "type_id", 0);
}

static int ocsf_object(json_object *to, json_object *event, Kind kind)
{
        json_object *object = NULL;

        switch (kind) {
        case KIND_FILE:
                return ocsf_file(to, event, "file");
        case KIND_PROCESS:
                object = inner(to, "process");
                return object ? ocsf_file(object, event, "file") : -ENOMEM;
        case KIND_SOCKET:
                object = inner(to, "dst_endpoint");
                if (!object || copy(object, "ip", event, "address") < 0)
                        return -ENOMEM;
                return copy(object, "port", event, "port");
        case KIND_KERNEL:
                object = inner(to, "kernel");
                if (!object || json_add_number(object, "type_id", 0) < 0 ||
                    copy(object, "name", event, "hook") < 0)
                        return -ENOMEM;
                return 0;
        case KIND_LOST:
                return json_add_text(to, "message", "events were lost here");
        }
        return 0;
}

static uint64_t time_of(json_object *event, uint64_t boot_usec, uint64_t now_usec)
{
        return json_object_object_get_ex(event, "time_usec", NULL)
                       ? boot_usec + json_number(event, "time_usec")
                       : now_usec;
}

json_object *event_to_ocsf(json_object *event, uint64_t boot_usec, uint64_t now_usec)
{
        json_object *to = json_object_new_object(), *device = inner(to, "device");
        Kind kind = kind_of(event);
        int r = device ? 0 : -ENOMEM;

        if (r == 0)
                r = json_add_number(device, "type_id", 0);
        if (r == 0)
                r = ocsf_head(to, event, kind);
        if (r == 0)
                r = json_add_number(to, "time", time_of(event, boot_usec, now_usec) / 1000);
        if (r == 0)
                r = ocsf_verdict(to, event, kind);
        if (r == 0 && kind != KIND_LOST)
                r = ocsf_subject(to, event);
        if (r == 0)
                r = ocsf_object(to, event, kind);
        if (r == 0)
                r = copy(to, "count", event, "count");
        if (r == 0)
                r = json_add(to, "unmapped", json_object_get(event));
        return whole(to, r);
}

/* ---- ECS ---- */

static const char *ecs_category(Kind kind)
{
        switch (kind) {
        case KIND_FILE:
                return "file";
        case KIND_PROCESS:
        case KIND_KERNEL:
                return "process";
        case KIND_SOCKET:
                return "network";
        case KIND_LOST:
                break;
        }
        return NULL;
}

static int ecs_list(json_object *to, const char *key, const char *word)
{
        json_object *list = json_object_new_array();

        if (json_add(to, key, list) < 0)
                return -ENOMEM;
        return word ? json_add(list, NULL, json_object_new_string(word)) : 0;
}

static int ecs_time(json_object *to, uint64_t usec)
{
        time_t seconds = (time_t) (usec / 1000000);
        struct tm when;
        char text[48];
        size_t n;

        if (!gmtime_r(&seconds, &when))
                memset(&when, 0, sizeof(when));
        n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &when);
        snprintf(text + n, sizeof(text) - n, ".%06uZ", (unsigned) (usec % 1000000));
        return json_add_text(to, "@timestamp", text);
}

static int ecs_event(json_object *to, json_object *event, Kind kind)
{
        json_object *of = inner(to, "event");
        int denied = is_denied(event);

        if (!of || json_add_text(of, "kind", kind == KIND_LOST ? "pipeline_error" : "event") < 0 ||
            json_add_text(of, "provider", "org.aegis.Enforcer") < 0 ||
            json_add_text(of, "dataset", "aegis.event") < 0 ||
            ecs_list(of, "category", ecs_category(kind)) < 0 ||
            ecs_list(of, "type",
                     kind == KIND_LOST ? "error"
                     : denied          ? "denied"
                                       : "allowed") < 0)
                return -ENOMEM;
        if (kind == KIND_LOST)
                return 0;
        if (json_add_text(of, "outcome", denied ? "failure" : "success") < 0 ||
            copy(of, "action", event, "hook") < 0 || copy(of, "sequence", event, "seq") < 0)
                return -ENOMEM;
        return copy(of, "reason", event, *json_text(event, "why") ? "why" : "reason");
}

static int ecs_subject(json_object *to, json_object *event)
{
        json_object *process = inner(to, "process"), *parent = inner(process, "parent");
        json_object *user = inner(to, "user");
        char uid[24];

        snprintf(uid, sizeof(uid), "%llu", (unsigned long long) json_number(event, "uid"));
        if (!parent || !user || copy(process, "pid", event, "pid") < 0 ||
            copy(process, "name", event, "comm") < 0 || copy(parent, "pid", event, "ppid") < 0)
                return -ENOMEM;
        return json_add_text(user, "id", uid);
}

static int ecs_object(json_object *to, json_object *event, Kind kind)
{
        json_object *object, *network;

        if (kind == KIND_SOCKET) {
                object = inner(to, "destination");
                network = inner(to, "network");
                if (!object || !network || copy(object, "ip", event, "address") < 0 ||
                    copy(object, "port", event, "port") < 0)
                        return -ENOMEM;
                return *json_text(event, "protocol") ? copy(network, "transport", event, "protocol")
                                                     : 0;
        }
        if (!*json_text(event, "path"))
                return 0;
        object = inner(to, "file");
        return object ? copy(object, "path", event, "path") : -ENOMEM;
}

static int ecs_rule(json_object *to, json_object *event)
{
        json_object *rule;

        if (!*json_text(event, "policy"))
                return 0;
        rule = inner(to, "rule");
        if (!rule || copy(rule, "id", event, "id") < 0 || copy(rule, "name", event, "rule") < 0)
                return -ENOMEM;
        return copy(rule, "ruleset", event, "policy");
}

json_object *event_to_ecs(json_object *event, uint64_t boot_usec, uint64_t now_usec)
{
        json_object *to = json_object_new_object(), *ecs = inner(to, "ecs");
        Kind kind = kind_of(event);
        int r = ecs ? 0 : -ENOMEM;

        if (r == 0)
                r = ecs_time(to, time_of(event, boot_usec, now_usec));
        if (r == 0)
                r = json_add_text(ecs, "version", "8.11.0");
        if (r == 0)
                r = ecs_event(to, event, kind);
        if (r == 0 && kind != KIND_LOST)
                r = ecs_subject(to, event);
        if (r == 0)
                r = ecs_object(to, event, kind);
        if (r == 0)
                r = ecs_rule(to, event);
        if (r == 0)
                r = json_add(to, "aegis", json_object_get(event));
        return whole(to, r);
}
