/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Store: the record of what is in force, on disk. A record is written aside as `state.next`,
 * synced, and renamed to `state` once it is in force; the one before stays as `state.previous`. So
 * a power cut at any step leaves the old record or the new one. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "transaction/set.h"
#include "transaction/transaction.h"
#include "util/cleanup.h"

/* Positive result of store_read(): there is a file, and it is not a whole record of ours. */
#define STORE_E_DAMAGED 1

typedef enum StoreFile {
        STORE_STATE,    /* the record in force */
        STORE_NEXT,     /* one that was about to be */
        STORE_PREVIOUS, /* the one before */
} StoreFile;

const char *store_file_name(StoreFile file);

/* What a record says. */
typedef struct StoreRecord {
        DocumentSet *documents;
        Numbering numbering; /* of their rules; written without: from 1, in order */
        Mode mode;
        uint64_t audited;    /* HOOK_BIT of each hook that is in MODE_AUDIT whatever the mode is */
        uint64_t generation; /* from 1 */
} StoreRecord;
void store_record_deinit(StoreRecord *record);

typedef struct Store Store;

/* Opens the directory, made with mode 0700 if it is not there, and keeps others of our kind out of
 * it. Returns 0, -EBUSY if another service has it, -EPERM if it belongs to another user, or another
 * negative errno. */
int store_open(Store **ret_store, const char *directory);
Store *store_close(Store *store);

/* The directory, which belongs to the store. */
int store_directory(const Store *store);

/* Reads and checks a record and parses its documents. Returns 0, STORE_E_DAMAGED, -ENOENT, or
 * another negative errno. */
int store_read(Store *store, StoreFile file, StoreRecord *ret_record);

/* The same for any file in a directory of ours. */
int store_read_record(int directory, const char *name, StoreRecord *ret_record);

/* Writes the record to STORE_NEXT, durably. Returns 0 or a negative errno; on failure STORE_NEXT is
 * what it was, or the record without being known to be durable. */
int store_write_next(Store *store, const StoreRecord *record);

/* Forgets STORE_NEXT, durably. Returns 0 or a negative errno. */
int store_discard_next(Store *store);

/* Makes STORE_NEXT the record in force, durably, and keeps the one before. Does nothing if there is
 * no STORE_NEXT. Returns 0 or a negative errno. */
int store_publish_next(Store *store);

/* Puts a damaged file out of the way, as NAME.damaged, for someone to look at. */
int store_set_aside(Store *store, StoreFile file);

DEFINE_CLEANUP(Store *, store_close);
