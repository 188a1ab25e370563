/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Everything the service reads of its state at start, as a stranger would leave it, over the twin
 * of the backend. The input is files, one after the other: a byte that says which, two bytes of
 * length, the content. Records are sealed with a right checksum, since a fuzzer would not find one.
 * What was found is in force again after the next start. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend-twin.h"
#include "fuzz.h"
#include "policy/digest.h"
#include "transaction/transaction.h"
#include "util/array.h"
#include "util/log.h"

#define INPUT_MAX 16384u
#define NAME_SIZE 128u

static char root[] = "/dev/shm/aegis-fuzz-XXXXXX";

/* %: what begins the content, up to a zero byte, is the rest of the name */
static const struct kind {
        const char *name;
        int is_record;
} kinds[] = {
        {"state/state", 1},         {"state/state.next", 1}, {"state/state.previous", 1},
        {"state/generations/%", 1}, {"state/trial", 0},      {"state/emergency", 0},
        {"state/history", 0},       {"state/loaded", 0},     {"state/state.damaged", 0},
        {"policy.d/%", 0},          {"marker/recorded", 0},  {"baseline.policy", 0},
};

static void path_of(const char *name, char ret_path[NAME_SIZE * 2])
{
        snprintf(ret_path, NAME_SIZE * 2, "%s/%s", root, name);
}

/* ---- the folders ---- */

static void empty(const char *name)
{
        char path[NAME_SIZE * 2];
        DIR *folder;

        path_of(name, path);
        folder = opendir(path);
        for (struct dirent *file; folder && (file = readdir(folder));)
                unlinkat(dirfd(folder), file->d_name, 0);
        if (folder)
                closedir(folder);
}

static void begin(void)
{
        static const char *const folders[] = {".",      "pins",    "state", "state/generations",
                                              "marker", "policy.d"};
        static int is_made;
        char path[NAME_SIZE * 2];

        if (!is_made)
                HOLDS(mkdtemp(root));
        is_made = 1;
        for (size_t i = 0; i < ELEMENTS_OF(folders); i++) {
                path_of(folders[i], path);
                mkdir(path, 0700);
                empty(folders[i]);
        }
}

/* A name that leads out of its folder is none. */
static size_t take_name(const struct kind *kind, const uint8_t *data, size_t n,
                        char ret_name[NAME_SIZE])
{
        size_t n_prefix = strcspn(kind->name, "%"), n_name = strnlen((const char *) data, n);

        memcpy(ret_name, kind->name, n_prefix);
        ret_name[n_prefix] = '\0';
        if (kind->name[n_prefix] == '\0')
                return 0;
        if (n_name == n || n_prefix + n_name >= NAME_SIZE || memchr(data, '/', n_name))
                return n;
        memcpy(ret_name + n_prefix, data, n_name + 1);
        return n_name + 1;
}

static void write_file(const struct kind *kind, const uint8_t *data, size_t n)
{
        char name[NAME_SIZE], path[NAME_SIZE * 2];
        size_t n_name = take_name(kind, data, n, name);
        uint8_t seal[DIGEST_SIZE];
        int fd;

        path_of(name, path);
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0)
                return;
        digest_bytes(data + n_name, n - n_name, seal);
        HOLDS(write(fd, data + n_name, n - n_name) == (ssize_t) (n - n_name));
        if (kind->is_record)
                HOLDS(write(fd, seal, sizeof(seal)) == (ssize_t) sizeof(seal));
        close(fd);
}

static void write_files(const uint8_t *data, size_t size)
{
        while (size >= 3) {
                size_t n = (size_t) data[1] | (size_t) data[2] << 8;

                if (n > size - 3)
                        n = size - 3;
                write_file(&kinds[data[0] % ELEMENTS_OF(kinds)], data + 3, n);
                data += 3 + n;
                size -= 3 + n;
        }
}

/* ---- the service ---- */

static int run(uint8_t ret_digest[DIGEST_SIZE])
{
        char pins[NAME_SIZE * 2], state[NAME_SIZE * 2], marker[NAME_SIZE * 2],
                folder[NAME_SIZE * 2], baseline[NAME_SIZE * 2];
        BackendConfig backend = {.pin_directory = pins};
        EnforcementConfig config = {.state_directory = state,
                                    .marker_directory = marker,
                                    .policy_directory = folder,
                                    .baseline_file = baseline};
        Enforcement *enforcement = NULL;
        int r;

        path_of("pins", pins);
        path_of("state", state);
        path_of("marker", marker);
        path_of("policy.d", folder);
        path_of("baseline.policy", baseline);
        HOLDS(backend_new(&config.backend, &backend) == 0);
        r = enforcement_new(&enforcement, &config);
        if (r == 0) {
                HOLDS(enforcement_check(enforcement) >= 0);
                enforcement_end_what_is_over(enforcement);
                memcpy(ret_digest, enforcement_digest(enforcement), DIGEST_SIZE);
        }
        enforcement_free(enforcement);
        backend_free(config.backend);
        return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        uint8_t first[DIGEST_SIZE], again[DIGEST_SIZE];

        if (size > INPUT_MAX || digest_init() < 0)
                return 0;
        log_set_max_level(LOG_EMERG);
        begin();
        write_files(data, size);
        if (run(first) == 0) {
                HOLDS(run(again) == 0);
                HOLDS(memcmp(first, again, DIGEST_SIZE) == 0);
        }
        return 0;
}
