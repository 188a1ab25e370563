/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attach: a hook is attached when a rule needs it, believed when it has denied a canary, pinned
 * then, and released when no rule needs it any longer. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "backend/private.h"
#include "util/log.h"

/* The word says that a canary is out; the programs of this loading deny us, and only us. */
static int prove(Backend *backend, enum hook hook)
{
        uint64_t bit = HOOK_BIT(hook);
        int denied;

        if (canary_set_up(&backend->canary) < 0)
                return 0;
        __atomic_and_fetch(&backend->counters->seen, ~bit, __ATOMIC_SEQ_CST);
        backend->hot->canary_tgid = (uint32_t) getpid();
        backend->hot->canary_load = backend->skeleton->rodata->load_id;
        word_store(backend, word_now(backend) | WORD_CANARY);
        denied = canary_try(&backend->canary, hook);
        word_store(backend, word_now(backend) & ~WORD_CANARY);
        backend->hot->canary_tgid = 0;
        return denied && (__atomic_load_n(&backend->counters->seen, __ATOMIC_SEQ_CST) & bit);
}

static struct bpf_program *find_program(const Backend *backend, const char *name)
{
        return bpf_object__find_program_by_name(backend->skeleton->obj, name);
}

static void detach(Backend *backend, struct bpf_link **link, const char *program)
{
        unpin_link(backend, program);
        bpf_link__destroy(*link);
        *link = NULL;
}

/* Directory renames are seen to end before one is seen to begin. */
static int attach_rename_end(Backend *backend)
{
        int r;

        if (backend->rename_end)
                return 0;
        if (!backend->adopted)
                backend->renames->ended = backend->renames->begun;
        backend->rename_end = bpf_program__attach(find_program(backend, "rename_end"));
        if (!backend->rename_end)
                return -errno;
        r = pin_link(backend, backend->rename_end, "rename_end");
        if (r < 0)
                detach(backend, &backend->rename_end, "rename_end");
        return r;
}

/* Returns NULL, or why it cannot be attached. */
static const char *attach_one(Backend *backend, enum hook hook)
{
        Attachment *attachment = &backend->attachments[hook];

        if (!attachment->program)
                return attachment->reason;
        if (hook == HOOK_INODE_RENAME && attach_rename_end(backend) < 0)
                return "the end of a rename cannot be watched in this kernel";
        attachment->link = bpf_program__attach_trace(find_program(backend, attachment->program));
        if (!attachment->link)
                return "the kernel refused to attach it";
        if (!prove(backend, hook)) {
                bpf_link__destroy(attachment->link);
                attachment->link = NULL;
                return "it was attached and did not deny a canary";
        }
        if (pin_link(backend, attachment->link, attachment->program) < 0) {
                detach(backend, &attachment->link, attachment->program);
                return "its link could not be pinned";
        }
        return NULL;
}

uint64_t hooks_of_this_kernel(const Backend *backend, uint64_t hooks)
{
        for (enum hook hook = 0; hook < N_HOOKS; hook++)
                if (backend->attachments[hook].reason == REASON_OLDER_KERNEL)
                        hooks &= ~HOOK_BIT(hook);
        return hooks;
}

uint64_t attach_hooks(Backend *backend, uint64_t hooks)
{
        uint64_t missing = 0;

        for (enum hook hook = 0; hook < N_HOOKS; hook++) {
                Attachment *attachment = &backend->attachments[hook];
                const char *reason;

                if (!(hooks & HOOK_BIT(hook)) || attachment->link)
                        continue;
                reason = attach_one(backend, hook);
                attachment->reason = reason ? reason : "";
                if (!reason)
                        continue;
                missing |= HOOK_BIT(hook);
                log_warning("Hook %s is not attached: %s", hook_to_string(hook), reason);
        }
        return missing;
}

void release_hooks(Backend *backend, uint64_t hooks)
{
        for (enum hook hook = 0; hook < N_HOOKS; hook++) {
                Attachment *attachment = &backend->attachments[hook];

                if (!attachment->link || (hooks & HOOK_BIT(hook)))
                        continue;
                detach(backend, &attachment->link, attachment->program);
                attachment->reason = "no rule needs it";
        }
        if (backend->rename_end && !(hooks & HOOK_BIT(HOOK_INODE_RENAME)))
                detach(backend, &backend->rename_end, "rename_end");
}
