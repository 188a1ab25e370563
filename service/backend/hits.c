/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hits: how often each rule decided, in a map of each slot. Where both slots hold the same
 * documents (their paths led elsewhere, say) what the two count is one sum. */
#include <string.h>

#include "backend/private.h"

int hits_are_added(const Backend *backend)
{
        const struct header *headers = backend->hot->headers;

        return headers[0].generation && headers[1].generation &&
               headers[0].n_rules == headers[1].n_rules &&
               memcmp(headers[0].digest, headers[1].digest, DIGEST_SIZE) == 0;
}

static int hits_fd(const Backend *backend, uint32_t slot)
{
        return backend->slots[slot].maps[TABLE_HITS].fd;
}

void hits_move(Backend *backend, int from, uint32_t n_rules)
{
        int to = hits_fd(backend, word_now(backend) & WORD_SLOT);

        for (uint32_t rule = 0; rule < n_rules; rule++) {
                uint64_t more = 0, own = 0;

                if (bpf_map_lookup_elem(from, &rule, &more) < 0 || !more ||
                    bpf_map_lookup_elem(to, &rule, &own) < 0)
                        continue;
                own += more;
                bpf_map_update_elem(to, &rule, &own, BPF_ANY);
        }
}

static uint64_t hits_in(const Backend *backend, uint32_t slot, uint32_t rule)
{
        int fd = hits_fd(backend, slot);
        uint64_t hits = 0;

        return fd >= 0 && bpf_map_lookup_elem(fd, &rule, &hits) == 0 ? hits : 0;
}

uint64_t backend_rule_hits(const Backend *backend, uint32_t rule)
{
        uint32_t slot;

        if (!backend->hot)
                return 0;
        slot = word_now(backend) & WORD_SLOT;
        return hits_in(backend, slot, rule) +
               (hits_are_added(backend) ? hits_in(backend, slot ^ 1, rule) : 0);
}
