/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lab: a system of its own for tests. In a private mount namespace run a real bus with the
 * service's bus policy, a real polkitd with its actions, and aegisd over the twin of the backend.
 * The test speaks with any number of connections, each of any uid, all in one loop. */
#pragma once

#include <gio/gio.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#define LAB_NAME "org.aegis.Enforcer"
#define LAB_ROOT "/org/aegis/Enforcer"
#define LAB_MANAGER "org.aegis.Enforcer.Manager"
#define LAB_POLICY "org.aegis.Enforcer.Policy"
#define LAB_HOOK "org.aegis.Enforcer.Hook"
#define LAB_EVENTS "org.aegis.Enforcer.Events"
#define LAB_EXCEPTION "org.aegis.Enforcer.Exception"
#define LAB_PINS "/run/lab/pins"
#define LAB_USER 1000u /* and those after it */
#define LAB_USERS 10u
#define LAB_TRUSTED_TEXT "1009"
#define LAB_TRUSTED 1009u /* by the bus alone, which lets all pass that this one sends */
#define LAB_ANY UINT64_MAX

/* What polkit's rules in the lab say of documents of these names, and of rules for these names
 * below /srv, before anybody is asked. Reading is free, but for the last two. */
#define LAB_GRANTED "granted"
#define LAB_REFUSED "refused"
#define LAB_ASKED "asked"

typedef enum LabBus {
        LAB_DBUS_DAEMON,
        LAB_DBUS_BROKER,
} LabBus;

typedef struct Lab {
        LabBus kind;
        int listening, journal; /* what dbus-broker is given, else -1 */
        sd_event *loop;
        sd_bus *root;
        pid_t bus_daemon, polkitd, aegisd;
        unsigned polkit_timeout; /* seconds, for the next start */
        GStrv tracer; /* for the next starts, or NULL: what execs the service in its place */
} Lab;

/* Returns NULL, with the reason in *ret_why_not, where a lab cannot be. */
Lab *lab_new(LabBus kind, const char **ret_why_not);
void lab_free(Lab *lab);

/* Everything but aegisd begins anew, as when a bus crashes. */
void lab_restart_bus(Lab *lab);

void lab_start_polkit(Lab *lab);
void lab_stop_polkit(Lab *lab);

/* With an empty state, and with what the last one left. */
void lab_start(Lab *lab);
void lab_start_again(Lab *lab);
/* The same, where it may end instead of getting its name. Returns 1 if it serves, 0 if it has
 * ended.
 */
int lab_try_start(Lab *lab);
/* Waits for it to end by itself. Returns what waitpid() says of it. */
int lab_await_end(Lab *lab);
/* Asserts that it leaves in peace, which with sanitizers says that it leaves nothing behind. */
void lab_stop(Lab *lab);
void lab_kill(Lab *lab);

sd_bus *lab_connect(Lab *lab, uid_t uid);
void lab_disconnect(sd_bus *bus);

/* Turns the loop until *flag is not 0; fails the test when that takes too long. */
void lab_until(Lab *lab, const int *flag);
/* As long as all has been handled that a round trip to the service and back can bring. */
void lab_settle(Lab *lab);

/* A call under way. */
typedef struct Pending {
        int done;
        sd_bus_message *reply;
        sd_bus_slot *slot;
} Pending;

typedef enum Interaction {
        SILENT,
        INTERACTIVE,
} Interaction;

sd_bus_message *lab_message(sd_bus *bus, const char *path, const char *interface,
                            const char *member);
Pending *lab_send(sd_bus_message *message, Interaction interaction); /* takes message */
void pending_free(Pending *pending);

/* Waits and returns what came. Frees pending; the caller unrefs the message. */
sd_bus_message *lab_wait(Lab *lab, Pending *pending);
/* The same, asserting that it is this error; NULL: none at all. Returns its message. */
char *lab_expect(Lab *lab, Pending *pending, const char *error);

Pending *lab_apply(sd_bus *bus, const char *name, const char *document, Interaction interaction);
Pending *lab_apply_expect(sd_bus *bus, const char *name, const char *document, uint64_t expect);
Pending *lab_apply_on_trial(sd_bus *bus, const char *name, const char *document, unsigned seconds);
/* As root, asserting success. Returns the generation. */
uint64_t lab_must_apply(Lab *lab, const char *name, const char *document);
/* member: AddRule or RemoveRule. */
Pending *lab_rule(sd_bus *bus, const char *member, const char *section, const char *entry,
                  Interaction interaction);
Pending *lab_list_rules(sd_bus *bus, const char *policy, uint32_t offset, uint32_t limit);
Pending *lab_set_mode(sd_bus *bus, const char *mode, Interaction interaction);

/* The last line of the history: "GENERATION METHOD NAME AUTHORIZATION"; "" if there is none. */
char *lab_last_change(Lab *lab);

/* What the service says it has at the path. */
GDBusNodeInfo *lab_introspect(Lab *lab, const char *path);
/* All that can be seen of what it has in force, as text, to be freed by free(). */
char *lab_state(Lab *lab);
/* Open ones of the service. */
unsigned lab_descriptors(Lab *lab);
/* What it has in memory. */
unsigned long lab_resident_kb(Lab *lab);
uint64_t lab_generation(Lab *lab);
uint64_t lab_get_number(Lab *lab, const char *property); /* of the Manager */
char *lab_get_string(Lab *lab, const char *path, const char *interface, const char *property);

/* Its error's name; "" if it is none. */
const char *lab_error(sd_bus_message *reply);

/* g_test_add() and all around it: one program's main(). With --broker the bus is dbus-broker. */
typedef struct LabTest {
        const char *name;
        void (*run)(Lab *lab);
} LabTest;
int lab_main(int argc, char **argv, const LabTest *tests, size_t n_tests);
