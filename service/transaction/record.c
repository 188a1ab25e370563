/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Record: see record.h. */
#include "transaction/record.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/apart.h"
#include "util/cleanup.h"
#include "util/log.h"

#define RECORD_VERSION 5u
#define HOOK_NAME_MAX 64u
#define HEADER_SIZE 32u
#define ENTRY_HEADER_SIZE 56u

_Static_assert(HEADER_SIZE >= DIGEST_SIZE, "what has a header is long enough for a checksum");
_Static_assert(ENTRY_HEADER_SIZE + POLICY_NAME_MAX == RECORD_ENTRY_MAX, "as it is written");

static const char magic[8] = {'A', 'E', 'G', 'S', 'T', 'A', 'T', 'E'};

/* ---- writing ---- */

static uint8_t *put(uint8_t *at, const void *data, size_t n)
{
        memcpy(at, data, n);
        return at + n;
}

static uint8_t *put_u32(uint8_t *at, uint32_t number)
{
        number = htole32(number);
        return put(at, &number, sizeof(number));
}

static uint8_t *put_u64(uint8_t *at, uint64_t number)
{
        number = htole64(number);
        return put(at, &number, sizeof(number));
}

/* How many rules from the i-th on have numbers in order. */
static size_t run_length(const Numbering *numbering, size_t i)
{
        size_t n = 1;

        while (i + n < numbering->n_numbers &&
               numbering->numbers[i + n] == numbering->numbers[i] + n)
                n++;
        return n;
}

static size_t count_runs(const Numbering *numbering)
{
        size_t n = 0;

        for (size_t i = 0; i < numbering->n_numbers; i += run_length(numbering, i))
                n++;
        return n;
}

static int is_numbered_in_order(const Numbering *numbering, size_t n_runs)
{
        if (numbering->n_rules != numbering->n_numbers + 1)
                return numbering->n_rules == 0;
        return n_runs == 0 || (n_runs == 1 && numbering->numbers[0] == 1);
}

static uint8_t *put_numbering(uint8_t *at, const Numbering *numbering, size_t n_runs)
{
        at = put_u32(at, n_runs > 0 ? (uint32_t) numbering->n_rules : 0);
        at = put_u32(at, (uint32_t) n_runs);
        for (size_t i = 0, n; n_runs > 0 && i < numbering->n_numbers; i += n) {
                n = run_length(numbering, i);
                at = put_u32(at, numbering->numbers[i]);
                at = put_u32(at, (uint32_t) n);
        }
        return at;
}

/* By name: a number of a hook is not the same in every version. */
static size_t hooks_size(uint64_t audited)
{
        size_t size = sizeof(uint32_t);

        for (enum hook hook = 0; hook < N_HOOKS; hook++)
                if (audited & HOOK_BIT(hook))
                        size += sizeof(uint32_t) + strlen(hook_to_string(hook));
        return size;
}

static uint8_t *put_hooks(uint8_t *at, uint64_t audited)
{
        at = put_u32(at, (uint32_t) __builtin_popcountll(audited));
        for (enum hook hook = 0; hook < N_HOOKS; hook++) {
                const char *name = hook_to_string(hook);

                if (!(audited & HOOK_BIT(hook)))
                        continue;
                at = put_u32(at, (uint32_t) strlen(name));
                at = put(at, name, strlen(name));
        }
        return at;
}

static uint8_t *put_header(uint8_t *at, const StoreRecord *record, size_t n_head)
{
        at = put(at, magic, sizeof(magic));
        at = put_u32(at, RECORD_VERSION);
        at = put_u32(at, record->mode == MODE_AUDIT);
        at = put_u64(at, record->generation);
        at = put_u32(at, (uint32_t) document_set_size(record->documents));
        return put_u32(at, (uint32_t) n_head);
}

static uint8_t *put_entry(uint8_t *at, const Loaded *loaded)
{
        size_t n_name = strlen(loaded->document.name);

        at = put_u32(at, (uint32_t) n_name);
        at = put_u32(at, (uint32_t) loaded->document.n_text);
        at = put_u64(at, loaded->generation);
        at = put_u64(at, loaded->changed_usec);
        at = put(at, loaded->digest, DIGEST_SIZE);
        return put(at, loaded->document.name, n_name);
}

static size_t entries_size(const DocumentSet *documents)
{
        size_t size = 0;

        for (size_t i = 0; i < document_set_size(documents); i++)
                size += ENTRY_HEADER_SIZE + strlen(document_set_get(documents, i)->document.name);
        return size;
}

static size_t texts_size(const DocumentSet *documents)
{
        size_t size = 0;

        for (size_t i = 0; i < document_set_size(documents); i++)
                size += document_set_get(documents, i)->document.n_text;
        return size;
}

static uint8_t *put_texts(uint8_t *at, const DocumentSet *documents)
{
        for (size_t i = 0; i < document_set_size(documents); i++) {
                const Document *document = &document_set_get(documents, i)->document;

                at = put(at, document->text, document->n_text);
        }
        return at;
}

int record_encode(const StoreRecord *record, uint8_t **ret_data, size_t *ret_n)
{
        const DocumentSet *documents = record->documents;
        size_t n_counted = count_runs(&record->numbering);
        size_t n_runs = is_numbered_in_order(&record->numbering, n_counted) ? 0 : n_counted;
        size_t n_head = HEADER_SIZE + entries_size(documents) +
                        sizeof(uint32_t) * (2 + 2 * n_runs) + hooks_size(record->audited);
        size_t n = n_head + DIGEST_SIZE + texts_size(documents);
        uint8_t *data = malloc(n), *at;

        if (!data)
                return -ENOMEM;
        at = put_header(data, record, n_head);
        for (size_t i = 0; i < document_set_size(documents); i++)
                at = put_entry(at, document_set_get(documents, i));
        at = put_numbering(at, &record->numbering, n_runs);
        at = put_hooks(at, record->audited);
        digest_bytes(data, n_head, at);
        put_texts(at + DIGEST_SIZE, documents);
        *ret_data = data;
        *ret_n = n;
        return 0;
}

/* ---- reading ---- */

/* What is left to read. Whoever takes more than there is gets nothing, and `failed` stays set. */
typedef struct Reader {
        const uint8_t *at;
        size_t n_left;
        int failed;
} Reader;

static const void *take(Reader *reader, size_t n)
{
        const uint8_t *taken = reader->at;

        if (reader->failed || n > reader->n_left) {
                reader->failed = 1;
                return NULL;
        }
        reader->at += n;
        reader->n_left -= n;
        return taken;
}

static uint32_t take_u32(Reader *reader)
{
        const void *bytes = take(reader, sizeof(uint32_t));
        uint32_t number = 0;

        if (bytes)
                memcpy(&number, bytes, sizeof(number));
        return le32toh(number);
}

static uint64_t take_u64(Reader *reader)
{
        const void *bytes = take(reader, sizeof(uint64_t));
        uint64_t number = 0;

        if (bytes)
                memcpy(&number, bytes, sizeof(number));
        return le64toh(number);
}

static int malformed(const char *reason)
{
        log_warning("A record of the store is damaged: %s", reason);
        return RECORD_E_MALFORMED;
}

static int has_digest(const void *data, size_t n, const uint8_t *digest)
{
        uint8_t found[DIGEST_SIZE];

        digest_bytes(data, n, found);
        return memcmp(found, digest, DIGEST_SIZE) == 0;
}

/* ret_n_head: bytes before the checksum, which fits. */
static int check_seal(const uint8_t *data, size_t n, size_t *ret_n_head)
{
        Reader reader = {.at = data, .n_left = n};
        size_t n_head;

        take(&reader, HEADER_SIZE - sizeof(uint32_t));
        n_head = take_u32(&reader);
        if (reader.failed || n_head < HEADER_SIZE || n_head > n - DIGEST_SIZE)
                return malformed("it is too short");
        if (!has_digest(data, n_head, data + n_head))
                return malformed("its checksum does not fit");
        *ret_n_head = n_head;
        return 0;
}

static int take_header(Reader *reader, StoreRecord *record, uint32_t *ret_n_documents)
{
        const void *start = take(reader, sizeof(magic)); /* as much is there: see check_seal() */
        uint32_t version = take_u32(reader), mode = take_u32(reader), n_documents;

        record->generation = take_u64(reader);
        n_documents = take_u32(reader);
        if (memcmp(start, magic, sizeof(magic)) != 0)
                return malformed("it does not begin as a record does");
        if (version != RECORD_VERSION)
                return malformed("it has another version");
        take_u32(reader); /* checked already */
        if (mode > 1)
                return malformed("its mode makes no sense");
        if (record->generation == 0 || record->generation == EXPECT_ANY)
                return malformed("its generation is out of range");
        if (n_documents > DOCUMENTS_MAX)
                return malformed("it has too many documents");
        record->mode = mode == 1 ? MODE_AUDIT : MODE_ENFORCE;
        *ret_n_documents = n_documents;
        return 0;
}

typedef struct RawDocument {
        char name[POLICY_NAME_MAX + 1];
        const char *text;
        uint32_t n_text;
        uint64_t generation, changed_usec;
        const uint8_t *digest;
} RawDocument;

static int take_document(Reader *reader, Reader *texts, RawDocument *ret_raw)
{
        uint32_t n_name = take_u32(reader);
        RawDocument raw = {.n_text = take_u32(reader)};
        const char *name;

        raw.generation = take_u64(reader);
        raw.changed_usec = take_u64(reader);
        raw.digest = take(reader, DIGEST_SIZE);
        if (n_name > POLICY_NAME_MAX || raw.n_text > POLICY_SIZE_MAX)
                return malformed("a document is too large");
        name = take(reader, n_name);
        raw.text = take(texts, raw.n_text);
        if (reader->failed || texts->failed)
                return malformed("it ends within a document");
        if (!has_digest(raw.text, raw.n_text, raw.digest))
                return malformed("the checksum of a document does not fit");
        memcpy(raw.name, name, n_name);
        if (strlen(raw.name) != n_name || !policy_name_is_valid(raw.name))
                return malformed("a document has no valid name");
        *ret_raw = raw;
        return 0;
}

static int parse_document(const RawDocument *raw, Entry **ret_entry)
{
        _cleanup_(diagnostics_deinit) Diagnostics diagnostics = {};
        _cleanup_(policy_unrefp) Policy *policy = NULL;
        Document document = {
                .name = raw->name, .text = raw->text, .n_text = raw->n_text, .digest = raw->digest};
        int r;

        r = policy_parse_apart(&policy, raw->text, raw->n_text, &diagnostics);
        if (r < 0)
                return r;
        if (r > 0) {
                log_warning("The stored document %s is not one that this version takes", raw->name);
                return RECORD_E_MALFORMED;
        }
        document.policy = policy;
        return entry_new(ret_entry, &document, raw->generation, raw->changed_usec);
}

/* Adds the next document of the record to record->documents. */
static int add_document(Reader *reader, Reader *texts, StoreRecord *record)
{
        _cleanup_(entry_unrefp) Entry *entry = NULL;
        DocumentSet *grown = NULL;
        size_t n_before = document_set_size(record->documents);
        RawDocument raw;
        int r;

        r = take_document(reader, texts, &raw);
        if (r != 0)
                return r;
        if (raw.generation > record->generation)
                return malformed("a document is newer than its set");
        r = parse_document(&raw, &entry);
        if (r != 0)
                return r;
        r = document_set_with(record->documents, entry, &grown);
        if (r != 0)
                return r < 0 ? r : malformed("its documents are too many");
        document_set_free(record->documents);
        record->documents = grown;
        if (document_set_size(grown) != n_before + 1)
                return malformed("a document is there twice");
        return 0;
}

static size_t count_rules(const DocumentSet *documents)
{
        size_t n = 0;

        for (size_t i = 0; i < document_set_size(documents); i++)
                n += policy_n_rules(document_set_get(documents, i)->document.policy);
        return n;
}

/* Each number once, and none of them 0. */
static int check_numbering(const Numbering *numbering)
{
        _cleanup_(freep) uint8_t *seen = calloc(numbering->n_rules, sizeof(*seen));

        if (!seen)
                return -ENOMEM;
        for (size_t i = 0; i < numbering->n_numbers; i++) {
                uint32_t number = numbering->numbers[i];

                if (number == 0 || number >= numbering->n_rules || seen[number])
                        return malformed("a rule has a number that makes no sense");
                seen[number] = 1;
        }
        return 0;
}

static int number_in_order(StoreRecord *record)
{
        Numbering *numbering = &record->numbering;

        numbering->n_numbers = count_rules(record->documents);
        numbering->n_rules = numbering->n_numbers + 1;
        numbering->numbers = calloc(numbering->n_rules, sizeof(numbering->numbers[0]));
        if (!numbering->numbers)
                return -ENOMEM;
        for (size_t i = 0; i < numbering->n_numbers; i++)
                numbering->numbers[i] = (uint32_t) i + 1;
        return 0;
}

static int take_numbering(Reader *reader, StoreRecord *record)
{
        Numbering *numbering = &record->numbering;
        uint32_t n_rules = take_u32(reader), n_runs = take_u32(reader);
        size_t n_taken = 0;

        if (n_rules == 0 && n_runs == 0)
                return 0; /* in order */
        if (n_rules == 0 || n_rules > RULES_MAX)
                return malformed("the numbers of its rules make no sense");
        numbering->n_rules = n_rules;
        for (uint32_t i = 0; i < n_runs; i++) {
                uint32_t first = take_u32(reader), n = take_u32(reader);

                if (n == 0 || n > numbering->n_numbers - n_taken)
                        return malformed("the numbers of its rules are not of its documents");
                for (uint32_t j = 0; j < n; j++)
                        numbering->numbers[n_taken++] = first + j;
        }
        if (n_taken != numbering->n_numbers)
                return malformed("the numbers of its rules are not of its documents");
        return check_numbering(numbering);
}

/* 0 if there is no such hook. */
static uint64_t hook_bit_of(const char *name, size_t n)
{
        for (enum hook hook = 0; hook < N_HOOKS; hook++)
                if (strlen(hook_to_string(hook)) == n && memcmp(hook_to_string(hook), name, n) == 0)
                        return HOOK_BIT(hook);
        return 0;
}

static int take_hooks(Reader *reader, StoreRecord *record)
{
        uint32_t n = take_u32(reader);

        if (n > 64)
                return malformed("it has too many hooks");
        for (uint32_t i = 0; i < n; i++) {
                uint32_t n_name = take_u32(reader);
                const char *name = n_name > HOOK_NAME_MAX ? NULL : take(reader, n_name);

                if (!name)
                        return malformed("it ends within the hooks in audit mode");
                record->audited |= hook_bit_of(name, n_name);
        }
        return 0;
}

static int read_record(Reader *reader, Reader *texts, StoreRecord *record)
{
        uint32_t n_documents = 0;
        int r;

        r = take_header(reader, record, &n_documents);
        if (r != 0)
                return r;
        for (uint32_t i = 0; i < n_documents; i++) {
                r = add_document(reader, texts, record);
                if (r != 0)
                        return r;
        }
        r = number_in_order(record);
        if (r == 0)
                r = take_numbering(reader, record);
        if (r == 0)
                r = take_hooks(reader, record);
        if (r != 0)
                return r;
        if (reader->failed)
                return malformed("it ends early");
        return reader->n_left + texts->n_left > 0 ? malformed("there is more after its end") : 0;
}

int record_decode(const void *data, size_t n, StoreRecord *ret_record)
{
        _cleanup_(store_record_deinit) StoreRecord record = {};
        Reader head = {.at = data}, texts;
        int r;

        r = check_seal(data, n, &head.n_left);
        if (r != 0)
                return r;
        texts = (Reader){.at = head.at + head.n_left + DIGEST_SIZE,
                         .n_left = n - head.n_left - DIGEST_SIZE};
        r = document_set_new(&record.documents);
        if (r < 0)
                return r;
        r = read_record(&head, &texts, &record);
        if (r != 0)
                return r;
        *ret_record = record;
        record.documents = NULL;
        record.numbering = (Numbering){};
        return 0;
}
