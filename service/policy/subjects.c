/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Subjects: whom rules are about. Equal ones are one; each program that is named has a number. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/compile.h"

/* The same path means another set of programs if all that is below it is meant. */
static int exe_number(Compiler *compiler, uint32_t number, uint32_t *ret_exe)
{
        const RuleOptions *options = compiler->rules[number].rule->options;
        size_t n = strlen(options->exe), n_before = compiler->exes.n_runs;
        _cleanup_(freep) char *key = malloc(n + 2);
        int r;

        if (!key)
                return -ENOMEM;
        memcpy(key, options->exe, n);
        key[n] = options->exe_below ? '/' : '\0';
        r = pool_add(&compiler->exes, key, n + 1, ret_exe);
        if (r < 0 || compiler->exes.n_runs == n_before)
                return r;
        return files_add_exe(compiler, number, *ret_exe);
}

static int find_subject(Compiler *compiler, uint32_t number)
{
        NumberedRule *numbered = &compiler->rules[number];
        const RuleOptions *options = numbered->rule->options;
        struct subject subject = {.flags = options->subject};
        int r;

        if (options->subject & SUBJECT_UID)
                subject.uid = options->uid;
        if (options->subject & SUBJECT_GID)
                subject.gid = options->gid;
        if (options->subject & SUBJECT_CGROUP) {
                r = cgroups_add_subject(compiler, number, &subject.cgroup);
                if (r < 0)
                        return r;
        }
        if (options->subject & SUBJECT_EXE) {
                r = exe_number(compiler, number, &subject.exe);
                if (r < 0)
                        return r;
        }
        numbered->n_conditions = (uint32_t) __builtin_popcount(options->subject);
        return pool_add(&compiler->subjects, &subject, 1, &numbered->subject);
}

int subjects_add(Compiler *compiler, uint32_t number)
{
        NumberedRule *numbered = &compiler->rules[number], *before = numbered - 1;

        if (numbered->rule->options->subject == 0)
                return 0;
        /* The rules of one entry follow each other. */
        if (number > 1 && before->rule->options == numbered->rule->options) {
                numbered->subject = before->subject;
                numbered->n_conditions = before->n_conditions;
                return 0;
        }
        return find_subject(compiler, number);
}
