/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Roots: see roots.h. */
#include "transaction/roots.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/digest.h"
#include "policy/fields.h"
#include "policy/text.h"
#include "util/file.h"
#include "util/log.h"

#define PINNED "root"
#define PREFIX "root."
#define NAME_SIZE 32u
#define TROUBLE_SIZE 400u

struct Roots {
        char *folder;
        int state;
        Floors *floors;
        Root current; /* seq 0: none */
        char trouble[TROUBLE_SIZE];
};

/* A root's file and its signatures, as found in the folder. */
typedef struct Files {
        char *text;
        size_t n;
        char *signatures[SIGNATURES_MAX];
        SignatureText items[SIGNATURES_MAX];
        SignatureTexts all;
} Files;

static void files_deinit(Files *files)
{
        free(files->text);
        for (size_t i = 0; i < SIGNATURES_MAX; i++)
                free(files->signatures[i]);
}

__attribute__((format(printf, 2, 3))) static void complain(Roots *roots, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(roots->trouble, sizeof(roots->trouble), format, arguments);
        va_end(arguments);
}

/* ---- the folder ---- */

/* Whoever can write there decides what is believed. Returns a descriptor or a negative errno. */
static int open_folder(Roots *roots)
{
        int fd = roots->folder ? directory_open_trusted(roots->folder) : -ENOENT;

        if (fd == -EPERM)
                complain(roots, "%s is not believed: others than root can write there",
                         roots->folder);
        return fd;
}

static int has_prefix(const char *name, const char *prefix)
{
        return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* root.N.minisig and root.N.ANYTHING.minisig; name: root.N */
static int is_signature_of(const char *file, const char *name)
{
        size_t n = strlen(file), n_name = strlen(name), n_suffix = strlen(SIGNATURE_SUFFIX);

        return n >= n_name + n_suffix && has_prefix(file, name) && file[n_name] == '.' &&
               strcmp(file + n - n_suffix, SIGNATURE_SUFFIX) == 0;
}

static int add_signature(int fd, const char *file, Files *files)
{
        size_t i = files->all.n, n = 0;
        int r;

        if (i == SIGNATURES_MAX)
                return -E2BIG;
        r = file_read_trusted(fd, file, SIGNATURE_FILE_MAX, &files->signatures[i], &n);
        if (r < 0)
                return r;
        files->items[i] = (SignatureText){files->signatures[i], n};
        files->all = (SignatureTexts){files->items, i + 1};
        return 0;
}

/* What is looked for in the folder, of one root. */
typedef struct Search {
        int fd;
        const char *name;
        Files *files;
} Search;

static int add_if_signature(void *userdata, const char *file)
{
        Search *search = userdata;

        return is_signature_of(file, search->name) ? add_signature(search->fd, file, search->files)
                                                   : 0;
}

static int read_files(int fd, const char *name, Files *files)
{
        Search search = {fd, name, files};
        int r = file_read_trusted(fd, name, ROOT_SIZE_MAX, &files->text, &files->n);

        return r < 0 ? r : directory_each(fd, add_if_signature, &search);
}

/* "root.1" is 1; 0: it is the file of no root. */
static uint64_t seq_of(const char *name)
{
        uint64_t seq = 0;

        if (!has_prefix(name, PREFIX) || name[strlen(PREFIX)] == '0' ||
            number_parse(name + strlen(PREFIX), strlen(name + strlen(PREFIX)), SEQ_MAX, &seq) < 0)
                return 0;
        return seq;
}

static int note_lowest(void *userdata, const char *file)
{
        uint64_t *first = userdata, seq = seq_of(file);

        if (seq - 1 < *first - 1) /* none is above all */
                *first = seq;
        return 0;
}

/* The lowest number there; 0: none, or none that what was believed before could follow from. */
static uint64_t find_first(Roots *roots, int fd)
{
        const uint64_t floor = floors_get(roots->floors, FLOOR_ROOT).number;
        uint64_t first = 0;
        int r = directory_each(fd, note_lowest, &first);

        if (r < 0)
                complain(roots, "%s cannot be read: %s", roots->folder, strerror(-r));
        return r < 0 || (floor > 0 && first > floor) ? 0 : first;
}

/* ---- the chain ---- */

/* What has been believed before, by its number, must be that. */
static int fits_floor(const Roots *roots, const Root *root, const char *text, size_t n)
{
        const Floor floor = floors_get(roots->floors, FLOOR_ROOT);
        uint8_t digest[DIGEST_SIZE];

        digest_bytes(text, n, digest);
        return root->seq != floor.number || memcmp(digest, floor.digest, DIGEST_SIZE) == 0;
}

/* Returns 0, 1 if it is not believed (roots_trouble() says why), -ENOENT or another negative errno.
 */
static int take(Roots *roots, int fd, uint64_t seq, Root *current, Files *files)
{
        char name[NAME_SIZE];
        Root next;
        int r;

        snprintf(name, sizeof(name), PREFIX "%" PRIu64, seq);
        r = read_files(fd, name, files);
        if (r == -ENOENT)
                return r;
        if (r < 0) {
                complain(roots, "%s/%s cannot be read: %s", roots->folder, name, strerror(-r));
                return r;
        }
        r = root_accept(current->seq ? current : NULL, files->text, files->n, &files->all, &next);
        if (r == 0 && next.seq != seq)
                r = ROOT_E_SEQ;
        if (r != 0) {
                complain(roots, "%s/%s is not believed: %s", roots->folder, name,
                         root_told((RootError) r));
                return 1;
        }
        if (!fits_floor(roots, &next, files->text, files->n)) {
                complain(roots, "%s/%s is not believed: another root of that number has been",
                         roots->folder, name);
                return 1;
        }
        *current = next;
        return 0;
}

/* Written down before it is gone by. */
static int pin(Roots *roots, const Root *root, const Files *files)
{
        uint8_t digest[DIGEST_SIZE];
        int r = file_replace(roots->state, PINNED, files->text, files->n);

        digest_bytes(files->text, files->n, digest);
        if (r >= 0)
                r = floors_raise(roots->floors, FLOOR_ROOT, root->seq, digest);
        if (r >= 0)
                r = floors_raise(roots->floors, FLOOR_TIME, root->issued, NULL);
        if (r < 0) {
                complain(roots, "root.%" PRIu64 " cannot be written down: %s", root->seq,
                         strerror(-r));
                return r;
        }
        roots->current = *root;
        log_notice("root.%" PRIu64 " says whose signatures count", root->seq);
        return 0;
}

/* Below the floor it is a step on the way, and not believed by itself. */
static void follow_chain(Roots *roots, int fd, Root *root, uint64_t seq)
{
        for (;; seq = root->seq + 1) {
                _cleanup_(files_deinit) Files files = {};

                if (take(roots, fd, seq, root, &files) != 0)
                        return;
                if (root->seq < floors_get(roots->floors, FLOOR_ROOT).number)
                        continue;
                if (pin(roots, root, &files) < 0)
                        return;
        }
}

void roots_refresh(Roots *roots)
{
        _cleanup_(closep) int fd = -1;
        Root root = roots->current;
        uint64_t seq;

        roots->trouble[0] = '\0';
        fd = open_folder(roots);
        seq = root.seq ? root.seq + 1 : fd < 0 ? 0 : find_first(roots, fd);
        if (fd >= 0 && seq > 0)
                follow_chain(roots, fd, &root, seq);
        if (roots->current.seq == 0 && roots->trouble[0] == '\0' &&
            floors_get(roots->floors, FLOOR_ROOT).number > 0)
                complain(roots,
                         "The root that was believed is gone, and %s does not lead to it: put all "
                         "roots and their signatures there",
                         roots->folder ? roots->folder : "no folder");
}

/* ---- life ---- */

/* One that is damaged, or older than what has been believed, is as none: the chain leads to it. */
static int find_pinned(Roots *roots)
{
        _cleanup_(freep) char *text = NULL;
        size_t n = 0;
        Root root;
        int r = file_read(roots->state, PINNED, ROOT_SIZE_MAX, &text, &n);

        if (r == -ENOMEM)
                return r;
        if (r < 0 || root_parse(text, n, &root) != 0 ||
            root.seq < floors_get(roots->floors, FLOOR_ROOT).number ||
            !fits_floor(roots, &root, text, n))
                return 0;
        roots->current = root;
        return 0;
}

int roots_new(Roots **ret_roots, const char *folder, int state, Floors *floors)
{
        _cleanup_(roots_freep) Roots *roots = calloc(1, sizeof(*roots));
        int r;

        if (!roots)
                return -ENOMEM;
        roots->state = state;
        roots->floors = floors;
        roots->folder = folder ? strdup(folder) : NULL;
        if (folder && !roots->folder)
                return -ENOMEM;
        r = find_pinned(roots);
        if (r < 0)
                return r;
        roots_refresh(roots);
        *ret_roots = TAKE_PTR(roots);
        return 0;
}

Roots *roots_free(Roots *roots)
{
        if (!roots)
                return NULL;
        free(roots->folder);
        free(roots);
        return NULL;
}

const Root *roots_current(const Roots *roots)
{
        return roots->current.seq ? &roots->current : NULL;
}

const char *roots_trouble(const Roots *roots)
{
        return roots->trouble;
}
