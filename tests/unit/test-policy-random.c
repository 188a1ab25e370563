/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random policies: what an image decides is what the rules say, whatever they are about. GLib
 * prints the seed; run with --seed to see the same again. */
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "image-reader.h"
#include "policy-fixture.h"
#include "policy-random.h"

#define N_POLICIES 400
#define N_QUESTIONS 125

static void assert_same(const RandomPolicy *policy, const RandomQuestion *question,
                        const PolicyImage *image)
{
        Verdict expected = reference_decide(&policy->reading, &question->who, &question->what);
        Verdict found = image_decide(image, &question->who, &question->what);

        if (memcmp(&expected, &found, sizeof(expected)) == 0)
                return;
        random_policy_print(policy);
        random_question_print(question);
        g_test_message("the rules say: rule %u verdict %u flags %u signal %u exempt %u",
                       expected.rule, expected.verdict, expected.flags, expected.signal,
                       expected.is_exempt);
        g_test_message("the image says: rule %u verdict %u flags %u signal %u exempt %u",
                       found.rule, found.verdict, found.flags, found.signal, found.is_exempt);
        g_test_fail();
        g_assert_not_reached();
}

static void assert_same_holding(const RandomPolicy *policy, const RandomQuestion *question,
                                const PolicyImage *image)
{
        ImagePlace place;
        int holds;

        if (question->what.kind != WHAT_FILE)
                return;
        place = image_place(image, &question->what.file.name);
        holds = !(place.node & NODE_SOFT);
        if (holds == reference_holds(&policy->reading, &question->what.file.name))
                return;
        random_policy_print(policy);
        random_question_print(question);
        g_test_message("the image says that it %s", holds ? "cannot be moved" : "can be moved");
        g_assert_not_reached();
}

static void try_policies(const RandomKinds *kinds)
{
        unsigned n_decided = 0;

        for (int i = 0; i < N_POLICIES; i++) {
                RandomPolicy *policy = random_policy_new(kinds);
                PolicyImage *image = random_policy_compile(policy);

                for (int j = 0; j < N_QUESTIONS; j++) {
                        RandomQuestion *question = random_question_new(policy);

                        assert_same(policy, question, image);
                        assert_same_holding(policy, question, image);
                        n_decided += image_decide(image, &question->who, &question->what).rule > 0;
                        random_question_free(question);
                }
                policy_image_free(image);
                random_policy_free(policy);
        }
        g_test_message("%u of %u decided by a rule", n_decided, N_POLICIES * N_QUESTIONS);
        g_assert_cmpuint(n_decided, >, N_POLICIES * N_QUESTIONS / 10);
}

static void test_50000_random_accesses_are_decided_as_written(void)
{
        try_policies(&(const RandomKinds){.wildcards = 1, .subjects = 1, .others = 1});
}

static void test_50000_random_names_are_decided_as_written(void)
{
        try_policies(&(const RandomKinds){.wildcards = 1});
}

static void test_50000_random_names_without_patterns_are_decided_as_written(void)
{
        try_policies(&(const RandomKinds){.subjects = 1});
}

#define ADD(test) g_test_add_func("/policy/random/" #test, test)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_50000_random_accesses_are_decided_as_written);
        ADD(test_50000_random_names_are_decided_as_written);
        ADD(test_50000_random_names_without_patterns_are_decided_as_written);
        return g_test_run();
}
