/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Publish: the record of what is in force gets its name. */
#include <string.h>

#include "transaction/internal.h"
#include "transaction/marker.h"
#include "util/log.h"

/* What is in force, once more: a sync that failed may have lost what it was to keep, and a second
 * one would not say so. */
static int record_again(Enforcement *enforcement)
{
        const StoreRecord record = {.documents = enforcement->documents,
                                    .numbering = enforcement->numbering,
                                    .mode = enforcement->mode,
                                    .audited = enforcement->audited,
                                    .generation = enforcement->generation};

        return store_write_next(enforcement->store, &record);
}

static int publish(Enforcement *enforcement)
{
        int r = enforcement->unpublished ? record_again(enforcement) : 0;

        if (r < 0)
                return r;
        generations_keep(enforcement->generations, STORE_NEXT, enforcement->generation,
                         enforcement->digest);
        return store_publish_next(enforcement->store);
}

void enforcement_mark(Enforcement *enforcement)
{
        int r;

        if (!enforcement->marker_directory || enforcement->is_marked)
                return;
        enforcement->is_marked = 1; /* whether it can be or not: it is tried once a start */
        if (marker_is_set(enforcement->marker_directory))
                return;
        r = marker_set(enforcement->marker_directory);
        if (r < 0)
                log_errno(r, "%s cannot be marked: a lost state may pass for a first start",
                          enforcement->marker_directory);
}

void enforcement_publish(Enforcement *enforcement)
{
        int r = publish(enforcement);

        enforcement->unpublished = r < 0;
        trouble_clear(&enforcement->trouble, TROUBLE_STORE);
        if (r < 0)
                trouble_add(
                        &enforcement->trouble, TROUBLE_STORE,
                        "The record of generation %llu has not got its name on disk (%s): after a "
                        "power cut the one before may come back",
                        (unsigned long long) enforcement->generation, strerror(-r));
        if (r < 0)
                return;
        enforcement_note_record(enforcement);
        enforcement_mark(enforcement);
}
