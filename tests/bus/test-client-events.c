/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* aegis-client and what happened: allowed for a while, or decided by another policy. */
#include <string.h>

#include "backend-twin.h"
#include "blocked.h"
#include "client-lab.h"
#include "client.h"

static void test_what_an_event_denied_is_allowed_for_a_while(Lab *lab)
{
        g_auto(Outcome) outcome = {0};
        struct event event = blocked_event();

        event.time_ns = 5000; /* it is in the name of the exception */
        put(WEB, DOCUMENT);
        run("apply " WEB, STATUS_DONE, &outcome);
        blocked_inject(event);
        client_wait_emitted("1");
        run("events --path=/srv --uid=1000 --rule=web:3 --comm=program9", STATUS_DONE, &outcome);
        expect_in(outcome.out, "/srv/one read by program9");
        run("events --path=/srv/other", STATUS_DONE, &outcome);
        g_assert_cmpstr(outcome.out, ==, "");
        run("allow 1 --for 30m", STATUS_DONE, &outcome);
        expect_in(outcome.out,
                  "file:/srv/one access=read is allowed to exe=/usr/bin/program9 uid=1000 until ");
        run("exceptions", STATUS_DONE, &outcome);
        expect_in(outcome.out, "\ne1u0t5 ");
        g_assert_true(strstr(outcome.out, " 0:30:00 ") || strstr(outcome.out, " 0:29:"));
        run("explain /srv/one access=read uid=1000 exe=/usr/bin/program9", STATUS_DONE, &outcome);
        expect_in(outcome.out, "allowed");
        run("exceptions revoke e1u0t5", STATUS_DONE, &outcome);
        run("exceptions revoke e1u0t5", STATUS_NO_SUCH_POLICY, &outcome);
        run("explain /srv/one access=read uid=1000 exe=/usr/bin/program9", STATUS_DONE, &outcome);
        expect_in(outcome.out, "denied");
        run("history", STATUS_DONE, &outcome);
        expect_in(outcome.out, "AllowFor");
        expect_in(outcome.out, "Revoke");
        run("allow 2", STATUS_FAILED, &outcome);
        expect_in(outcome.err, "no event of that number is remembered");
        run("allow one", STATUS_USAGE, &outcome);
}

static void test_a_policy_is_tried_on_what_happened(Lab *lab)
{
        g_auto(Outcome) outcome = {0};
        struct event cut = blocked_event();

        put(WEB, DOCUMENT);
        run("apply " WEB, STATUS_DONE, &outcome);
        blocked_inject(blocked_event());
        cut.flags = EVENT_PATH_CUT;
        blocked_inject(cut);
        client_wait_emitted("2");
        run("simulate " WEB, STATUS_DONE, &outcome);
        g_assert_cmpstr(outcome.out, ==,
                        "2 events, 0 would be decided otherwise, of 1 it cannot be told.\n");
        put(WEB, "version=7\n[deny]\nfile:/srv/\n[allow]\nfile:/srv/one uid=1000\n");
        run("simulate " WEB, STATUS_DONE, &outcome);
        expect_in(outcome.out, "denied file_open /srv/one read by program9[42] uid 1000; web:3: "
                               "deny_path /srv/one\n    would be allowed by web:5: allow "
                               "file:/srv/one uid=1000\n");
        expect_in(outcome.out, "2 events, 1 would be decided otherwise");
        run("simulate --json --for=1h " WEB, STATUS_DONE, &outcome);
        expect_in(outcome.out, "{\"otherwise\":1,\"unknown\":1,\"events\":[{");
        put(WEB, "version=7\n[deny]\nsrv\n");
        run("simulate " WEB, STATUS_INVALID, &outcome);
        expect_in(outcome.err, "web.policy:3:1");
        g_assert_cmpuint(lab_generation(lab), ==, 1);
        run_as(LAB_USER, "simulate " WEB, STATUS_INVALID, &outcome);
}

#define TEST(name)                                                                                 \
        {                                                                                          \
#name, name                                                                        \
        }

int main(int argc, char **argv)
{
        static const LabTest tests[] = {
                TEST(test_what_an_event_denied_is_allowed_for_a_while),
                TEST(test_a_policy_is_tried_on_what_happened),
        };

        return lab_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
