/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory short: each allocation of the policy layer in turn is refused, and the call reports it.
 * The linker puts these functions in the place of libc's (see meson.build). */
#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compilation.h"

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

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* In the order of their names. */
static const char *const texts[] = {
        "version=6\n[deny_path]\n/a/b\n/a/b/\n/a/b\n/linked\n/a/c/d/e/f/g/h/i/j/k\n"
        "[deny_inode]\n1:2\n[deny_cidr]\n10.1.2.3/8\n[allow_cgroup]\n/c\n/none\n"
        "[protect_path]\n/a/b/c\n/p\n[protect_connect]\n[deny_comm]\nx\n[deny_bpf]\n"
        "[trusted_exec_hash]\n" DIGEST "\n[cgroup_deny_port]\n/c 80\n",
        "version=7\n[deny]\nfile:/a/*/c/ exe=/usr/bin/ uid=3 why=\"a b\" id=x\n"
        "net:connect:*:80-90/tcp cgroup=x.service ttl=1h\nexec:" DIGEST "\nkernel:ptrace gid=4\n"
        "[allow]\nexec:/usr/bin/ identity=verified\n[default]\nexec=deny uid=4\n",
};

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

static int has_cgroup(void *userdata, const char *path)
{
        return strcmp(path, "/none") != 0;
}

static int parse_and_compile(Diagnostics *diagnostics, PolicyImage **ret_image)
{
        static const Resolver resolver = {.locate = locate, .has_cgroup = has_cgroup};
        Document documents[G_N_ELEMENTS(texts)] = {{.name = "a"}, {.name = "b"}};
        int r = 0;

        for (size_t i = 0; i < G_N_ELEMENTS(texts) && r == 0; i++) {
                documents[i].text = texts[i];
                documents[i].n_text = strlen(texts[i]);
                r = policy_parse(&documents[i].policy, texts[i], strlen(texts[i]), &diagnostics[i]);
        }
        if (r == 0)
                r = policy_image_compile(ret_image, documents, G_N_ELEMENTS(texts), &resolver,
                                         diagnostics);
        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
                policy_unref(documents[i].policy);
        return r;
}

static void test_every_refused_allocation_is_reported(void)
{
        unsigned n_reported = 0, n_dropped = 0, n;

        for (n = 1;; n++) {
                Diagnostics diagnostics[G_N_ELEMENTS(texts)] = {};
                PolicyImage *image = NULL;
                int r;

                n_allocations = 0;
                refused = n;
                r = parse_and_compile(diagnostics, &image);
                refused = 0;
                g_assert_true(r == 0 || r == -ENOMEM);
                g_assert_true((r == 0) == (image != NULL));
                policy_image_free(image);
                n_reported += r == -ENOMEM;
                n_dropped += r == 0 && diagnostics[0].n_dropped + diagnostics[1].n_dropped > 0;
                for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
                        diagnostics_deinit(&diagnostics[i]);
                if (n_allocations < n)
                        break;
        }
        /* A warning that found no memory is counted; anything else ends the call. */
        g_assert_cmpuint(n_reported + n_dropped, ==, n - 1);
        g_assert_cmpuint(n_reported, >, 20);
        g_assert_cmpuint(n_dropped, >, 0);
}

/* ---- a change ---- */

static const Resolver resolver_of_changes = {.locate = locate, .has_cgroup = has_cgroup};

static const char *const changed[] = {
        "version=6\n[deny_path]\n/a/b\n/a/b/\n/a/b/x/y\n/linked\n/a/linked\n[deny_inode]\n1:2\n"
        "1:3\n[deny_cidr]\n10.1.2.3/8\n[allow_cgroup]\n/c\n/d\n[protect_path]\n/"
        "p\n[deny_comm]\ny\n",
        "version=7\n[deny]\nfile:/a/*/c/ exe=/usr/bin/ uid=3 why=\"a b\" id=x\n"
        "file:/a/*/d/ exe=/usr/sbin/ uid=4\nnet:connect:*:85-95/tcp cgroup=x.service ttl=1h\n"
        "[allow]\nexec:/usr/bin/ identity=verified\n[default]\nexec=deny uid=5\n",
};

static void parse_all(const char *const *all, Document *documents)
{
        static const char *const names[] = {"a", "b"};

        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
                Diagnostics diagnostics = {};

                documents[i] =
                        (Document){.name = names[i], .text = all[i], .n_text = strlen(all[i])};
                g_assert_cmpint(
                        policy_parse(&documents[i].policy, all[i], strlen(all[i]), &diagnostics),
                        ==, 0);
                diagnostics_deinit(&diagnostics);
        }
}

static int run(Compilation **compilation, const Document *documents, int ask_anew,
               PolicyImage **ret_image)
{
        const CompilationRequest request = {
                .documents = documents,
                .n_documents = G_N_ELEMENTS(texts),
                .resolver = &resolver_of_changes,
                .ask_anew = ask_anew,
        };
        Diagnostics diagnostics[G_N_ELEMENTS(texts)] = {};
        int r = compilation_run(compilation, &request, diagnostics, ret_image);

        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
                diagnostics_deinit(&diagnostics[i]);
        return r;
}

/* Refuses the n-th allocation of a change. Returns whether there was one to refuse. */
static int refuse_in_change(unsigned n, const Document *before, const Document *after, int ask_anew)
{
        Compilation *compilation = NULL, *other = NULL;
        PolicyImage *image = NULL, *amended = NULL, *whole = NULL;
        int r;

        g_assert_cmpint(run(&compilation, before, 0, &image), ==, 0);
        n_allocations = 0;
        refused = n;
        r = run(&compilation, after, ask_anew, &amended);
        refused = 0;
        g_assert_true(r == 0 || r == -ENOMEM);
        g_assert_true((r == 0) == (amended != NULL));
        g_assert_true((r == 0) == (compilation != NULL));
        /* What was made before is as it was. */
        g_assert_cmpint(run(&other, before, 0, &whole), ==, 0);
        g_assert_true(policy_image_decides_as(image, whole));
        policy_image_free(image);
        policy_image_free(amended);
        policy_image_free(whole);
        compilation_free(compilation);
        compilation_free(other);
        return n_allocations >= n;
}

static void test_every_refused_allocation_of_a_change_leaves_the_image_before(void)
{
        Document before[G_N_ELEMENTS(texts)], after[G_N_ELEMENTS(texts)];

        parse_all(texts, before);
        parse_all(changed, after);
        for (int ask_anew = 0; ask_anew < 2; ask_anew++) {
                unsigned n = 1;

                while (refuse_in_change(n, before, after, ask_anew))
                        n++;
                g_assert_cmpuint(n, >, 20);
        }
        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
                policy_unref(before[i].policy);
                policy_unref(after[i].policy);
        }
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
        g_test_add_func(
                "/policy/memory/test_every_refused_allocation_of_a_change_leaves_the_image_before",
                test_every_refused_allocation_of_a_change_leaves_the_image_before);
        g_test_add_func("/policy/memory/test_a_fault_without_memory_still_refuses_the_document",
                        test_a_fault_without_memory_still_refuses_the_document);
        return g_test_run();
}
