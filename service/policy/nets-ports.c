/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ports of nets: see ports.h. Between the places where a range begins or ends lie pieces; each
 * range in turn parts the pieces that are in it from those that are not. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "abi.h"
#include "policy/image.h"
#include "policy/ports.h"
#include "util/array.h"
#include "util/cleanup.h"

/* All ranges together are in as many pieces: so much is compared, and kept. */
#define PIECES_MAX TRIE_ENTRIES_MAX

/* A number a class has had, and what became of it in the range `range`. */
typedef struct Label {
        uint32_t range, becomes;
} Label;

typedef struct Pieces {
        uint32_t n;
        uint32_t of[N_PORTS + 1]; /* the piece a port is in */
        uint32_t class[N_PORTS];  /* of a piece */
        Label *labels;
} Pieces;

static Pieces *pieces_free(Pieces *pieces)
{
        if (pieces)
                free(pieces->labels);
        free(pieces);
        return NULL;
}
DEFINE_CLEANUP(Pieces *, pieces_free);

int ports_add(Ports *ports, uint16_t first, uint16_t last)
{
        int r;

        r = ARRAY_RESERVE(ports->ranges, ports->n_ranges_allocated, ports->n_ranges + 1);
        if (r < 0)
                return r;
        ports->ranges[ports->n_ranges++] = (PortRange){.first = first, .last = last};
        return 0;
}

static int compare_ranges(const void *a, const void *b)
{
        const PortRange *x = a, *y = b;

        if (x->first != y->first)
                return x->first < y->first ? -1 : 1;
        return (x->last > y->last) - (x->last < y->last);
}

static void sort_ranges(Ports *ports)
{
        size_t n = 0;

        qsort(ports->ranges, ports->n_ranges, sizeof(ports->ranges[0]), compare_ranges);
        for (size_t i = 0; i < ports->n_ranges; i++)
                if (n == 0 || compare_ranges(&ports->ranges[n - 1], &ports->ranges[i]) != 0)
                        ports->ranges[n++] = ports->ranges[i];
        ports->n_ranges = n;
}

/* Numbers the pieces by port. */
static void cut(const Ports *ports, Pieces *pieces)
{
        for (size_t i = 0; i < ports->n_ranges; i++) {
                pieces->of[ports->ranges[i].first] = 1;
                pieces->of[ports->ranges[i].last + 1u] = 1;
        }
        pieces->of[0] = 0;
        for (uint32_t port = 1; port < N_PORTS; port++)
                pieces->of[port] += pieces->of[port - 1];
        pieces->n = pieces->of[N_PORTS - 1] + 1;
}

static int count_labels(const Ports *ports, const Pieces *pieces, size_t *ret_n)
{
        size_t n = 1;

        for (size_t i = 0; i < ports->n_ranges; i++) {
                n += pieces->of[ports->ranges[i].last] - pieces->of[ports->ranges[i].first] + 1;
                if (n > PIECES_MAX)
                        return -E2BIG;
        }
        *ret_n = n;
        return 0;
}

/* Pieces of one class stay together if all or none of them are in the range. */
static uint32_t part(Pieces *pieces, const PortRange *range, uint32_t number, uint32_t next)
{
        for (uint32_t i = pieces->of[range->first]; i <= pieces->of[range->last]; i++) {
                Label *label = &pieces->labels[pieces->class[i]];

                if (label->range != number)
                        *label = (Label){.range = number, .becomes = next++};
                pieces->class[i] = label->becomes;
        }
        return next;
}

/* Without gaps, in the order of ports. */
static void renumber(Pieces *pieces, size_t n_labels)
{
        uint32_t next = 1;

        memset(pieces->labels, 0, n_labels * sizeof(pieces->labels[0]));
        for (uint32_t i = 0; i < pieces->n; i++) {
                Label *label = &pieces->labels[pieces->class[i]];

                if (pieces->class[i] == 0)
                        continue;
                if (label->becomes == 0)
                        label->becomes = next++;
                pieces->class[i] = label->becomes;
        }
}

static int classify(const Ports *ports, Pieces *pieces)
{
        uint32_t next = 1;
        size_t n;
        int r;

        cut(ports, pieces);
        r = count_labels(ports, pieces, &n);
        if (r < 0)
                return r;
        pieces->labels = calloc(n, sizeof(pieces->labels[0]));
        if (!pieces->labels)
                return -ENOMEM;
        for (uint32_t i = 0; i < ports->n_ranges; i++)
                next = part(pieces, &ports->ranges[i], i + 1, next);
        renumber(pieces, n);
        memset(pieces->labels, 0, n * sizeof(pieces->labels[0]));
        return 0;
}

/* The classes of a range, each once. */
static int list_classes(Ports *ports, Pieces *pieces, PortRange *range, uint32_t number)
{
        int r;

        range->at = (uint32_t) ports->n_classes;
        for (uint32_t i = pieces->of[range->first]; i <= pieces->of[range->last]; i++) {
                Label *label = &pieces->labels[pieces->class[i]];

                if (label->range == number)
                        continue;
                label->range = number;
                r = ARRAY_RESERVE(ports->classes, ports->n_classes_allocated, ports->n_classes + 1);
                if (r < 0)
                        return r;
                ports->classes[ports->n_classes++] = (uint16_t) pieces->class[i];
        }
        range->n = (uint32_t) ports->n_classes - range->at;
        return 0;
}

int ports_build(Ports *ports)
{
        _cleanup_(pieces_freep) Pieces *pieces = NULL;
        int r;

        if (ports->n_ranges == 0)
                return 0;
        sort_ranges(ports);
        pieces = calloc(1, sizeof(*pieces));
        if (!pieces)
                return -ENOMEM;
        r = classify(ports, pieces);
        for (uint32_t i = 0; r >= 0 && i < ports->n_ranges; i++)
                r = list_classes(ports, pieces, &ports->ranges[i], i + 1);
        if (r < 0)
                return r;
        ports->table = calloc(N_PORTS, sizeof(ports->table[0]));
        if (!ports->table)
                return -ENOMEM;
        for (uint32_t port = 0; port < N_PORTS; port++)
                ports->table[port] = (uint16_t) pieces->class[pieces->of[port]];
        return 0;
}

const PortRange *ports_find(const Ports *ports, uint16_t first, uint16_t last)
{
        PortRange range = {.first = first, .last = last};

        return bsearch(&range, ports->ranges, ports->n_ranges, sizeof(range), compare_ranges);
}

void ports_deinit(Ports *ports)
{
        free(ports->ranges);
        free(ports->classes);
        free(ports->table);
        *ports = (Ports){};
}
