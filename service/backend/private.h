/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private: what the rooms of the backend share. */
#pragma once

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "abi.h" /* the skeleton wants these types complete */
#include "aegis.skel.h"
#include "backend/backend.h"
#include "backend/canary.h"
#include "backend/kernel-types.h"
#include "backend/locate.h"
#include "backend/program.h"

/* One hook of this loading. */
typedef struct HookState {
        const char *reason; /* why it is not attached, or has not been seen to deny; "" */
        int fits;           /* some program does; else reason stays what it is */
        char symbol[SYMBOL_MAX];
} HookState;

/* What the kernel said about itself. */
typedef struct Probe {
        char kernel[128];
        char lsm_list[512];
        int has_btf, has_bpf_lsm, lsm_listed, appraises;
        const char *missing, *remedy;
} Probe;

/* In our bpffs: folders with the number of a layout behind their names, and names of pins. */
#define ABI_FOLDER "abi"
#define EVENTS_FOLDER "events"
#define LINK_PREFIX "link_"
#define ABI_MAX 63u
#define ABI_BIT(abi) (1ull << (abi))

/* The maps that are in two slots. */
typedef enum SlotTable {
        TABLE_TRIE,
        TABLE_ROOTS,
        TABLE_PINS,
        TABLE_NETS,
        TABLE_MARKS,
        TABLE_COMMS,
        TABLE_DIGESTS,
        TABLE_PORT_CLASSES,
        TABLE_SUBJECTS,
        TABLE_CLAUSES,
        TABLE_RULESETS,
        TABLE_CGROUP_NAMES,
        TABLE_CGROUPS,
        TABLE_HITS,
        N_TABLES,
} SlotTable;

typedef struct SlotMap {
        int fd;      /* negative: none is known to stand there */
        uint32_t id; /* likewise 0 */
        size_t room; /* records there is room for; 0: what it holds is not known */
} SlotMap;

typedef struct Slot {
        PolicyImage *image; /* that its maps hold, where they have room; NULL: not known */
        SlotMap maps[N_TABLES];
} Slot;

/* What rules have when their numbers are given anew: see hits.c. */
typedef struct HitsAnew {
        uint64_t *carried; /* that of the slot in force, by its numbers; NULL: it is not known */
        int before;        /* the map of the other slot; -1: it had nothing that counted */
} HitsAnew;

struct Backend {
        BackendEventFunc on_event;
        void *userdata;
        Probe probe;
        Mounts mounts;
        int mounts_fd;
        int expedite_fd; /* negative: it is not to be had */
        Locator locator;
        Resolver resolver;
        Canary canary;
        int floors_fd; /* -1: none, see floors.c */
        int pin_fd;    /* the folder of this ABI in our bpffs */
        char *pin_path;
        int events_fd; /* the folder of the layout of events, likewise */
        char *events_path;
        const char *pin_directory; /* the bpffs above them; the caller's */
        uint64_t other_builds;     /* ABI_BIT() of those of which there is a folder … */
        uint64_t other_events;     /* … and of the layouts of events */
        int is_alone;              /* and no other build has anything in force */
        Tier tier;
        struct aegis_bpf *skeleton; /* its maps alone; NULL in TIER_NONE */
        struct hot *hot;            /* these five are the kernel's own memory */
        struct prefix *prefixes;
        struct account *account;
        struct renames *renames;
        __u64 *doubted_ns;
        const struct account *past[ABI_MAX]; /* of other layouts of events; likewise */
        size_t n_past;
        Slot slots[N_SLOTS];
        struct btf *kernel_btf; /* it is large: NULL as soon as it was made use of */
        int types_fd;           /* see kernel-types.h; negative: no object was opened yet */
        char types_path[KERNEL_TYPES_PATH_MAX];
        KernelFunctions functions;
        Program programs[PROGRAMS_MAX];
        size_t n_programs;
        uint32_t load_id;           /* of the programs that were loaded last … */
        uint32_t built_for;         /* … and what they are built for */
        int floors_handed;          /* a map of floors that an earlier service kept; 0: none */
        int sysctl_handed;          /* the program that another attached, and detaches; 0: none */
        int judges_handed[N_TIERS]; /* that another loaded; 0: none */
        int judge_fd;               /* negative: none, see judge.c */
        const struct bpf_object *loading; /* see install.c */
        int keeps_handler;                /* see install.c */
        HookState hooks[N_HOOKS];
        struct ring_buffer *rings;
        unsigned n_taken, n_take;  /* of the dispatch that is going on */
        int has_anchor;            /* see install.c */
        int protects_itself;       /* if it can */
        uint32_t signal;           /* of rules that name none */
        const char *guard_trouble; /* why it cannot; "" */
        int adopted;
        uint8_t build[DIGEST_SIZE]; /* of this one, see adopt.c */
        int finds_own;              /* what is pinned is of this build */
        int is_mended;              /* see mend.c */
        uint64_t n_changes;         /* of what is attached */
        int takes_times;
        int times_fd;   /* while it is open the kernel takes the time of programs; or -1 */
        int prepared;   /* the idle slot is filled and waits for its commit */
        int hits_agree; /* a number is of the same rule there as in the slot in force … */
        HitsAnew anew;  /* … and what there is if not, until the switch */
        uint32_t prepared_word;
};

#define REASON_NOT_NEEDED "no rule needs it"

/* Which of the programs. */
typedef struct ProgramSet {
        uint8_t has[PROGRAMS_MAX];
} ProgramSet;

/* probe.c. btf: NULL: the kernel has none. */
void probe_kernel(const struct btf *btf, Probe *ret_probe, KernelFunctions *ret_functions);
/* Whether BPF is among the kernel's LSMs, or that is not known. */
int lsm_may_do(const Probe *probe);

/* pin.c. Makes the folders of our ABI, with a bpffs below them, and opens them. 0 or a negative
 * errno. */
int pin_folder_open(Backend *backend, const char *directory);
/* Puts a link's pin in place of the one of that name, so that one of them always holds. */
int pin_link(Backend *backend, struct bpf_link *link, const char *program);
void unpin_link(Backend *backend, const char *program);
/* Whether that program is at work, if of an earlier loading. */
int is_pinned(const Backend *backend, const char *program);
/* Takes away pins of links that no program of this loading stands behind. */
void unpin_strangers(Backend *backend);

/* others.c. Says that this process is the service, for so long as it takes to be denied a first
 * time: then the kernel has noted what tells it from others. */
void claim_begin(struct hot *hot);
/* Looks which other builds have left something. 0 or a negative errno. */
int others_find(Backend *backend);
/* The map in which the build counts that has the documents of that header in force, or with
 * OTHER_BEFORE that in which it counted before and which it adds. A new descriptor, or negative. */
typedef enum OtherHits {
        OTHER_IN_FORCE,
        OTHER_BEFORE,
} OtherHits;
int others_hits(const Backend *backend, const struct header *header, OtherHits which);

/* account.c. Whether that pin is in the folder of events. */
int account_has(const char *pin);
/* Makes that folder and opens it. 0 or a negative errno. */
int account_open(Backend *backend, const char *directory);
/* To be called before the maps are made: what is in rings that are not all there is lost. */
void account_begin(Backend *backend);
void account_go_on(Backend *backend); /* where builds of another layout have ended */
void account_lose(Backend *backend, const void *data, size_t size);
void account_forget(Backend *backend);
/* Lets go of rings of other layouts, which nobody writes any longer. */
void account_release_others(Backend *backend);

/* floors.c. Takes over the map of floors that hangs in our bpffs, whatever ABI left it there, or
 * makes it. */
void floors_open(Backend *backend, const char *directory);

/* Gives everything that is pinned to a user. 0 or a negative errno. */
int pins_give(const Backend *backend, const char *directory, uid_t uid, gid_t gid);

/* mend.c. To be called when the object knows where its maps are pinned and has not made them: pins
 * that are gone are made anew, of what programs in force use. Returns 1 if there are such programs
 * and pins were missing, or 0. */
int maps_mend(Backend *backend);

/* load.c. The maps alone, and with them, if it is asked for, the program that guards the kernel's
 * switch. 0 or a negative errno. */
int maps_open(Backend *backend, const char *program);
/* Finds the programs that fit a tier. 0 or a negative errno. */
int find_programs(Backend *backend, Tier tier);
/* Makes the maps, or takes over those that are pinned, and finds the programs for a tier.
 * 0 or a negative errno. */
int load_tier(Backend *backend, Tier tier);
void unload(Backend *backend);
struct bpf_object *object_open(const Backend *backend); /* NULL with errno */

/* install.c. Loads programs into the kernel, with the maps of load_tier(). What the kernel does not
 * take is taken out of the set. The caller closes the object: what is attached stays. 0 or a
 * negative errno. */
int programs_load(Backend *backend, ProgramSet *set, struct bpf_object **ret_object);

/* What an image asks of the hooks. */
typedef struct Needs {
        uint64_t hooks;
        uint32_t flags; /* IMAGE_… */
        int guard;      /* the programs that protect the service */
        int tier;       /* the one that proves the tier */
} Needs;

/* judge.c. Takes the one that was handed over for the tier, or loads it: root may. 0 or a negative
 * errno. *ret_object: with it, the program that proves the tier; NULL: it was handed over. */
int judge_open(Backend *backend, struct bpf_object **ret_object);
/* Says what it is loaded for: a program of the object that was loaded before. */
int judge_aim(const struct bpf_object *object, struct bpf_prog_load_opts *options);
/* Puts it into a program that is not attached yet, if that asks. 0 or a negative errno. */
int judge_attach(Backend *backend, Program *program, const struct bpf_program *loaded);
int judge_pin(const Backend *backend, const Program *program);
/* Whether the pin holds it in that program. */
int judge_owns_pin(const Program *program, const char *pin);
/* Lets go of it there, and of the pin. */
void judge_detach(const Backend *backend, Program *program);

/* The name of the program that a pin holds it in; NULL: it is no such pin. */
const char *judge_pin_of(const char *pin, uint32_t *ret_loaded_as);

/* adopt.c. To be called before anything is attached. */
void adopt_begin(Backend *backend);
/* Takes those of an earlier service that are needed and that deny a canary. */
void adopt_programs(Backend *backend, const Needs *needs);
/* To be called when all that is pinned is of this build. */
void adopt_end(Backend *backend);

/* attach.c */
/* Without those that are newer than this kernel, which needs others in their place. */
uint64_t hooks_of_this_kernel(const Backend *backend, uint64_t hooks);
uint64_t hooks_attached(const Backend *backend);
int is_needed(const Program *program, const Needs *needs);
/* Whether it denies a canary; the state of its hook says so then. */
int is_proven(Backend *backend, const Program *program);
/* Those that nothing but the service's own protection stands at. */
uint64_t hooks_guarded(const Backend *backend);
/* Attaches and proves what is needed and not attached yet. Returns the hooks that could not be;
 * each has its reason then. */
uint64_t attach_hooks(Backend *backend, const Needs *needs);
/* Attaches the program that proves the tier, of an object that has it loaded. */
void attach_prover(Backend *backend, const struct bpf_object *object);
/* Releases what is attached and not needed. */
void release_hooks(Backend *backend, const Needs *needs);

/* modules.c. Says to the library that no module has types, where asking is not allowed. 0 or a
 * negative errno. */
int modules_forget(void);

/* slots.c */
const char *table_name(SlotTable table);
void slots_init(Backend *backend);
int expedite_open(void);           /* a descriptor for BackendHanded, or negative */
void slots_find(Backend *backend); /* those of an earlier loading */
void slots_deinit(Backend *backend);
void slot_forget(Slot *slot);           /* what its maps hold */
uint32_t slot_size(const SlotMap *map); /* records its map has room for; 0: that cannot be told */
/* Puts a map in its slot, which takes the descriptor. No program is looking at the slot that is not
 * in force when that has succeeded. 0 or a negative errno. */
int slot_put(Backend *backend, uint32_t slot, SlotTable table, int fd);

/* fill.c. Makes the maps of the idle slot hold an image. 0 or a negative errno. */
int fill_slot(Backend *backend, uint32_t slot, PolicyImage *image);
/* Puts empty maps in the place of large ones of the idle slot, in which nobody looks any longer. */
void fill_rest(Backend *backend, uint32_t slot);

/* sysctl.c. At the root of all cgroups, without a link: root can take a link away again by its pin,
 * and this by a descriptor of the program alone, which the guard denies. It holds until it is
 * detached. 0 or a negative errno. */
#define SYSCTL_GUARD "guard_sysctl"
int sysctl_attach(Program *program, const struct bpf_program *loaded);
void sysctl_detach(Program *program);
/* Believes that the program that was handed over stands there. */
void sysctl_take_handed(Backend *backend);
/* Detaches those of earlier loadings, if one of this loading stands there or none is needed. */
void sysctl_detach_others(const Backend *backend);
uint32_t program_id(int fd); /* 0 if it cannot be told */

/* hits.c. Makes the idle slot's map ready to count for an image. 0 or a negative errno. */
int hits_fill(Backend *backend, uint32_t slot, const PolicyImage *image);
/* To be called when the switch was made: what the other slot counted goes on to be added. */
void hits_settle(Backend *backend);
/* To be called when it will not be, whatever was filled. */
void hits_put_back(Backend *backend);
void hits_forget_anew(Backend *backend);
/* Has what another build counts for what is in force added, if it is in force there too and nothing
 * else was in this build before. */
void hits_inherit(Backend *backend);

/* backend.c */
void backend_begin(Backend *backend); /* one that has nothing yet */
uint32_t word_now(const Backend *backend);
void word_store(Backend *backend, uint32_t word);
struct header *header_in_force(const Backend *backend);
