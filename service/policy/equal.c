/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Equal: whether two images decide alike. */
#include <string.h>

#include "policy/image.h"

/* An array of each image, which may be NULL if it is empty. */
static int arrays_equal(const void *a, const void *b, size_t n, size_t size)
{
        return n == 0 || memcmp(a, b, n * size) == 0;
}

#define EQUAL(array, n)                                                                            \
        (image->n == other->n &&                                                                   \
         arrays_equal(image->array, other->array, image->n, sizeof(image->array[0])))

static int files_equal(const PolicyImage *image, const PolicyImage *other)
{
        return EQUAL(trie, n_trie) && EQUAL(roots, n_roots) && EQUAL(pins, n_pins) &&
               EQUAL(marks, n_marks) && EQUAL(rulesets, n_rulesets);
}

static int classes_equal(const PolicyImage *image, const PolicyImage *other)
{
        if (!image->port_classes || !other->port_classes)
                return image->port_classes == other->port_classes;
        return arrays_equal(image->port_classes, other->port_classes, N_PORTS,
                            sizeof(image->port_classes[0]));
}

static int nets_equal(const PolicyImage *image, const PolicyImage *other)
{
        return EQUAL(nets, n_nets) && EQUAL(prefixes, n_prefixes) && classes_equal(image, other);
}

static int subjects_equal(const PolicyImage *image, const PolicyImage *other)
{
        return EQUAL(subjects, n_subjects) && EQUAL(cgroup_names, n_cgroup_names) &&
               EQUAL(cgroup_ids, n_cgroup_ids);
}

static int keyed_equal(const PolicyImage *image, const PolicyImage *other)
{
        return EQUAL(comms, n_comms) && EQUAL(digests, n_digests) &&
               image->default_list == other->default_list &&
               memcmp(image->kernel_lists, other->kernel_lists, sizeof(image->kernel_lists)) == 0;
}

int policy_image_decides_as(const PolicyImage *image, const PolicyImage *other)
{
        return image->flags == other->flags && image->hooks == other->hooks &&
               image->hooks_accepted == other->hooks_accepted &&
               image->hooks_in_audit == other->hooks_in_audit && image->n_rules == other->n_rules &&
               EQUAL(clauses, n_clauses) && files_equal(image, other) && nets_equal(image, other) &&
               subjects_equal(image, other) && keyed_equal(image, other);
}

int policy_image_leads_as(const PolicyImage *image, const PolicyImage *other)
{
        return memcmp(image->places, other->places, DIGEST_SIZE) == 0;
}
