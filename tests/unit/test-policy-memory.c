/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory short: each allocation of the policy layer in turn is refused, and the call reports it.
 * The linker puts these functions in the place of libc's (see meson.build). */
#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "policy/image.h"

/* The allocation to refuse, counted from 1; 0 for none. */
static unsigned refused, n_allocations;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
char *__wrap_strdup(const char *text);

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

static const char text[] =
        "version=1\n[deny_path]\n/a/b\n/a/b/\n/a/b\n/linked\n/a/c/d/e/f/g/h/i/j/k\n"
        "[deny_inode]\n1:2\n[deny_cidr]\n10.1.2.3/8\n[allow_cgroup]\n/c\n/none\n";

static int locate(void *userdata, const char *path, Location *ret_location)
{
        *ret_location = (Location){
                .name = {1, strdup(path)},
                .exists = 1,
                .n_links = strcmp(path, "/linked") == 0 ? 2 : 1,
                .inode = 3,
                .device = 1,
        };
        return ret_location->name.path ? 0 : -ENOMEM;
}

static int find_cgroup(void *userdata, const char *path, uint64_t *ret_id)
{
        if (strcmp(path, "/none") == 0)
                return -ENOENT;
        *ret_id = 7;
        return 0;
}

static int parse_and_compile(Diagnostics *diagnostics, PolicyImage **ret_image)
{
        static const Resolver resolver = {locate, find_cgroup, NULL};
        Document document = {.name = "doc", .text = text, .n_text = sizeof(text) - 1};
        int r;

        r = policy_parse(&document.policy, text, sizeof(text) - 1, diagnostics);
        if (r == 0)
                r = policy_image_compile(ret_image, &document, 1, &resolver, diagnostics);
        policy_unref(document.policy);
        return r;
}

static void test_every_refused_allocation_is_reported(void)
{
        unsigned n_reported = 0, n_dropped = 0, n;

        for (n = 1;; n++) {
                Diagnostics diagnostics = {};
                PolicyImage *image = NULL;
                int r;

                n_allocations = 0;
                refused = n;
                r = parse_and_compile(&diagnostics, &image);
                refused = 0;
                g_assert_true(r == 0 || r == -ENOMEM);
                g_assert_true((r == 0) == (image != NULL));
                policy_image_free(image);
                n_reported += r == -ENOMEM;
                n_dropped += diagnostics.n_dropped > 0;
                diagnostics_deinit(&diagnostics);
                if (n_allocations < n)
                        break;
        }
        /* A warning that found no memory is counted; anything else ends the call. */
        g_assert_cmpuint(n_reported + n_dropped, ==, n - 1);
        g_assert_cmpuint(n_reported, >, 20);
        g_assert_cmpuint(n_dropped, >, 0);
}

static void test_a_fault_without_memory_still_refuses_the_document(void)
{
        static const char faulty[] = "version=1\n[deny_ip]\nx\n";
        Diagnostics diagnostics = {};
        Policy *policy = NULL;

        for (unsigned n = 1; n < 10; n++) {
                int r;

                n_allocations = 0;
                refused = n;
                r = policy_parse(&policy, faulty, sizeof(faulty) - 1, &diagnostics);
                refused = 0;
                g_assert_true(r == POLICY_E_SYNTAX || r == -ENOMEM);
                g_assert_true(r != POLICY_E_SYNTAX || diagnostics.n_faults == 1);
                g_assert_null(policy);
                diagnostics_deinit(&diagnostics);
        }
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/policy/memory/test_every_refused_allocation_is_reported",
                        test_every_refused_allocation_is_reported);
        g_test_add_func("/policy/memory/test_a_fault_without_memory_still_refuses_the_document",
                        test_a_fault_without_memory_still_refuses_the_document);
        return g_test_run();
}
