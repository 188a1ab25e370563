/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Posture: see posture.h. */
#include "bus/posture.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/text.h"

#define REASON_MAX 512u

const char *posture_to_string(Posture posture)
{
        switch (posture) {
        case POSTURE_ENFORCING:
                return "enforcing";
        case POSTURE_ENFORCING_PARTLY:
                return "enforcing-partly";
        case POSTURE_AUDIT:
                return "audit";
        case POSTURE_DEGRADED:
                return "degraded";
        case POSTURE_EMERGENCY:
                return "emergency";
        }
        return "degraded";
}

__attribute__((format(printf, 2, 3))) static int give(PostureReport *report, const char *format,
                                                      ...)
{
        char text[REASON_MAX];
        va_list arguments;
        char *reason;

        if (report->n_reasons == POSTURE_REASONS_MAX)
                return 0;
        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        reason = text_valid(text, REASON_MAX);
        if (!reason)
                return -ENOMEM;
        report->reasons[report->n_reasons++] = reason;
        return 0;
}

static void worsen(PostureReport *report, Posture posture)
{
        if (posture > report->posture)
                report->posture = posture;
}

static int judge_tier(const PostureFacts *facts, PostureReport *report)
{
        if (facts->tier != TIER_NONE)
                return 0;
        worsen(report, POSTURE_DEGRADED);
        if (facts->missing[0] == '\0')
                return give(report, "this kernel offers no way to enforce");
        return give(report, "this kernel offers no way to enforce: %s", facts->missing);
}

static int judge_hook(const HookStatus *hook, PostureReport *report)
{
        if (!hook->required)
                return 0;
        if (!hook->attached) {
                worsen(report, POSTURE_DEGRADED);
                return give(report, "hook %s is needed and not attached: %s", hook->name,
                            hook->reason);
        }
        if (hook->mode == MODE_AUDIT) {
                worsen(report, POSTURE_ENFORCING_PARTLY);
                return give(report, "hook %s is in audit mode: it records and does not deny",
                            hook->name);
        }
        if (hook->guarantee == GUARANTEE_DENY)
                return 0;
        worsen(report, POSTURE_ENFORCING_PARTLY);
        return give(report, "hook %s can only record, not deny", hook->name);
}

static int judge_mode(const PostureFacts *facts, PostureReport *report)
{
        if (facts->mode == MODE_AUDIT) {
                worsen(report, POSTURE_AUDIT);
                return give(report, "audit mode: verdicts are recorded, nothing is denied");
        }
        if (facts->generation == 0)
                return give(report, "no policy is in force: nothing is denied");
        return 0;
}

/* What is enforced is enforced all the same, so that the posture is what it is. */
static int judge_guard(const PostureFacts *facts, PostureReport *report)
{
        int is_needed = 0;

        for (size_t i = 0; i < facts->n_hooks; i++)
                is_needed |= facts->hooks[i].required;
        if (!is_needed || facts->unguarded[0] == '\0')
                return 0;
        return give(report, "the service does not protect itself from root: %s", facts->unguarded);
}

static int judge_emergency(const PostureFacts *facts, PostureReport *report)
{
        if (!facts->emergency)
                return 0;
        worsen(report, POSTURE_EMERGENCY);
        return give(report, "emergency: verdicts are recorded, nothing is denied: %s",
                    facts->emergency);
}

static int judge(const PostureFacts *facts, PostureReport *report)
{
        int r = judge_emergency(facts, report);

        if (r >= 0)
                r = judge_tier(facts, report);
        for (size_t i = 0; r >= 0 && i < facts->n_hooks; i++)
                r = judge_hook(&facts->hooks[i], report);
        for (const char *const *t = facts->trouble; r >= 0 && t && *t; t++) {
                worsen(report, POSTURE_DEGRADED);
                r = give(report, "%s", *t);
        }
        if (r >= 0)
                r = judge_mode(facts, report);
        return r < 0 ? r : judge_guard(facts, report);
}

int posture_judge(const PostureFacts *facts, PostureReport *ret_report)
{
        PostureReport report = {.posture = POSTURE_ENFORCING};
        int r;

        report.reasons = calloc(POSTURE_REASONS_MAX + 1, sizeof(*report.reasons));
        if (!report.reasons)
                return -ENOMEM;
        r = judge(facts, &report);
        if (r < 0) {
                posture_report_deinit(&report);
                return r;
        }
        *ret_report = report;
        return 0;
}

int posture_report_equal(const PostureReport *a, const PostureReport *b)
{
        if (a->posture != b->posture || a->n_reasons != b->n_reasons)
                return 0;
        for (size_t i = 0; i < a->n_reasons; i++)
                if (strcmp(a->reasons[i], b->reasons[i]) != 0)
                        return 0;
        return 1;
}

void posture_report_deinit(PostureReport *report)
{
        for (size_t i = 0; i < report->n_reasons; i++)
                free(report->reasons[i]);
        free(report->reasons);
        *report = (PostureReport){0};
}
