/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bundles: see bundles.h. */
#include "transaction/bundles.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/array.h"
#include "util/file.h"
#include "util/log.h"

#define FOLDER "bundles"
#define MAGIC "AEGBUNDL"
#define VERSION 1u
#define NAME_SIZE (POLICY_NAME_MAX + 16u)

typedef struct Head {
        char magic[8];
        uint32_t version, n_signatures;
} Head;
_Static_assert(sizeof(Head) == 16, "no padding");

#define FILE_SIZE_MAX                                                                              \
        (sizeof(Head) + (SIGNATURES_MAX + 1) * sizeof(uint32_t) +                                  \
         SIGNATURES_MAX * (size_t) SIGNATURE_FILE_MAX + POLICY_SIZE_MAX)

struct Bundles {
        int folder;
};

/* ---- one of them ---- */

SignedText *signed_text_free(SignedText *text)
{
        if (!text)
                return NULL;
        free(text->room);
        free(text);
        return NULL;
}

int signed_text_new(SignedText **ret_text, const char *text, size_t n_text,
                    const SignatureTexts *signatures)
{
        _cleanup_(signed_text_freep) SignedText *copy = calloc(1, sizeof(*copy));
        size_t n = n_text + 1;
        char *at;

        if (!copy)
                return -ENOMEM;
        if (signatures->n > SIGNATURES_MAX || n_text > POLICY_SIZE_MAX)
                return -E2BIG;
        for (size_t i = 0; i < signatures->n; i++) {
                if (signatures->items[i].n > SIGNATURE_FILE_MAX)
                        return -E2BIG;
                n += signatures->items[i].n;
        }
        copy->room = at = malloc(n);
        if (!at)
                return -ENOMEM;
        for (size_t i = 0; i < signatures->n; i++) {
                copy->items[i] = (SignatureText){at, signatures->items[i].n};
                memcpy(at, signatures->items[i].text, signatures->items[i].n);
                at += signatures->items[i].n;
        }
        copy->signatures = (SignatureTexts){copy->items, signatures->n};
        copy->text = at;
        copy->n_text = n_text;
        memcpy(at, text, n_text);
        at[n_text] = '\0';
        *ret_text = TAKE_PTR(copy);
        return 0;
}

/* Reads one of the lengths. 0 is none that anything has. */
static uint32_t length_at(const char *at, size_t i)
{
        uint32_t length;

        memcpy(&length, at + i * sizeof(length), sizeof(length));
        return le32toh(length);
}

int signed_text_decode(const void *data, size_t n, SignedText **ret_text)
{
        const char *at = data, *end = at + n;
        SignatureText items[SIGNATURES_MAX];
        SignatureTexts signatures = {items, 0};
        size_t n_signatures, n_text;
        const char *lengths;
        Head head;
        int r;

        if (n < sizeof(head))
                return BUNDLES_E_DAMAGED;
        memcpy(&head, at, sizeof(head));
        n_signatures = le32toh(head.n_signatures);
        if (memcmp(head.magic, MAGIC, sizeof(head.magic)) != 0 ||
            le32toh(head.version) != VERSION || n_signatures > SIGNATURES_MAX ||
            n < sizeof(head) + (n_signatures + 1) * sizeof(uint32_t))
                return BUNDLES_E_DAMAGED;
        lengths = at + sizeof(head);
        at = lengths + (n_signatures + 1) * sizeof(uint32_t);
        for (; signatures.n < n_signatures; signatures.n++) {
                SignatureText *item = &items[signatures.n];

                *item = (SignatureText){at, length_at(lengths, signatures.n)};
                if (item->n > (size_t) (end - at))
                        return BUNDLES_E_DAMAGED;
                at += item->n;
        }
        n_text = length_at(lengths, n_signatures);
        if (n_text != (size_t) (end - at))
                return BUNDLES_E_DAMAGED;
        r = signed_text_new(ret_text, at, n_text, &signatures);
        return r == -E2BIG ? BUNDLES_E_DAMAGED : r;
}

static char *encode(const SignedText *text, size_t *ret_n)
{
        size_t n_signatures = text->signatures.n, n_before, n;
        Head head = {.version = htole32(VERSION), .n_signatures = htole32((uint32_t) n_signatures)};
        char *data, *at;

        /* Signatures and text lie one behind the other already. */
        n_before = sizeof(head) + (n_signatures + 1) * sizeof(uint32_t);
        n = n_before + (size_t) (text->text + text->n_text - text->room);
        data = malloc(n);
        if (!data)
                return NULL;
        memcpy(head.magic, MAGIC, sizeof(head.magic));
        memcpy(data, &head, sizeof(head));
        at = data + sizeof(head);
        for (size_t i = 0; i <= n_signatures; i++, at += sizeof(uint32_t)) {
                uint32_t length =
                        htole32((uint32_t) (i < n_signatures ? text->items[i].n : text->n_text));

                memcpy(at, &length, sizeof(length));
        }
        memcpy(at, text->room, n - n_before);
        *ret_n = n;
        return data;
}

/* ---- the folder ---- */

int bundles_new(Bundles **ret_bundles, int state)
{
        Bundles *bundles;
        int fd;

        if (mkdirat(state, FOLDER, 0700) < 0 && errno != EEXIST)
                return -errno;
        fd = openat(state, FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        bundles = malloc(sizeof(*bundles));
        if (!bundles) {
                close(fd);
                return -ENOMEM;
        }
        bundles->folder = fd;
        *ret_bundles = bundles;
        return 0;
}

Bundles *bundles_free(Bundles *bundles)
{
        if (!bundles)
                return NULL;
        close(bundles->folder);
        free(bundles);
        return NULL;
}

static const char *suffix_of(BundleFile file)
{
        static const char *const suffixes[] = {
                [BUNDLE_STORED] = ".bundle",
                [BUNDLE_NEXT] = ".next",
                [BUNDLE_PREVIOUS] = ".previous",
        };

        return suffixes[file];
}

static void format_name(const char *name, BundleFile file, char ret_name[NAME_SIZE])
{
        snprintf(ret_name, NAME_SIZE, "%s%s", name, suffix_of(file));
}

static int read_file(Bundles *bundles, const char *name, BundleFile file, SignedText **ret_text)
{
        _cleanup_(freep) char *data = NULL;
        char file_name[NAME_SIZE];
        size_t n = 0;
        int r;

        format_name(name, file, file_name);
        r = file_read(bundles->folder, file_name, FILE_SIZE_MAX, &data, &n);
        if (r < 0)
                return file_is_damaged(r) ? BUNDLES_E_DAMAGED : r;
        return signed_text_decode(data, n, ret_text);
}

int bundles_read(Bundles *bundles, const char *name, SignedText **ret_text)
{
        return read_file(bundles, name, BUNDLE_STORED, ret_text);
}

int bundles_read_next(Bundles *bundles, const char *name, SignedText **ret_text)
{
        return read_file(bundles, name, BUNDLE_NEXT, ret_text);
}

int bundles_write_next(Bundles *bundles, const char *name, const SignedText *text)
{
        _cleanup_(freep) char *data = NULL;
        char file_name[NAME_SIZE];
        size_t n = 0;
        int r;

        data = encode(text, &n);
        if (!data)
                return -ENOMEM;
        format_name(name, BUNDLE_NEXT, file_name);
        r = file_replace(bundles->folder, file_name, data, n);
        if (r < 0)
                unlinkat(bundles->folder, file_name, 0);
        return r < 0 ? log_errno(r, "The bundle %s cannot be written", name) : 0;
}

/* Returns 0, -ENOENT or another negative errno. */
static int rename_file(Bundles *bundles, const char *name, BundleFile from, BundleFile to)
{
        char old[NAME_SIZE], new[NAME_SIZE];

        format_name(name, from, old);
        format_name(name, to, new);
        if (renameat(bundles->folder, old, bundles->folder, new) == 0)
                return 0;
        if (errno == ENOENT)
                return -ENOENT;
        return log_errno(-errno, "The bundle %s cannot be renamed", name);
}

static int is_there(Bundles *bundles, const char *name, BundleFile file)
{
        char file_name[NAME_SIZE];

        format_name(name, file, file_name);
        return faccessat(bundles->folder, file_name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Cut off between the two, what was written aside is still there to be published. */
int bundles_publish(Bundles *bundles, const char *name)
{
        int r;

        if (!is_there(bundles, name, BUNDLE_NEXT))
                return 0;
        r = rename_file(bundles, name, BUNDLE_STORED, BUNDLE_PREVIOUS);
        if (r == 0 || r == -ENOENT)
                r = rename_file(bundles, name, BUNDLE_NEXT, BUNDLE_STORED);
        return r < 0 ? r : directory_sync(bundles->folder);
}

static int take_away(Bundles *bundles, const char *name, BundleFile file)
{
        char file_name[NAME_SIZE];
        int r;

        format_name(name, file, file_name);
        r = file_remove(bundles->folder, file_name);
        return r < 0 ? log_errno(r, "The bundle %s cannot be removed", name) : 0;
}

int bundles_discard(Bundles *bundles, const char *name)
{
        return take_away(bundles, name, BUNDLE_NEXT);
}

int bundles_go_back(Bundles *bundles, const char *name)
{
        int r = rename_file(bundles, name, BUNDLE_PREVIOUS, BUNDLE_STORED);

        if (r == -ENOENT)
                return take_away(bundles, name, BUNDLE_STORED);
        return r < 0 ? r : directory_sync(bundles->folder);
}

/* ---- names ---- */

typedef struct Names {
        BundleFile file;
        char **names; /* NULL-terminated */
        size_t n, allocated;
} Names;

/* What is none of ours is left alone. */
static int add_name(void *userdata, const char *file_name)
{
        Names *names = userdata;
        const char *suffix = suffix_of(names->file);
        size_t n = strlen(file_name), n_suffix = strlen(suffix);
        _cleanup_(freep) char *name = NULL;

        if (n <= n_suffix || strcmp(file_name + n - n_suffix, suffix) != 0)
                return 0;
        name = strndup(file_name, n - n_suffix);
        if (!name || ARRAY_RESERVE(names->names, names->allocated, names->n + 2) < 0)
                return -ENOMEM;
        if (!policy_name_is_valid(name))
                return 0;
        names->names[names->n++] = TAKE_PTR(name);
        names->names[names->n] = NULL;
        return 0;
}

static int compare(const void *a, const void *b)
{
        return strcmp(*(char *const *) a, *(char *const *) b);
}

int bundles_names(Bundles *bundles, BundleFile file, char ***ret_names)
{
        Names names = {.file = file, .names = calloc(1, sizeof(*names.names)), .allocated = 1};
        int r = names.names ? directory_each(bundles->folder, add_name, &names) : -ENOMEM;

        if (r < 0) {
                bundles_names_free(names.names);
                return r;
        }
        qsort(names.names, names.n, sizeof(*names.names), compare);
        *ret_names = names.names;
        return 0;
}

void bundles_names_free(char **names)
{
        for (char **name = names; name && *name; name++)
                free(*name);
        free(names);
}
