/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Failure: see failure.h. Every D-Bus error that has a remedy is a row here. */
#include "failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "output.h"

const ExitStatusText exit_statuses[] = {
        {STATUS_DONE, "done"},
        {STATUS_FAILED, "failed"},
        {STATUS_USAGE, "the command line is wrong"},
        {STATUS_REFUSED, "refused by authorization"},
        {STATUS_INVALID, "the policy is not valid"},
        {STATUS_NO_SERVICE, "the service is not there"},
        {STATUS_STALE, "another generation is in force than was expected"},
        {STATUS_NO_SUCH_POLICY, "no policy of that name, no such rule or generation"},
        {STATUS_NOT_ENFORCEABLE, "this machine cannot enforce it"},
        {STATUS_TRY_AGAIN, "not now: busy, or no answer in time"},
        {STATUS_TO_MEND, "doctor found something to be mended"},
        {STATUS_WOULD_CHANGE, "with --check: it would change what is enforced"},
};
const size_t n_exit_statuses = ELEMENTS_OF(exit_statuses);

/* lead and the attempt make the first words, remedy the last. A NULL remedy names the action. */
typedef struct Failure {
        const char *error;
        ExitStatus status;
        const char *lead;
        const char *remedy;
} Failure;

#define DBUS_ERROR "org.freedesktop.DBus.Error."

static const Failure failures[] = {
        {ERROR_PREFIX "InvalidPolicy", STATUS_INVALID, "Cannot", "correct it and try again"},
        {ERROR_PREFIX "PolicyTooLarge", STATUS_INVALID, "Cannot",
         "split it into several policies, or name directories instead of files"},
        {ERROR_PREFIX "UnsupportedFeature", STATUS_INVALID, "Cannot",
         "leave it out, or install a newer version of the service"},
        {ERROR_PREFIX "NoSuchPolicy", STATUS_NO_SUCH_POLICY, "Cannot",
         "'aegis-client policies' lists those in force"},
        {ERROR_PREFIX "NoSuchEvent", STATUS_FAILED, "Cannot",
         "'aegis-client events' lists those that are remembered"},
        {ERROR_PREFIX "NotExceptable", STATUS_FAILED, "Cannot",
         "change the policy instead; 'aegis-client explain' tells which rules are about it"},
        {ERROR_PREFIX "NoSuchRule", STATUS_NO_SUCH_POLICY, "Cannot",
         "'aegis-client rule list runtime' lists those that can be removed"},
        {ERROR_PREFIX "NoSuchGeneration", STATUS_NO_SUCH_POLICY, "Cannot",
         "'aegis-client history' marks those that can be gone back to"},
        {ERROR_PREFIX "SignatureInvalid", STATUS_INVALID, "Cannot",
         "have it signed by keys that this machine's root names ('aegis-policy root show')"},
        {ERROR_PREFIX "SignatureRequired", STATUS_REFUSED, "Not allowed to",
         "apply a document with its signatures, or ask those who sign; see SignatureRequired= in "
         "aegisd(8)"},
        {ERROR_PREFIX "PolicyExpired", STATUS_INVALID, "Cannot",
         "have it signed anew, and see that the clock is right ('date')"},
        {ERROR_PREFIX "PolicyRollback", STATUS_INVALID, "Cannot",
         "have it signed anew with a higher seq="},
        {ERROR_PREFIX "GenerationMismatch", STATUS_STALE, "Cannot",
         "look at what is in force ('aegis-client status') and give its generation"},
        {ERROR_PREFIX "AuthorizationStale", STATUS_STALE, "Cannot",
         "what is in force changed while the question was open; look at it and try again"},
        {ERROR_PREFIX "AuthorizationUnavailable", STATUS_REFUSED, "Not authorized to",
         "run it as root, or see that polkit is running ('systemctl status polkit')"},
        {ERROR_PREFIX "KernelRejected", STATUS_NOT_ENFORCEABLE, "Cannot",
         "what was in force still is; 'journalctl -u aegisd' tells more"},
        {ERROR_PREFIX "GuaranteeMissing", STATUS_NOT_ENFORCEABLE, "Cannot",
         "'aegis-client hooks' shows what is missing and 'aegis-client capabilities' how to get "
         "it"},
        {ERROR_PREFIX "Busy", STATUS_TRY_AGAIN, "Cannot",
         "look at 'aegis-client status', and try again once what it tells of has ended"},
        {DBUS_ERROR "LimitsExceeded", STATUS_TRY_AGAIN, "Cannot", "try again in a moment"},
        {DBUS_ERROR "AccessDenied", STATUS_REFUSED, "Not authorized to", NULL},
        {DBUS_ERROR "InteractiveAuthorizationRequired", STATUS_REFUSED, "Not authorized to", NULL},
        {DBUS_ERROR "InvalidArgs", STATUS_USAGE, "Cannot", "see aegis-client(1)"},
        {DBUS_ERROR "ServiceUnknown", STATUS_NO_SERVICE, "Cannot",
         "start the service with 'systemctl start aegisd'"},
        {DBUS_ERROR "NameHasNoOwner", STATUS_NO_SERVICE, "Cannot",
         "start the service with 'systemctl start aegisd'"},
        {DBUS_ERROR "Spawn.ChildExited", STATUS_NO_SERVICE, "Cannot",
         "start the service with 'systemctl start aegisd'"},
        {DBUS_ERROR "TimedOut", STATUS_NO_SERVICE, "Cannot",
         "the service does not start; 'systemctl status aegisd' tells why"},
        {DBUS_ERROR "Disconnected", STATUS_NO_SERVICE, "Cannot",
         "see that the system bus can be reached, then look at 'aegis-client status'"},
        {DBUS_ERROR "UnknownMethod", STATUS_FAILED, "Cannot",
         "the service is of another version; install the client that came with it"},
        {DBUS_ERROR "UnknownObject", STATUS_FAILED, "Cannot",
         "the service is of another version; install the client that came with it"},
        {DBUS_ERROR "UnknownInterface", STATUS_FAILED, "Cannot",
         "the service is of another version; install the client that came with it"},
        {DBUS_ERROR "NoReply", STATUS_TRY_AGAIN, "Cannot",
         "look at 'aegis-client status' before trying again: it may have been done"},
        {DBUS_ERROR "Timeout", STATUS_TRY_AGAIN, "Cannot",
         "look at 'aegis-client status' before trying again: it may have been done"},
};

static const Failure other_failure = {NULL, STATUS_FAILED, "Cannot",
                                      "'journalctl -u aegisd' may tell more"};

static const Failure *failure_find(const char *name)
{
        for (size_t i = 0; name && i < ELEMENTS_OF(failures); i++)
                if (strcmp(failures[i].error, name) == 0)
                        return &failures[i];
        return &other_failure;
}

ExitStatus failure_status(const char *error_name)
{
        return failure_find(error_name)->status;
}

/* What the shell is told for it. */
static ExitStatus status_for(const Client *client, ExitStatus status)
{
        return client->is_diff && status == STATUS_FAILED ? STATUS_USAGE : status;
}

typedef struct Told {
        const char *name; /* the D-Bus error; NULL: none */
        const char *message;
        ExitStatus status;
        json_object *remarks; /* NULL: none */
} Told;

static int fill_error(json_object *error, const Told *told)
{
        int r = told->name ? json_add_text(error, "name", told->name) : 0;

        if (r >= 0)
                r = json_add_text(error, "message", told->message);
        if (r >= 0)
                r = json_add_number(error, "exit_status", told->status);
        if (r >= 0 && told->remarks)
                r = json_add(error, "diagnostics", json_object_get(told->remarks));
        return r;
}

/* Programs read on standard output what people read on standard error. */
static void tell_program(const Client *client, const Told *told)
{
        _cleanup_(json_object_putp) json_object *outer = NULL, *error = NULL;

        if (!OPTION_GIVEN(&client->options, OPTION_JSON))
                return;
        outer = json_object_new_object();
        error = json_object_new_object();
        if (!outer || !error || fill_error(error, told) < 0 ||
            json_add(outer, "error", json_object_get(error)) < 0)
                return; /* the exit status still tells */
        output_json(outer);
}

/* The service's message is a sentence or lines; here it is part of one sentence. */
static void print_message(const char *message)
{
        size_t n = strlen(message);

        while (n > 0 && strchr(".\n ", message[n - 1]))
                n--;
        while (n > 0) {
                size_t n_line = strcspn(message, "\n") < n ? strcspn(message, "\n") : n;
                char line[1024];

                snprintf(line, sizeof(line), "%.*s", (int) (n_line < 1000 ? n_line : 1000),
                         message);
                output_text(stderr, line);
                if (n_line == n)
                        return;
                fputs("; ", stderr);
                message += n_line + 1;
                n -= n_line + 1;
        }
}

ExitStatus failure_of_call(const Client *client, const Call *call, const sd_bus_error *error)
{
        const Failure *failure = failure_find(error->name);
        const char *message = error->message && *error->message ? error->message : error->name;
        ExitStatus status = status_for(client, failure->status);

        if (!message)
                message = "no reason was given";
        fflush(stdout);
        fprintf(stderr, "%s ", failure->lead);
        output_text(stderr, call->attempt);
        fputs(": ", stderr);
        print_message(message);
        if (failure->remedy)
                fprintf(stderr, "; %s.\n", failure->remedy);
        else
                fprintf(stderr,
                        "; run it as root, or ask an administrator for the polkit action %s%s.\n",
                        ACTION_PREFIX, call->action ? call->action : "*");
        tell_program(client, &(Told){error->name, message, status, NULL});
        return status;
}

static size_t count_faults(json_object *remarks)
{
        size_t n = 0;

        for (size_t i = 0; i < json_object_array_length(remarks); i++)
                n += strcmp(json_text(json_object_array_get_idx(remarks, i), "severity"),
                            "fault") == 0;
        return n;
}

ExitStatus failure_of_policy(const Client *client, const Call *call, const sd_bus_error *error,
                             json_object *remarks)
{
        size_t n = count_faults(remarks);

        fflush(stdout);
        if (n == 0)
                return failure_of_call(client, call, error);
        fputs("Cannot ", stderr);
        output_text(stderr, call->attempt);
        fputs(n == 1 ? ": it has a fault; correct it and try again.\n"
                     : ": it has faults; correct them and try again.\n",
              stderr);
        tell_program(client, &(Told){error->name, error->message, STATUS_INVALID, remarks});
        return STATUS_INVALID;
}

ExitStatus failure_of_message(const Client *client, const Call *call, int error)
{
        if (error == -ENOMEM)
                return failure_of_reply(client, call, error);
        return failure_say(client, STATUS_USAGE,
                           "Cannot %s: D-Bus does not carry it (%s); see aegis-client(1).",
                           call->attempt, strerror(-error));
}

ExitStatus failure_say(const Client *client, ExitStatus status, const char *format, ...)
{
        char message[1024];
        va_list arguments;

        status = status_for(client, status);
        va_start(arguments, format);
        vsnprintf(message, sizeof(message), format, arguments);
        va_end(arguments);
        fflush(stdout);
        output_text(stderr, message);
        fputc('\n', stderr);
        tell_program(client, &(Told){NULL, message, status, NULL});
        return status;
}

ExitStatus failure_of_usage(const char *format, ...)
{
        char message[1024];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(message, sizeof(message), format, arguments);
        va_end(arguments);
        output_text(stderr, message);
        fputs("\nSee 'aegis-client --help'.\n", stderr);
        return STATUS_USAGE;
}

ExitStatus failure_of_reply(const Client *client, const Call *call, int error)
{
        if (error == -ENXIO || error == -EBADMSG) /* as sd-bus and reply.c call another type */
                return failure_say(client, STATUS_FAILED,
                                   "Cannot %s: the answer has not the form of this API; install "
                                   "the client that came with the service.",
                                   call->attempt);
        return failure_say(client, STATUS_FAILED, "Cannot %s: %s; free some and try again.",
                           call->attempt, error == -ENOMEM ? "memory is short" : strerror(-error));
}
