/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of signed documents stand on: see signed-fixture.h. */
#include "signed-fixture.h"

#include <glib/gstdio.h>
#include <inttypes.h>
#include <string.h>

#include "policy/fields.h"
#include "transaction/internal.h"

const char *const usual[] = {"key=0 root", "key=1 policy", "key=2 policy,recovery", NULL};

static char *trust_file(Fixture *fixture, const char *name)
{
        return g_build_filename(fixture->trust.directory, name, NULL);
}

void take_away(Fixture *fixture, const char *name)
{
        g_autofree char *path = trust_file(fixture, name);

        g_assert_cmpint(g_unlink(path), ==, 0);
}

void put_trust(Fixture *fixture, const char *name, const char *text)
{
        g_autofree char *path = trust_file(fixture, name);

        g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

void put_root(Fixture *fixture, unsigned seq, const char *text, const char *signers)
{
        g_autoptr(Signed) what = signed_new(text, signers);
        g_autofree char *name = g_strdup_printf("root.%u", seq);

        put_trust(fixture, name, text);
        for (size_t i = 0; i < what->all.n; i++) {
                g_autofree char *signature =
                        i == 0 ? g_strdup_printf("%s.minisig", name)
                               : g_strdup_printf("%s.%c.minisig", name, (char) ('A' + i));

                put_trust(fixture, signature, what->signatures[i]);
        }
}

void put_usual(Fixture *fixture, unsigned seq)
{
        g_autofree char *text = root_text(seq, "111", usual);

        put_root(fixture, seq, text, "0");
}

void believe(Fixture *fixture)
{
        stop(fixture);
        fixture->trust.directory = g_build_filename(fixture->root, "trust", NULL);
        g_assert_cmpint(g_mkdir(fixture->trust.directory, 0755), ==, 0);
        put_usual(fixture, 1);
        start(fixture);
}

void set_up_trust(Fixture *fixture, gconstpointer data)
{
        set_up(fixture, data);
        believe(fixture);
}

void tear_down_trust(Fixture *fixture, gconstpointer data)
{
        g_autofree char *directory = g_build_filename(fixture->root, "trust", NULL);

        empty_folder(directory);
        g_free((char *) fixture->trust.directory);
        tear_down(fixture, data);
}

char *document_text(const char *name, uint64_t seq, int64_t issued, int64_t expires,
                    const char *text)
{
        int64_t now = g_get_real_time() / G_USEC_PER_SEC;
        char from[FIELD_TIME_SIZE], to[FIELD_TIME_SIZE];

        field_time_format((uint64_t) (now + issued), from);
        field_time_format((uint64_t) (now + expires), to);
        return g_strdup_printf("bundle=1\nname=%s\nseq=%" PRIu64 "\nissued=%s\nexpires=%s\n%s",
                               name, seq, from, to, text);
}

Plan *plan_of(Fixture *fixture, const char *name, const Signed *what, int expected)
{
        const SignatureText text = {what->text, what->n};
        Plan *plan = NULL;

        g_assert_cmpint(
                enforcement_plan_signed(fixture->enforcement, name, &text, &what->all, &plan), ==,
                expected);
        return plan;
}

int commit_plan(Fixture *fixture, const Plan *plan)
{
        uint64_t generation = 0;

        return enforcement_commit(fixture->enforcement, plan, EXPECT_ANY, &generation);
}

void apply_signed(Fixture *fixture, const char *name, const Signed *what)
{
        _cleanup_(plan_freep) Plan *plan = plan_of(fixture, name, what, 0);

        g_assert_cmpint(commit_plan(fixture, plan), ==, 0);
}

void refused(Fixture *fixture, const char *name, const Signed *what, int error, const char *reason)
{
        uint64_t before = generation(fixture);
        _cleanup_(plan_freep) Plan *plan = plan_of(fixture, name, what, error);

        g_assert_nonnull(plan->reason);
        if (!strstr(plan->reason, reason))
                g_error("\"%s\" is not in: %s", reason, plan->reason);
        g_assert_null(plan->policy);
        g_assert_cmpuint(generation(fixture), ==, before);
}

Signed *web(uint64_t seq, const char *text)
{
        g_autofree char *whole = document_text("web", seq, -HOUR, HOUR, text);

        return signed_new(whole, "1");
}

int is_signed(Fixture *fixture, const char *name)
{
        const Loaded *loaded = enforcement_find(fixture->enforcement, name);

        g_assert_nonnull(loaded);
        return trust_is_signed(fixture->enforcement->trust, loaded);
}

int has_text(Fixture *fixture, const char *name, const char *part)
{
        const Loaded *loaded = enforcement_find(fixture->enforcement, name);

        return loaded && strstr(loaded->document.text, part);
}
