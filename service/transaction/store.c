/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Store: see store.h. This room is about files; record.c knows what is in them. */
#include "transaction/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <stdio.h>
#include <sys/stat.h>

#include "transaction/record.h"
#include "util/file.h"
#include "util/log.h"

struct Store {
        int directory;
};

const char *store_file_name(StoreFile file)
{
        static const char *const names[] = {
                [STORE_STATE] = "state",
                [STORE_NEXT] = "state.next",
                [STORE_PREVIOUS] = "state.previous",
        };

        return names[file];
}

void store_record_deinit(StoreRecord *record)
{
        record->documents = document_set_free(record->documents);
        numbering_deinit(&record->numbering);
}

/* The directory must be ours alone: who can write there decides what is enforced at the next start.
 */
static int directory_claim(int directory, const char *path)
{
        struct stat st;
        int r;

        if (fstat(directory, &st) < 0)
                return log_errno(-errno, "%s cannot be looked at", path);
        if (st.st_uid != geteuid())
                return log_errno(-EPERM, "%s belongs to uid %u", path, (unsigned) st.st_uid);
        if ((st.st_mode & 077) && fchmod(directory, 0700) < 0)
                return log_errno(-errno, "%s cannot be closed to others", path);
        r = directory_lock(directory);
        return r < 0 ? log_errno(r, "%s is in use by another aegisd", path) : 0;
}

int store_open(Store **ret_store, const char *directory)
{
        _cleanup_(closep) int fd = directory_open(directory, 0700);
        Store *store;
        int r;

        if (fd < 0)
                return log_errno(fd, "%s cannot be opened", directory);
        r = directory_claim(fd, directory);
        if (r < 0)
                return r;
        store = malloc(sizeof(*store));
        if (!store)
                return -ENOMEM;
        store->directory = TAKE_FD(fd);
        *ret_store = store;
        return 0;
}

int store_directory(const Store *store)
{
        return store->directory;
}

Store *store_close(Store *store)
{
        if (!store)
                return NULL;
        close(store->directory);
        free(store);
        return NULL;
}

int store_read_record(int directory, const char *name, StoreRecord *ret_record)
{
        _cleanup_(freep) char *data = NULL;
        size_t n = 0;
        int r;

        r = file_read(directory, name, RECORD_SIZE_MAX, &data, &n);
        if (r == -ENOENT)
                return r;
        if (r < 0) {
                log_errno(r, "The record %s cannot be read", name);
                return file_is_damaged(r) ? STORE_E_DAMAGED : r;
        }
        r = record_decode(data, n, ret_record);
        return r == RECORD_E_MALFORMED ? STORE_E_DAMAGED : r;
}

int store_read(Store *store, StoreFile file, StoreRecord *ret_record)
{
        return store_read_record(store->directory, store_file_name(file), ret_record);
}

int store_write_next(Store *store, const StoreRecord *record)
{
        const char *name = store_file_name(STORE_NEXT);
        _cleanup_(freep) uint8_t *data = NULL;
        size_t n = 0;
        int r;

        r = record_encode(record, &data, &n);
        if (r < 0)
                return r;
        r = file_replace(store->directory, name, data, n);
        return r < 0 ? log_errno(r, "The record %s cannot be written", name) : 0;
}

int store_discard_next(Store *store)
{
        const char *name = store_file_name(STORE_NEXT);
        int r = file_remove(store->directory, name);

        return r < 0 ? log_errno(r, "The record %s cannot be removed", name) : 0;
}

/* `state` must never be without a file, so the record before gets its second name first. */
static int keep_previous(Store *store)
{
        int r = file_link(store->directory, store_file_name(STORE_STATE), store->directory,
                          store_file_name(STORE_PREVIOUS));

        return r == -ENOENT ? 0 : r;
}

int store_publish_next(Store *store)
{
        const char *next = store_file_name(STORE_NEXT);
        int r;

        if (faccessat(store->directory, next, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0
                                       : log_errno(-errno, "The record %s is out of reach", next);
        r = keep_previous(store);
        if (r < 0)
                return log_errno(r, "The record before cannot be kept");
        if (renameat(store->directory, next, store->directory, store_file_name(STORE_STATE)) < 0)
                return log_errno(-errno, "The record %s cannot be renamed", next);
        r = directory_sync(store->directory);
        if (r < 0)
                return log_errno(r, "The directory of the records cannot be synced");
        return 0;
}

int store_set_aside(Store *store, StoreFile file)
{
        const char *name = store_file_name(file);
        char aside[64];

        snprintf(aside, sizeof(aside), "%s.damaged", name);
        if (renameat(store->directory, name, store->directory, aside) < 0 && errno != ENOENT)
                return log_errno(-errno, "The record %s cannot be put aside", name);
        return 0;
}
