/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Doctor, on the bus: who is there, and what the service says of itself. Nothing that fails here is
 * said as it fails: it is a finding. */
#include <stdio.h>
#include <string.h>

#include "build-config.h"
#include "doctor.h"
#include "query.h"

#define BUS_SERVICE "org.freedesktop.DBus"
#define BUS_PATH "/org/freedesktop/DBus"
#define POLKIT "org.freedesktop.PolicyKit1"
#define SYSTEMD "org.freedesktop.systemd1"

static const Call call = {.attempt = "look at this machine"};

/* A call whose failure says something by itself. text: the one argument; NULL: none. */
static int ask(Connection *connection, const Address *address, const char *text,
               sd_bus_message **ret_reply)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = connection_message_to(connection, address, &message);

        if (r >= 0 && text)
                r = sd_bus_message_append(message, "s", text);
        if (r >= 0)
                r = connection_call(connection, &call, message, &error, ret_reply);
        sd_bus_error_free(&error);
        return r;
}

static int has_owner(Connection *connection, const char *name)
{
        static const Address address = {BUS_SERVICE, BUS_PATH, BUS_SERVICE, "NameHasOwner"};
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int owned = 0;

        if (ask(connection, &address, name, &reply) < 0 ||
            sd_bus_message_read(reply, "b", &owned) < 0)
                return 0;
        return owned;
}

static int can_be_started(Connection *connection, const char *wanted)
{
        static const Address address = {BUS_SERVICE, BUS_PATH, BUS_SERVICE, "ListActivatableNames"};
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *name;

        if (ask(connection, &address, NULL, &reply) < 0 ||
            sd_bus_message_enter_container(reply, 'a', "s") < 0)
                return 0;
        while (sd_bus_message_read(reply, "s", &name) > 0)
                if (strcmp(name, wanted) == 0)
                        return 1;
        return 0;
}

static void look_at_polkit(Diagnosis *diagnosis, Connection *connection)
{
        int found = has_owner(connection, POLKIT) || can_be_started(connection, POLKIT);

        diagnosis_add(diagnosis,
                      &(Finding){
                              .check = "polkit",
                              .severity = found ? SEVERITY_OK : SEVERITY_PROBLEM,
                              .what = found ? "polkit is there" : "polkit is not there",
                              .why = found ? "" : "nobody but root can be allowed anything",
                              .mend = found ? "" : "sudo apt-get install polkitd",
                      });
}

/* Where there is no systemd, nothing is said. */
static void look_at_start(Diagnosis *diagnosis, Connection *connection)
{
        static const Address address = {SYSTEMD, "/org/freedesktop/systemd1", SYSTEMD ".Manager",
                                        "GetUnitFileState"};
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *state;
        int enabled;

        if (ask(connection, &address, "aegisd.service", &reply) < 0 ||
            sd_bus_message_read(reply, "s", &state) < 0)
                return;
        enabled = strncmp(state, "enabled", strlen("enabled")) == 0;
        diagnosis_add(diagnosis,
                      &(Finding){
                              .check = "start",
                              .severity = enabled ? SEVERITY_OK : SEVERITY_PROBLEM,
                              .what = enabled ? "the service starts with the machine"
                                              : "the service does not start with the machine",
                              .why = enabled ? "" : "after the next start nothing is enforced",
                              .mend = enabled ? "" : "sudo systemctl enable aegisd",
                      });
}

/* ---- what the service says ---- */

/* What begins so, of the reasons for its posture. The last row is for all others. */
typedef struct Reason {
        const char *begin;
        const char *check;
        Severity severity;
        const char *why, *mend;
} Reason;

static const Reason reasons[] = {
        {"no policy is in force", "policy", SEVERITY_NOTE, "nothing is denied",
         "aegis-client apply FILE"},
        {"audit mode", "mode", SEVERITY_NOTE, "nothing is denied", "aegis-client mode enforce"},
        {"this kernel offers no way", "tier", SEVERITY_PROBLEM, "nothing can be denied",
         "aegis-client capabilities, which tells the remedy"},
        {"the service does not protect itself", "guard", SEVERITY_PROBLEM,
         "root can take away what is enforced",
         "set ProtectSelf=yes in " AEGIS_CONFDIR "/aegisd.conf if it is not, then sudo systemctl "
         "restart aegisd"},
        {"Released", "released", SEVERITY_PROBLEM, "nothing is enforced",
         "sudo systemctl restart aegisd"},
        {"The record on disk", "drift", SEVERITY_PROBLEM,
         "after the next start something else may be in force",
         "any change writes it anew, for instance: aegis-client rule add --ttl=1m audit "
         "file:/none"},
        {"The kernel no longer", "drift", SEVERITY_PROBLEM,
         "what the kernel enforces is not what the policies say",
         "sudo systemctl restart aegisd; journalctl -b -u aegisd tells why"},
        {"The file ", "drift", SEVERITY_PROBLEM,
         "what is in force is not what the files in the policy directory say",
         "mend the file if a fault is named, then sudo systemctl reload aegisd"},
        {"The directory ", "drift", SEVERITY_PROBLEM,
         "what is in force is not what the files in the policy directory say",
         "mend what is said of it, then sudo systemctl reload aegisd"},
        {"Only the packaged baseline", "state", SEVERITY_PROBLEM,
         "the policies of this machine were lost, and next to nothing is denied",
         "aegis-client apply FILE for each of them, then aegis-client remove baseline"},
        {"The record of", "state", SEVERITY_PROBLEM,
         "the policies on disk are not all that should be in force",
         "aegis-client policies, then aegis-client apply FILE for each that is missing"},
        {"Generation", "drift", SEVERITY_PROBLEM,
         "what the kernel enforces is not what the policies say",
         "sudo systemctl restart aegisd; journalctl -b -u aegisd tells why"},
        {"", "posture", SEVERITY_PROBLEM, "enforcement is not as it should be",
         "journalctl -b -u aegisd, which tells more"},
};

static const Reason *reason_of(const char *text)
{
        const Reason *reason = reasons;

        while (strncmp(text, reason->begin, strlen(reason->begin)) != 0)
                reason++;
        return reason;
}

static void tell_hook(Diagnosis *diagnosis, json_object *hook)
{
        const char *name = json_text(hook, "name");
        char what[256], mend[256];
        int is_audit = json_truth(hook, "attached");

        snprintf(what, sizeof(what),
                 is_audit ? "the hook %s records and does not deny"
                          : "the hook %s is needed and cannot deny: %s",
                 name, json_text(hook, "reason"));
        snprintf(mend, sizeof(mend),
                 is_audit ? "aegis-client mode enforce --hook=%s"
                          : "aegis-client capabilities, which tells the remedy; to do without it: "
                            "aegis-client mode audit --hook=%s",
                 name);
        diagnosis_add(diagnosis, &(Finding){
                                         .check = "hook",
                                         .severity = is_audit ? SEVERITY_NOTE : SEVERITY_PROBLEM,
                                         .what = what,
                                         .why = is_audit ? "what it would deny is allowed"
                                                         : "rules about it do not hold",
                                         .mend = mend,
                                 });
}

/* Those of hooks are told by the hooks, of which there may be more than reasons. */
static void look_at_hooks(Diagnosis *diagnosis, json_object *manager, json_object *hooks)
{
        int is_enforce = strcmp(json_text(manager, "mode"), "enforce") == 0;

        for (size_t i = 0; i < json_object_array_length(hooks); i++) {
                json_object *hook = json_object_array_get_idx(hooks, i);
                int denies = json_truth(hook, "attached") &&
                             strcmp(json_text(hook, "mode"), "audit") != 0;

                if (json_truth(hook, "required") && !denies &&
                    (is_enforce || !json_truth(hook, "attached")))
                        tell_hook(diagnosis, hook);
        }
}

static void look_at_reasons(Diagnosis *diagnosis, json_object *manager)
{
        for (size_t i = 0; i < json_count(manager, "posture_reasons"); i++) {
                const char *text =
                        json_object_get_string(json_element(manager, "posture_reasons", i));
                const Reason *reason = reason_of(text ? text : "");

                if (!text || strncmp(text, "hook ", strlen("hook ")) == 0)
                        continue;
                diagnosis_add(diagnosis, &(Finding){
                                                 .check = reason->check,
                                                 .severity = reason->severity,
                                                 .what = text,
                                                 .why = reason->why,
                                                 .mend = reason->mend,
                                         });
        }
}

static void look_at_version(Diagnosis *diagnosis, json_object *manager)
{
        const char *version = json_text(manager, "version");
        int same = strcmp(version, AEGIS_VERSION) == 0;
        char what[128];

        snprintf(what, sizeof(what), "the service is aegisd %.32s, and this client is of %s",
                 version, AEGIS_VERSION);
        diagnosis_add(diagnosis, &(Finding){
                                         .check = "version",
                                         .severity = same ? SEVERITY_OK : SEVERITY_NOTE,
                                         .what = what,
                                         .why = same ? "" : "they may not understand each other",
                                         .mend = same ? "" : "sudo systemctl restart aegisd",
                                 });
}

static int read_service(Connection *connection, json_object **ret_manager, json_object **ret_hooks)
{
        static const Address properties = {SERVICE_NAME, SERVICE_PATH,
                                           "org.freedesktop.DBus.Properties", "GetAll"};
        static const Address listing = {SERVICE_NAME, SERVICE_PATH, MANAGER_INTERFACE, "ListHooks"};
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *manager = NULL, *hooks = NULL;
        int r = ask(connection, &properties, MANAGER_INTERFACE, &manager);

        if (r >= 0)
                r = reply_read_properties(manager, manager_fields, ret_manager);
        if (r >= 0)
                r = ask(connection, &listing, NULL, &hooks);
        return r < 0 ? r : query_read_hooks(hooks, ret_hooks);
}

static void ask_service(Diagnosis *diagnosis, Connection *connection)
{
        _cleanup_(json_object_putp) json_object *manager = NULL, *hooks = NULL;

        if (read_service(connection, &manager, &hooks) < 0) {
                diagnosis_add(diagnosis,
                              &(Finding){
                                      .check = "answer",
                                      .severity = SEVERITY_PROBLEM,
                                      .what = "the service runs, and does not answer",
                                      .why = "nobody can see or change what is enforced",
                                      .mend = "sudo systemctl reload dbus, and if that does not "
                                              "help: sudo systemctl restart aegisd",
                              });
                return;
        }
        look_at_version(diagnosis, manager);
        look_at_reasons(diagnosis, manager);
        look_at_hooks(diagnosis, manager, hooks);
}

void doctor_ask_bus(Diagnosis *diagnosis, Connection *connection)
{
        int runs = has_owner(connection, SERVICE_NAME);

        look_at_polkit(diagnosis, connection);
        look_at_start(diagnosis, connection);
        diagnosis_add(
                diagnosis,
                &(Finding){
                        .check = "service",
                        .severity = runs ? SEVERITY_OK : SEVERITY_PROBLEM,
                        .what = runs ? "the service runs" : "the service does not run",
                        .why = runs ? "" : "what was in force stays so, and nobody can change it",
                        .mend = runs ? ""
                                     : "sudo systemctl start aegisd; if it does not stay: "
                                       "journalctl -b -u aegisd",
                });
        if (runs)
                ask_service(diagnosis, connection);
}
