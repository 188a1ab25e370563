/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the rooms of the start share. Included by nobody else. */
#pragma once

#include "transaction/internal.h"

typedef enum RecoverHow {
        RECOVER_RECORDED,   /* it is the record on disk */
        RECOVER_AND_RECORD, /* it is to be that */
} RecoverHow;

/* Signed documents are those that were stored last and can be verified again, whatever the record
 * is of: what is lost elsewhere takes none of them back. Returns 0 or -ENOMEM. */
int recover_signed(Enforcement *enforcement, StoreRecord *record);

/* Brings what a record says and what the kernel has together. Takes the record's parts. Returns 0
 * or a negative errno. */
int recover_settle(Enforcement *enforcement, StoreRecord *record, RecoverHow how);
