/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ClientLab: see client-lab.h. */
#include "client-lab.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

void outcome_clear(Outcome *outcome)
{
        g_clear_pointer(&outcome->out, g_free);
        g_clear_pointer(&outcome->err, g_free);
}

void put(const char *path, const char *text)
{
        g_assert_true(g_file_set_contents(path, text, -1, NULL));
        g_assert_cmpint(g_chmod(path, 0644), ==, 0);
}

void become(void *uid)
{
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (setresgid(GPOINTER_TO_UINT(uid), GPOINTER_TO_UINT(uid), GPOINTER_TO_UINT(uid)) < 0 ||
            setresuid(GPOINTER_TO_UINT(uid), GPOINTER_TO_UINT(uid), GPOINTER_TO_UINT(uid)) < 0)
                _exit(126);
}

/* The program's own path may hold blanks. */
GStrv client_words(const char *arguments)
{
        g_autofree char *line = g_strconcat("client ", arguments, NULL);
        GStrv words = g_strsplit(line, " ", -1);

        g_free(words[0]);
        words[0] = g_strdup(CLIENT_PROGRAM);
        return words;
}

void run_freely_as(uid_t uid, const char *arguments, Outcome *ret_outcome)
{
        g_auto(GStrv) words = client_words(arguments);
        int wait_status;

        outcome_clear(ret_outcome);
        g_assert_true(g_spawn_sync("/", words, NULL, 0, become, GUINT_TO_POINTER(uid),
                                   &ret_outcome->out, &ret_outcome->err, &wait_status, NULL));
        g_assert_true(WIFEXITED(wait_status));
        ret_outcome->status = WEXITSTATUS(wait_status);
}

void run_as(uid_t uid, const char *arguments, int status, Outcome *ret_outcome)
{
        run_freely_as(uid, arguments, ret_outcome);
        if (ret_outcome->status != status)
                g_printerr("%s\n%s%s", arguments, ret_outcome->out, ret_outcome->err);
        g_assert_cmpint(ret_outcome->status, ==, status);
}

void run(const char *arguments, int status, Outcome *ret_outcome)
{
        run_as(0, arguments, status, ret_outcome);
}

void expect_in(const char *text, const char *part)
{
        if (!strstr(text, part))
                g_error("\"%s\" is not in \"%s\"", part, text);
}

void client_wait_emitted(const char *n)
{
        g_autofree char *wanted = g_strdup_printf("\"emitted\":%s,", n);
        gint64 end = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
        g_auto(Outcome) outcome = {0};

        do
                run("status --json", 0, &outcome);
        while (!strstr(outcome.out, wanted) && g_get_monotonic_time() < end);
        expect_in(outcome.out, wanted);
}
