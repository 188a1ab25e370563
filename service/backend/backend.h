/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Backend: the way into the kernel. Holds one image in force and at most one prepared beside it.
 * What it enforces outlives the process: the next backend_new() on the same folder adopts it. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "abi.h"
#include "policy/image.h"
#include "util/cleanup.h"

typedef enum Tier {
        TIER_NONE,
        TIER_LSM,
        TIER_FMOD_RET,
} Tier;

#define N_TIERS (TIER_FMOD_RET + 1)

typedef enum Guarantee {
        GUARANTEE_NONE,
        GUARANTEE_AUDIT,
        GUARANTEE_DENY,
} Guarantee;

typedef enum Mode {
        MODE_ENFORCE,
        MODE_AUDIT,
} Mode;

const char *hook_to_string(enum hook hook);             /* "file_open"; "" if out of range */
const char *tier_to_string(Tier tier);                  /* "none", "lsm", "fmod-ret" */
const char *guarantee_to_string(Guarantee guarantee);   /* "none", "audit", "deny" */
const char *mode_to_string(Mode mode);                  /* "enforce", "audit" */
int mode_from_string(const char *text, Mode *ret_mode); /* 0 or -EINVAL */

/* Positive result of backend_prepare(): a hook the image needs cannot deny on this machine; see
 * backend_hook() for the reasons. */
#define BACKEND_E_GUARANTEE 1

/* One hook as it stands now. Strings belong to the backend. */
typedef struct HookStatus {
        const char *name;   /* "file_open" */
        const char *symbol; /* what the program is attached to in the kernel; "" if nothing fits */
        Tier tier;
        Guarantee guarantee;
        int attached;       /* and has been seen to deny, unless reason says that it could not be */
        int required;       /* by the image in force */
        Mode mode;          /* its own: MODE_AUDIT whatever the mode of all is */
        const char *reason; /* why it is not attached; "" if it is and nothing else is to be said */
        uint64_t calls, denials, audits;
        uint64_t run_ns, runs; /* of the programs of this loading, where BackendConfig says so */
} HookStatus;

/* What was found in force at start, and what is in force after each commit. */
typedef struct BackendState {
        uint64_t generation; /* 0: nothing in force */
        uint8_t digest[DIGEST_SIZE];
        Mode mode;
        uint64_t audited; /* HOOK_BIT of each hook that is in MODE_AUDIT whatever the mode is */
        int adopted;      /* it was in force before this process began */
} BackendState;

/* event is valid during the call only, and has been bounded: every length in it is within its room.
 */
typedef void (*BackendEventFunc)(void *userdata, const struct event *event);

/* Descriptors of what a service that is not root cannot open, or not from its own view of the file
 * systems: opened by who can, taken over. 0: the service opens it, if it can. */
typedef struct BackendHanded {
        int root;            /* where the paths of documents begin */
        int mounts[2];       /* mountinfo of that view, opened twice */
        int expedite;        /* the kernel's switch for grace periods */
        int sysctl_guard;    /* the program that stands at the root of all cgroups */
        int judges[N_TIERS]; /* the program that decides, in each tier that may do: see judge.c */
        int times;           /* while it is open the kernel takes the time of programs */
        int floors;          /* of backend_floors_fd(), kept by an earlier service */
} BackendHanded;

typedef struct BackendConfig {
        const char *pin_directory;    /* a bpffs is mounted here if there is none; outlives it */
        const char *canary_directory; /* the service's own, for the files of the canary */
        BackendEventFunc on_event;
        void *userdata;
        int is_unguarded; /* it is not to protect itself from root, so that it can be debugged */
        uint32_t signal; /* SIGNAL_… of abi.h: what follows a denial by a rule that says nothing */
        int takes_times; /* HookStatus.run_ns is told */
        BackendHanded handed;
} BackendConfig;

typedef struct Backend Backend;

/* Tells what is in force, if anything is, that this process is the service now: a rule on a file
 * that it needs to start must not keep it from starting. To be called before any such file is
 * opened. Returns 0, -EBUSY if another service lives, -EPERM if the kernel keeps this process from
 * what is in force, or -ENOMEM. */
int backend_claim(const char *pin_directory);

/* What root does for a service that runs as that user, before it begins: makes the maps or gives
 * the user those that are pinned, attaches what only root may, and opens the rest, of it .times
 * only if they are to be taken. Returns 0 or a negative errno; the descriptors are the caller's
 * then. */
int backend_hand_over(BackendHanded *ret_handed, const char *pin_directory, uid_t uid, gid_t gid,
                      int takes_times);

/* Probes the kernel, proves the tier by a canary denial, adopts what is pinned. A machine that can
 * enforce nothing is no error: the tier is TIER_NONE and each hook says why. Returns 0 or a
 * negative errno. */
int backend_new(Backend **ret_backend, const BackendConfig *config);

/* Lets go of the descriptors; what is pinned goes on enforcing. */
Backend *backend_free(Backend *backend);

/* Lets go of what another build has in force, whose maps are of another layout: once this one has
 * its policy in force, so that one of them always denies. If it has none, the other stays. */
void backend_release_others(Backend *backend);

/* What holds what is in force beside its pins, for who keeps it: descriptors of links, the
 * backend's own. Returns a number that is another after each change of them. */
#define BACKEND_HOLDERS_MAX 192u
uint64_t backend_holders(const Backend *backend, int ret_fds[BACKEND_HOLDERS_MAX], size_t *ret_n);

Tier backend_tier(const Backend *backend);
void backend_state(const Backend *backend, BackendState *ret_state);

/* hook: 0…N_HOOKS-1 */
void backend_hook(const Backend *backend, enum hook hook, HookStatus *ret_status);
/* All of them, for hardly more than one costs. */
void backend_hooks(const Backend *backend, HookStatus ret_hooks[N_HOOKS]);

/* Facts for GetCapabilities: kernel release, the LSM list ("" if unknown), whether BTF is there. */
typedef struct BackendFacts {
        const char *kernel;
        const char *lsm_list;
        int has_btf, has_bpf_lsm;
        int appraises;         /* programs are run only if IMA finds their signatures right */
        const char *missing;   /* what the machine lacks for a stronger tier; "" */
        const char *remedy;    /* what an administrator can do about it; "" */
        const char *unguarded; /* why the service does not protect itself, or not in every way; ""
                                  if it does */
} BackendFacts;
void backend_facts(const Backend *backend, BackendFacts *ret_facts);

/* How to find paths and cgroups on this machine; valid until backend_free(). */
const Resolver *backend_resolver(const Backend *backend);

/* audited, here and below: HOOK_BIT of each hook that records and does not deny, whatever the mode
 * is. Fills the idle slot and attaches, proving each, the hooks that the image needs and are not
 * attached. Nothing that is in force changes. The image stays referenced while its slot holds it.
 * In MODE_ENFORCE a needed hook that cannot deny gives BACKEND_E_GUARANTEE, unless it is audited.
 * Returns 0, that, or a negative errno; on failure nothing leads to the idle slot. */
int backend_prepare(Backend *backend, PolicyImage *image, Mode mode, uint64_t audited,
                    uint64_t generation);

/* Gives back what the idle slot holds, if that is much: the next image is then filled in whole, and
 * not by what differs. For when none is to be expected soon. */
void backend_rest(Backend *backend);

/* After an adoption: says which image it is whose documents are in force, so that the hits of its
 * rules go on when others come. */
void backend_recognize(Backend *backend, PolicyImage *image);

/* One store puts the prepared image and its mode in force. Cannot fail. Hooks that nothing needs
 * any longer are released after it. */
void backend_commit(Backend *backend);
/* To be called some time after it, in slices (see fiber.h): counts what the rules that stay decided
 * while it was on its way. Until then, and if the service ends before, that is not counted. */
void backend_settle(Backend *backend);
void backend_abort(Backend *backend);

/* Puts another mode, or other modes of hooks (and another generation), in force for the same image;
 * each of the two in one store. Returns 0,
 * BACKEND_E_GUARANTEE or a negative errno. */
int backend_set_mode(Backend *backend, Mode mode, uint64_t audited, uint64_t generation);

/* Until then (CLOCK_BOOTTIME; 0: from now on not) what would be denied is recorded and not denied,
 * but for what guards the service. The kernel ends it by itself. */
void backend_set_emergency(Backend *backend, uint64_t until_ns);

/* Hits of a rule of the image in force, lossless. 0 for a number out of range. */
uint64_t backend_rule_hits(const Backend *backend, uint32_t rule);

/* Of all rules below n_rules, as ret_hits[rule]: few questions to the kernel, in slices (see
 * util/fiber.h). Returns 0 with a new array, or a negative errno. */
int backend_all_hits(const Backend *backend, size_t n_rules, uint64_t **ret_hits);

/* Readable when events wait; -1 if there is none (TIER_NONE). */
int backend_event_fd(const Backend *backend);

/* Hands at most max waiting events to on_event. Returns how many, or a negative errno. */
int backend_dispatch_events(Backend *backend, unsigned max);

/* Has repetitions told that were counted and wait: see struct fold. Returns 1 if some still
 * do, since it is not yet time or there is no room, 0, or a negative errno. */
int backend_sweep_events(Backend *backend);

/* Where the service keeps what became of events, so that it outlives it; NULL in TIER_NONE. */
struct tallies *backend_tallies(const Backend *backend);

typedef struct EventCounters {
        uint64_t emitted, lost; /* records, and accesses that were not told since there was no room
                                   or nobody who can read them, since the machine was started */
        uint64_t delivered, suppressed; /* by builds whose events are of another layout */
} EventCounters;
void backend_event_counters(const Backend *backend, EventCounters *ret_counters);

/* Has something urgent to tell (POLLPRI) when something was mounted or unmounted; -1 if there is no
 * such descriptor. */
int backend_mounts_fd(const Backend *backend);

/* Where a path inside the file system of device (as events carry both) is found from the service's
 * root. Returns a new string, or NULL if that file system is not mounted where it can be seen (or
 * memory is short). */
char *backend_visible_path(const Backend *backend, uint32_t device, const char *path);

/* Where the program lies that a process of an event ran: asked of the process if it is still there,
 * else looked for where programs of the system are. Returns a new string, or NULL. */
char *backend_program_path(const Backend *backend, uint32_t device, uint64_t inode, uint32_t pid);

/* The path of a cgroup, "/a/b", by its id. Returns a new string, or NULL if it has gone. */
char *backend_cgroup_path(const Backend *backend, uint64_t id);

/* A number that must never fall, kept by the kernel until the machine is switched off: what is on
 * disk may be put back to what it was yesterday. */
#define FLOOR_NAME_SIZE 72u
#define FLOORS_MAX 1024u
typedef struct Floor {
        char name[FLOOR_NAME_SIZE]; /* with its NUL, and zeros behind it */
        uint64_t number;
        uint8_t digest[DIGEST_SIZE]; /* of what has that number */
} Floor;

/* Those that are known, at most max. Returns how many. */
size_t backend_floors(Backend *backend, Floor *ret_floors, size_t max);

/* The map of them, the backend's own; -1: there is none. */
int backend_floors_fd(const Backend *backend);

/* Never lowers. Where the kernel does not take it that is logged: the file is what counts. */
void backend_raise_floor(Backend *backend, const Floor *floor);

DEFINE_CLEANUP(Backend *, backend_free);
