/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Objects: what stands on the bus, a room an interface, and the server they share. Private to bus/.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-bus.h>

#include "bus/gate.h"
#include "bus/posture.h"
#include "bus/refusal.h"
#include "bus/server.h"
#include "event/exception.h"
#include "policy/question.h"

#define BUS_NAME "org.aegis.Enforcer"
#define ROOT_PATH "/org/aegis/Enforcer"
#define EVENTS_PATH ROOT_PATH "/events"
#define MANAGER_INTERFACE "org.aegis.Enforcer.Manager"
#define POLICY_INTERFACE "org.aegis.Enforcer.Policy"
#define HOOK_INTERFACE "org.aegis.Enforcer.Hook"
#define EVENTS_INTERFACE "org.aegis.Enforcer.Events"
#define EXCEPTION_INTERFACE "org.aegis.Enforcer.Exception"
#define API_VERSION 1u

/* Who changed what is in force last. */
typedef struct LastChange {
        uint64_t usec; /* CLOCK_REALTIME; 0: never */
        uint64_t generation;
        uint32_t uid;
        char *origin; /* unique name on the bus; "start": found in force; "service": by itself */
} LastChange;

/* What listeners were told last; the difference to it is what they are told next. */
typedef struct ToldManager {
        Mode mode;
        uint64_t generation;
        uint8_t digest[DIGEST_SIZE];
        TrialStatus trial;
        uint64_t emergency_until_usec;
        int drift;
        PostureReport posture;
} ToldManager;

typedef struct ToldHook {
        Tier tier;
        Guarantee guarantee;
        int attached, required;
        Mode mode;
        char *reason;
} ToldHook;

typedef struct ToldPolicy {
        char *name;
        unsigned version;
        uint8_t digest[DIGEST_SIZE];
        uint64_t generation, changed_usec;
        size_t n_rules;
        SignedStatus status;
} ToldPolicy;

#define SUBSCRIBERS_MAX 32u
typedef struct Subscriber Subscriber;

struct BusServer {
        BusServerConfig config;
        EventListener listener; /* n_readers: of the subscribers */
        Subscriber *subscribers[SUBSCRIBERS_MAX];
        char **exceptions; /* names of those that listeners know; NULL-terminated */
        sd_event_source *exception_end;
        char epoch[33];
        sd_bus *bus; /* NULL while there is none */
        Gate *gate;
        sd_event_source *retry;
        uint64_t retry_usec;
        LastChange last_change;
        Refusals refusals;
        ToldManager manager;
        ToldHook hooks[N_HOOKS];
        ToldPolicy *policies; /* sorted by name */
        size_t n_policies;
};

/* Each *_add puts its objects on server->bus; each *_tell emits what differs from what was told
 * before, which without a bus only takes note of it; each *_deinit forgets what was told. */
int manager_object_add(BusServer *server);
int manager_state_tell(BusServer *server);
void manager_state_deinit(BusServer *server);
/* Getter of every property of the Manager; userdata is the server. */
int manager_get(sd_bus *bus, const char *path, const char *interface, const char *property,
                sd_bus_message *reply, void *userdata, sd_bus_error *error);

/* The posture as it is now. Returns 0 or -ENOMEM. */
int manager_judge(const BusServer *server, PostureReport *ret_report);
/* Writes into the history what the call that is being run did, if it made no generation. */
void manager_note(BusServer *server, const char *name);
/* What is described put in force; ret_generation is the one afterwards. */
int manager_commit(Request *request, uint64_t *ret_generation, sd_bus_error *error);
/* Methods of the Manager in a room of their own. */
int describe_add_rule(Request *request, sd_bus_error *error);
int describe_remove_rule(Request *request, sd_bus_error *error);
int run_rule(Request *request, sd_bus_error *error);
int run_get_metrics(Request *request, sd_bus_error *error);
int describe_plan_rollback(Request *request, sd_bus_error *error);
int run_plan_rollback(Request *request, sd_bus_error *error);
int describe_reload(Request *request, sd_bus_error *error);
int run_reload(Request *request, sd_bus_error *error);
int describe_release(Request *request, sd_bus_error *error);
int run_release(Request *request, sd_bus_error *error);
int describe_emergency_start(Request *request, sd_bus_error *error);
int run_emergency_start(Request *request, sd_bus_error *error);
int describe_emergency_stop(Request *request, sd_bus_error *error);
int run_emergency_stop(Request *request, sd_bus_error *error);
int describe_confirm(Request *request, sd_bus_error *error);
int run_confirm(Request *request, sd_bus_error *error);
int describe_rollback(Request *request, sd_bus_error *error);
int run_rollback(Request *request, sd_bus_error *error);
/* How many rules, from i on, came of one entry. */
size_t entry_n_rules(const Policy *policy, size_t i);
int describe_list_rules(Request *request, sd_bus_error *error);
int run_list_rules(Request *request, sd_bus_error *error);

int policy_objects_add(BusServer *server);
int policy_objects_tell(BusServer *server);
void policy_objects_deinit(BusServer *server);

int run_list_hooks(Request *request, sd_bus_error *error); /* a method of the Manager */
int hook_objects_add(BusServer *server);
int hook_objects_tell(BusServer *server);
void hook_objects_deinit(BusServer *server);

int exception_objects_add(BusServer *server);
int exception_objects_tell(BusServer *server);
void exception_objects_deinit(BusServer *server);
/* What the exception from that event is called that uid makes. Returns 0 or -EINVAL. */
int exception_name(char ret_name[EXCEPTION_NAME_SIZE], const struct event *event, uid_t uid);
int exception_path_on_bus(const char *name, char **ret_path);

int events_object_add(BusServer *server);

/* Objects of one interface, as GetManagedObjects tells of them. */
typedef struct ManagedKind {
        const char *interface;
        const sd_bus_vtable *vtable; /* getters are given the server */
        /* The path of the i-th, which is the caller's. Returns 1, 0 behind the last, or a negative
         * errno. */
        int (*path)(const BusServer *server, size_t i, char **ret_path);
} ManagedKind;
extern const ManagedKind managed_events, managed_exceptions, managed_hooks, managed_policies;
int managed_objects_add(BusServer *server);

int log_control_add(BusServer *server);

/* Methods of Events, in a room of their own. */
int describe_simulate(Request *request, sd_bus_error *error);
int run_simulate(Request *request, sd_bus_error *error);
int run_subscribe(Request *request, sd_bus_error *error);
int run_unsubscribe(Request *request, sd_bus_error *error);
int describe_allow_for(Request *request, sd_bus_error *error);
int run_allow_for(Request *request, sd_bus_error *error);
void subscribers_init(BusServer *server);
void subscribers_drop(BusServer *server); /* with their connection */

/* For a method without arguments, or one whose run() reads them itself. */
int describe_nothing(Request *request, sd_bus_error *error);

/* Explain, a method of the Manager: see explain.c. */
int describe_explain(Request *request, sd_bus_error *error);
int run_explain(Request *request, sd_bus_error *error);

/* History, likewise. */
int describe_history(Request *request, sd_bus_error *error);
int run_history(Request *request, sd_bus_error *error);

/* Tells the journal who changed what, or was not allowed to. */
void history_log(const HistoryEntry *entry, const char *message_id);

/* Whether what the kernel enforces is what the documents say: it may have kept something else. */
int kernel_has_documents(const BusServer *server);

/* What several objects put in replies. */
int append_text(sd_bus_message *m, const char *text);                      /* s, anybody's bytes */
int append_pair(sd_bus_message *m, const char *key, const char *text);     /* {sv}, likewise */
int append_digest(sd_bus_message *m, const uint8_t digest[DIGEST_SIZE]);   /* s */
int append_changes(sd_bus_message *m, const Plan *plan);                   /* a(sss) */
int append_diagnostics(sd_bus_message *m, const Diagnostics *diagnostics); /* a(uuss) */

/* What would have been decided about an event. */
typedef struct Would {
        const char *verdict; /* NULL: that cannot be told */
        ImageRule rule;      /* of NULL: none decides */
} Would;

/* What a message has beyond the fields of streams: realtime_usec, and lost if it is not 0. */
typedef struct EventPlus {
        uint64_t boot_usec; /* events_boot_usec() */
        uint64_t lost;      /* events before this one that this reader did not get */
        const Would *would; /* or NULL */
} EventPlus;
int append_event(sd_bus_message *m, const EventView *view, const EventPlus *plus); /* a{sv} */
/* One of the journal, likewise. */
int append_told(sd_bus_message *m, const char *text, uint64_t realtime_usec);
uint64_t events_boot_usec(void); /* when this machine began, by the calendar as it is now */
/* Events are timed by a clock that nobody sets, callers by the calendar. */
uint64_t events_since_boot_ns(uint64_t usec, uint64_t boot_usec);

/* What an event tells by number, by name; what is not found is NULL. */
typedef struct EventNames {
        char *path, *exe, *cgroup;
} EventNames;
int event_names_find(const Backend *backend, const struct event *event, EventNames *ret_names);
void event_names_deinit(EventNames *names);

/* "allowed", "audited", "denied" */
const char *verdict_of_answer(const Answer *answer, Mode mode);

/* names: NULL-terminated. Emits PropertiesChanged unless it is empty or there is no bus. */
void emit_changed(BusServer *server, const char *path, const char *interface, char **names);
