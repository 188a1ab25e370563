/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Backend: see backend.h. A policy is filled into the idle slot and switched by one store of the
 * word that every hook reads once. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <bpf/btf.h>

#include "backend/locate.h"
#include "backend/private.h"
#include "util/log.h"

uint32_t word_now(const Backend *backend)
{
        return __atomic_load_n(&backend->hot->word, __ATOMIC_SEQ_CST);
}

void word_store(Backend *backend, uint32_t word)
{
        __atomic_store_n(&backend->hot->word, word, __ATOMIC_SEQ_CST);
}

static struct header *header_in_force(const Backend *backend)
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

        vsnprintf(message, sizeof(message), format, arguments);
        message[strcspn(message, "\n")] = '\0';
        log_debug("libbpf: %s", message);
        return 0;
}

/* The first loading of this boot, or one that finds its maps at work. */
static int take_over(Backend *backend)
{
        struct hot *hot = backend->hot;

        hot->service_tgid = (uint32_t) getpid(); /* a canary adds when it began */
        if (hot->abi == AEGIS_ABI) {
                word_store(backend, word_now(backend) & ~WORD_CANARY);
                backend->adopted = header_in_force(backend)->generation != 0;
                return 0;
        }
        if (getrandom(hot->seed, sizeof(hot->seed), 0) < 0)
                return -errno;
        hot->abi = AEGIS_ABI;
        return 0;
}

/* Closes our descriptors: what is pinned goes on. */
static void forget_links(Backend *backend)
{
        for (enum hook hook = 0; hook < N_HOOKS; hook++) {
                bpf_link__destroy(backend->attachments[hook].link);
                backend->attachments[hook].link = NULL;
        }
        bpf_link__destroy(backend->rename_end);
        backend->rename_end = NULL;
}

/* Whether a tier denies on this machine, and not only says that it would. What was in force before
 * goes on meanwhile; its hooks are attached anew before the old links are let go. */
static int try_tier(Backend *backend, Tier tier, const struct btf *btf)
{
        uint64_t needed, missing;
        int r;

        r = load_tier(backend, tier, btf);
        if (r < 0)
                return r;
        r = take_over(backend);
        if (r < 0)
                return r;
        needed = header_in_force(backend)->hooks;
        missing = attach_hooks(backend, needed | HOOK_BIT(HOOK_FILE_OPEN));
        if (missing & HOOK_BIT(HOOK_FILE_OPEN)) {
                if (!backend->adopted)
                        release_hooks(backend, 0);
                forget_links(backend);
                unload(backend);
                return -EOPNOTSUPP;
        }
        backend->hot->claim_until_ns = 0;
        release_hooks(backend, needed);
        if (!missing)
                unpin_strangers(backend);
        return 0;
}

static int choose_tier(Backend *backend)
{
        static const Tier tiers[] = {TIER_LSM, TIER_FMOD_RET};
        struct btf *btf = btf__load_vmlinux_btf();
        int r = -EOPNOTSUPP;

        if (!btf)
                return 0;
        for (size_t i = 0; r < 0 && i < sizeof(tiers) / sizeof(tiers[0]); i++) {
                if (tiers[i] == TIER_LSM && backend->probe.lsm_list[0] &&
                    !backend->probe.lsm_listed)
                        continue;
                r = try_tier(backend, tiers[i], btf);
        }
        btf__free(btf);
        return 0;
}

int backend_new(Backend **ret_backend, const BackendConfig *config)
{
        _cleanup_(backend_freep) Backend *backend = calloc(1, sizeof(*backend));
        int r;

        if (!backend)
                return -ENOMEM;
        backend->pin_fd = backend->canary.directory_fd = -1;
        backend->on_event = config->on_event;
        backend->userdata = config->userdata;
        libbpf_set_print(ignore_messages);
        probe_kernel(&backend->probe);
        r = mounts_init(&backend->mounts);
        if (r < 0)
                return log_errno(r, "Cannot read what is mounted");
        backend->resolver = (Resolver){locate_path, locate_cgroup, &backend->mounts};
        for (enum hook hook = 0; hook < N_HOOKS; hook++)
                backend->attachments[hook].reason = "no tier works on this machine";
        r = canary_init(&backend->canary, config->canary_directory);
        if (r < 0)
                return log_errno(r, "Cannot open %s", config->canary_directory);
        r = pin_folder_open(backend, config->pin_directory);
        if (r < 0)
                return r;
        r = choose_tier(backend);
        if (r < 0)
                return r;
        *ret_backend = TAKE_PTR(backend);
        return 0;
}

Backend *backend_free(Backend *backend)
{
        if (!backend)
                return NULL;
        forget_links(backend);
        unload(backend);
        closep(&backend->pin_fd);
        free(backend->pin_path);
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
        ret_state->adopted = backend->adopted;
        memcpy(ret_state->digest, header->digest, DIGEST_SIZE);
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
        };
        memcpy(header->digest, image->digest, DIGEST_SIZE);
}

static uint64_t attached_hooks(const Backend *backend)
{
        uint64_t hooks = 0;

        for (enum hook hook = 0; hook < N_HOOKS; hook++)
                if (backend->attachments[hook].link)
                        hooks |= HOOK_BIT(hook);
        return hooks;
}

int backend_prepare(Backend *backend, const PolicyImage *image, Mode mode, uint64_t generation)
{
        uint32_t slot;
        uint64_t missing;
        int r;

        if (!backend->hot)
                return BACKEND_E_GUARANTEE;
        backend_abort(backend);
        slot = idle_slot(backend);
        missing = attach_hooks(backend, hooks_of_this_kernel(backend, image->hooks));
        if (missing && mode == MODE_ENFORCE) {
                release_hooks(backend, header_in_force(backend)->hooks);
                return BACKEND_E_GUARANTEE;
        }
        r = fill_slot(backend, slot, image);
        if (r < 0) {
                release_hooks(backend, header_in_force(backend)->hooks);
                return r;
        }
        fill_header(backend, slot, image, generation);
        backend->prepared = 1;
        backend->prepared_word = slot | (mode == MODE_AUDIT ? WORD_AUDIT : 0);
        return 0;
}

void backend_commit(Backend *backend)
{
        if (!backend->prepared)
                return;
        word_store(backend, backend->prepared_word);
        backend->prepared = 0;
        release_hooks(backend, header_in_force(backend)->hooks);
}

void backend_abort(Backend *backend)
{
        if (!backend->prepared)
                return;
        backend->prepared = 0;
        release_hooks(backend, header_in_force(backend)->hooks);
}

int backend_set_mode(Backend *backend, Mode mode, uint64_t generation)
{
        struct header *header;
        uint32_t word;

        if (!backend->hot)
                return BACKEND_E_GUARANTEE;
        header = header_in_force(backend);
        if (mode == MODE_ENFORCE && (header->hooks & ~attached_hooks(backend)))
                return BACKEND_E_GUARANTEE;
        word = word_now(backend) & ~WORD_AUDIT;
        __atomic_store_n(&header->generation, generation, __ATOMIC_SEQ_CST);
        word_store(backend, word | (mode == MODE_AUDIT ? WORD_AUDIT : 0));
        return 0;
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

char *backend_visible_path(const Backend *backend, uint32_t device, const char *path)
{
        /* What is mounted changes behind the back of a const backend. */
        mounts_refresh((Mounts *) &backend->mounts);
        return mounts_visible_path(&backend->mounts, device, path);
}
