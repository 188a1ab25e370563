/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is said to polkit, and what is made of answers that the real one seldom gives: none, late, a
 * wrong one. A stand-in has its name here. */
#include <string.h>

#include "stand-in.h"

#define DOCUMENT "version=1\n[deny_path]\n/srv/one\n"
#define ACCESS_DENIED SD_BUS_ERROR_ACCESS_DENIED
#define MUST_ASK SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED

static void expect(Lab *lab, Pending *pending, const char *error)
{
        g_free(lab_expect(lab, pending, error));
}

static void assert_nothing_in_force(Lab *lab)
{
        lab_settle(lab);
        g_assert_cmpint(lab_generation(lab), ==, 0);
}

static void check_detail(StandIn *polkit, const char *key, const char *expected)
{
        char *value = stand_in_detail(polkit, key);

        g_assert_cmpstr(value, ==, expected);
        g_free(value);
}

static void check_question(StandIn *polkit, sd_bus *caller, const char *action, uint32_t flags)
{
        const char *unique;

        g_assert_cmpint(sd_bus_get_unique_name(caller, &unique), >=, 0);
        g_assert_cmpstr(stand_in_subject(polkit), ==, unique);
        g_assert_cmpstr(stand_in_action(polkit), ==, action);
        g_assert_cmpuint(stand_in_flags(polkit), ==, flags);
}

static void test_a_question_names_the_caller_and_what_is_bound(Lab *lab)
{
        StandIn *polkit = stand_in_new(lab, STAND_IN_HOLD);
        sd_bus *user = lab_connect(lab, LAB_USER);
        Pending *pending = lab_apply(user, "web", DOCUMENT, INTERACTIVE);
        char *asked, *digest;

        stand_in_wait(polkit);
        check_question(polkit, user, "org.aegis.enforcer.apply-policy", 1);
        check_detail(polkit, "name", "web");
        check_detail(polkit, "generation", "0");
        check_detail(polkit, "added", "1");
        check_detail(polkit, "removed", "0");
        asked = stand_in_detail(polkit, "digest");
        stand_in_answer(polkit, STAND_IN_YES);
        expect(lab, pending, NULL);
        digest = lab_get_string(lab, LAB_ROOT, LAB_MANAGER, "Digest");
        g_assert_cmpstr(asked, ==, digest);
        g_free(asked);
        g_free(digest);
        lab_disconnect(user);
        stand_in_free(polkit);
}

static void test_questions_have_ids_of_their_own(Lab *lab)
{
        StandIn *polkit = stand_in_new(lab, STAND_IN_HOLD);
        sd_bus *user = lab_connect(lab, LAB_USER);
        char *first = NULL;

        for (unsigned i = 0; i < 2; i++) {
                Pending *pending = lab_apply(user, "web", DOCUMENT, SILENT);

                stand_in_wait(polkit);
                g_assert_cmpuint(stand_in_flags(polkit), ==, 0);
                stand_in_answer(polkit, STAND_IN_CHALLENGE);
                expect(lab, pending, MUST_ASK);
                if (i == 0)
                        first = g_strdup(polkit->id);
        }
        g_assert_cmpstr(first, !=, polkit->id);
        g_assert_cmpint(polkit->is_cancelled, ==, 0); /* what is answered is not taken back */
        g_free(first);
        lab_disconnect(user);
        stand_in_free(polkit);
}

static void test_a_caller_who_leaves_has_the_question_taken_back(Lab *lab)
{
        StandIn *polkit = stand_in_new(lab, STAND_IN_HOLD);
        sd_bus *user = lab_connect(lab, LAB_USER);
        Pending *pending = lab_apply(user, "web", DOCUMENT, INTERACTIVE);

        stand_in_wait(polkit);
        pending_free(pending);
        lab_disconnect(user);
        lab_until(lab, &polkit->is_cancelled);
        g_assert_cmpstr(polkit->cancelled, ==, polkit->id);
        stand_in_answer(polkit, STAND_IN_YES); /* too late */
        assert_nothing_in_force(lab);
        stand_in_free(polkit);
}

static void test_an_answer_that_cannot_be_read_is_a_no(Lab *lab)
{
        StandIn *polkit = stand_in_new(lab, STAND_IN_HOLD);
        sd_bus *user = lab_connect(lab, LAB_USER);
        Pending *pending = lab_apply(user, "web", DOCUMENT, INTERACTIVE);

        stand_in_wait(polkit);
        stand_in_answer(polkit, STAND_IN_GARBAGE);
        expect(lab, pending, ACCESS_DENIED);
        assert_nothing_in_force(lab);
        lab_disconnect(user);
        stand_in_free(polkit);
}

static void test_an_error_is_a_no(Lab *lab)
{
        StandIn *polkit = stand_in_new(lab, STAND_IN_HOLD);
        sd_bus *user = lab_connect(lab, LAB_USER);
        Pending *pending = lab_apply(user, "web", DOCUMENT, INTERACTIVE);

        stand_in_wait(polkit);
        stand_in_answer(polkit, STAND_IN_ERROR);
        expect(lab, pending, ACCESS_DENIED);
        assert_nothing_in_force(lab);
        lab_disconnect(user);
        stand_in_free(polkit);
}

static void test_polkit_dying_over_a_question_is_a_no(Lab *lab)
{
        StandIn *polkit = stand_in_new(lab, STAND_IN_HOLD);
        sd_bus *user = lab_connect(lab, LAB_USER);
        Pending *pending = lab_apply(user, "web", DOCUMENT, INTERACTIVE);

        stand_in_wait(polkit);
        stand_in_free(polkit);
        expect(lab, pending, ACCESS_DENIED);
        assert_nothing_in_force(lab);
        lab_disconnect(user);
}

#define TEST(name)                                                                                 \
        {                                                                                          \
#name, test_##name                                                                 \
        }

int main(int argc, char **argv)
{
        static const LabTest tests[] = {
                TEST(a_question_names_the_caller_and_what_is_bound),
                TEST(questions_have_ids_of_their_own),
                TEST(a_caller_who_leaves_has_the_question_taken_back),
                TEST(an_answer_that_cannot_be_read_is_a_no),
                TEST(an_error_is_a_no),
                TEST(polkit_dying_over_a_question_is_a_no),
        };

        return lab_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
