/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A record of the store, as a stranger would write it, with the right checksums, since a fuzzer
 * would not find any. The input is a record with none over its head. What is taken must be taken
 * again as it is written again. */
#include <endian.h>
#include <string.h>

#include "fuzz.h"
#include "policy/digest.h"
#include "transaction/record.h"
#include "util/log.h"

#define INPUT_MAX (64u * 1024)
/* Offsets and sizes: see record.h. */
#define HEADER_SIZE 32u
#define N_DOCUMENTS 24u
#define N_HEAD 28u
#define ENTRY_SIZE 56u
#define TEXT_DIGEST 24u

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

static uint32_t number_at(const uint8_t *data, size_t offset)
{
        uint32_t number;

        memcpy(&number, data + offset, sizeof(number));
        return le32toh(number);
}

/* Those of texts, as far as entries can be told. */
static void digest_texts(uint8_t *data, size_t n_head, const uint8_t *text, size_t n_texts)
{
        size_t at = HEADER_SIZE;

        for (uint32_t n = number_at(data, N_DOCUMENTS); n > 0 && at + ENTRY_SIZE <= n_head; n--) {
                uint32_t n_name = number_at(data, at), n_text = number_at(data, at + 4);

                if (n_text > n_texts || n_name > n_head)
                        return;
                digest_bytes(text, n_text, data + at + TEXT_DIGEST);
                text += n_text;
                n_texts -= n_text;
                at += ENTRY_SIZE + n_name;
        }
}

/* Returns how many bytes the record has. */
static size_t seal(uint8_t *record, const uint8_t *data, size_t size)
{
        size_t n_head = size < HEADER_SIZE ? size : number_at(data, N_HEAD);

        if (n_head > size || n_head < HEADER_SIZE)
                n_head = size;
        if (size > 0) {
                memcpy(record, data, n_head);
                memcpy(record + n_head + DIGEST_SIZE, data + n_head, size - n_head);
        }
        if (n_head >= HEADER_SIZE)
                digest_texts(record, n_head, record + n_head + DIGEST_SIZE, size - n_head);
        digest_bytes(record, n_head, record + n_head);
        return size + DIGEST_SIZE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static uint8_t sealed[INPUT_MAX + DIGEST_SIZE];
        StoreRecord record = {};

        if (size > INPUT_MAX || digest_init() < 0)
                return 0;
        log_set_max_level(LOG_EMERG);
        size = seal(sealed, data, size);
        if (record_decode(sealed, size, &record) == 0) {
                check_again(&record);
                store_record_deinit(&record);
        }
        return 0;
}
