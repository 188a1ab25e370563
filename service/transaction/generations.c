/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Generations: see generations.h. The digest stands in the name, so that what can be gone back to
 * is told without reading it; it is believed only once the record has been read. */
#include "transaction/generations.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/file.h"
#include "util/log.h"

#define FOLDER "generations"
#define NAME_SIZE (20u + 1 + DIGEST_HEX_SIZE)

typedef struct Kept {
        KeptGeneration generation;
        uint64_t size;
} Kept;

struct Generations {
        int state, directory;
        Kept kept[GENERATIONS_MAX + 1]; /* in order */
        size_t n_kept;
        uint64_t pinned;
};

static void format_name(const KeptGeneration *kept, char ret_name[NAME_SIZE])
{
        char hex[DIGEST_HEX_SIZE];

        digest_format(kept->digest, hex);
        snprintf(ret_name, NAME_SIZE, "%" PRIu64 "-%s", kept->generation, hex);
}

/* Returns 0 or -EINVAL: somebody else's file. */
static int parse_name(const char *name, KeptGeneration *ret_kept)
{
        KeptGeneration kept = {};
        char again[NAME_SIZE], *end;

        errno = 0;
        kept.generation = strtoull(name, &end, 10);
        if (errno != 0 || *end != '-' || digest_parse(end + 1, kept.digest) < 0)
                return -EINVAL;
        if (kept.generation == 0 || kept.generation == EXPECT_ANY)
                return -EINVAL;
        format_name(&kept, again);
        if (strcmp(again, name) != 0)
                return -EINVAL;
        *ret_kept = kept;
        return 0;
}

static void drop(Generations *generations, size_t i)
{
        generations->n_kept--;
        memmove(&generations->kept[i], &generations->kept[i + 1],
                (generations->n_kept - i) * sizeof(generations->kept[0]));
}

static void forget(Generations *generations, size_t i)
{
        char name[NAME_SIZE];

        format_name(&generations->kept[i].generation, name);
        if (unlinkat(generations->directory, name, 0) < 0 && errno != ENOENT)
                log_errno(-errno, "The record %s/%s cannot be removed", FOLDER, name);
        drop(generations, i);
}

/* Its place may be another by now, or none: reading gives way to others (see fiber.h). */
static void forget_number(Generations *generations, uint64_t generation)
{
        for (size_t i = generations->n_kept; i > 0; i--)
                if (generations->kept[i - 1].generation.generation == generation)
                        forget(generations, i - 1);
}

static uint64_t size_of_all(const Generations *generations)
{
        uint64_t size = 0;

        for (size_t i = 0; i < generations->n_kept; i++)
                size += generations->kept[i].size;
        return size;
}

/* There is room for one more than may stay. */
static void add(Generations *generations, const KeptGeneration *generation, uint64_t size)
{
        Kept *kept = generations->kept;
        size_t place = generations->n_kept;

        for (; place > 0 && kept[place - 1].generation.generation > generation->generation; place--)
                kept[place] = kept[place - 1];
        kept[place] = (Kept){.generation = *generation, .size = size};
        generations->n_kept++;
        while (generations->n_kept > GENERATIONS_MAX ||
               (generations->n_kept > 2 && size_of_all(generations) > GENERATIONS_SIZE_MAX))
                forget(generations, kept[0].generation.generation == generations->pinned);
}

/* What is not one of ours is left alone. */
static int add_file(void *userdata, const char *name)
{
        Generations *generations = userdata;
        KeptGeneration generation;
        struct stat st;

        if (parse_name(name, &generation) < 0)
                return 0;
        if (fstatat(generations->directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        if (S_ISREG(st.st_mode))
                add(generations, &generation, (uint64_t) st.st_size);
        return 0;
}

static int make_folder(int directory)
{
        if (mkdirat(directory, FOLDER, 0700) < 0)
                return errno == EEXIST ? 0 : -errno;
        return directory_sync(directory);
}

int generations_new(Generations **ret_generations, int directory)
{
        _cleanup_(generations_freep) Generations *generations = calloc(1, sizeof(*generations));
        int r;

        if (!generations)
                return -ENOMEM;
        generations->state = directory;
        generations->directory = -1;
        r = make_folder(directory);
        if (r < 0)
                return log_errno(r, "The folder %s cannot be made", FOLDER);
        generations->directory =
                openat(directory, FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (generations->directory < 0)
                return log_errno(-errno, "The folder %s cannot be opened", FOLDER);
        r = directory_each(generations->directory, add_file, generations);
        if (r < 0)
                return log_errno(r, "The folder %s cannot be read", FOLDER);
        *ret_generations = TAKE_PTR(generations);
        return 0;
}

Generations *generations_free(Generations *generations)
{
        if (!generations)
                return NULL;
        closep(&generations->directory);
        free(generations);
        return NULL;
}

static int link_record(const Generations *generations, StoreFile file, const char *name,
                       uint64_t *ret_size)
{
        struct stat st;
        int r = file_link(generations->state, store_file_name(file), generations->directory, name);

        if (r == 0)
                r = directory_sync(generations->directory);
        if (r == 0 && fstatat(generations->directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                r = -errno;
        if (r == 0)
                *ret_size = (uint64_t) st.st_size;
        return r;
}

/* The place of a number, or n_kept. */
static size_t place_of(const Generations *generations, uint64_t generation)
{
        size_t i = 0;

        while (i < generations->n_kept && generations->kept[i].generation.generation != generation)
                i++;
        return i;
}

/* One of the same number goes when the new one is there, unless it is that one. */
static void replace(Generations *generations, const KeptGeneration *kept, uint64_t size)
{
        size_t place = place_of(generations, kept->generation);

        if (place < generations->n_kept) {
                if (memcmp(generations->kept[place].generation.digest, kept->digest, DIGEST_SIZE) ==
                    0)
                        drop(generations, place);
                else
                        forget(generations, place);
        }
        add(generations, kept, size);
}

void generations_keep(Generations *generations, StoreFile file, uint64_t generation,
                      const uint8_t digest[DIGEST_SIZE])
{
        KeptGeneration kept = {.generation = generation};
        char name[NAME_SIZE];
        uint64_t size = 0;
        int r;

        memcpy(kept.digest, digest, DIGEST_SIZE);
        format_name(&kept, name);
        r = link_record(generations, file, name, &size);
        if (r == 0)
                replace(generations, &kept, size);
        else if (r != -ENOENT)
                log_errno(r, "The record of generation %" PRIu64 " is not kept to go back to",
                          generation);
}

void generations_pin(Generations *generations, uint64_t generation)
{
        generations->pinned = generation;
}

size_t generations_size(const Generations *generations)
{
        return generations->n_kept;
}

KeptGeneration generations_get(const Generations *generations, size_t i)
{
        return generations->kept[i].generation;
}

static int is_what_it_says(const StoreRecord *record, const KeptGeneration *kept)
{
        uint8_t digest[DIGEST_SIZE];

        document_set_digest(record->documents, digest);
        return record->generation == kept->generation &&
               memcmp(digest, kept->digest, DIGEST_SIZE) == 0;
}

/* Returns as store_read() does. */
static int read_one(const Generations *generations, const KeptGeneration *kept,
                    StoreRecord *ret_record)
{
        char name[NAME_SIZE];
        int r;

        format_name(kept, name);
        r = store_read_record(generations->directory, name, ret_record);
        if (r != 0)
                return r;
        if (is_what_it_says(ret_record, kept))
                return 0;
        store_record_deinit(ret_record);
        *ret_record = (StoreRecord){};
        return STORE_E_DAMAGED;
}

int generations_read(Generations *generations, uint64_t generation, StoreRecord *ret_record)
{
        size_t i = place_of(generations, generation);
        int r;

        if (i == generations->n_kept)
                return GENERATIONS_E_NONE;
        r = read_one(generations, &generations->kept[i].generation, ret_record);
        if (r != STORE_E_DAMAGED && r != -ENOENT)
                return r;
        log_warning("The record of generation %" PRIu64 " is missing or damaged", generation);
        forget_number(generations, generation);
        return GENERATIONS_E_NONE;
}
