/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Posture: what the service says of itself, and that it never says too much. */
#include <glib.h>
#include <string.h>

#include "bus/posture.h"

static const char *const no_trouble[] = {NULL};

static HookStatus hook(int required, int attached, Guarantee guarantee)
{
        return (HookStatus){.name = "file_open",
                            .symbol = "bpf_lsm_file_open",
                            .tier = TIER_LSM,
                            .guarantee = guarantee,
                            .required = required,
                            .attached = attached,
                            .reason = attached ? "" : "it did not deny"};
}

static PostureFacts facts(const HookStatus *status)
{
        return (PostureFacts){.tier = TIER_LSM,
                              .mode = MODE_ENFORCE,
                              .generation = 1,
                              .hooks = status,
                              .n_hooks = 1,
                              .trouble = no_trouble,
                              .missing = "",
                              .unguarded = ""};
}

static void check(const PostureFacts *given, Posture posture, const char *reason)
{
        PostureReport report;

        g_assert_cmpint(posture_judge(given, &report), ==, 0);
        g_assert_cmpstr(posture_to_string(report.posture), ==, posture_to_string(posture));
        g_assert_cmpint(report.n_reasons, ==, reason ? 1 : 0);
        if (reason)
                g_assert_cmpstr(report.reasons[0], ==, reason);
        g_assert_null(report.reasons[report.n_reasons]);
        posture_report_deinit(&report);
}

static void test_all_that_is_needed_denies(void)
{
        HookStatus status = hook(1, 1, GUARANTEE_DENY);
        PostureFacts given = facts(&status);

        check(&given, POSTURE_ENFORCING, NULL);
}

static void test_an_emergency_is_worse_than_all_else(void)
{
        HookStatus status = hook(1, 1, GUARANTEE_DENY);
        PostureFacts given = facts(&status);

        given.emergency = "the disk is full";
        check(&given, POSTURE_EMERGENCY,
              "emergency: verdicts are recorded, nothing is denied: the disk is full");
}

static void test_a_hook_that_is_needed_and_not_attached_degrades(void)
{
        HookStatus status = hook(1, 0, GUARANTEE_DENY);
        PostureFacts given = facts(&status);

        check(&given, POSTURE_DEGRADED,
              "hook file_open is needed and not attached: it did not deny");
}

static void test_a_hook_that_nothing_needs_does_not_count(void)
{
        HookStatus status = hook(0, 0, GUARANTEE_NONE);
        PostureFacts given = facts(&status);

        check(&given, POSTURE_ENFORCING, NULL);
}

static void test_a_hook_that_only_records_enforces_partly(void)
{
        HookStatus status = hook(1, 1, GUARANTEE_AUDIT);
        PostureFacts given = facts(&status);

        check(&given, POSTURE_ENFORCING_PARTLY, "hook file_open can only record, not deny");
}

static void test_a_hook_in_audit_mode_enforces_partly(void)
{
        HookStatus status = hook(1, 1, GUARANTEE_DENY);
        PostureFacts given = facts(&status);

        status.mode = MODE_AUDIT;
        check(&given, POSTURE_ENFORCING_PARTLY,
              "hook file_open is in audit mode: it records and does not deny");
        status.required = 0;
        check(&given, POSTURE_ENFORCING, NULL);
}

static void test_audit_mode_is_said(void)
{
        HookStatus status = hook(1, 1, GUARANTEE_DENY);
        PostureFacts given = facts(&status);

        given.mode = MODE_AUDIT;
        check(&given, POSTURE_AUDIT, "audit mode: verdicts are recorded, nothing is denied");
}

static void test_without_a_tier_all_is_degraded_whatever_the_mode(void)
{
        HookStatus status = hook(0, 0, GUARANTEE_NONE);
        PostureFacts given = facts(&status);
        PostureReport report;

        given.tier = TIER_NONE;
        given.missing = "bpf is not in the LSM list";
        check(&given, POSTURE_DEGRADED,
              "this kernel offers no way to enforce: bpf is not in the LSM list");
        given.mode = MODE_AUDIT;
        g_assert_cmpint(posture_judge(&given, &report), ==, 0);
        g_assert_cmpint(report.posture, ==, POSTURE_DEGRADED);
        posture_report_deinit(&report);
}

static void test_a_service_that_does_not_protect_itself_says_so(void)
{
        HookStatus status = hook(1, 1, GUARANTEE_DENY);
        PostureFacts given = facts(&status);

        given.unguarded = "it is switched off";
        check(&given, POSTURE_ENFORCING,
              "the service does not protect itself from root: it is switched off");
        status.required = 0; /* there is no policy to be guarded */
        check(&given, POSTURE_ENFORCING, NULL);
}

static void test_trouble_degrades_and_is_quoted(void)
{
        static const char *const trouble[] = {"the store is damaged", NULL};
        HookStatus status = hook(1, 1, GUARANTEE_DENY);
        PostureFacts given = facts(&status);

        given.trouble = trouble;
        check(&given, POSTURE_DEGRADED, "the store is damaged");
}

static void test_an_empty_machine_does_not_boast(void)
{
        HookStatus status = hook(0, 0, GUARANTEE_NONE);
        PostureFacts given = facts(&status);

        given.generation = 0;
        check(&given, POSTURE_ENFORCING, "no policy is in force: nothing is denied");
}

static void test_reasons_are_bounded(void)
{
        const char *trouble[POSTURE_REASONS_MAX + 8] = {NULL};
        HookStatus status = hook(1, 1, GUARANTEE_DENY);
        PostureFacts given = facts(&status);
        PostureReport report;

        for (size_t i = 0; i + 1 < G_N_ELEMENTS(trouble); i++)
                trouble[i] = "an allowance is not there";
        given.trouble = trouble;
        g_assert_cmpint(posture_judge(&given, &report), ==, 0);
        g_assert_cmpint(report.n_reasons, ==, POSTURE_REASONS_MAX);
        posture_report_deinit(&report);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/posture/all_that_is_needed_denies", test_all_that_is_needed_denies);
        g_test_add_func("/posture/an_emergency_is_worse_than_all_else",
                        test_an_emergency_is_worse_than_all_else);
        g_test_add_func("/posture/a_hook_that_is_needed_and_not_attached_degrades",
                        test_a_hook_that_is_needed_and_not_attached_degrades);
        g_test_add_func("/posture/a_hook_that_nothing_needs_does_not_count",
                        test_a_hook_that_nothing_needs_does_not_count);
        g_test_add_func("/posture/a_hook_that_only_records_enforces_partly",
                        test_a_hook_that_only_records_enforces_partly);
        g_test_add_func("/posture/a_hook_in_audit_mode_enforces_partly",
                        test_a_hook_in_audit_mode_enforces_partly);
        g_test_add_func("/posture/audit_mode_is_said", test_audit_mode_is_said);
        g_test_add_func("/posture/without_a_tier_all_is_degraded_whatever_the_mode",
                        test_without_a_tier_all_is_degraded_whatever_the_mode);
        g_test_add_func("/posture/a_service_that_does_not_protect_itself_says_so",
                        test_a_service_that_does_not_protect_itself_says_so);
        g_test_add_func("/posture/trouble_degrades_and_is_quoted",
                        test_trouble_degrades_and_is_quoted);
        g_test_add_func("/posture/an_empty_machine_does_not_boast",
                        test_an_empty_machine_does_not_boast);
        g_test_add_func("/posture/reasons_are_bounded", test_reasons_are_bounded);
        return g_test_run();
}
