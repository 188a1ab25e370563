/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory short: each allocation in turn is refused to lint, fmt, convert and diff, and the call
 * reports it. The linker puts these functions in the place of libc's (see meson.build). */
#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "convert.h"
#include "difference.h"
#include "format.h"
#include "policy/lint.h"
#include "policy/plain.h"

/* The allocation to refuse, counted from 1; 0 for none. */
static unsigned refused, n_allocations;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t n);

static int refuse(void)
{
        if (++n_allocations != refused)
                return 0;
        errno = ENOMEM;
        return 1;
}

void *__wrap_malloc(size_t n)
{
        return refuse() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
        return refuse() ? NULL : __real_calloc(n, size);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
        return refuse() ? NULL : __real_reallocarray(p, n, size);
}

char *__wrap_strdup(const char *text)
{
        return refuse() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t n)
{
        return refuse() ? NULL : __real_strndup(text, n);
}

static const char older[] =
        "# top\nversion=6\n[deny_path]\n# a\n/etc\n/srv/a "
        "b\n[protect_path]\n/p\n[scan_paths]\n/usr\n"
        "[deny_port]\n22:tcp\n[allow_cgroup]\n/c\n[cgroup_deny_ip]\n/c/x.servce 10.0.0.1\n# end";
static const char newer[] =
        "version=7\nname=x # it\n[deny]\nfile:/etc/ uid=0 # all\nfile:/*/b/\nnet:*\n[allow]\n"
        "file:/a\nfile:/a cgroup=/c\ncgroup:/c\n[default]\nexec=deny map=deny\n";

typedef struct Sample {
        Policy *older, *newer;
} Sample;

/* Each does its work once, and returns what it returned. */
typedef int (*Work)(const Sample *sample);

static int lint(const Sample *sample)
{
        const Resolver resolver = plain_resolver();
        const Document documents[] = {
                {.name = "a", .text = older, .n_text = strlen(older), .policy = sample->older},
                {.name = "b", .text = newer, .n_text = strlen(newer), .policy = sample->newer},
        };
        Diagnostics diagnostics[2] = {};
        int r = policy_lint(documents, 2, &resolver, diagnostics);

        /* A remark that is lost is counted. */
        for (size_t i = 0; i < 2; i++) {
                if (r == 0 && diagnostics[i].n_dropped > 0)
                        r = -ENOMEM;
                diagnostics_deinit(&diagnostics[i]);
        }
        return r;
}

static int format(const Sample *sample)
{
        char *text = NULL;
        int r = format_document(&text, newer, strlen(newer), sample->newer);

        g_assert_true((r == 0) == (text != NULL));
        free(text);
        return r;
}

static int convert(const Sample *sample)
{
        char *text = NULL;
        int r = convert_document(&text, older, strlen(older), sample->older);

        g_assert_true((r == 0) == (text != NULL));
        free(text);
        return r;
}

static int diff(const Sample *sample)
{
        Changes changes = {};
        int r = changes_find(&changes, sample->older, sample->newer);

        changes_deinit(&changes);
        return r;
}

static Policy *parse(const char *text)
{
        Diagnostics diagnostics = {};
        Policy *policy = NULL;

        g_assert_cmpint(policy_parse(&policy, text, strlen(text), &diagnostics), ==, 0);
        diagnostics_deinit(&diagnostics);
        return policy;
}

/* The last turn is the one in which nothing is left to refuse. Where a warning of the parser is
 * lost, nothing else need be. */
static void test_what_finds_no_memory_says_so(const void *work)
{
        const Sample sample = {parse(older), parse(newer)};
        unsigned n_failed = 0;
        int r = -ENOMEM;

        for (unsigned i = 1; r != 0 || n_allocations >= i; i++) {
                n_allocations = 0;
                refused = i;
                r = ((Work) work)(&sample);
                refused = 0;
                g_assert_true(r == 0 || r == -ENOMEM);
                n_failed += r != 0;
        }
        g_assert_cmpuint(n_failed, >, 2);
        policy_unref(sample.older);
        policy_unref(sample.newer);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
#define ADD(work)                                                                                  \
        g_test_add_data_func("/policy-tool/memory/" #work "_says_that_it_found_none",              \
                             (const void *) (work), test_what_finds_no_memory_says_so)
        ADD(lint);
        ADD(format);
        ADD(convert);
        ADD(diff);
        return g_test_run();
}
