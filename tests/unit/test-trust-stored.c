/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signed documents as they are stored: what is verified again, what was cut off, and calls that
 * fail. Keys: see signer.h. */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "fault.h"
#include "signed-fixture.h"
#include "start-faults.h"
#include "transaction/internal.h"
#include "transaction/trust-private.h"
#include "util/log.h"

/* ---- what is stored ---- */

static size_t n_stored(Fixture *fixture)
{
        _cleanup_(document_set_freep) DocumentSet *documents = NULL;

        g_assert_cmpint(trust_stored(fixture->enforcement->trust, 5, &documents), ==, 0);
        return document_set_size(documents);
}

static void test_what_was_signed_can_be_verified_again(Fixture *fixture, gconstpointer data)
{
        g_autofree char *text = document_text("db", 3, -HOUR, HOUR, DENY_BC);
        g_autoptr(Signed) what = web(7, DENY_A), db = signed_new(text, "1");
        _cleanup_(document_set_freep) DocumentSet *documents = NULL;
        const Loaded *loaded, *in_force;

        apply(fixture, "other", DENY_PORT);
        apply_signed(fixture, "web", what);
        apply_signed(fixture, "db", db);
        g_assert_cmpint(trust_stored(fixture->enforcement->trust, 5, &documents), ==, 0);
        g_assert_cmpuint(document_set_size(documents), ==, 2);
        loaded = document_set_find(documents, "web");
        in_force = enforcement_find(fixture->enforcement, "web");
        g_assert_cmpuint(loaded->generation, ==, 5);
        g_assert_cmpstr(loaded->document.text, ==, in_force->document.text);
        g_assert_cmpmem(loaded->digest, DIGEST_SIZE, in_force->digest, DIGEST_SIZE);
}

static void test_no_bit_of_a_stored_bundle_can_be_turned(Fixture *fixture, gconstpointer data)
{
        g_autoptr(Signed) what = web(7, DENY_A);
        g_autofree char *path = state_file(fixture, "bundles/web.bundle"), *bytes = NULL;
        const char *end;
        gsize n;

        apply_signed(fixture, "web", what);
        g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
        end = strstr(bytes + 24, "\n"); /* of the first comment, which nothing depends on */
        for (size_t byte = 0; byte < n; byte++) {
                if (byte >= 24 && bytes + byte < end)
                        continue;
                bytes[byte] ^= 1;
                g_assert_true(g_file_set_contents(path, bytes, (gssize) n, NULL));
                if (n_stored(fixture) != 0)
                        g_error("byte %zu", byte);
                bytes[byte] ^= 1;
        }
        g_assert_true(g_file_set_contents(path, bytes, (gssize) n, NULL));
        g_assert_cmpuint(n_stored(fixture), ==, 1);
}

static void test_a_stored_bundle_of_yesterday_does_not_count(Fixture *fixture, gconstpointer data)
{
        g_autoptr(Signed) what = web(7, DENY_A), next = web(8, DENY_AB);
        g_autofree char *path = state_file(fixture, "bundles/web.bundle"), *bytes = NULL;
        g_autofree char *other = state_file(fixture, "bundles/db.bundle");
        gsize n;

        apply_signed(fixture, "web", what);
        g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
        apply_signed(fixture, "web", next);
        g_assert_cmpuint(n_stored(fixture), ==, 1);
        g_assert_true(g_file_set_contents(path, bytes, (gssize) n, NULL));
        g_assert_cmpuint(n_stored(fixture), ==, 0);
        /* Nor one that was moved to another name. */
        g_assert_cmpint(g_rename(path, other), ==, 0);
        g_assert_cmpuint(n_stored(fixture), ==, 0);
}

static void test_a_failure_leaves_what_was_and_the_same_can_be_tried_again(Fixture *fixture,
                                                                           gconstpointer data)
{
        g_autoptr(Signed) what = web(7, DENY_A), next = web(8, DENY_AB);
        _cleanup_(plan_freep) Plan *plan = NULL;
        TwinControl wanted = all_well();

        apply_signed(fixture, "web", what);
        plan = plan_of(fixture, "web", next, 0);
        wanted.fail_prepare = EIO;
        control(fixture, &wanted);
        g_assert_cmpint(commit_plan(fixture, plan), ==, TRANSACTION_E_KERNEL);
        g_assert_true(has_text(fixture, "web", "#seq=7\n"));
        g_assert_true(is_signed(fixture, "web"));
        g_assert_false(has_file(fixture, "bundles/web.next"));
        assert_agreement(fixture);
        restart(fixture);
        g_assert_true(is_signed(fixture, "web"));
        apply_signed(fixture, "web", next);
        g_assert_true(has_text(fixture, "web", "#seq=8\n"));
}

static void move(Fixture *fixture, const char *from, const char *to)
{
        g_autofree char *old = state_file(fixture, from), *new_one = state_file(fixture, to);

        g_assert_cmpint(g_rename(old, new_one), ==, 0);
}

static void test_what_was_cut_off_is_ended_by_what_is_in_force(Fixture *fixture, gconstpointer data)
{
        g_autoptr(Signed) what = web(7, DENY_A), next = web(8, DENY_AB);

        apply_signed(fixture, "web", what);
        apply_signed(fixture, "web", next);
        /* In force, and not published. */
        stop(fixture);
        move(fixture, "bundles/web.bundle", "bundles/web.next");
        move(fixture, "bundles/web.previous", "bundles/web.bundle");
        start(fixture);
        g_assert_true(is_signed(fixture, "web"));
        g_assert_false(has_file(fixture, "bundles/web.next"));
        /* Between the two renames. */
        stop(fixture);
        move(fixture, "bundles/web.bundle", "bundles/web.next");
        start(fixture);
        g_assert_true(is_signed(fixture, "web"));
        /* Written aside, and never in force. */
        stop(fixture);
        move(fixture, "bundles/web.previous", "bundles/web.next");
        start(fixture);
        g_assert_true(is_signed(fixture, "web"));
        g_assert_false(has_file(fixture, "bundles/web.next"));
}

static void test_an_unsigned_one_takes_the_place_of_a_signed_one_where_it_may(Fixture *fixture,
                                                                              gconstpointer data)
{
        g_autoptr(Signed) what = web(7, DENY_A), next = web(8, DENY_AB);

        apply_signed(fixture, "web", what);
        apply(fixture, "web", DENY_BC);
        g_assert_false(is_signed(fixture, "web"));
        g_assert_cmpuint(n_stored(fixture), ==, 0);
        apply_signed(fixture, "web", next);
        g_assert_true(is_signed(fixture, "web"));
}

/* What one may write that looks as if it had been signed is not. */
static void test_comments_make_nothing_signed(Fixture *fixture, gconstpointer data)
{
        g_autoptr(Signed) what = web(7, DENY_A);
        g_autofree char *text = NULL;

        apply_signed(fixture, "web", what);
        text = g_strdup_printf("%s# and more\n",
                               enforcement_find(fixture->enforcement, "web")->document.text);
        apply(fixture, "web", text);
        g_assert_false(is_signed(fixture, "web"));
        apply(fixture, "db", text);
        g_assert_false(is_signed(fixture, "db"));
}

/* ---- what is found at start ---- */

/* In force, and not published. */
static void unpublish(Fixture *fixture)
{
        if (has_file(fixture, "bundles/web.next"))
                return;
        move(fixture, "bundles/web.bundle", "bundles/web.next");
        move(fixture, "bundles/web.previous", "bundles/web.bundle");
}

static void test_what_was_cut_off_is_ended_whatever_fails(Fixture *fixture, gconstpointer data)
{
        g_autoptr(Signed) what = web(7, DENY_A), next = web(8, DENY_AB);

        apply_signed(fixture, "web", what);
        apply_signed(fixture, "web", next);
        log_set_max_level(LOG_EMERG);
        start_with_each_fault(fixture, unpublish, FAULT_MEMORY, ENOMEM);
        g_assert_true(is_signed(fixture, "web"));
        start_with_each_fault(fixture, unpublish, FAULT_FILE, EMFILE);
        g_assert_true(is_signed(fixture, "web"));
        log_set_max_level(LOG_INFO);
}

/* Writes what is stored aside, but for one byte, and starts. */
static void start_with_other_next(Fixture *fixture, const char *name, const char *part, char byte)
{
        g_autofree char *stored = state_file(fixture, "bundles/web.bundle"), *bytes = NULL;
        g_autofree char *next = state_file(fixture, name);
        char *at;
        gsize n = 0;

        stop(fixture);
        g_assert_true(g_file_get_contents(stored, &bytes, &n, NULL));
        at = memmem(bytes, n, part, strlen(part));
        g_assert_nonnull(at);
        *at = byte;
        g_assert_true(g_file_set_contents(next, bytes, (gssize) n, NULL));
        start(fixture);
        g_assert_false(g_file_test(next, G_FILE_TEST_EXISTS));
        g_assert_true(is_signed(fixture, "web"));
}

static void test_what_was_written_aside_and_is_not_in_force_goes(Fixture *fixture,
                                                                 gconstpointer data)
{
        g_autoptr(Signed) what = web(7, DENY_A), longer = web(8, DENY_AB);
        _cleanup_(signed_text_freep) SignedText *text = NULL;

        apply_signed(fixture, "web", what);
        start_with_other_next(fixture, "bundles/web.next", "AEGBUNDL", 'x');
        start_with_other_next(fixture, "bundles/web.next", "bundle=1", 'x');
        start_with_other_next(fixture, "bundles/web.next", "7\nissued", '8');
        start_with_other_next(fixture, "bundles/db.next", "7\nissued", '7');
        g_assert_cmpint(signed_text_new(&text, longer->text, longer->n, &longer->all), ==, 0);
        g_assert_cmpint(bundles_write_next(fixture->enforcement->trust->bundles, "web", text), ==,
                        0);
        restart(fixture);
        g_assert_false(has_file(fixture, "bundles/web.next"));
        g_assert_true(is_signed(fixture, "web"));
}

static void test_what_only_is_as_long_is_not_signed(Fixture *fixture, gconstpointer data)
{
        g_autoptr(Signed) what = web(7, DENY_A);
        g_autofree char *stored = state_file(fixture, "bundles/web.bundle"), *bytes = NULL;
        g_autofree char *text = NULL;
        gsize n = 0;

        apply_signed(fixture, "web", what);
        g_assert_true(g_file_get_contents(stored, &bytes, &n, NULL));
        text = g_strdup(enforcement_find(fixture->enforcement, "web")->document.text);
        strstr(text, "/a")[1] = 'b';
        apply(fixture, "web", text);
        g_assert_true(g_file_set_contents(stored, bytes, (gssize) n, NULL));
        restart(fixture);
        g_assert_false(is_signed(fixture, "web"));
}

/* ---- planned, and meanwhile ---- */

static void test_a_plan_whose_floor_has_risen_is_refused(Fixture *fixture, gconstpointer data)
{
        g_autoptr(Signed) old = web(7, DENY_A), other = web(8, DENY_BC), new_one = web(8, DENY_AB);
        _cleanup_(plan_freep) Plan *first = plan_of(fixture, "web", old, 0);
        _cleanup_(plan_freep) Plan *second = plan_of(fixture, "web", other, 0);
        _cleanup_(plan_freep) Plan *third = plan_of(fixture, "web", new_one, 0);
        TwinControl wanted = all_well();

        wanted.fail_prepare = EIO;
        control(fixture, &wanted);
        g_assert_cmpint(commit_plan(fixture, third), ==, TRANSACTION_E_KERNEL);
        g_assert_cmpint(commit_plan(fixture, first), ==, TRANSACTION_E_ROLLBACK);
        g_assert_cmpint(commit_plan(fixture, second), ==, TRANSACTION_E_ROLLBACK);
        g_assert_null(enforcement_find(fixture->enforcement, "web"));
        g_assert_cmpint(commit_plan(fixture, third), ==, 0);
}

static void test_a_number_that_leaps_ahead_is_refused(Fixture *fixture, gconstpointer data)
{
        g_autoptr(Signed) what = web(7, DENY_A), far = web(2000000, DENY_AB);

        apply_signed(fixture, "web", what);
        refused(fixture, "web", far, TRANSACTION_E_SIGNATURE, "its seq is 2000000, the highest so");
}

static void test_all_who_signed_are_named(Fixture *fixture, gconstpointer data)
{
        g_autofree char *text = document_text("web", 7, -HOUR, HOUR, DENY_A);
        g_autoptr(Signed) what = signed_new(text, "12");
        _cleanup_(plan_freep) Plan *plan = plan_of(fixture, "web", what, 0);
        g_autofree char *signers = plan_signers(plan);

        g_assert_nonnull(strstr(signers, "0706050403020101, 0706050403020102"));
}

static void test_where_nobody_is_believed_that_is_told(Fixture *fixture, gconstpointer data)
{
        g_autoptr(Signed) what = web(7, DENY_A);
        g_autofree char *state = state_file(fixture, "root"),
                        *floors = state_file(fixture, "floors");
        TrustStatus status;

        g_free((char *) g_steal_pointer(&fixture->trust.directory));
        fixture->trust.requires_signature = 1;
        stop(fixture);
        g_assert_cmpint(g_unlink(state), ==, 0);
        g_assert_cmpint(g_unlink(floors), ==, 0);
        g_assert_cmpint(twin_state_write(fixture->pins, &(TwinState){}), ==, 0);
        start(fixture);
        assert_trouble(fixture, "no root says whose signatures count: put root.1");
        refused(fixture, "web", what, TRANSACTION_E_SIGNATURE, "put root.1 and its signatures");
        enforcement_trust(fixture->enforcement, &status);
        g_assert_cmpuint(status.root_seq, ==, 0);
        g_assert_cmpuint(status.root_expires, ==, 0);
        g_assert_cmpuint(enforcement_floor(fixture->enforcement, "web"), ==, 0);
}

/* What is remembered of who signed what is no more than there can be. */
static void test_names_that_are_gone_are_forgotten(Fixture *fixture, gconstpointer data)
{
        g_autoptr(Signed) what = web(7, DENY_A);
        SignedStatus status;
        TrustStatus trust;

        for (unsigned i = 0; i < DOCUMENTS_MAX; i++) {
                g_autofree char *name = g_strdup_printf("d%03u", i);

                apply(fixture, name, DENY_A);
        }
        removes(fixture, "d000");
        apply_signed(fixture, "web", what);
        g_assert_true(is_signed(fixture, "web"));
        g_assert_false(is_signed(fixture, "d001"));
        enforcement_signed(fixture->enforcement, enforcement_find(fixture->enforcement, "web"),
                           &status);
        g_assert_cmpuint(status.seq, ==, 7);
        enforcement_trust(fixture->enforcement, &trust);
        g_assert_cmpuint(trust.root_seq, ==, 1);
        g_assert_cmpuint(trust.root_expires, >, trust.now);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
#define ADD(name)                                                                                  \
        g_test_add("/trust-stored/" #name, Fixture, NULL, set_up_trust, test_##name,               \
                   tear_down_trust)
        ADD(what_was_signed_can_be_verified_again);
        ADD(no_bit_of_a_stored_bundle_can_be_turned);
        ADD(a_stored_bundle_of_yesterday_does_not_count);
        ADD(a_failure_leaves_what_was_and_the_same_can_be_tried_again);
        ADD(what_was_cut_off_is_ended_by_what_is_in_force);
        ADD(an_unsigned_one_takes_the_place_of_a_signed_one_where_it_may);
        ADD(comments_make_nothing_signed);
        ADD(what_was_cut_off_is_ended_whatever_fails);
        ADD(what_was_written_aside_and_is_not_in_force_goes);
        ADD(what_only_is_as_long_is_not_signed);
        ADD(a_plan_whose_floor_has_risen_is_refused);
        ADD(a_number_that_leaps_ahead_is_refused);
        ADD(all_who_signed_are_named);
        ADD(where_nobody_is_believed_that_is_told);
        ADD(names_that_are_gone_are_forgotten);
        return g_test_run();
}
