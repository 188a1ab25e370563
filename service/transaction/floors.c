/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Floors: see floors.h. */
#include "transaction/floors.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/digest.h"
#include "util/file.h"
#include "util/log.h"
#include "util/pages.h"

#define FILE_NAME "floors"
#define MAGIC "AEGFLOOR"
#define VERSION 1u

typedef struct Head {
        char magic[8];
        uint32_t version, n;
} Head;

typedef struct Packed {
        char name[FLOOR_NAME_SIZE];
        uint64_t number;
        uint8_t digest[DIGEST_SIZE];
} Packed;
_Static_assert(sizeof(Head) == 16 && sizeof(Packed) == FLOOR_NAME_SIZE + 8 + DIGEST_SIZE,
               "no padding");

#define FILE_SIZE_MAX (sizeof(Head) + FLOORS_MAX * sizeof(Packed) + DIGEST_SIZE)

struct Floors {
        int state;
        Backend *backend;
        int is_ahead; /* of the file */
        Floor items[FLOORS_MAX];
        size_t n;
};

static Floor *find(const Floors *floors, const char *name)
{
        for (size_t i = 0; i < floors->n; i++)
                if (strcmp(floors->items[i].name, name) == 0)
                        return (Floor *) &floors->items[i];
        return NULL;
}

Floor floors_get(const Floors *floors, const char *name)
{
        const Floor *floor = find(floors, name);

        return floor ? *floor : (Floor){};
}

static int put(Floors *floors, const Floor *floor)
{
        Floor *known = find(floors, floor->name);

        if (!known && floors->n == FLOORS_MAX)
                return -ENOSPC;
        if (!known)
                known = &floors->items[floors->n++];
        else if (known->number >= floor->number)
                return 0;
        *known = *floor;
        floors->is_ahead = 1;
        return 0;
}

static Floor floor_of(const char *name, uint64_t number, const uint8_t *digest)
{
        Floor floor = {.number = number};

        snprintf(floor.name, sizeof(floor.name), "%s", name);
        if (digest)
                memcpy(floor.digest, digest, DIGEST_SIZE);
        return floor;
}

void floors_find(Floors *floors, const char *name, uint64_t number, const uint8_t *digest)
{
        const Floor floor = floor_of(name, number, digest);

        put(floors, &floor);
}

/* ---- the file ---- */

/* A name ends, and has nothing behind its end. */
static int is_name(const char name[FLOOR_NAME_SIZE])
{
        size_t n = strnlen(name, FLOOR_NAME_SIZE);

        for (size_t i = n; i < FLOOR_NAME_SIZE; i++)
                if (name[i] != '\0')
                        return 0;
        return n > 0 && n < FLOOR_NAME_SIZE;
}

int floors_decode(const void *data, size_t n, Floor ret_floors[FLOORS_MAX])
{
        const uint8_t *at = data;
        uint8_t digest[DIGEST_SIZE];
        uint32_t n_floors;
        Head head;

        if (n < sizeof(head) + DIGEST_SIZE || n > FILE_SIZE_MAX)
                return -EBADMSG;
        memcpy(&head, at, sizeof(head));
        n_floors = le32toh(head.n);
        if (memcmp(head.magic, MAGIC, sizeof(head.magic)) != 0 ||
            le32toh(head.version) != VERSION || n_floors > FLOORS_MAX ||
            n != sizeof(head) + n_floors * sizeof(Packed) + DIGEST_SIZE)
                return -EBADMSG;
        digest_bytes(at, n - DIGEST_SIZE, digest);
        if (memcmp(digest, at + n - DIGEST_SIZE, DIGEST_SIZE) != 0)
                return -EBADMSG;
        for (uint32_t i = 0; i < n_floors; i++) {
                Packed packed;

                memcpy(&packed, at + sizeof(head) + i * sizeof(packed), sizeof(packed));
                if (!is_name(packed.name))
                        return -EBADMSG;
                ret_floors[i] = floor_of(packed.name, le64toh(packed.number), packed.digest);
        }
        return (int) n_floors;
}

static int write_file(Floors *floors)
{
        size_t n = sizeof(Head) + floors->n * sizeof(Packed) + DIGEST_SIZE;
        _cleanup_(freep) uint8_t *data = malloc(n);
        Head head = {.version = htole32(VERSION), .n = htole32((uint32_t) floors->n)};
        int r;

        if (!data)
                return -ENOMEM;
        memcpy(head.magic, MAGIC, sizeof(head.magic));
        memcpy(data, &head, sizeof(head));
        for (size_t i = 0; i < floors->n; i++) {
                Packed packed = {.number = htole64(floors->items[i].number)};

                memcpy(packed.name, floors->items[i].name, sizeof(packed.name));
                memcpy(packed.digest, floors->items[i].digest, DIGEST_SIZE);
                memcpy(data + sizeof(head) + i * sizeof(packed), &packed, sizeof(packed));
        }
        digest_bytes(data, n - DIGEST_SIZE, data + n - DIGEST_SIZE);
        r = file_replace(floors->state, FILE_NAME, data, n);
        floors->is_ahead &= r < 0;
        return r;
}

void floors_keep(Floors *floors)
{
        int r = floors->is_ahead ? write_file(floors) : 0;

        if (r < 0)
                log_errno(r, "The file of floors cannot be written");
        for (size_t i = 0; i < floors->n; i++)
                backend_raise_floor(floors->backend, &floors->items[i]);
}

/* ---- life ---- */

static int find_in_kernel(Floors *floors)
{
        _cleanup_(freep) Floor *items = calloc(FLOORS_MAX, sizeof(*items));
        size_t n;

        if (!items)
                return -ENOMEM;
        n = backend_floors(floors->backend, items, FLOORS_MAX);
        for (size_t i = 0; i < n; i++)
                put(floors, &items[i]);
        return 0;
}

static int find_in_file(Floors *floors, Trouble *trouble)
{
        _cleanup_(freep) Floor *items = calloc(FLOORS_MAX, sizeof(*items));
        _cleanup_(freep) char *data = NULL;
        size_t n = 0;
        int r = items ? file_read(floors->state, FILE_NAME, FILE_SIZE_MAX, &data, &n) : -ENOMEM;

        if (r == -ENOMEM)
                return r;
        if (r == -ENOENT) {
                if (floors->n > 0)
                        trouble_add(trouble, TROUBLE_START,
                                    "The file of floors is missing: those that the kernel and the "
                                    "stored bundles know of count");
                return 0;
        }
        r = r < 0 ? r : floors_decode(data, n, items);
        if (r < 0)
                trouble_add(trouble, TROUBLE_START,
                            "The file of floors is damaged: those that the kernel and the stored "
                            "bundles know of count");
        for (int i = 0; i < r; i++)
                put(floors, &items[i]);
        floors->is_ahead = r != (int) floors->n;
        for (int i = 0; i < r; i++)
                floors->is_ahead |= find(floors, items[i].name)->number != items[i].number;
        return 0;
}

int floors_new(Floors **ret_floors, int state, Backend *backend, Trouble *trouble)
{
        _cleanup_(floors_freep) Floors *floors = pages_new(sizeof(*floors));
        int r;

        if (!floors)
                return -ENOMEM;
        floors->state = state;
        floors->backend = backend;
        r = find_in_kernel(floors);
        if (r >= 0)
                r = find_in_file(floors, trouble);
        if (r < 0)
                return r;
        *ret_floors = TAKE_PTR(floors);
        return 0;
}

Floors *floors_free(Floors *floors)
{
        if (floors)
                pages_free(floors, sizeof(*floors));
        return NULL;
}

/* The file first: what is durable must not be less than what is acted on. */
static int write_raised(Floors *floors, const Floor *floor)
{
        const size_t n = floors->n;
        Floor *known = find(floors, floor->name);
        const Floor before = floors_get(floors, floor->name);
        int r = put(floors, floor);

        if (r < 0)
                return r;
        r = write_file(floors);
        if (r == 0)
                return 0;
        floors->n = n;
        if (known)
                *known = before;
        return r;
}

int floors_raise(Floors *floors, const char *name, uint64_t number, const uint8_t *digest)
{
        const Floor floor = floor_of(name, number, digest), *known = find(floors, name);
        int r;

        if (known && known->number >= number)
                return 0;
        r = write_raised(floors, &floor);
        if (r < 0)
                return log_errno(r, "The floor of %s cannot be raised", name);
        backend_raise_floor(floors->backend, &floor);
        return 0;
}
