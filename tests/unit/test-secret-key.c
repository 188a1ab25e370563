/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Secret keys in memory: locked while they are there, and nowhere afterwards. All that this process
 * has is looked through for the secret. */
#include <fcntl.h>
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/digest.h"
#include "secret-key.h"

#define SEED_SIZE 32u
#define SEED_AT (2 + 2 + 2 + 32 + 8 + 8 + KEY_ID_SIZE) /* in the bytes of a file */
#define CHUNK 65536u
#define MASK 0xa5 /* what is looked for must not be found in this test itself */

static uint8_t masked[SEED_SIZE];

/* Of a file's text; leaves nothing behind but what is masked. */
static void note_seed(const char *text)
{
        gsize n;
        guchar *bytes = g_base64_decode(strchr(text, '\n') + 1, &n);

        g_assert_cmpuint(n, >, SEED_AT + SEED_SIZE);
        for (size_t i = 0; i < SEED_SIZE; i++)
                masked[i] = bytes[SEED_AT + i] ^ MASK;
        explicit_bzero(bytes, n);
        g_free(bytes);
}

static int is_seed(const uint8_t *at)
{
        for (size_t i = 0; i < SEED_SIZE; i++)
                if ((at[i] ^ MASK) != masked[i])
                        return 0;
        return 1;
}

static unsigned count_in(int memory, uint64_t from, uint64_t to)
{
        static uint8_t chunk[CHUNK + SEED_SIZE];
        unsigned n = 0;

        if (from <= (uintptr_t) chunk && (uintptr_t) chunk < to)
                to = (uintptr_t) chunk; /* what stands there has been counted */
        for (uint64_t at = from; at < to; at += CHUNK) {
                uint64_t left = to - at;
                ssize_t got =
                        pread(memory, chunk, left < sizeof(chunk) ? (size_t) left : sizeof(chunk),
                              (off_t) at);

                for (ssize_t i = 0; i + (ssize_t) SEED_SIZE <= got && i < (ssize_t) CHUNK; i++)
                        n += is_seed(chunk + i) != 0;
        }
        explicit_bzero(chunk, sizeof(chunk));
        return n;
}

static unsigned count_seeds(void)
{
        int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
        FILE *maps = fopen("/proc/self/maps", "re");
        unsigned n = 0;
        char line[512];

        g_assert_cmpint(memory, >=, 0);
        g_assert_nonnull(maps);
        while (fgets(line, sizeof(line), maps)) {
                uint64_t from, to;
                char rights[5];

                g_assert_cmpint(sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &from, &to, rights), ==,
                                3);
                if (rights[1] == 'w')
                        n += count_in(memory, from, to);
        }
        fclose(maps);
        close(memory);
        return n;
}

static unsigned locked_kb(void)
{
        g_autofree char *status = NULL;

        g_assert_true(g_file_get_contents("/proc/self/status", &status, NULL, NULL));
        return (unsigned) strtoul(strstr(status, "VmLck:") + 6, NULL, 10);
}

/* Returns the text of its file, unencrypted. */
static char *make(void)
{
        _cleanup_(secret_key_freep) SecretKey *key = secret_key_new();
        char *text = NULL;

        g_assert_nonnull(key);
        g_assert_cmpint(secret_key_format(key, NULL, &text), ==, 0);
        note_seed(text);
        return text;
}

static void wipe(char *text)
{
        explicit_bzero(text, strlen(text));
        free(text);
}

static void test_a_key_is_locked_while_it_is_there(void)
{
        unsigned before = locked_kb();
        SecretKey *key = secret_key_new();

        g_assert_cmpuint(locked_kb(), >, before);
        key = secret_key_free(key);
        g_assert_cmpuint(locked_kb(), ==, before);
}

static void test_nothing_of_a_key_stays_when_it_has_gone(void)
{
        char *text = make(), *signature;
        SecretKey *key = NULL;

        g_assert_cmpuint(count_seeds(), ==, 0);
        g_assert_cmpint(secret_key_parse(text, strlen(text), NULL, &key), ==, 0);
        wipe(text);
        g_assert_cmpuint(count_seeds(), ==, 1);
        signature = secret_key_sign(key, "x", 1, "y");
        g_assert_nonnull(signature);
        g_assert_cmpuint(count_seeds(), ==, 1);
        key = secret_key_free(key);
        g_assert_cmpuint(count_seeds(), ==, 0);
        free(signature);
}

/* A child that may lock nothing. Returns its exit status. */
static int without_locking(int (*act)(void))
{
        pid_t pid = fork();
        int status;

        if (pid == 0) {
                const struct rlimit none = {};

                if (setrlimit(RLIMIT_MEMLOCK, &none) < 0 ||
                    (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0))
                        _exit(9);
                _exit(act());
        }
        g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
        g_assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

static int act_new(void)
{
        return secret_key_new() != NULL;
}

static void test_there_is_no_key_where_none_can_be_locked(void)
{
        g_assert_cmpint(without_locking(act_new), ==, 0);
        g_assert_cmpint(act_new(), ==, 1);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_assert_cmpint(digest_init(), ==, 0);
#define ADD(name) g_test_add_func("/secret-key/" #name, test_##name)
        ADD(a_key_is_locked_while_it_is_there);
        ADD(nothing_of_a_key_stays_when_it_has_gone);
        ADD(there_is_no_key_where_none_can_be_locked);
        return g_test_run();
}
