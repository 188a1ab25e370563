/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signed documents when the record is lost, and in the policy directory. Keys: see signer.h. */
#include <glib.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/fields.h"
#include "signer.h"
#include "transaction-fixture.h"

#define HOUR ((int64_t) 3600)

static void put(const char *folder, const char *name, const char *text)
{
        g_autofree char *path = g_build_filename(folder, name, NULL);

        g_mkdir(folder, 0755);
        g_assert_true(g_file_set_contents(path, text, -1, NULL));
        g_assert_cmpint(g_chmod(path, 0644), ==, 0);
}

/* Key 0 is the root's, 1 the policies', 2 recovery's. */
static void set_up_trust(Fixture *fixture, gconstpointer data)
{
        const char *const lines[] = {"key=0 root", "key=1 policy", "key=2 policy,recovery", NULL};
        g_autofree char *text = root_text(1, "111", lines);
        g_autofree char *signature = signer_sign(0, text, strlen(text));

        set_up(fixture, data);
        stop(fixture);
        fixture->trust.directory = g_build_filename(fixture->root, "trust", NULL);
        put(fixture->trust.directory, "root.1", text);
        put(fixture->trust.directory, "root.1.minisig", signature);
        start(fixture);
}

static void tear_down_trust(Fixture *fixture, gconstpointer data)
{
        g_autofree char *directory = g_build_filename(fixture->root, "trust", NULL);

        empty_folder(directory);
        g_free((char *) fixture->trust.directory);
        tear_down(fixture, data);
}

static char *document(const char *name, uint64_t seq, const char *text)
{
        uint64_t now = (uint64_t) (g_get_real_time() / G_USEC_PER_SEC);
        char from[FIELD_TIME_SIZE], to[FIELD_TIME_SIZE];

        field_time_format(now - HOUR, from);
        field_time_format(now + HOUR, to);
        return g_strdup_printf("bundle=1\nname=%s\nseq=%" PRIu64 "\nissued=%s\nexpires=%s\n%s",
                               name, seq, from, to, text);
}

static void apply_signed(Fixture *fixture, const char *name, uint64_t seq, const char *text)
{
        g_autofree char *whole = document(name, seq, text);
        g_autoptr(Signed) what = signed_new(whole, "1");
        const SignatureText bytes = {what->text, what->n};
        _cleanup_(plan_freep) Plan *plan = NULL;
        uint64_t number = 0;

        g_assert_cmpint(
                enforcement_plan_signed(fixture->enforcement, name, &bytes, &what->all, &plan), ==,
                0);
        g_assert_cmpint(enforcement_commit(fixture->enforcement, plan, EXPECT_ANY, &number), ==, 0);
}

static void assert_says(Fixture *fixture, const char *name, const char *part)
{
        const Loaded *loaded = enforcement_find(fixture->enforcement, name);

        g_assert_nonnull(loaded);
        g_assert_nonnull(strstr(loaded->document.text, part));
}

/* ---- lost ---- */

static void test_what_was_signed_is_not_taken_back_by_damage(Fixture *fixture, gconstpointer data)
{
        apply(fixture, "db", DENY_PORT);
        apply_signed(fixture, "web", 7, DENY_A);
        apply_signed(fixture, "web", 8, DENY_AB);
        flip_byte(fixture, "state", 40);
        reboot(fixture); /* the one before has seq 7 */
        assert_says(fixture, "web", "seq=8");
        assert_text(fixture, "db", DENY_PORT);
        assert_trouble(fixture, "the one before it");
        assert_agreement(fixture);
        apply_signed(fixture, "web", 9, DENY_A);
        flip_byte(fixture, "state", 40);
        flip_byte(fixture, "state.previous", 40);
        {
                _cleanup_(freep) char *generations = state_file(fixture, "generations");
                GDir *dir = g_dir_open(generations, 0, NULL);

                for (const char *name; (name = g_dir_read_name(dir));) {
                        g_autofree char *file = g_build_filename("generations", name, NULL);

                        if (!g_str_has_prefix(name, "2-"))
                                flip_byte(fixture, file, 40);
                }
                g_dir_close(dir);
        }
        reboot(fixture);
        assert_says(fixture, "web", "seq=9");
        assert_text(fixture, "db", DENY_PORT);
        assert_trouble(fixture, "generation 2, the last that could be read");
        assert_agreement(fixture);
        reboot(fixture);
        assert_says(fixture, "web", "seq=9");
        assert_no_trouble(fixture);
}

static void test_what_was_signed_outlives_every_record(Fixture *fixture, gconstpointer data)
{
        g_assert_true(g_file_set_contents(fixture->baseline, DENY_BC, -1, NULL));
        apply(fixture, "db", DENY_PORT);
        apply_signed(fixture, "web", 7, DENY_A);
        flip_byte(fixture, "state", 40);
        flip_byte(fixture, "state.previous", 40);
        damage_generations(fixture);
        reboot(fixture);
        assert_says(fixture, "web", "seq=7");
        g_assert_cmpuint(enforcement_n_documents(fixture->enforcement), ==, 1);
        assert_trouble(fixture, "verified again");
        assert_agreement(fixture);
        g_assert_cmpuint(generation(fixture), ==, 3);
}

/* ---- files ---- */

static void put_signed(Fixture *fixture, uint64_t seq, const char *text, unsigned signer)
{
        g_autofree char *whole = document("web", seq, text);
        g_autofree char *signature = signer_sign(signer, whole, strlen(whole));

        put(fixture->folder, "web.policy", whole);
        put(fixture->folder, "web.policy.minisig", signature);
}

static void test_a_file_is_signed_by_files_beside_it(Fixture *fixture, gconstpointer data)
{
        fixture->trust.requires_signature = 1;
        restart(fixture);
        put_signed(fixture, 7, DENY_A, 1);
        put(fixture->folder, "db.policy", DENY_PORT);
        enforcement_load_folder(fixture->enforcement, NULL);
        assert_says(fixture, "web", "seq=7");
        g_assert_null(enforcement_find(fixture->enforcement, "db"));
        assert_trouble(fixture, "db.policy cannot be put in force: it must be signed");
        put_signed(fixture, 8, DENY_AB, 3); /* whose signature does not count */
        enforcement_load_folder(fixture->enforcement, NULL);
        assert_says(fixture, "web", "seq=7");
        assert_trouble(fixture, "web.policy cannot be put in force");
        put_signed(fixture, 6, DENY_AB, 1);
        enforcement_load_folder(fixture->enforcement, NULL);
        assert_says(fixture, "web", "seq=7");
        put_signed(fixture, 8, DENY_AB, 1);
        g_assert_cmpint(enforcement_check(fixture->enforcement), ==, 0);
        assert_trouble(fixture, "web.policy is not what is in force");
        restart(fixture);
        assert_says(fixture, "web", "seq=8");
}

static void test_a_signed_file_is_loaded_once(Fixture *fixture, gconstpointer data)
{
        uint64_t number;

        put_signed(fixture, 7, DENY_A, 1);
        enforcement_load_folder(fixture->enforcement, NULL);
        number = generation(fixture);
        restart(fixture);
        enforcement_load_folder(fixture->enforcement, NULL);
        g_assert_cmpuint(generation(fixture), ==, number);
        g_assert_false(enforcement_drift(fixture->enforcement));
        assert_no_trouble(fixture);
}

static void test_too_many_signatures_are_told(Fixture *fixture, gconstpointer data)
{
        put_signed(fixture, 7, DENY_A, 1);
        for (unsigned i = 0; i < SIGNATURES_MAX; i++) {
                g_autofree char *name = g_strdup_printf("web.policy.%u.minisig", i);

                put(fixture->folder, name, "");
        }
        enforcement_load_folder(fixture->enforcement, NULL);
        g_assert_null(enforcement_find(fixture->enforcement, "web"));
        assert_trouble(fixture, "web.policy cannot be put in force");
}

#define ADD(name)                                                                                  \
        g_test_add("/trust-lost/test_" #name, Fixture, NULL, set_up_trust, test_##name,            \
                   tear_down_trust)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(what_was_signed_is_not_taken_back_by_damage);
        ADD(what_was_signed_outlives_every_record);
        ADD(a_file_is_signed_by_files_beside_it);
        ADD(a_signed_file_is_loaded_once);
        ADD(too_many_signatures_are_told);
        return g_test_run();
}
