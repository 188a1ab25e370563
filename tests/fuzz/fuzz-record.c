/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A record of the store, as a stranger would write it: sealed with a right checksum, since a fuzzer
 * would not find one. What is taken must be taken again as it is written again. */
#include <string.h>

#include "fuzz.h"
#include "policy/digest.h"
#include "transaction/record.h"
#include "util/log.h"

#define INPUT_MAX (64u * 1024)

static void check_again(const StoreRecord *record)
{
        StoreRecord again = {};
        uint8_t *data = NULL;
        size_t n = 0;

        HOLDS(record_encode(record, &data, &n) == 0);
        HOLDS(record_decode(data, n, &again) == 0);
        HOLDS(document_set_size(again.documents) == document_set_size(record->documents));
        HOLDS(again.generation == record->generation && again.mode == record->mode &&
              again.audited == record->audited);
        store_record_deinit(&again);
        free(data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static uint8_t sealed[INPUT_MAX + DIGEST_SIZE];
        StoreRecord record = {};

        if (size > INPUT_MAX || digest_init() < 0)
                return 0;
        log_set_max_level(LOG_EMERG);
        if (size > 0)
                memcpy(sealed, data, size);
        digest_bytes(sealed, size, sealed + size);
        if (record_decode(sealed, size + DIGEST_SIZE, &record) == 0) {
                check_again(&record);
                store_record_deinit(&record);
        }
        return 0;
}
