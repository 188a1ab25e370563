/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trial: see trial.h; and what an enforcement does about one. */
#include "transaction/trial.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "transaction/internal.h"
#include "util/file.h"
#include "util/log.h"

#define FILE_NAME "trial"
#define LINE_SIZE 512u
#define RETRY_USEC (10u * 1000000u)

/* ---- the file ---- */

static int parse(const char *line, Trial *ret_trial)
{
        char hex[DIGEST_HEX_SIZE];
        Trial trial = {};
        size_t n_read;
        int n = 0;

        if (sscanf(line, "1 %" SCNu64 " %" SCNu64 " %64s %n", &trial.generation, &trial.from, hex,
                   &n) != 3 ||
            trial.generation == 0 || digest_parse(hex, trial.digest) < 0 ||
            deadline_parse(line + n, &trial.end, &n_read) < 0 ||
            strcmp(line + n + n_read, "\n") != 0)
                return -EINVAL;
        *ret_trial = trial;
        return 0;
}

void trial_read(Trial *trial, int directory)
{
        _cleanup_(freep) char *line = NULL;
        size_t n = 0;
        int r = file_read(directory, FILE_NAME, LINE_SIZE, &line, &n);

        if (r == 0)
                r = parse(line, trial);
        if (r < 0 && r != -ENOENT)
                log_errno(r, "What the file %s says of a trial is not to be understood", FILE_NAME);
}

int trial_write(const Trial *trial, int directory)
{
        char end[DEADLINE_TEXT_SIZE], hex[DIGEST_HEX_SIZE], line[LINE_SIZE];
        int n, r;

        deadline_format(&trial->end, end);
        digest_format(trial->digest, hex);
        n = snprintf(line, sizeof(line), "1 %" PRIu64 " %" PRIu64 " %s %s\n", trial->generation,
                     trial->from, hex, end);
        r = file_replace(directory, FILE_NAME, line, (size_t) n);
        return r < 0 ? log_errno(r, "The file %s cannot be written", FILE_NAME) : 0;
}

void trial_end(Trial *trial, int directory)
{
        int r = file_remove(directory, FILE_NAME);

        *trial = (Trial){};
        if (r < 0)
                log_errno(r, "The end of a trial may not be on disk");
}

/* ---- what the enforcement does ---- */

static int directory_of(const Enforcement *enforcement)
{
        return store_directory(enforcement->store);
}

static int is_kept(const Enforcement *enforcement, uint64_t generation)
{
        for (size_t i = 0; i < enforcement_n_kept(enforcement); i++)
                if (enforcement_kept(enforcement, i).generation == generation)
                        return 1;
        return 0;
}

int enforcement_begin_trial(Enforcement *enforcement, const Plan *plan, uint64_t generation)
{
        Trial trial = {.generation = generation, .from = enforcement->generation};
        int r;

        if (trial.from != 0 && !is_kept(enforcement, trial.from))
                return TRANSACTION_E_NO_SUCH_GENERATION;
        memcpy(trial.digest, plan->digest, DIGEST_SIZE);
        r = deadline_set(&trial.end, plan->confirm_usec);
        if (r < 0)
                return log_errno(r, "A trial cannot be set up");
        r = trial_write(&trial, directory_of(enforcement));
        if (r < 0)
                return r;
        enforcement->trial = trial;
        generations_pin(enforcement->generations, trial.from);
        return 0;
}

void enforcement_end_trial(Enforcement *enforcement)
{
        if (enforcement->trial.generation == 0)
                return;
        trial_end(&enforcement->trial, directory_of(enforcement));
        generations_pin(enforcement->generations, 0);
        trouble_clear(&enforcement->trouble, TROUBLE_TRIAL);
}

void enforcement_find_trial(Enforcement *enforcement)
{
        Trial *trial = &enforcement->trial;

        trial_read(trial, directory_of(enforcement));
        if (trial->generation == 0)
                return;
        if (memcmp(trial->digest, enforcement->digest, DIGEST_SIZE) != 0) {
                enforcement_end_trial(enforcement);
                return;
        }
        generations_pin(enforcement->generations, trial->from);
        log_notice("Generation %" PRIu64 " is on trial", trial->generation);
}

int enforcement_trial(const Enforcement *enforcement, TrialStatus *ret_trial)
{
        const Trial *trial = &enforcement->trial;

        *ret_trial = (TrialStatus){.generation = trial->generation,
                                   .from = trial->from,
                                   .until_usec = trial->end.ends_usec};
        return trial->generation != 0;
}

int enforcement_confirm(Enforcement *enforcement, uint64_t generation)
{
        uint64_t on_trial = enforcement->trial.generation;

        if (on_trial == 0 || (generation != EXPECT_ANY && generation != on_trial))
                return TRANSACTION_E_NO_TRIAL;
        log_notice("Generation %" PRIu64 " is confirmed", on_trial);
        enforcement_end_trial(enforcement);
        enforcement_tell(enforcement, ENFORCEMENT_DOCUMENTS);
        return 0;
}

static int plan_return(Enforcement *enforcement, Plan **ret_plan)
{
        if (enforcement->trial.from == 0)
                return enforcement_plan_nothing(enforcement, ret_plan);
        return enforcement_plan_return(enforcement, enforcement->trial.from, ret_plan);
}

/* It is wanted as it was before, whoever asked for what meanwhile. */
static int go_back(Enforcement *enforcement)
{
        _cleanup_(plan_freep) Plan *plan = NULL;
        uint64_t generation = 0;
        int r = plan_return(enforcement, &plan);

        if (r != 0)
                return r;
        log_notice("Generation %" PRIu64 " was not confirmed: going back to %s",
                   enforcement->trial.generation, plan->name);
        enforcement->own_deed = (OwnDeed){.what = "Revert", .name = plan->name};
        r = enforcement_commit(enforcement, plan, EXPECT_ANY, &generation);
        enforcement->own_deed = (OwnDeed){};
        return r;
}

static void end_unconfirmed(Enforcement *enforcement)
{
        Trial *trial = &enforcement->trial;
        int r = go_back(enforcement);

        if (r == 0) {
                enforcement_end_trial(enforcement);
                return;
        }
        trial->retry_usec = deadline_boot_usec() + RETRY_USEC;
        trouble_add(&enforcement->trouble, TROUBLE_TRIAL,
                    "Generation %llu was not confirmed, and going back to generation %llu failed; "
                    "it is tried again",
                    (unsigned long long) trial->generation, (unsigned long long) trial->from);
        enforcement_tell(enforcement, ENFORCEMENT_DOCUMENTS);
}

OwnDeed enforcement_own_deed(const Enforcement *enforcement)
{
        return enforcement->own_deed;
}

static uint64_t end_of_trial(const Enforcement *enforcement)
{
        const Trial *trial = &enforcement->trial;
        uint64_t end;

        if (trial->generation == 0 || enforcement->released)
                return UINT64_MAX;
        end = deadline_boot_usec() + deadline_left(&trial->end);
        return end > trial->retry_usec ? end : trial->retry_usec;
}

static uint64_t end_of_emergency(const Enforcement *enforcement)
{
        return enforcement->emergency.is_on
                       ? deadline_boot_usec() + deadline_left(&enforcement->emergency.end)
                       : UINT64_MAX;
}

uint64_t enforcement_next_end(const Enforcement *enforcement)
{
        uint64_t trial = end_of_trial(enforcement), emergency = end_of_emergency(enforcement);

        return trial < emergency ? trial : emergency;
}

void enforcement_end_what_is_over(Enforcement *enforcement)
{
        if (end_of_emergency(enforcement) <= deadline_boot_usec())
                enforcement_emergency_stop(enforcement);
        if (end_of_trial(enforcement) <= deadline_boot_usec())
                end_unconfirmed(enforcement);
}
