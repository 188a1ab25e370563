/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Folder: the directory into which administrators, packages and configuration management put
 * policies, NAME.policy each. A file is in force as the document NAME, since the last start or
 * reload, and stands before what was applied under that name. A file that is faulty, or gone, takes
 * nothing away: the document stays as it was, and the difference is told. */
#pragma once

#include "policy/digest.h"
#include "transaction/trouble.h"

/* What is known of the directory. */
typedef struct Folder {
        const char *path;          /* or NULL: there is none */
        char *loaded;              /* lines: names that came from a file, and are not removed yet */
        uint8_t seen[DIGEST_SIZE]; /* of names, sizes and times, and of what was in force then */
        int differs;
} Folder;

typedef struct Enforcement Enforcement;

/* At start, after all else that is found there. Returns 0 or -ENOMEM. */
int folder_begin(Enforcement *enforcement);

/* Looks, if something has changed, whether the files are what is in force. */
void folder_check(Enforcement *enforcement);

void folder_deinit(Folder *folder);

typedef struct FolderReport FolderReport;
typedef struct FolderFault FolderFault;

/* Notes a copy of the name; of line and message, of that file or with NULL of the directory. Return
 * 0 or -ENOMEM. */
int folder_report_name(FolderReport *report, const char *name);
int folder_report_fault(FolderReport *report, const char *directory, const char *file,
                        const FolderFault *fault);
