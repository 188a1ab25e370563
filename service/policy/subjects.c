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
        size_t n = strlen(options->exe);
        _cleanup_(freep) char *key = malloc(n + 2);

        if (!key)
                return -ENOMEM;
        memcpy(key, options->exe, n);
        key[n] = options->exe_below ? '/' : '\0';
        return pool_add(&compiler->exes, key, n + 1, ret_exe);
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
        numbered->n_conditions = (uint32_t) __builtin_popcount(options->subject) & 31;
        return pool_add(&compiler->subjects, &subject, 1, &numbered->subject);
}

int subjects_add(Compiler *compiler, uint32_t number)
{
        NumberedRule *numbered = &compiler->rules[number], *before = numbered - 1;

        if (numbered->rule->options->subject == 0)
                return 0;
        /* The rules of one entry follow each other. */
        if (number > 1 && !before->has_expired &&
            before->rule->options == numbered->rule->options) {
                numbered->subject = before->subject;
                numbered->n_conditions = before->n_conditions;
                return 0;
        }
        return find_subject(compiler, number);
}

/* ---- programs ---- */

static uint32_t exe_of(const Compiler *compiler, uint32_t number)
{
        const NumberedRule *numbered = &compiler->rules[number];
        const struct subject *subjects = compiler->subjects.items;

        return numbered->has_expired ? 0 : subjects[numbered->subject].exe;
}

/* Takes down the use of each program that a rule names; adds the names of one that had no use. */
static int note_uses(Compiler *compiler, const uint8_t *was_used, uint8_t *is_used)
{
        compiler->n_exes_used = 0;
        for (size_t i = 0; i < compiler->in_order.n; i++) {
                uint32_t number = compiler->in_order.items[i], exe = exe_of(compiler, number);
                int r;

                if (exe == 0 || is_used[exe])
                        continue;
                is_used[exe] = 1;
                compiler->n_exes_used++;
                if (exe < compiler->n_exes && was_used[exe])
                        continue;
                r = files_add_exe(compiler, number, exe);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void forget_unused(Compiler *compiler, const uint8_t *is_used)
{
        Names *names = &compiler->names;

        for (size_t i = 0; i < names->n_sorted; i++)
                if (names->items[i].is_exe && !is_used[names->items[i].number])
                        names->items[i].is_gone = 1;
}

int exes_find(Compiler *compiler)
{
        size_t n = compiler->exes.n_runs;
        uint8_t *is_used;
        int r;

        if (!compiler->exes_changed && compiler->exe_is_used)
                return 0;
        is_used = calloc(n, sizeof(*is_used));
        if (!is_used)
                return -ENOMEM;
        r = note_uses(compiler, compiler->exe_is_used, is_used);
        forget_unused(compiler, is_used);
        free(compiler->exe_is_used);
        compiler->exe_is_used = is_used;
        compiler->n_exes = n;
        return r;
}
