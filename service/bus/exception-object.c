/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exception: one object for each timed allowance that has not ended. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bus/error.h"
#include "bus/named.h"
#include "policy/rule-text.h"
#include "transaction/exception.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/log.h"

#define PREFIX ROOT_PATH "/exception"
#define USEC_PER_SEC 1000000u

typedef struct Exception {
        const Rule *rule;
        int64_t left; /* seconds */
} Exception;

static int get_exception(const BusServer *server, size_t i, Exception *ret_exception)
{
        const Rule *rule =
                enforcement_exception(server->config.enforcement, i, &ret_exception->left);

        ret_exception->rule = rule;
        return rule != NULL;
}

static int find_by_path(const BusServer *server, const char *path, Exception *ret_exception)
{
        _cleanup_(freep) char *id = NULL;
        int r = sd_bus_path_decode(path, PREFIX, &id);

        if (r <= 0)
                return r;
        for (size_t i = 0; get_exception(server, i, ret_exception); i++)
                if (strcmp(ret_exception->rule->options->id, id) == 0)
                        return 1;
        return 0;
}

/* ---- the name of one ---- */

int exception_name(char ret_name[EXCEPTION_NAME_SIZE], const struct event *event, uid_t uid)
{
        int n = snprintf(ret_name, EXCEPTION_NAME_SIZE, "e%" PRIu64 "u%ut%" PRIu64,
                         (uint64_t) event->seq, (unsigned) uid, (uint64_t) event->time_ns / 1000);

        return n > 0 && n < (int) EXCEPTION_NAME_SIZE ? 0 : -EINVAL;
}

int exception_path_on_bus(const char *name, char **ret_path)
{
        return sd_bus_path_encode(PREFIX, name, ret_path);
}

/* What exception_name() put together. */
static void read_name(const char *name, uint64_t *ret_seq, uint32_t *ret_uid)
{
        *ret_seq = 0;
        *ret_uid = UINT32_MAX;
        if (sscanf(name, "e%" SCNu64 "u%" SCNu32, ret_seq, ret_uid) != 2)
                *ret_seq = 0;
}

/* ---- Revoke ---- */

static int describe_revoke(Request *request, sd_bus_error *error)
{
        const Enforcement *enforcement = request->server->config.enforcement;
        _cleanup_(diagnostics_deinit) Diagnostics diagnostics = {};
        _cleanup_(freep) char *text = NULL, *change = NULL;
        Exception exception;
        int r = request_read_options(request, error);

        if (r >= 0)
                r = find_by_path(request->server, sd_bus_message_get_path(request->message),
                                 &exception);
        if (r <= 0)
                return r < 0 ? r
                             : sd_bus_error_set(error, ERROR_NO_SUCH_RULE,
                                                "the exception has ended");
        request->expect = EXPECT_ANY;
        r = rule_to_text(exception.rule, &text);
        if (r == 0)
                r = single_rule_new(&request->rule, "allow", text, 0, &diagnostics);
        if (r == 0)
                r = enforcement_plan_revocation(request->server->config.enforcement, request->rule,
                                                &request->plan);
        if (r != 0)
                return error_set_transaction(error, r, NULL);
        if (asprintf(&change, "- [allow] %s", text) < 0) {
                change = NULL;
                return -ENOMEM;
        }
        r = request_refuse_on_trial(request, error);
        if (r >= 0)
                r = request_detail_text(request, "change", change);
        return r < 0 ? r
                     : request_bind(request, enforcement_generation(enforcement),
                                    request->plan->bound);
}

static int run_revoke(Request *request, sd_bus_error *error)
{
        uint64_t generation = 0;
        int r = manager_commit(request, &generation, error);

        return r < 0 ? r : sd_bus_reply_method_return(request->message, NULL);
}

/* ---- properties ---- */

/* The object alone, or the conditions alone: they stand behind it in the whole. */
static int append_part(const Rule *rule, int is_subject, sd_bus_message *reply)
{
        RuleOptions options = {.subject = 0}, who = *rule->options;
        _cleanup_(freep) char *object = NULL, *all = NULL;
        Rule alone = *rule, whole = *rule;
        int r;

        alone.options = &options;
        whole.options = &who;
        who.ttl = 0;
        who.id = who.why = NULL;
        r = rule_to_text(&alone, &object);
        if (r >= 0)
                r = rule_to_text(&whole, &all);
        if (r < 0)
                return r;
        if (!is_subject)
                return append_text(reply, object);
        return append_text(reply, all + strlen(object) + strspn(all + strlen(object), " "));
}

static uint64_t until_usec(const BusServer *server, const Rule *rule)
{
        const Loaded *loaded = enforcement_find(server->config.enforcement, EXCEPTIONS_NAME);

        return loaded->changed_usec + rule->options->ttl * USEC_PER_SEC;
}

static int append_property(const BusServer *server, const char *property,
                           const Exception *exception, sd_bus_message *reply)
{
        const Rule *rule = exception->rule;
        uint64_t seq;
        uint32_t uid;

        read_name(rule->options->id, &seq, &uid);
        if (strcmp(property, "Id") == 0)
                return append_text(reply, rule->options->id);
        if (strcmp(property, "Event") == 0)
                return sd_bus_message_append(reply, "t", seq);
        if (strcmp(property, "Uid") == 0)
                return sd_bus_message_append(reply, "u", uid);
        if (strcmp(property, "Rule") == 0)
                return append_text(reply, rule->entry);
        if (strcmp(property, "UntilUSec") == 0)
                return sd_bus_message_append(reply, "t", until_usec(server, rule));
        if (strcmp(property, "RemainingUSec") == 0)
                return sd_bus_message_append(reply, "t", (uint64_t) exception->left * USEC_PER_SEC);
        return append_part(rule, strcmp(property, "Subject") == 0, reply);
}

static int get(sd_bus *bus, const char *path, const char *interface, const char *property,
               sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        Exception exception;
        int r = find_by_path(userdata, path, &exception);

        if (r <= 0)
                return r < 0 ? r : -ENOENT;
        return append_property(userdata, property, &exception, reply);
}

/* ---- objects ---- */

#define METHODS(ROW)                                                                               \
        ROW(Revoke, STRENGTHEN, ("a{sv}", options), (NULL), describe_revoke, run_revoke)

METHODS(GATE_ENTRY)

/* clang-format off */
static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        METHODS(GATE_ROW)
        SD_BUS_PROPERTY("Id", "s", get, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Event", "t", get, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Uid", "u", get, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Object", "s", get, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Subject", "s", get, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Rule", "s", get, 0, 0),
        SD_BUS_PROPERTY("UntilUSec", "t", get, 0, 0),
        SD_BUS_PROPERTY("RemainingUSec", "t", get, 0, 0),
        SD_BUS_VTABLE_END,
};
/* clang-format on */

static int find(sd_bus *bus, const char *path, const char *interface, void *userdata,
                void **ret_found, sd_bus_error *error)
{
        Exception exception;
        int r = find_by_path(userdata, path, &exception);

        if (r > 0)
                *ret_found = userdata;
        return r;
}

static const char *name_at(const BusServer *server, size_t i)
{
        Exception exception;

        return get_exception(server, i, &exception) ? exception.rule->options->id : NULL;
}

static const NamedKind kind = {PREFIX, EXCEPTION_INTERFACE, name_at};

static int enumerate(sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes,
                     sd_bus_error *error)
{
        return named_enumerate(userdata, &kind, ret_nodes);
}

static int path_at(const BusServer *server, size_t i, char **ret_path)
{
        return named_path(server, &kind, i, ret_path);
}

const ManagedKind managed_exceptions = {EXCEPTION_INTERFACE, vtable, path_at};

int exception_objects_add(BusServer *server)
{
        int r = sd_bus_add_fallback_vtable(server->bus, NULL, PREFIX, EXCEPTION_INTERFACE, vtable,
                                           find, server);

        if (r < 0)
                return r;
        return sd_bus_add_node_enumerator(server->bus, NULL, PREFIX, enumerate, server);
}

/* ---- telling who came and who ended ---- */

static int has_name(char *const *names, const char *name)
{
        for (; names && *names; names++)
                if (strcmp(*names, name) == 0)
                        return 1;
        return 0;
}

/* Of those in force; INT64_MAX if there is none. */
static int64_t soonest_end(const BusServer *server)
{
        int64_t soonest = INT64_MAX;
        Exception exception;

        for (size_t i = 0; get_exception(server, i, &exception); i++)
                if (exception.left < soonest)
                        soonest = exception.left;
        return soonest;
}

static int on_end(sd_event_source *source, uint64_t now, void *userdata)
{
        int r = exception_objects_tell(userdata);

        return r < 0 ? log_errno(r, "Cannot tell which exceptions ended"), 0 : 0;
}

/* The kernel has ended it by then: only listeners are told. */
static int await_end(BusServer *server, int64_t soonest)
{
        server->exception_end = sd_event_source_disable_unref(server->exception_end);
        if (soonest == INT64_MAX)
                return 0;
        return sd_event_add_time_relative(server->config.loop, &server->exception_end,
                                          CLOCK_BOOTTIME, (uint64_t) soonest * USEC_PER_SEC, 0,
                                          on_end, server);
}

int exception_objects_tell(BusServer *server)
{
        char **names = named_list(server, &kind), **before = server->exceptions;

        if (!names)
                return -ENOMEM;
        for (char **name = before; name && *name; name++)
                if (!has_name(names, *name))
                        named_tell(server, &kind, *name, sd_bus_emit_interfaces_removed);
        for (char **name = names; *name; name++)
                if (!has_name(before, *name))
                        named_tell(server, &kind, *name, sd_bus_emit_interfaces_added);
        names_free(before);
        server->exceptions = names;
        return await_end(server, soonest_end(server));
}

void exception_objects_deinit(BusServer *server)
{
        server->exception_end = sd_event_source_disable_unref(server->exception_end);
        names_free(server->exceptions);
        server->exceptions = NULL;
}
