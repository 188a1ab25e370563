/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nets: rules about addresses and ports, one entry a key, and the prefixes and shapes there are. */
#include <string.h>

#include "policy/compile.h"
#include "util/array.h"

int nets_add(Nets *nets, const Rule *rule, uint32_t number)
{
        NetEntry *entry;
        int r;

        r = ARRAY_RESERVE(nets->items, nets->n_allocated, nets->n + 1);
        if (r < 0)
                return r;
        entry = &nets->items[nets->n++];
        *entry = (NetEntry){.key = {.port = rule->net.port,
                                    .prefix = rule->net.prefix,
                                    .protocol = rule->net.protocol}};
        memcpy(entry->key.address, rule->net.address, sizeof(entry->key.address));
        for (unsigned i = 0; i < N_NET_OPERATIONS; i++)
                if (rule->net.operations & (1u << i))
                        entry->value.rule[i] = number;
        return 0;
}

static int compare_nets(const void *a, const void *b)
{
        return memcmp(&((const NetEntry *) a)->key, &((const NetEntry *) b)->key,
                      sizeof(struct net_key));
}

/* The lowest number is the first rule. */
static void merge_net(NetEntry *entry, const NetEntry *other)
{
        for (unsigned i = 0; i < N_NET_OPERATIONS; i++) {
                uint32_t *rule = &entry->value.rule[i], number = other->value.rule[i];

                if (number > 0 && (*rule == 0 || number < *rule))
                        *rule = number;
        }
}

static void merge_nets(Nets *nets)
{
        size_t n = 0;

        for (size_t i = 0; i < nets->n; i++) {
                if (n > 0 && compare_nets(&nets->items[n - 1], &nets->items[i]) == 0)
                        merge_net(&nets->items[n - 1], &nets->items[i]);
                else
                        nets->items[n++] = nets->items[i];
        }
        nets->n = n;
}

static uint32_t shape_of(const struct net_key *key)
{
        if (key->port == 0)
                return key->protocol == 0 ? SHAPE_ANY : SHAPE_PROTOCOL;
        return key->protocol == 0 ? SHAPE_PORT : SHAPE_PORT_PROTOCOL;
}

static void prefix_mask(unsigned length, struct prefix *prefix)
{
        uint8_t mask[16] = {};

        for (unsigned i = 0; i < length; i++)
                mask[i / 8] |= (uint8_t) (0x80u >> (i % 8));
        memcpy(prefix->mask, mask, sizeof(mask));
}

static void collect_prefixes(PolicyImage *image)
{
        uint32_t shapes[N_PREFIXES_MAX] = {};

        for (size_t i = 0; i < image->n_nets; i++)
                shapes[image->nets[i].key.prefix] |= shape_of(&image->nets[i].key);
        for (unsigned length = N_PREFIXES_MAX; length-- > 0;) {
                struct prefix *prefix = &image->prefixes[image->n_prefixes];

                if (shapes[length] == 0)
                        continue;
                prefix_mask(length, prefix);
                prefix->length = length;
                prefix->shapes = shapes[length];
                image->n_prefixes++;
        }
}

void nets_build(PolicyImage *image, Nets *nets)
{
        if (nets->n == 0)
                return;
        qsort(nets->items, nets->n, sizeof(nets->items[0]), compare_nets);
        merge_nets(nets);
        image->n_nets = nets->n;
        image->nets = TAKE_PTR(nets->items);
        *nets = (Nets){};
        collect_prefixes(image);
}
