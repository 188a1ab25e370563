/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Backend twin: see backend-twin.h. Paths lie all on one made-up file system. There is every cgroup
 * but those below /missing. */
#include "backend-twin.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "util/file.h"

#define TALLIES_FILE "twin.tallies"
#define TWIN_DEVICE (8u << 20 | 1u)

struct Backend {
        struct tallies *tallies;
        char pin_directory[100];
        int events;
        Tier tier;
        int adopted;
        int is_prepared;
        TwinState prepared;
        BackendEventFunc on_event;
        void *userdata;
        Resolver resolver;
};

/* Who asks for one hook asks for all of them, some for each of their properties: in the kernel that
 * is memory, and is to be no more here. Another process takes longer than this to write something
 * and ask. */
#define LOOK_USEC 50u

static TwinState state_now(const Backend *backend)
{
        TwinState state;

        twin_state_read(backend->pin_directory, &state);
        return state;
}

static TwinControl control_now(const Backend *backend)
{
        TwinControl control;

        twin_control_read(backend->pin_directory, &control);
        return control;
}

typedef struct Look {
        TwinState state;
        TwinControl control;
} Look;

static const Look *look(const Backend *backend)
{
        static Look last;
        static uint64_t looked_usec;
        static unsigned n_written;
        struct timespec now;
        uint64_t usec;

        clock_gettime(CLOCK_MONOTONIC, &now);
        usec = (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
        if (looked_usec == 0 || n_written != twin_n_written || usec - looked_usec > LOOK_USEC) {
                last = (Look){state_now(backend), control_now(backend)};
                looked_usec = usec;
                n_written = twin_n_written;
        }
        return &last;
}

static void crash_if(const Backend *backend, TwinCrash point)
{
        if (control_now(backend).crash == point)
                raise(SIGKILL);
}

/* ---- the resolver ---- */

static int twin_locate(void *userdata, const char *path, Location *ret_location)
{
        int is_link = strncmp(path, "/link", strlen("/link")) == 0;
        int leads_elsewhere = is_link && control_now(userdata).links_lead_elsewhere;
        Location location = {.name = {.device = TWIN_DEVICE}};

        if (is_link && control_now(userdata).links_lead_nowhere)
                return -ELOOP;
        location.name.path = strdup(leads_elsewhere ? "/elsewhere" : path);
        if (!location.name.path)
                return -ENOMEM;
        *ret_location = location;
        return 0;
}

static int twin_has_cgroup(void *userdata, const char *path)
{
        return strncmp(path, "/missing", strlen("/missing")) != 0;
}

const Resolver *backend_resolver(const Backend *backend)
{
        return &backend->resolver;
}

/* ---- life ---- */

static int open_events(Backend *backend)
{
        struct sockaddr_un address = twin_events_address(backend->pin_directory);

        backend->events = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (backend->events < 0)
                return -errno;
        unlink(address.sun_path);
        if (bind(backend->events, (struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;
        return 0;
}

static int map_tallies(Backend *backend)
{
        char path[128];
        void *tallies;
        int fd;

        snprintf(path, sizeof(path), "%s/" TALLIES_FILE, backend->pin_directory);
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0 || ftruncate(fd, sizeof(struct tallies)) < 0)
                return -errno;
        tallies = mmap(NULL, sizeof(struct tallies), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        close(fd);
        if (tallies == MAP_FAILED)
                return -errno;
        backend->tallies = tallies;
        return 0;
}

int backend_claim(const char *pin_directory)
{
        return 0; /* the twin denies nobody */
}

int backend_hand_over(BackendHanded *ret_handed, const char *pin_directory, uid_t uid, gid_t gid,
                      int takes_times)
{
        return -EOPNOTSUPP;
}

void backend_release_others(Backend *backend)
{
}

uint64_t backend_holders(const Backend *backend, int ret_fds[BACKEND_HOLDERS_MAX], size_t *ret_n)
{
        *ret_n = 0;
        return 0;
}

int backend_floors_fd(const Backend *backend)
{
        return -1;
}

int backend_new(Backend **ret_backend, const BackendConfig *config)
{
        _cleanup_(backend_freep) Backend *backend = calloc(1, sizeof(*backend));
        int r;

        if (!backend)
                return -ENOMEM;
        backend->events = -1;
        snprintf(backend->pin_directory, sizeof(backend->pin_directory), "%.90s",
                 config->pin_directory);
        backend->tier = control_now(backend).tier;
        backend->adopted = state_now(backend).generation > 0;
        backend->on_event = config->on_event;
        backend->userdata = config->userdata;
        backend->resolver = (Resolver){
                .locate = twin_locate, .has_cgroup = twin_has_cgroup, .userdata = backend};
        if (backend->tier != TIER_NONE) {
                r = open_events(backend);
                if (r >= 0)
                        r = map_tallies(backend);
                if (r < 0)
                        return r;
        }
        *ret_backend = TAKE_PTR(backend);
        return 0;
}

Backend *backend_free(Backend *backend)
{
        if (!backend)
                return NULL;
        closep(&backend->events);
        if (backend->tallies)
                munmap(backend->tallies, sizeof(struct tallies));
        free(backend);
        return NULL;
}

/* ---- what is in force ---- */

Tier backend_tier(const Backend *backend)
{
        return backend->tier;
}

void backend_state(const Backend *backend, BackendState *ret_state)
{
        TwinState state = state_now(backend);

        *ret_state = (BackendState){};
        if (backend->tier == TIER_NONE)
                return;
        ret_state->generation = state.generation;
        ret_state->mode = state.mode;
        ret_state->audited = state.audited;
        ret_state->adopted = backend->adopted;
        memcpy(ret_state->digest, state.digest, DIGEST_SIZE);
}

int backend_prepare(Backend *backend, PolicyImage *image, Mode mode, uint64_t audited,
                    uint64_t generation)
{
        TwinState state = state_now(backend);
        TwinControl control = control_now(backend);
        int failure = control.fail_prepare;
        uint64_t missing;

        crash_if(backend, TWIN_CRASH_IN_PREPARE);
        backend->is_prepared = 0;
        state.n_prepares++;
        twin_state_write(backend->pin_directory, &state);
        if (failure) {
                control.fail_prepare = 0;
                twin_control_write(backend->pin_directory, &control);
                return -failure;
        }
        if (backend->tier == TIER_NONE)
                return BACKEND_E_GUARANTEE;
        missing = image->hooks & ~image->hooks_accepted & ~control.deny_hooks;
        missing &= image->hooks_in_audit | (mode == MODE_AUDIT ? 0 : ~audited);
        if (missing)
                return BACKEND_E_GUARANTEE;
        backend->prepared = (TwinState){.generation = generation,
                                        .mode = mode,
                                        .audited = audited,
                                        .flags = image->flags,
                                        .hooks = image->hooks,
                                        .n_trie = image->n_trie,
                                        .n_roots = image->n_roots,
                                        .n_pins = image->n_pins,
                                        .n_nets = image->n_nets,
                                        .n_cgroups = image->n_cgroup_names,
                                        .hooks_accepted = image->hooks_accepted,
                                        .n_rules = image->n_rules};
        memcpy(backend->prepared.digest, image->digest, DIGEST_SIZE);
        backend->is_prepared = 1;
        return 0;
}

/* The image of `from` in force, the history of `to`. */
static void state_switch(TwinState *to, const TwinState *from)
{
        TwinState state = *from;

        state.n_prepares = to->n_prepares;
        state.n_commits = to->n_commits + 1;
        state.n_aborts = to->n_aborts;
        state.n_mode_changes = to->n_mode_changes;
        state.emitted = to->emitted;
        state.emergency_until_ns = to->emergency_until_ns;
        memcpy(state.denials, to->denials, sizeof(state.denials));
        memcpy(state.audits, to->audits, sizeof(state.audits));
        memcpy(state.floors, to->floors, sizeof(state.floors));
        state.n_floors = to->n_floors;
        *to = state;
}

void backend_rest(Backend *backend)
{
}

void backend_recognize(Backend *backend, PolicyImage *image)
{
}

void backend_commit(Backend *backend)
{
        TwinState state = state_now(backend);

        if (!backend->is_prepared)
                return;
        state_switch(&state, &backend->prepared);
        twin_state_write(backend->pin_directory, &state);
        backend->is_prepared = 0;
        crash_if(backend, TWIN_CRASH_AFTER_COMMIT);
}

void backend_settle(Backend *backend)
{
        /* it counts nothing */
}

void backend_abort(Backend *backend)
{
        TwinState state = state_now(backend);

        state.n_aborts++;
        twin_state_write(backend->pin_directory, &state);
        backend->is_prepared = 0;
}

void backend_set_emergency(Backend *backend, uint64_t until_ns)
{
        TwinState state = state_now(backend);

        if (state.emergency_until_ns == until_ns)
                return;
        state.emergency_until_ns = until_ns;
        twin_state_write(backend->pin_directory, &state);
}

int backend_set_mode(Backend *backend, Mode mode, uint64_t audited, uint64_t generation)
{
        TwinState state = state_now(backend);
        TwinControl control = control_now(backend);
        int failure = control.fail_mode;

        if (failure) {
                control.fail_mode = 0;
                twin_control_write(backend->pin_directory, &control);
                return -failure;
        }
        if (backend->tier == TIER_NONE)
                return BACKEND_E_GUARANTEE;
        if (mode == MODE_ENFORCE &&
            (state.hooks & ~state.hooks_accepted & ~control.deny_hooks & ~audited))
                return BACKEND_E_GUARANTEE;
        state.mode = mode;
        state.audited = audited;
        state.generation = generation;
        state.n_mode_changes++;
        twin_state_write(backend->pin_directory, &state);
        crash_if(backend, TWIN_CRASH_AFTER_COMMIT);
        return 0;
}

/* ---- events ---- */

int backend_event_fd(const Backend *backend)
{
        return backend->events;
}

static void count_event(Backend *backend, struct event *event)
{
        TwinState state = state_now(backend);

        if (event->seq == 0)
                event->seq = state.emitted + 1;
        if (event->seq > state.emitted)
                state.emitted = event->seq;
        if (event->verdict == VERDICT_DENIED)
                state.denials[event->hook]++;
        else
                state.audits[event->hook]++;
        if (event->rule < TWIN_HITS)
                state.hits[event->rule]++;
        twin_state_write(backend->pin_directory, &state);
}

int backend_dispatch_events(Backend *backend, unsigned max)
{
        unsigned n = 0;

        if (backend->events < 0)
                return 0;
        while (n < max) {
                struct event event;
                ssize_t r = recv(backend->events, &event, sizeof(event), 0);

                if (r < 0)
                        return errno == EAGAIN ? (int) n : -errno;
                if ((size_t) r != sizeof(event) || event.hook >= N_HOOKS)
                        continue;
                count_event(backend, &event);
                backend->on_event(backend->userdata, &event);
                n++;
        }
        return (int) n;
}

/* Nothing is folded here. */
int backend_sweep_events(Backend *backend)
{
        return 0;
}

struct tallies *backend_tallies(const Backend *backend)
{
        return backend->tallies;
}

void backend_event_counters(const Backend *backend, EventCounters *ret_counters)
{
        *ret_counters = (EventCounters){.emitted = state_now(backend).emitted,
                                        .lost = control_now(backend).lost};
}

int backend_all_hits(const Backend *backend, size_t n_rules, uint64_t **ret_hits)
{
        const TwinState state = state_now(backend);
        uint64_t *hits = calloc(n_rules + 1, sizeof(*hits));

        for (size_t i = 0; hits && i < n_rules && i < TWIN_HITS; i++)
                hits[i] = state.hits[i];
        *ret_hits = hits;
        return hits ? 0 : -ENOMEM;
}

uint64_t backend_rule_hits(const Backend *backend, uint32_t rule)
{
        return rule < TWIN_HITS ? state_now(backend).hits[rule] : 0;
}

int backend_mounts_fd(const Backend *backend)
{
        return -1;
}

char *backend_visible_path(const Backend *backend, uint32_t device, const char *path)
{
        return device == TWIN_DEVICE ? strdup(path) : NULL;
}

/* Programs are called by their number, and there is one cgroup. */
char *backend_program_path(const Backend *backend, uint32_t device, uint64_t inode, uint32_t pid)
{
        char *path = NULL;

        if (inode == 0 || asprintf(&path, "/usr/bin/program%u", (unsigned) inode) < 0)
                return NULL;
        return path;
}

char *backend_cgroup_path(const Backend *backend, uint64_t id)
{
        return id == 1 ? strdup("/") : NULL;
}

/* ---- words ---- */

void backend_hook(const Backend *backend, enum hook hook, HookStatus *ret_status)
{
        static char symbols[N_HOOKS][64];
        const Look *now = look(backend);
        const TwinState *state = &now->state;
        int can_deny =
                backend->tier != TIER_NONE && (now->control.deny_hooks & HOOK_BIT(hook)) != 0;
        int required = (state->hooks & HOOK_BIT(hook)) != 0, attached = can_deny && required;

        snprintf(symbols[hook], sizeof(symbols[hook]), "bpf_lsm_%s", hook_to_string(hook));
        *ret_status = (HookStatus){
                .name = hook_to_string(hook),
                .symbol = can_deny ? symbols[hook] : "",
                .tier = attached ? backend->tier : TIER_NONE,
                .guarantee = attached ? GUARANTEE_DENY : GUARANTEE_NONE,
                .attached = attached,
                .required = required,
                .mode = state->audited & HOOK_BIT(hook) ? MODE_AUDIT : MODE_ENFORCE,
                .reason = attached   ? ""
                          : can_deny ? "no rule needs it"
                                     : "the twin was told that it cannot deny",
                .denials = state->denials[hook],
                .audits = state->audits[hook],
                .calls = state->denials[hook] + state->audits[hook],
        };
}

void backend_hooks(const Backend *backend, HookStatus ret_hooks[N_HOOKS])
{
        for (enum hook hook = 0; hook < N_HOOKS; hook++)
                backend_hook(backend, hook, &ret_hooks[hook]);
}

void backend_facts(const Backend *backend, BackendFacts *ret_facts)
{
        int works = backend->tier != TIER_NONE;

        *ret_facts = (BackendFacts){.kernel = "6.1.0-twin",
                                    .lsm_list = works ? "lockdown,capability,bpf" : "capability",
                                    .has_btf = works,
                                    .has_bpf_lsm = works,
                                    .appraises = control_now(backend).appraises,
                                    .missing = works ? "" : "bpf is not in the list of LSMs",
                                    .remedy = works ? "" : "add lsm=…,bpf to the kernel line",
                                    .unguarded = ""};
}

/* ---- floors ---- */

size_t backend_floors(Backend *backend, Floor *ret_floors, size_t max)
{
        TwinState state = state_now(backend);
        size_t n = state.n_floors < max ? state.n_floors : max;

        memcpy(ret_floors, state.floors, n * sizeof(*ret_floors));
        return n;
}

static Floor *floor_for(TwinState *state, const char *name)
{
        for (size_t i = 0; i < state->n_floors; i++)
                if (strcmp(state->floors[i].name, name) == 0)
                        return &state->floors[i];
        return state->n_floors < TWIN_FLOORS ? &state->floors[state->n_floors++] : NULL;
}

void backend_raise_floor(Backend *backend, const Floor *floor)
{
        TwinState state = state_now(backend);
        Floor *known = floor_for(&state, floor->name);

        if (!known || known->number >= floor->number)
                return;
        *known = *floor;
        twin_state_write(backend->pin_directory, &state);
}
