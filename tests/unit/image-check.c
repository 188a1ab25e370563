/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Image check: what is true of every image. */
#include <glib.h>
#include <string.h>

#include "image-reader.h"

/* Sorted by key, without doubles. */
#define CHECK_ORDER(array, n)                                                                      \
        for (size_t i_ = 1; i_ < (n); i_++)                                                        \
        g_assert_cmpint(memcmp(&(array)[i_ - 1].key, &(array)[i_].key, sizeof((array)[0].key)), <, \
                        0)

static void check_value(const PolicyImage *image, const struct trie_value *value)
{
        g_assert_cmpuint(value->ruleset, <, image->n_rulesets);
        g_assert_cmpuint(value->lengths, <=, 0xffff);
        g_assert_true((value->node == NODE_OFF) == (value->lengths == 0));
        g_assert_cmpuint(value->node, !=, 0);
}

static void check_trie(const PolicyImage *image)
{
        CHECK_ORDER(image->trie, image->n_trie);
        for (size_t i = 0; i < image->n_trie; i++) {
                const struct trie_key *key = &image->trie[i].key;

                if ((key->chunk + 1u) * NAME_CHUNK >= key->length)
                        check_value(image, &image->trie[i].value);
                else
                        g_assert_cmpuint(image->trie[i].value.node, !=, NODE_OFF);
        }
        for (size_t i = 0; i < image->n_roots; i++) {
                check_value(image, &image->roots[i].value);
                if (i > 0)
                        g_assert_cmpuint(image->roots[i - 1].device, <, image->roots[i].device);
        }
}

/* A list begins where a clause does, and ends before the clauses do. */
static void check_list(const PolicyImage *image, uint32_t list)
{
        uint32_t n = 0;

        g_assert_cmpuint(list, <, image->n_clauses);
        for (uint32_t i = list; list > 0; i++) {
                g_assert_cmpuint(i, <, image->n_clauses);
                g_assert_cmpuint(++n, <=, LIST_LENGTH_MAX);
                if (image->clauses[i].flags & CLAUSE_LAST)
                        break;
        }
}

static void check_clauses(const PolicyImage *image)
{
        static const struct clause none;

        g_assert_cmpmem(&image->clauses[0], sizeof(none), &none, sizeof(none));
        for (size_t i = 1; i < image->n_clauses; i++) {
                const struct clause *clause = &image->clauses[i];

                g_assert_cmpuint(clause->access, !=, 0);
                g_assert_cmpuint(clause->subject, <, image->n_subjects);
                g_assert_cmpuint(clause->rule, >, 0);
                g_assert_cmpuint(clause->rule, <, image->n_rules);
                g_assert_cmpuint(clause->verdict, <=, CLAUSE_AUDIT);
                g_assert_true(clause->verdict == CLAUSE_DENY || clause->signal == 0);
                g_assert_cmpuint(clause->signal, <=, SIGNAL_KILL);
        }
}

static void check_lists(const PolicyImage *image)
{
        for (size_t i = 0; i < image->n_rulesets; i++) {
                check_list(image, image->rulesets[i].own);
                check_list(image, image->rulesets[i].below);
        }
        for (size_t i = 0; i < image->n_nets; i++)
                check_list(image, image->nets[i].value);
        for (size_t i = 0; i < image->n_comms; i++)
                check_list(image, image->comms[i].value);
        for (size_t i = 0; i < image->n_digests; i++)
                check_list(image, image->digests[i].value);
        for (size_t i = 0; i < N_KERNEL_OBJECTS; i++)
                check_list(image, image->kernel_lists[i]);
        check_list(image, image->default_list);
}

static void check_rulesets(const PolicyImage *image)
{
        static const struct ruleset none;

        g_assert_cmpmem(&image->rulesets[0], sizeof(none), &none, sizeof(none));
        for (size_t i = 0; i < image->n_rulesets && image->n_rulesets < 100; i++)
                for (size_t j = 0; j < i; j++)
                        g_assert_cmpint(
                                memcmp(&image->rulesets[i], &image->rulesets[j], sizeof(none)), !=,
                                0);
}

static void check_flags(const PolicyImage *image)
{
        const uint32_t pins = IMAGE_PIN_LINKS | IMAGE_PIN_ALL;
        const uint32_t digests = IMAGE_SHA256 | IMAGE_VERITY;

        g_assert_true(!(image->flags & IMAGE_NET) == (image->n_nets == 0));
        g_assert_true(!(image->flags & pins) == (image->n_pins == 0));
        g_assert_true(!(image->flags & IMAGE_EXES) == (image->n_marks == 0));
        g_assert_true(!(image->flags & IMAGE_COMMS) == (image->n_comms == 0));
        g_assert_true(!(image->flags & digests) == (image->n_digests == 0));
        g_assert_true(!(image->flags & IMAGE_RANGES) == (image->port_classes == NULL));
        g_assert_true(image->flags & IMAGE_DEFAULT || image->default_list == 0);
        if (image->flags & IMAGE_FILES)
                g_assert_cmpuint(image->n_roots, >, 0);
        g_assert_cmpuint(image->hooks_accepted & ~image->hooks, ==, 0);
        g_assert_cmpuint(image->hooks_in_audit & ~image->hooks, ==, 0);
}

void image_check(const PolicyImage *image)
{
        g_assert_cmpuint(image->n_rules, >, 0);
        g_assert_cmpuint(image->n_subjects, >, 0);
        check_trie(image);
        check_clauses(image);
        check_lists(image);
        check_rulesets(image);
        check_flags(image);
        CHECK_ORDER(image->pins, image->n_pins);
        CHECK_ORDER(image->nets, image->n_nets);
        CHECK_ORDER(image->marks, image->n_marks);
        CHECK_ORDER(image->comms, image->n_comms);
        CHECK_ORDER(image->digests, image->n_digests);
        CHECK_ORDER(image->cgroup_names, image->n_cgroup_names);
        CHECK_ORDER(image->cgroup_ids, image->n_cgroup_ids);
        g_assert_true((image->n_nets > 0) == (image->n_prefixes > 0));
        for (uint32_t i = 1; i < image->n_prefixes; i++)
                g_assert_cmpuint(image->prefixes[i - 1].length, >, image->prefixes[i].length);
}
