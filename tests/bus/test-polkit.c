/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is said to polkit, and what is made of answers that the real one seldom gives: none, late, a
 * wrong one. A stand-in has its name here. */
#include <pwd.h>
#include <string.h>

#include "lab.h"

#define DOCUMENT "version=1\n[deny_path]\n/srv/one\n"
#define POLKIT "org.freedesktop.PolicyKit1"
#define ACCESS_DENIED SD_BUS_ERROR_ACCESS_DENIED
#define MUST_ASK SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED

typedef struct StandIn {
        Lab *lab;
        sd_bus *bus;
        sd_bus_message *question;
        char *id, *cancelled;
        int asked, is_cancelled;
} StandIn;

static void expect(Lab *lab, Pending *pending, const char *error)
{
        g_free(lab_expect(lab, pending, error));
}

static int on_check(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        StandIn *polkit = userdata;
        const char *id;

        g_assert_cmpint(sd_bus_message_skip(m, "(sa{sv})sa{ss}u"), >=, 0);
        g_assert_cmpint(sd_bus_message_read(m, "s", &id), >=, 0);
        sd_bus_message_unref(polkit->question);
        g_free(polkit->id);
        polkit->question = sd_bus_message_ref(m);
        polkit->id = g_strdup(id);
        polkit->asked = 1;
        return 1;
}

static int on_cancel(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        StandIn *polkit = userdata;
        const char *id;

        g_assert_cmpint(sd_bus_message_read(m, "s", &id), >=, 0);
        g_free(polkit->cancelled);
        polkit->cancelled = g_strdup(id);
        polkit->is_cancelled = 1;
        return sd_bus_reply_method_return(m, "");
}

/* Not by a vtable: that would keep us from answering nonsense. */
static int on_call(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        if (sd_bus_message_is_method_call(m, POLKIT ".Authority", "CheckAuthorization"))
                return on_check(m, userdata, error);
        if (sd_bus_message_is_method_call(m, POLKIT ".Authority", "CancelCheckAuthorization"))
                return on_cancel(m, userdata, error);
        return 0;
}

static StandIn *stand_in_new(Lab *lab)
{
        StandIn *polkit = g_new0(StandIn, 1);
        const struct passwd *user = getpwnam("polkitd");

        g_assert_nonnull(user); /* the bus lets nobody else have the name */
        lab_stop_polkit(lab);
        polkit->lab = lab;
        polkit->bus = lab_connect(lab, user->pw_uid);
        g_assert_cmpint(sd_bus_add_object(polkit->bus, NULL,
                                          "/org/freedesktop/PolicyKit1/Authority", on_call, polkit),
                        >=, 0);
        g_assert_cmpint(sd_bus_request_name(polkit->bus, POLKIT, 0), >=, 0);
        return polkit;
}

static void stand_in_free(StandIn *polkit)
{
        Lab *lab = polkit->lab;

        sd_bus_message_unref(polkit->question);
        lab_disconnect(polkit->bus);
        g_free(polkit->id);
        g_free(polkit->cancelled);
        g_free(polkit);
        lab_start_polkit(lab);
}

static void wait_asked(StandIn *polkit)
{
        lab_until(polkit->lab, &polkit->asked);
        polkit->asked = 0;
}

static void answer(StandIn *polkit, int authorized, int challenge)
{
        g_assert_cmpint(
                sd_bus_reply_method_return(polkit->question, "(bba{ss})", authorized, challenge, 0),
                >=, 0);
}

static void assert_nothing_in_force(Lab *lab)
{
        lab_settle(lab);
        g_assert_cmpint(lab_generation(lab), ==, 0);
}

static char *detail(StandIn *polkit, const char *wanted)
{
        sd_bus_message *m = polkit->question;
        const char *key, *value;
        char *found = NULL;

        g_assert_cmpint(sd_bus_message_rewind(m, 1), >=, 0);
        g_assert_cmpint(sd_bus_message_skip(m, "(sa{sv})s"), >=, 0);
        g_assert_cmpint(sd_bus_message_enter_container(m, 'a', "{ss}"), >, 0);
        while (sd_bus_message_read(m, "{ss}", &key, &value) > 0)
                if (strcmp(key, wanted) == 0)
                        found = g_strdup(value);
        return found;
}

static void check_detail(StandIn *polkit, const char *key, const char *expected)
{
        char *value = detail(polkit, key);

        g_assert_cmpstr(value, ==, expected);
        g_free(value);
}

static void check_subject(StandIn *polkit, sd_bus *caller, const char *action)
{
        const char *kind, *key, *name, *asked_for, *unique;

        g_assert_cmpint(sd_bus_message_rewind(polkit->question, 1), >=, 0);
        g_assert_cmpint(sd_bus_message_read(polkit->question, "(sa{sv})s", &kind, 1, &key, "s",
                                            &name, &asked_for),
                        >=, 0);
        g_assert_cmpint(sd_bus_get_unique_name(caller, &unique), >=, 0);
        g_assert_cmpstr(kind, ==, "system-bus-name");
        g_assert_cmpstr(key, ==, "name");
        g_assert_cmpstr(name, ==, unique);
        g_assert_cmpstr(asked_for, ==, action);
}

static void check_flags(StandIn *polkit, uint32_t expected)
{
        uint32_t flags;

        g_assert_cmpint(sd_bus_message_rewind(polkit->question, 1), >=, 0);
        g_assert_cmpint(sd_bus_message_skip(polkit->question, "(sa{sv})sa{ss}"), >=, 0);
        g_assert_cmpint(sd_bus_message_read(polkit->question, "u", &flags), >=, 0);
        g_assert_cmpint(flags, ==, expected);
}

static void test_a_question_names_the_caller_and_what_is_bound(Lab *lab)
{
        StandIn *polkit = stand_in_new(lab);
        sd_bus *user = lab_connect(lab, LAB_USER);
        Pending *pending = lab_apply(user, "web", DOCUMENT, INTERACTIVE);
        char *asked, *digest;

        wait_asked(polkit);
        check_subject(polkit, user, "org.aegis.enforcer.apply-policy");
        check_flags(polkit, 1);
        check_detail(polkit, "name", "web");
        check_detail(polkit, "generation", "0");
        check_detail(polkit, "added", "1");
        check_detail(polkit, "removed", "0");
        asked = detail(polkit, "digest");
        answer(polkit, 1, 0);
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
        StandIn *polkit = stand_in_new(lab);
        sd_bus *user = lab_connect(lab, LAB_USER);
        char *first = NULL;

        for (unsigned i = 0; i < 2; i++) {
                Pending *pending = lab_apply(user, "web", DOCUMENT, SILENT);

                wait_asked(polkit);
                check_flags(polkit, 0);
                answer(polkit, 0, 1);
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
        StandIn *polkit = stand_in_new(lab);
        sd_bus *user = lab_connect(lab, LAB_USER);
        Pending *pending = lab_apply(user, "web", DOCUMENT, INTERACTIVE);

        wait_asked(polkit);
        pending_free(pending);
        lab_disconnect(user);
        lab_until(lab, &polkit->is_cancelled);
        g_assert_cmpstr(polkit->cancelled, ==, polkit->id);
        answer(polkit, 1, 0); /* too late */
        assert_nothing_in_force(lab);
        stand_in_free(polkit);
}

static void test_an_answer_that_cannot_be_read_is_a_no(Lab *lab)
{
        StandIn *polkit = stand_in_new(lab);
        sd_bus *user = lab_connect(lab, LAB_USER);
        Pending *pending = lab_apply(user, "web", DOCUMENT, INTERACTIVE);

        wait_asked(polkit);
        g_assert_cmpint(sd_bus_reply_method_return(polkit->question, "b", 1), >=, 0);
        expect(lab, pending, ACCESS_DENIED);
        assert_nothing_in_force(lab);
        lab_disconnect(user);
        stand_in_free(polkit);
}

static void test_an_error_is_a_no(Lab *lab)
{
        StandIn *polkit = stand_in_new(lab);
        sd_bus *user = lab_connect(lab, LAB_USER);
        Pending *pending = lab_apply(user, "web", DOCUMENT, INTERACTIVE);

        wait_asked(polkit);
        g_assert_cmpint(sd_bus_reply_method_errorf(polkit->question, POLKIT ".Error.Failed", "!"),
                        >=, 0);
        expect(lab, pending, ACCESS_DENIED);
        assert_nothing_in_force(lab);
        lab_disconnect(user);
        stand_in_free(polkit);
}

static void test_polkit_dying_over_a_question_is_a_no(Lab *lab)
{
        StandIn *polkit = stand_in_new(lab);
        sd_bus *user = lab_connect(lab, LAB_USER);
        Pending *pending = lab_apply(user, "web", DOCUMENT, INTERACTIVE);

        wait_asked(polkit);
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
