/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Backend: see backend.h. A policy is filled into the idle slot and switched by one store of the
 * word that every hook reads once. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "backend/guard.h"
#include "backend/private.h"
#include "util/array.h"
#include "util/log.h"

uint32_t word_now(const Backend *backend)
{
        return __atomic_load_n(&backend->hot->word, __ATOMIC_SEQ_CST);
}

void word_store(Backend *backend, uint32_t word)
{
        __atomic_store_n(&backend->hot->word, word, __ATOMIC_SEQ_CST);
}

struct header *header_in_force(const Backend *backend)
{
        return &backend->hot->headers[word_now(backend) & WORD_SLOT];
}

static uint32_t idle_slot(const Backend *backend)
{
        return (word_now(backend) & WORD_SLOT) ^ 1;
}

__attribute__((format(printf, 2, 0))) static int ignore_messages(enum libbpf_print_level level,
                                                                 const char *format,
                                                                 va_list arguments)
{
        char message[1024];

        if (log_max_level() < LOG_DEBUG)
                return 0;
        vsnprintf(message, sizeof(message), format, arguments);
        message[strcspn(message, "\n")] = '\0';
        log_debug("libbpf: %s", message);
        return 0;
}

/* What another build has learnt of directories is not believed: it is as if one had been moved. */
static void forget_places(Backend *backend)
{
        __atomic_add_fetch(&backend->renames->begun, RENAMES_STEP, __ATOMIC_SEQ_CST);
        __atomic_add_fetch(&backend->renames->ended, RENAMES_STEP, __ATOMIC_SEQ_CST);
}

/* The first loading of this boot, or one that finds its maps at work. */
static int take_over(Backend *backend)
{
        struct hot *hot = backend->hot;

        claim_begin(hot); /* a canary adds when it began */
        hot->signal = backend->signal;
        if (hot->abi == AEGIS_ABI) {
                word_store(backend, word_now(backend) & ~WORD_CANARY);
                forget_places(backend);
                backend->adopted = header_in_force(backend)->generation != 0;
                slots_find(backend);
                return 0;
        }
        if (getrandom(hot->seed, sizeof(hot->seed), 0) < 0)
                return -errno;
        hot->seed[0] |= 1;
        hot->seed[1] |= 1;
        hot->abi = AEGIS_ABI;
        return 0;
}

/* Closes our descriptors: what is pinned goes on. */
static void forget_links(Backend *backend)
{
        for (size_t i = 0; i < backend->n_programs; i++) {
                bpf_link__destroy(backend->programs[i].link);
                backend->programs[i].link = NULL;
                program_forget_times(&backend->programs[i]);
                if (backend->programs[i].fd)
                        close(backend->programs[i].fd);
                if (backend->programs[i].ask_fd)
                        close(backend->programs[i].ask_fd);
                backend->programs[i].fd = backend->programs[i].ask_fd = 0;
        }
}

static Needs needs_of(const Backend *backend, uint64_t hooks, uint32_t flags)
{
        return (Needs){.hooks = hooks, .flags = flags, .guard = hooks && guard_is_on(backend)};
}

static Needs needs_in_force(const Backend *backend)
{
        const struct header *header = header_in_force(backend);

        return needs_of(backend, header->hooks, header->flags);
}

static int tier_is_proven(const Backend *backend)
{
        for (size_t i = 0; i < backend->n_programs; i++)
                if (backend->programs[i].role == PROGRAM_TIER)
                        return program_is_attached(&backend->programs[i]);
        return 0;
}

/* Whether a tier denies on this machine, and not only says that it would. What was in force before
 * goes on meanwhile; its hooks are attached anew before the old links are let go. */
static int try_tier(Backend *backend, Tier tier)
{
        struct bpf_object *object = NULL;
        Needs needed, proof;
        uint64_t missing;
        int r;

        r = load_tier(backend, tier);
        if (r < 0)
                return r;
        r = take_over(backend);
        if (r == 0)
                r = judge_open(backend, &object);
        if (r < 0) {
                unload(backend);
                return r;
        }
        guard_begin(backend);
        adopt_begin(backend);
        needed = proof = needs_in_force(backend);
        adopt_programs(backend, &needed);
        if (object)
                attach_prover(backend, object);
        bpf_object__close(object);
        proof.tier = 1;
        missing = attach_hooks(backend, &proof);
        if (!tier_is_proven(backend)) {
                if (!backend->adopted)
                        release_hooks(backend, &(Needs){});
                forget_links(backend);
                unload(backend);
                return -EOPNOTSUPP;
        }
        sysctl_detach_others(backend);
        guard_register(backend);
        backend->hot->claim_until_ns = 0;
        release_hooks(backend, &needed);
        if (!(missing & ~header_in_force(backend)->hooks_accepted))
                unpin_strangers(backend);
        if (!missing)
                adopt_end(backend);
        return 0;
}

static void choose_tier(Backend *backend)
{
        static const Tier tiers[] = {TIER_LSM, TIER_FMOD_RET};
        int r = -EOPNOTSUPP;

        if (!backend->probe.has_btf)
                return;
        for (size_t i = 0; r < 0 && i < ELEMENTS_OF(tiers); i++) {
                if (tiers[i] == TIER_LSM && !lsm_may_do(&backend->probe))
                        continue;
                r = try_tier(backend, tiers[i]);
        }
}

/* The kernel does so for all programs of the machine, in some tens of nanoseconds a call. */
static void take_times(Backend *backend)
{
        if (backend->times_fd < 0)
                backend->times_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
        if (backend->times_fd < 0)
                log_errno(errno, "The time that hooks take cannot be told");
}

void backend_begin(Backend *backend)
{
        slots_init(backend);
        backend->pin_fd = backend->events_fd = backend->floors_fd = -1;
        backend->canary.directory_fd = backend->mounts_fd = -1;
        backend->mounts.root = backend->mounts.fd = backend->expedite_fd = backend->times_fd = -1;
        backend->types_fd = backend->anew.before = backend->judge_fd = -1;
        backend->guard_trouble = "";
        libbpf_set_print(ignore_messages);
}

/* A descriptor of mountinfo tells of each change once, to whoever asks it first: so there are two.
 */
static void take_handed(Backend *backend, const BackendHanded *handed)
{
        backend->mounts_fd = handed->mounts[1] ? handed->mounts[1] : mounts_watch();
        backend->expedite_fd = handed->expedite ? handed->expedite : expedite_open();
        backend->sysctl_handed = handed->sysctl_guard;
        memcpy(backend->judges_handed, handed->judges, sizeof(handed->judges));
        backend->floors_handed = handed->floors;
        backend->times_fd = handed->times ? handed->times : -1;
}

int backend_new(Backend **ret_backend, const BackendConfig *config)
{
        _cleanup_(backend_freep) Backend *backend = calloc(1, sizeof(*backend));
        int r;

        if (!backend)
                return -ENOMEM;
        backend_begin(backend);
        take_handed(backend, &config->handed);
        backend->on_event = config->on_event;
        backend->userdata = config->userdata;
        backend->protects_itself = !config->is_unguarded;
        backend->signal = config->signal;
        backend->takes_times = config->takes_times;
        backend->kernel_btf = btf__load_vmlinux_btf();
        probe_kernel(backend->kernel_btf, &backend->probe, &backend->functions);
        r = mounts_init(&backend->mounts, config->handed.root, config->handed.mounts[0]);
        if (r < 0)
                return log_errno(r, "Cannot read what is mounted");
        if (backend->mounts_fd < 0)
                return log_errno(backend->mounts_fd, "Cannot watch what is mounted");
        backend->locator.mounts = &backend->mounts;
        backend->resolver =
                (Resolver){locate_path, has_cgroup, &backend->locator, locate_begin, locate_end};
        for (enum hook hook = 0; hook < N_HOOKS; hook++)
                backend->hooks[hook].reason = "no tier works on this machine";
        r = canary_init(&backend->canary, config->canary_directory);
        if (r < 0)
                return log_errno(r, "Cannot open %s", config->canary_directory);
        r = pin_folder_open(backend, config->pin_directory);
        if (r < 0)
                return r;
        r = modules_forget();
        if (r < 0)
                return r;
        floors_open(backend, config->pin_directory);
        choose_tier(backend);
        if (config->takes_times)
                take_times(backend);
        *ret_backend = TAKE_PTR(backend);
        return 0;
}

Backend *backend_free(Backend *backend)
{
        if (!backend)
                return NULL;
        forget_links(backend);
        unload(backend);
        closep(&backend->floors_fd);
        closep(&backend->pin_fd);
        closep(&backend->events_fd);
        closep(&backend->mounts_fd);
        closep(&backend->times_fd);
        closep(&backend->expedite_fd);
        closep(&backend->types_fd);
        hits_forget_anew(backend);
        btf__free(backend->kernel_btf);
        if (backend->sysctl_handed)
                close(backend->sysctl_handed);
        if (backend->floors_handed)
                close(backend->floors_handed);
        for (Tier tier = 0; tier < N_TIERS; tier++)
                if (backend->judges_handed[tier])
                        close(backend->judges_handed[tier]);
        free(backend->pin_path);
        free(backend->events_path);
        canary_deinit(&backend->canary);
        mounts_deinit(&backend->mounts);
        free(backend);
        return NULL;
}

Tier backend_tier(const Backend *backend)
{
        return backend->tier;
}

void backend_state(const Backend *backend, BackendState *ret_state)
{
        const struct header *header;

        *ret_state = (BackendState){};
        if (!backend->hot)
                return;
        header = header_in_force(backend);
        ret_state->generation = header->generation;
        ret_state->mode = word_now(backend) & WORD_AUDIT ? MODE_AUDIT : MODE_ENFORCE;
        ret_state->audited = header->hooks_audited;
        ret_state->adopted = backend->adopted;
        memcpy(ret_state->digest, header->digest, DIGEST_SIZE);
}

void backend_recognize(Backend *backend, PolicyImage *image)
{
        const struct header *header;
        Slot *slot;

        if (!backend->hot)
                return;
        header = header_in_force(backend);
        slot = &backend->slots[word_now(backend) & WORD_SLOT];
        if (slot->image || header->n_rules != image->n_rules ||
            memcmp(header->digest, image->digest, DIGEST_SIZE) != 0)
                return;
        slot->image = policy_image_ref(image); /* what its maps hold is not known all the same */
}

const Resolver *backend_resolver(const Backend *backend)
{
        return &backend->resolver;
}

static void fill_header(Backend *backend, uint32_t slot, const PolicyImage *image,
                        uint64_t generation)
{
        struct header *header = &backend->hot->headers[slot];

        *header = (struct header){
                .cookie = backend->hot->headers[slot ^ 1].cookie + 1,
                .flags = image->flags,
                .n_prefixes = image->n_prefixes,
                .n_rules = (uint32_t) image->n_rules,
                .generation = generation,
                .hooks = hooks_of_this_kernel(backend, image->hooks),
                .hooks_accepted = image->hooks_accepted,
                .default_list = image->default_list,
        };
        memcpy(header->digest, image->digest, DIGEST_SIZE);
        memcpy(header->kernel_lists, image->kernel_lists, sizeof(header->kernel_lists));
}

/* Attaches what the image needs. Returns 0 or BACKEND_E_GUARANTEE. */
static int attach_for(Backend *backend, const PolicyImage *image, Mode mode, uint64_t audited)
{
        const Needs needs =
                needs_of(backend, hooks_of_this_kernel(backend, image->hooks), image->flags);
        uint64_t missing = attach_hooks(backend, &needs) & ~image->hooks_accepted;

        missing &= image->hooks_in_audit | (mode == MODE_AUDIT ? 0 : ~audited);
        return missing ? BACKEND_E_GUARANTEE : 0;
}

static void release_to_what_is_in_force(Backend *backend)
{
        const Needs needs = needs_in_force(backend);

        release_hooks(backend, &needs);
}

int backend_prepare(Backend *backend, PolicyImage *image, Mode mode, uint64_t audited,
                    uint64_t generation)
{
        struct header *header;
        uint32_t slot;
        int r;

        if (!backend->hot)
                return BACKEND_E_GUARANTEE;
        backend_abort(backend);
        slot = idle_slot(backend);
        r = attach_for(backend, image, mode, audited);
        if (r == 0)
                r = fill_slot(backend, slot, image);
        if (r != 0) {
                hits_put_back(backend);
                release_to_what_is_in_force(backend);
                return r;
        }
        guard_register(backend);
        fill_header(backend, slot, image, generation);
        header = &backend->hot->headers[slot];
        header->hooks_audited = audited;
        backend->prepared = 1;
        backend->prepared_word = slot | (mode == MODE_AUDIT ? WORD_AUDIT : 0) |
                                 WORD_OF_HEADER(header->flags, header->cookie);
        return 0;
}

void backend_commit(Backend *backend)
{
        if (!backend->prepared)
                return;
        word_store(backend, backend->prepared_word);
        hits_settle(backend);
        backend->prepared = 0;
        release_to_what_is_in_force(backend);
}

void backend_abort(Backend *backend)
{
        if (!backend->prepared)
                return;
        hits_put_back(backend);
        backend->prepared = 0;
        release_to_what_is_in_force(backend);
}

void backend_rest(Backend *backend)
{
        if (!backend->hot || backend->prepared)
                return;
        fill_rest(backend, idle_slot(backend));
        guard_register(backend);
}

int backend_set_mode(Backend *backend, Mode mode, uint64_t audited, uint64_t generation)
{
        struct header *header;
        Needs needs;
        uint32_t word;

        if (!backend->hot)
                return BACKEND_E_GUARANTEE;
        header = header_in_force(backend);
        needs = needs_in_force(backend);
        if (mode == MODE_ENFORCE &&
            (attach_hooks(backend, &needs) & ~header->hooks_accepted & ~audited))
                return BACKEND_E_GUARANTEE;
        word = word_now(backend) & ~WORD_AUDIT;
        __atomic_store_n(&header->generation, generation, __ATOMIC_SEQ_CST);
        __atomic_store_n(&header->hooks_audited, audited, __ATOMIC_SEQ_CST);
        word_store(backend, word | (mode == MODE_AUDIT ? WORD_AUDIT : 0));
        return 0;
}

void backend_set_emergency(Backend *backend, uint64_t until_ns)
{
        if (backend->hot)
                __atomic_store_n(&backend->hot->emergency_until_ns, until_ns, __ATOMIC_SEQ_CST);
}

int backend_event_fd(const Backend *backend)
{
        return backend->rings ? ring_buffer__epoll_fd(backend->rings) : -1;
}

int backend_dispatch_events(Backend *backend, unsigned max)
{
        int r;

        if (!backend->rings || !max)
                return 0;
        backend->n_taken = 0;
        backend->n_take = max;
        r = ring_buffer__consume(backend->rings);
        if (r < 0 && r != -ECANCELED)
                return log_errno(r, "Cannot read events");
        return (int) backend->n_taken;
}

int backend_sweep_events(Backend *backend)
{
        LIBBPF_OPTS(bpf_test_run_opts, options);

        if (!backend->rings)
                return 0;
        if (bpf_prog_test_run_opts(bpf_program__fd(backend->skeleton->progs.sweep_folds),
                                   &options) < 0)
                return log_errno(errno, "Repeated events cannot be told");
        return (int) options.retval;
}

int backend_mounts_fd(const Backend *backend)
{
        return backend->mounts_fd;
}

char *backend_visible_path(const Backend *backend, uint32_t device, const char *path)
{
        /* What is mounted changes behind the back of a const backend. */
        mounts_refresh((Mounts *) &backend->mounts);
        return mounts_visible_path(&backend->mounts, device, path);
}
