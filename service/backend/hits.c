/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hits: how often each rule decided, in a map of each slot. What programs count is never written
 * over: the map of the slot that was in force before is added to that of the one that is, as long
 * as a number is of the same rule in both, and is at work again when its slot is. Where numbers are
 * given anew the map begins with what the rules that stay had. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/fill.h"
#include "util/cleanup.h"
#include "util/fiber.h"
#include "util/log.h"

/* ---- reading ---- */

/* Those of the slot that is not in force: see hits_settle(). */
static int are_added(const Backend *backend)
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

static uint64_t hits_in(int fd, uint32_t rule)
{
        uint64_t hits = 0;

        return fd >= 0 && bpf_map_lookup_elem(fd, &rule, &hits) == 0 ? hits : 0;
}

uint64_t backend_rule_hits(const Backend *backend, uint32_t rule)
{
        uint32_t slot;

        if (!backend->hot)
                return 0;
        slot = word_now(backend) & WORD_SLOT;
        return hits_in(hits_fd(backend, slot), rule) +
               (are_added(backend) ? hits_in(hits_fd(backend, slot ^ 1), rule) : 0);
}

#define HITS_AT_ONCE 4096u

/* Of the rules below n_rules. Returns 0 or a negative errno. */
static int read_hits(int fd, size_t n_rules, uint64_t **ret_hits)
{
        _cleanup_(freep) uint32_t *numbers = calloc(HITS_AT_ONCE, sizeof(*numbers));
        _cleanup_(freep) uint64_t *hits = calloc(n_rules + 1, sizeof(*hits));
        uint32_t n, last = 0;
        int r = 0;

        if (!numbers || !hits)
                return -ENOMEM;
        for (size_t at = 0; r == 0 && at < n_rules; at += n) {
                n = n_rules - at < HITS_AT_ONCE ? (uint32_t) (n_rules - at) : HITS_AT_ONCE;
                r = bpf_map_lookup_batch(fd, at > 0 ? &last : NULL, &last, numbers, hits + at, &n,
                                         NULL);
                fiber_pace();
        }
        if (r < 0 && errno != ENOENT) /* that was all it has */
                return -errno;
        *ret_hits = TAKE_PTR(hits);
        return 0;
}

static int no_hits(size_t n_rules, uint64_t **ret_hits)
{
        *ret_hits = calloc(n_rules + 1, sizeof(**ret_hits));
        return *ret_hits ? 0 : -ENOMEM;
}

int backend_all_hits(const Backend *backend, size_t n_rules, uint64_t **ret_hits)
{
        _cleanup_(freep) uint64_t *hits = NULL, *before = NULL;
        uint32_t slot = backend->hot ? word_now(backend) & WORD_SLOT : 0;
        int r;

        if (!backend->hot || hits_fd(backend, slot) < 0)
                return no_hits(n_rules, ret_hits);
        r = read_hits(hits_fd(backend, slot), n_rules, &hits);
        if (r == 0 && are_added(backend) && hits_fd(backend, slot ^ 1) >= 0)
                r = read_hits(hits_fd(backend, slot ^ 1), n_rules, &before);
        for (size_t i = 0; before && i < n_rules; i++)
                hits[i] += before[i];
        if (r == 0)
                *ret_hits = TAKE_PTR(hits);
        return r;
}

/* ---- rules that stay ---- */

static int compare_titles(const ImageRule *a, const ImageRule *b)
{
        const Rule *x = a->rule, *y = b->rule;
        int r = x->entry == y->entry ? 0 : strcmp(x->entry, y->entry);

        if (r == 0 && x->section != y->section)
                r = strcmp(x->section, y->section);
        return r != 0 || a->document == b->document ? r : strcmp(a->document, b->document);
}

/* Whether all rules of the document are as they were, numbers and all. */
static int is_untouched(const PolicyImage *before, const PolicyImage *image,
                        const ImageDocument *document)
{
        size_t n = policy_n_rules(document->policy);

        for (size_t i = 0; n > 0 && i < before->n_documents; i++) {
                const ImageDocument *other = &before->documents[i];

                if (other->policy == document->policy && strcmp(other->name, document->name) == 0)
                        return memcmp(before->numbers + other->first,
                                      image->numbers + document->first,
                                      n * sizeof(image->numbers[0])) == 0;
        }
        return n == 0;
}

/* A number that is free now may have been of a rule before: those of new rules are behind all of
 * them. */
static int rule_agrees(const PolicyImage *before, const ImageRule *rule, uint32_t number)
{
        const ImageRule other =
                number < before->n_rules ? policy_image_rule(before, number) : *rule;

        fiber_pace();
        return other.document[0] != '\0' && compare_titles(&other, rule) == 0;
}

/* Whether no number is of one rule in the one image and of another in the other. */
static int numbers_agree(const PolicyImage *before, const PolicyImage *image)
{
        if (image->n_rules < before->n_rules)
                return 0;
        for (size_t i = 0; i < image->n_documents; i++) {
                const ImageDocument *document = &image->documents[i];
                size_t n = policy_n_rules(document->policy);

                if (is_untouched(before, image, document))
                        continue;
                for (size_t j = 0; j < n; j++) {
                        const ImageRule rule = {document->name, policy_rule(document->policy, j)};

                        if (!rule_agrees(before, &rule, image->numbers[document->first + j]))
                                return 0;
                }
        }
        return 1;
}

static int agrees_with_what_is_in_force(const Backend *backend, const PolicyImage *image)
{
        const struct header *header = header_in_force(backend);
        const PolicyImage *before = backend->slots[word_now(backend) & WORD_SLOT].image;

        if (before)
                return numbers_agree(before, image);
        return header->n_rules == image->n_rules &&
               memcmp(header->digest, image->digest, DIGEST_SIZE) == 0;
}

/* ---- into another map ---- */

static int put_hits(int fd, uint32_t rule, uint64_t hits)
{
        return bpf_map_update_elem(fd, &rule, &hits, BPF_ANY) < 0 ? -errno : 0;
}

/* Adds what one map counted to another, at which programs may be counting. */
static int add_hits(int from, int to, size_t n_rules)
{
        _cleanup_(freep) uint64_t *hits = NULL;
        int r;

        r = read_hits(from, n_rules, &hits);
        for (uint32_t rule = 1; r == 0 && rule < n_rules; rule++) {
                fiber_pace();
                if (hits[rule])
                        r = put_hits(to, rule, hits_in(to, rule) + hits[rule]);
        }
        return r;
}

/* A rule that decided, and how often. */
typedef struct Count {
        ImageRule rule;
        uint64_t hits;
        size_t order;
        int is_taken;
} Count;

/* Rules of one entry stay in their order. */
static int compare_counts(const void *a, const void *b)
{
        const Count *x = a, *y = b;
        int r = compare_titles(&x->rule, &y->rule);

        return r != 0 ? r : (x->order > y->order) - (x->order < y->order);
}

/* hits: by the numbers of the image. */
static size_t collect_counts(const uint64_t *hits, const PolicyImage *image, Count *counts)
{
        size_t n = 0;

        for (size_t i = 0; i < image->n_numbers; i++) {
                uint32_t number = image->numbers[i];

                fiber_pace();
                if (hits[number])
                        counts[n++] = (Count){policy_image_rule(image, number), hits[number], i, 0};
        }
        qsort(counts, n, sizeof(counts[0]), compare_counts);
        return n;
}

/* Takes the first count that is left of a rule of that title. */
static uint64_t take_count(Count *counts, size_t n, const ImageRule *rule)
{
        size_t low = 0, high = n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int order = compare_titles(&counts[middle].rule, rule);

                if (order < 0 || (order == 0 && counts[middle].is_taken))
                        low = middle + 1;
                else
                        high = middle;
        }
        if (low == n || compare_titles(&counts[low].rule, rule) != 0)
                return 0;
        counts[low].is_taken = 1;
        return counts[low].hits;
}

/* What the rules of one image have, by the numbers of another; NULL if they have nothing. 0 or a
 * negative errno. */
static int renumber(const uint64_t *hits, const PolicyImage *before, const PolicyImage *image,
                    uint64_t **ret_hits)
{
        _cleanup_(freep) Count *counts = calloc(before->n_numbers + 1, sizeof(*counts));
        uint64_t *renumbered;
        size_t n;

        *ret_hits = NULL;
        n = counts ? collect_counts(hits, before, counts) : 0;
        if (counts && n == 0)
                return 0;
        renumbered = calloc(image->n_rules + 1, sizeof(*renumbered));
        if (!counts || !renumbered) {
                free(renumbered);
                return -ENOMEM;
        }
        for (size_t i = 0; i < image->n_numbers; i++) {
                const ImageRule rule = policy_image_rule(image, image->numbers[i]);

                fiber_pace();
                renumbered[image->numbers[i]] = take_count(counts, n, &rule);
        }
        *ret_hits = renumbered;
        return 0;
}

void hits_forget_anew(Backend *backend)
{
        closep(&backend->anew.before);
        backend->anew.before = -1;
        free(TAKE_PTR(backend->anew.carried));
}

/* ---- the idle slot ---- */

/* The map that was there goes on; into a larger one it is taken when nobody counts in it any
 * longer. */
static int fill_on(Backend *backend, uint32_t slot, const Filling *hits)
{
        SlotMap *map = &backend->slots[slot].maps[TABLE_HITS];
        _cleanup_(closep) int old = -1;
        int r;

        if (map->fd < 0 || !are_added(backend))
                return fill_whole(backend, slot, hits);
        if (map->room >= hits->n_items)
                return slot_put(backend, slot, TABLE_HITS, map->fd);
        old = fcntl(map->fd, F_DUPFD_CLOEXEC, 3);
        if (old < 0)
                return -errno;
        r = fill_whole(backend, slot, hits);
        return r < 0 ? r : add_hits(old, map->fd, header_in_force(backend)->n_rules);
}

/* What another build counts at this moment is added later: see hits_inherit(). */
static int fill_from_other(const Backend *backend, uint32_t slot, const PolicyImage *image)
{
        struct header header = {.n_rules = (uint32_t) image->n_rules};
        _cleanup_(closep) int before = -1;

        memcpy(header.digest, image->digest, DIGEST_SIZE);
        before = others_hits(backend, &header, OTHER_BEFORE);
        return before < 0 ? 0 : add_hits(before, hits_fd(backend, slot), image->n_rules);
}

/* What the rules in force have now, as far as it is known which those are. */
static int carry(Backend *backend, uint32_t slot, const PolicyImage *image, uint64_t **ret_hits)
{
        const PolicyImage *before = backend->slots[slot ^ 1].image;
        _cleanup_(freep) uint64_t *hits = NULL;
        int r;

        if (!before || hits_fd(backend, slot ^ 1) < 0)
                return 0;
        r = read_hits(hits_fd(backend, slot ^ 1), before->n_rules, &backend->anew.carried);
        if (r == 0)
                r = are_added(backend) ? read_hits(hits_fd(backend, slot), before->n_rules, &hits)
                                       : no_hits(before->n_rules, &hits);
        for (size_t i = 0; r == 0 && i < before->n_rules; i++)
                hits[i] += backend->anew.carried[i];
        return r < 0 ? r : renumber(hits, before, image, ret_hits);
}

/* What the other slot counted before is kept until the switch: see hits_put_back(). */
static int fill_anew(Backend *backend, uint32_t slot, Filling *filling, const PolicyImage *image)
{
        _cleanup_(freep) uint64_t *hits = NULL;
        int r;

        r = carry(backend, slot, image, &hits);
        if (r == 0 && are_added(backend)) {
                backend->anew.before = fcntl(hits_fd(backend, slot), F_DUPFD_CLOEXEC, 3);
                r = backend->anew.before < 0 ? -errno : 0;
        }
        if (r < 0)
                return r;
        backend->hot->headers[slot].n_rules = 0; /* not added any longer */
        filling->items = hits;
        r = fill_whole(backend, slot, filling);
        if (r == 0 && !header_in_force(backend)->generation)
                r = fill_from_other(backend, slot, image);
        return r;
}

static Filling filling_of(const PolicyImage *image)
{
        return (Filling){
                .table = TABLE_HITS,
                .n_items = image->n_rules,
                .item_size = sizeof(uint64_t),
                .value_size = sizeof(uint64_t),
                .flags = BPF_F_INNER_MAP,
                .n_spare = SPARE(image->n_rules),
        };
}

int hits_fill(Backend *backend, uint32_t slot, const PolicyImage *image)
{
        Filling hits = filling_of(image);

        hits_forget_anew(backend);
        backend->hits_agree = agrees_with_what_is_in_force(backend, image);
        return backend->hits_agree ? fill_on(backend, slot, &hits)
                                   : fill_anew(backend, slot, &hits, image);
}

/* ---- after the switch ---- */

/* The slot that is not in force counts for the same rules by the same numbers. */
static void add_idle_slot(Backend *backend)
{
        uint32_t in_force = word_now(backend) & WORD_SLOT;
        struct header *headers = backend->hot->headers;

        headers[in_force ^ 1].n_rules = headers[in_force].n_rules;
        memcpy(headers[in_force ^ 1].digest, headers[in_force].digest, DIGEST_SIZE);
}

/* What the rules of the slot that was in force counted since it was asked what they have. Its map
 * put in its place again ends the programs that still count there. */
static int read_late(Backend *backend, uint32_t slot, uint64_t **ret_hits)
{
        size_t n_rules = backend->slots[slot].image->n_rules;
        int r;

        r = slot_put(backend, slot, TABLE_HITS, hits_fd(backend, slot));
        if (r == 0)
                r = read_hits(hits_fd(backend, slot), n_rules, ret_hits);
        for (size_t i = 0; r == 0 && i < n_rules; i++)
                (*ret_hits)[i] -= backend->anew.carried[i];
        return r;
}

/* They get a map of their own, which is added. */
static int carry_late(Backend *backend)
{
        uint32_t slot = (word_now(backend) & WORD_SLOT) ^ 1;
        const PolicyImage *before = backend->slots[slot].image,
                          *image = backend->slots[slot ^ 1].image;
        _cleanup_(freep) uint64_t *late = NULL, *hits = NULL;
        Filling filling = filling_of(image);
        int r;

        if (!before)
                return 0;
        r = read_late(backend, slot, &late);
        if (r == 0)
                r = renumber(late, before, image, &hits);
        if (r < 0 || !hits)
                return r;
        filling.items = hits;
        r = fill_whole(backend, slot, &filling);
        if (r == 0)
                add_idle_slot(backend);
        return r;
}

void hits_settle(Backend *backend)
{
        if (backend->hits_agree)
                add_idle_slot(backend);
        else
                hits_inherit(backend);
}

void backend_settle(Backend *backend)
{
        if (backend->anew.carried && carry_late(backend) < 0)
                log_warning("What rules decided while the policy was switched is not counted");
        hits_forget_anew(backend);
}

void hits_put_back(Backend *backend)
{
        uint32_t idle = (word_now(backend) & WORD_SLOT) ^ 1;

        if (backend->hits_agree && backend->prepared)
                add_idle_slot(backend);
        if (backend->anew.before >= 0 &&
            slot_put(backend, idle, TABLE_HITS, backend->anew.before) == 0) {
                backend->anew.before = -1;
                backend->slots[idle].maps[TABLE_HITS].room = 0; /* that of the other is known */
                add_idle_slot(backend);
        }
        hits_forget_anew(backend);
}

/* Its map comes into the slot that was never in force, as if it had been: so nothing is counted
 * twice, whenever a service is killed, and nothing is missed that it goes on to count. */
void hits_inherit(Backend *backend)
{
        uint32_t slot = word_now(backend) & WORD_SLOT;
        struct header *header = &backend->hot->headers[slot],
                      *idle = &backend->hot->headers[slot ^ 1];
        int fd;

        if (idle->generation || !header->generation || !backend->other_builds)
                return;
        fd = others_hits(backend, header, OTHER_IN_FORCE);
        if (fd < 0)
                return;
        if (slot_put(backend, slot ^ 1, TABLE_HITS, fd) < 0) {
                close(fd);
                return;
        }
        idle->n_rules = header->n_rules;
        memcpy(idle->digest, header->digest, DIGEST_SIZE);
        idle->generation = header->generation;
}
