/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Injection: see injection.h. strace counts only calls about the paths that it is given: so it does
 * not matter how often the twin looks at its files. */
#include "injection.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/array.h"

#define STRACE "/usr/bin/strace"
#define ALL_CALLS "trace=%file,%desc"
#define LOG "/run/lab/strace.%u"

struct Injection {
        GHashTable *paths;
        unsigned n_runs;
        char *log; /* of the last run */
        GPid strace;
        int told; /* what it says itself */
};

void call_free(Call *call)
{
        g_free(call->name);
        g_free(call->line);
        g_free(call);
}

Injection *injection_new(void)
{
        Injection *injection = g_new0(Injection, 1);

        injection->paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        return injection;
}

void injection_free(Injection *injection)
{
        g_hash_table_unref(injection->paths);
        if (injection->log)
                unlink(injection->log);
        g_free(injection->log);
        g_free(injection);
}

const char *injection_why_not(void)
{
        const char *const argv[] = {STRACE, "-D", "-P", "/", "-e", "inject=getpid:error=ENOSYS",
                                    "true", NULL};
        int status = 1;

        if (g_spawn_sync(NULL, (char **) argv, NULL,
                         G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL |
                                 G_SPAWN_STDOUT_TO_DEV_NULL,
                         NULL, NULL, NULL, NULL, &status, NULL) &&
            status == 0)
                return NULL;
        return "strace is not there, or may not be used";
}

/* ---- what was told ---- */

static GStrv read_lines(const Injection *injection, const char *beginning)
{
        g_autofree char *text = NULL;
        const char *start;

        g_assert_true(g_file_get_contents(injection->log, &text, NULL, NULL));
        start = beginning ? strstr(text, beginning) : text;
        g_assert_nonnull(start);
        while (start > text && start[-1] != '\n')
                start--;
        return g_strsplit(start, "\n", -1);
}

static int is_ours(const char *path)
{
        static const char *const others[] = {LAB_PINS, "/run/lab/aegisd.log", "/dev/null"};

        for (size_t i = 0; i < ELEMENTS_OF(others); i++)
                if (g_str_has_prefix(path, others[i]))
                        return 0;
        return path[0] == '/';
}

/* "/path" and </path> */
static void learn_line(Injection *injection, const char *line)
{
        g_autoptr(GRegex) path = g_regex_new("[\"<](/[^\">]*)[\">]", 0, 0, NULL);
        g_autoptr(GMatchInfo) match = NULL;

        for (g_regex_match(path, line, 0, &match); g_match_info_matches(match);
             g_match_info_next(match, NULL)) {
                char *found = g_match_info_fetch(match, 1);

                if (is_ours(found))
                        g_hash_table_add(injection->paths, found);
                else
                        g_free(found);
        }
}

void injection_learn(Injection *injection, const char *beginning)
{
        g_auto(GStrv) lines = read_lines(injection, beginning);

        for (char **line = lines; *line; line++)
                learn_line(injection, *line);
}

GPtrArray *injection_calls(const Injection *injection, const char *beginning)
{
        g_auto(GStrv) lines = read_lines(injection, NULL);
        g_autoptr(GHashTable) counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        GPtrArray *calls = g_ptr_array_new_with_free_func((GDestroyNotify) call_free);
        int has_begun = !beginning;

        for (char **line = lines; *line; line++) {
                const char *bracket = strchr(*line, '(');
                g_autofree char *name =
                        bracket ? g_strndup(*line, (gsize) (bracket - *line)) : NULL;
                Call *call;
                unsigned n;

                if (!name || !g_ascii_islower(name[0]))
                        continue; /* a signal, or the end */
                n = GPOINTER_TO_UINT(g_hash_table_lookup(counts, name)) + 1;
                g_hash_table_insert(counts, g_strdup(name), GUINT_TO_POINTER(n));
                has_begun |= beginning && strstr(*line, beginning) != NULL;
                if (!has_begun)
                        continue;
                call = g_new0(Call, 1);
                *call = (Call){.name = g_steal_pointer(&name), .line = g_strdup(*line), .n = n};
                g_ptr_array_add(calls, call);
        }
        return calls;
}

int injection_was_met(const Injection *injection)
{
        g_autofree char *text = NULL;

        return g_file_get_contents(injection->log, &text, NULL, NULL) &&
               (strstr(text, "(INJECTED)") || strstr(text, "killed by SIGKILL"));
}

/* ---- runs ---- */

static void next_log(Injection *injection)
{
        if (injection->log)
                unlink(injection->log);
        g_free(injection->log);
        injection->log = g_strdup_printf(LOG, injection->n_runs++);
}

/* option and value: whom to follow. */
static GStrv words(Injection *injection, const char *fault, const char *option, const char *value)
{
        g_autoptr(GStrvBuilder) all = g_strv_builder_new();
        g_autofree char *inject =
                g_strdup_printf("inject=%s", fault ? fault : "vserver:error=ENOSYS");
        GHashTableIter i;
        void *path;

        next_log(injection);
        g_strv_builder_add_many(all, STRACE, "-y", "-o", injection->log, "-e", ALL_CALLS, "-e",
                                inject, NULL);
        g_hash_table_iter_init(&i, injection->paths);
        while (g_hash_table_iter_next(&i, &path, NULL))
                g_strv_builder_add_many(all, "-P", path, NULL);
        g_strv_builder_add_many(all, option, value, NULL);
        return g_strv_builder_end(all);
}

/* -D: what it follows is our child, and not its own. */
GStrv injection_tracer(Injection *injection, const char *fault)
{
        return words(injection, fault, "-D", NULL);
}

static void wait_until_attached(int fd)
{
        g_autoptr(GString) told = g_string_new(NULL);
        char byte;

        while (!strstr(told->str, "attached\n")) {
                if (read(fd, &byte, 1) != 1)
                        g_error("strace: %s", told->str);
                g_string_append_c(told, byte);
        }
}

void injection_attach(Injection *injection, const Lab *lab, const char *fault)
{
        g_autofree char *pid = g_strdup_printf("%d", (int) lab->aegisd);
        g_auto(GStrv) argv = words(injection, fault, "-p", pid);

        g_assert_true(g_spawn_async_with_pipes(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL,
                                               NULL, &injection->strace, NULL, NULL,
                                               &injection->told, NULL));
        wait_until_attached(injection->told);
}

void injection_await_end(Injection *injection)
{
        g_assert_cmpint(waitpid(injection->strace, NULL, 0), ==, injection->strace);
        close(injection->told);
}

void injection_detach(Injection *injection)
{
        g_assert_cmpint(kill(injection->strace, SIGTERM), ==, 0);
        injection_await_end(injection);
}
