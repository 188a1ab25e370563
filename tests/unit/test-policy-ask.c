/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ask against the reference: what an image decides by policy/ask.c is what the rules mean. */
#include <glib.h>
#include <string.h>

#include "policy-random.h"
#include "policy/ask.h"

#define N_POLICIES 600
#define N_QUESTIONS 60

static Asker asker_of(const Who *who)
{
        return (Asker){
                .uid = who->uid,
                .gid = who->gid,
                .groups = who->groups,
                .n_groups = who->n_groups,
                .exe = who->exe.path ? &who->exe : NULL,
                .cgroup = who->cgroup,
                .cgroup_ids = who->cgroup_ids,
                .n_cgroup_ids = who->n_cgroup_ids,
                .is_verified = who->is_verified,
                .now = who->now,
        };
}

static const struct clause *ask_file(const PolicyImage *image, const Asker *asker, const What *what)
{
        const FileQuestion question = {
                .name = &what->file.name,
                .inode = what->file.inode,
                .has_links = what->file.has_links != 0,
                .access = what->access,
                .comm = what->file.comm ? what->file.comm : "",
                .digest = &what->file.digest,
        };

        return image_ask_file(image, asker, &question);
}

static const struct clause *ask_net(const PolicyImage *image, const Asker *asker, const What *what)
{
        NetQuestion question = {.port = what->net.port, .protocol = what->net.protocol};

        memcpy(question.address, what->net.address, sizeof(question.address));
        while (!(what->access & 1u << question.operation))
                question.operation++;
        return image_ask_net(image, asker, &question);
}

static const struct clause *ask(const PolicyImage *image, const Asker *asker, const What *what)
{
        switch (what->kind) {
        case WHAT_FILE:
                return ask_file(image, asker, what);
        case WHAT_NET:
                return ask_net(image, asker, what);
        case WHAT_KERNEL:
                return image_ask_kernel(image, asker, what->kernel);
        }
        return NULL;
}

static void probe(const RandomPolicy *policy, const PolicyImage *image)
{
        RandomQuestion *question = random_question_new(policy);
        Verdict expected = reference_decide(&policy->reading, &question->who, &question->what);
        const Asker asker = asker_of(&question->who);
        int is_exempt = image_leaves_unbound(image, &asker);
        const struct clause *clause = is_exempt ? NULL : ask(image, &asker, &question->what);

        if (expected.rule != (clause ? clause->rule : 0) || expected.is_exempt != is_exempt) {
                random_policy_print(policy);
                random_question_print(question);
                g_error("rule %u is expected, and %u decides", expected.rule,
                        clause ? clause->rule : 0);
        }
        if (clause)
                g_assert_cmpuint(clause->verdict, ==, expected.verdict);
        random_question_free(question);
}

static void test_an_image_decides_what_its_rules_mean(void)
{
        const RandomKinds kinds = {.wildcards = 1, .subjects = 1, .others = 1};

        for (unsigned i = 0; i < N_POLICIES; i++) {
                RandomPolicy *policy = random_policy_new(&kinds);
                PolicyImage *image = random_policy_compile(policy);

                for (unsigned j = 0; j < N_QUESTIONS; j++)
                        probe(policy, image);
                policy_image_free(image);
                random_policy_free(policy);
        }
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/policy/ask/an_image_decides_what_its_rules_mean",
                        test_an_image_decides_what_its_rules_mean);
        return g_test_run();
}
