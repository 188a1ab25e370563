/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records whose checksum fits and that make no sense all the same: someone else may have made them.
 * Each is a good one with one thing wrong. Offsets: see record.h. */
#include <endian.h>
#include <glib.h>
#include <string.h>

#include "transaction/record.h"
#include "util/log.h"

#define TWO_RULES "version=1\n[deny_path]\n/a\n/b\n"

#define MAGIC 0u
#define VERSION 8u
#define MODE 12u
#define GENERATION 16u
#define N_DOCUMENTS 24u
#define N_HEAD 28u
#define DOCUMENT 32u
#define DOCUMENT_HEADER 56u
#define N_NAME DOCUMENT
#define N_TEXT (DOCUMENT + 4u)
#define OWN_GENERATION (DOCUMENT + 8u)
#define TEXT_DIGEST (DOCUMENT + 24u)
#define NAME (DOCUMENT + DOCUMENT_HEADER)
#define SECOND (NAME + 3u) /* behind "web": "xyz", with the same text */
#define NUMBERS (SECOND + DOCUMENT_HEADER + 3u)
#define HOOKS (NUMBERS + (2u + 3u * 2u) * 4u) /* behind 7 and 8, 2, and 4 */
#define N_TEXT_BYTES (sizeof(TWO_RULES) - 1)

typedef struct Bytes {
        uint8_t *data;
        size_t n;
} Bytes;

static void add_document(StoreRecord *record, const char *name, const char *text)
{
        _cleanup_(diagnostics_deinit) Diagnostics diagnostics = {};
        _cleanup_(policy_unrefp) Policy *policy = NULL;
        _cleanup_(entry_unrefp) Entry *entry = NULL;
        Document document = {.name = name, .text = text, .n_text = strlen(text)};
        DocumentSet *grown = NULL;

        g_assert_cmpint(policy_parse(&policy, text, strlen(text), &diagnostics), ==, 0);
        document.policy = policy;
        g_assert_cmpint(entry_new(&entry, &document, 3, 1000), ==, 0);
        g_assert_cmpint(document_set_with(record->documents, entry, &grown), ==, 0);
        document_set_free(record->documents);
        record->documents = grown;
}

static StoreRecord record_of(const char *text)
{
        StoreRecord record = {.generation = 5};

        g_assert_cmpint(document_set_new(&record.documents), ==, 0);
        add_document(&record, "web", text);
        return record;
}

static Bytes encode(const StoreRecord *record)
{
        Bytes bytes;

        g_assert_cmpint(record_encode(record, &bytes.data, &bytes.n), ==, 0);
        return bytes;
}

/* Two documents, rules with other numbers than in order, and two hooks. */
static Bytes good_one(void)
{
        static const uint32_t numbers[] = {7, 8, 2, 4};
        StoreRecord record = record_of(TWO_RULES);
        Bytes bytes;

        add_document(&record, "xyz", TWO_RULES);
        record.numbering.numbers = g_memdup2(numbers, sizeof(numbers));
        record.numbering.n_numbers = G_N_ELEMENTS(numbers);
        record.numbering.n_rules = 10;
        record.audited = HOOK_BIT(0) | HOOK_BIT(1);
        bytes = encode(&record);
        store_record_deinit(&record);
        return bytes;
}

static void put_u32(Bytes *bytes, size_t offset, uint32_t number)
{
        g_assert_cmpuint(offset + sizeof(number), <=, bytes->n);
        number = htole32(number);
        memcpy(bytes->data + offset, &number, sizeof(number));
}

static uint32_t head_size(const Bytes *bytes)
{
        uint32_t n;

        memcpy(&n, bytes->data + N_HEAD, sizeof(n));
        return le32toh(n);
}

/* Sealed anew, if there is room for a checksum where it should be. */
static int decode(const Bytes *bytes, StoreRecord *ret_record)
{
        uint32_t n_head = head_size(bytes);

        if (n_head >= DOCUMENT && n_head <= bytes->n - DIGEST_SIZE)
                digest_bytes(bytes->data, n_head, bytes->data + n_head);
        return record_decode(bytes->data, bytes->n, ret_record);
}

/* Its head with n bytes from `at` on taken away, or, if n is negative, with as many zeros more. */
static Bytes with_other_head(const Bytes *bytes, size_t at, int n)
{
        uint32_t n_head = head_size(bytes);
        size_t n_more = n < 0 ? (size_t) -n : 0, n_less = n > 0 ? (size_t) n : 0;
        Bytes other = {.n = bytes->n + n_more - n_less};

        other.data = g_malloc0(other.n);
        memcpy(other.data, bytes->data, at);
        memcpy(other.data + at + n_more, bytes->data + at + n_less, bytes->n - at - n_less);
        put_u32(&other, N_HEAD, (uint32_t) (n_head + n_more - n_less));
        return other;
}

static void refused(Bytes *bytes)
{
        StoreRecord record = {};

        g_assert_cmpint(decode(bytes, &record), ==, RECORD_E_MALFORMED);
        g_assert_null(record.documents);
        g_assert_null(record.numbering.numbers);
        g_free(bytes->data);
}

static void test_what_was_written_is_read(void)
{
        Bytes bytes = good_one();
        StoreRecord record = {};

        g_assert_cmpint(decode(&bytes, &record), ==, 0);
        g_assert_cmpuint(record.generation, ==, 5);
        g_assert_cmpuint(record.mode, ==, MODE_ENFORCE);
        g_assert_cmpuint(record.audited, ==, HOOK_BIT(0) | HOOK_BIT(1));
        g_assert_cmpuint(document_set_size(record.documents), ==, 2);
        g_assert_cmpuint(record.numbering.n_rules, ==, 10);
        g_assert_cmpuint(record.numbering.n_numbers, ==, 4);
        g_assert_cmpuint(record.numbering.numbers[1], ==, 8);
        g_assert_cmpuint(record.numbering.numbers[2], ==, 2);
        g_assert_cmpuint(record.numbering.numbers[3], ==, 4);
        store_record_deinit(&record);
        g_free(bytes.data);
}

/* A number in the place of another. */
static void test_a_number_that_makes_no_sense_is_refused(void)
{
        static const struct {
                size_t offset;
                uint32_t number;
        } wrongs[] = {
                {MAGIC, 7},
                {VERSION, 0},
                {VERSION, 4},
                {VERSION, 6},
                {MODE, 2},
                {GENERATION, 0},
                {GENERATION, 2}, /* the documents are of 3 */
                {N_DOCUMENTS, 0},
                {N_DOCUMENTS, 1},
                {N_DOCUMENTS, 3},
                {N_DOCUMENTS, DOCUMENTS_MAX + 1},
                {N_HEAD, 0},
                {N_HEAD, DOCUMENT - 1},
                {N_HEAD, DOCUMENT},
                {N_HEAD, HOOKS},
                {N_HEAD, UINT32_MAX},
                {N_NAME, 0},
                {N_NAME, 2},
                {N_NAME, POLICY_NAME_MAX + 1},
                {N_TEXT, POLICY_SIZE_MAX + 1},
                {N_TEXT, POLICY_SIZE_MAX},
                {N_TEXT, 0},
                {TEXT_DIGEST, 0},
                {OWN_GENERATION, 6},
                {NUMBERS, 0},
                {NUMBERS, 8},
                {NUMBERS, RULES_MAX + 1},
                {NUMBERS + 4, 0},
                {NUMBERS + 4, 2},
                {NUMBERS + 4, UINT32_MAX},
                {NUMBERS + 8, 0},
                {NUMBERS + 8, 1}, /* 2 twice */
                {NUMBERS + 8, 9}, /* 10 is too high */
                {NUMBERS + 8, 10},
                {NUMBERS + 8, UINT32_MAX},
                {NUMBERS + 12, 0},
                {NUMBERS + 12, 1},
                {NUMBERS + 12, 3},
                {NUMBERS + 12, UINT32_MAX},
                {NUMBERS + 28, 2},
                {HOOKS, 1},
                {HOOKS, 3},
                {HOOKS, 65},
                {HOOKS + 4, 65},
                {HOOKS + 4, 64},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(wrongs); i++) {
                Bytes bytes = good_one();

                put_u32(&bytes, wrongs[i].offset, wrongs[i].number);
                g_test_message("%u at %zu", wrongs[i].number, wrongs[i].offset);
                refused(&bytes);
        }
}

static void test_a_generation_that_means_any_is_refused(void)
{
        Bytes bytes = good_one();

        put_u32(&bytes, GENERATION, UINT32_MAX);
        put_u32(&bytes, GENERATION + 4, UINT32_MAX);
        refused(&bytes);
}

static void test_a_document_that_is_none_is_refused(void)
{
        Bytes wrong_name = good_one(), short_name = good_one(), twice = good_one();
        Bytes faulty = good_one(), changed = good_one();
        uint8_t *text = faulty.data + head_size(&faulty) + DIGEST_SIZE;

        wrong_name.data[NAME] = '/';
        refused(&wrong_name);
        short_name.data[NAME + 2] = '\0';
        refused(&short_name);
        memcpy(twice.data + SECOND + DOCUMENT_HEADER, "web", 3);
        refused(&twice);
        text[0] = '?';
        digest_bytes(text, N_TEXT_BYTES, faulty.data + TEXT_DIGEST);
        refused(&faulty);
        changed.data[head_size(&changed) + DIGEST_SIZE + N_TEXT_BYTES - 2] = 'c'; /* of /b */
        refused(&changed);
}

static void test_what_ends_early_is_refused_wherever_that_is(void)
{
        Bytes bytes = good_one();
        StoreRecord record = {};

        for (size_t n = 0; n < bytes.n; n++)
                g_assert_cmpint(record_decode(bytes.data, n, &record), ==, RECORD_E_MALFORMED);
        for (size_t n = DOCUMENT; n < head_size(&bytes); n++) {
                Bytes cut = with_other_head(&bytes, n, (int) (head_size(&bytes) - n));

                refused(&cut);
        }
        g_free(bytes.data);
}

static void test_what_goes_on_behind_its_end_is_refused(void)
{
        Bytes bytes = good_one(), longer = with_other_head(&bytes, head_size(&bytes), -1);

        refused(&longer);
        bytes.data = g_realloc(bytes.data, bytes.n + 1);
        bytes.data[bytes.n++] = 0;
        refused(&bytes);
}

static void test_numbers_of_more_rules_than_there_are_are_refused(void)
{
        Bytes bytes = good_one(), longer = with_other_head(&bytes, HOOKS, -8);

        put_u32(&longer, NUMBERS + 4, 4);
        put_u32(&longer, HOOKS, 1);
        refused(&longer);
        g_free(bytes.data);
}

static void test_twice_0_is_in_order(void)
{
        StoreRecord record = record_of(TWO_RULES), again = {};
        Bytes bytes;

        record.audited = HOOK_BIT(0);
        bytes = encode(&record);
        g_assert_cmpint(decode(&bytes, &again), ==, 0);
        g_assert_cmpuint(again.numbering.n_rules, ==, 3);
        g_assert_cmpuint(again.numbering.numbers[1], ==, 2);
        store_record_deinit(&again);
        store_record_deinit(&record);
        g_free(bytes.data);
}

/* It would not deny. */
static void test_a_hook_that_is_not_known_is_left_out(void)
{
        Bytes bytes = good_one();
        StoreRecord record = {};

        bytes.data[HOOKS + 8] = '?';
        g_assert_cmpint(decode(&bytes, &record), ==, 0);
        g_assert_cmpuint(record.audited, ==, HOOK_BIT(1));
        store_record_deinit(&record);
        g_free(bytes.data);
}

/* A text of nearly POLICY_SIZE_MAX, which says little. */
static GString *large_text(void)
{
        GString *text = g_string_new(TWO_RULES);

        while (text->len < POLICY_SIZE_MAX - 1000) {
                gsize before = text->len;

                g_string_set_size(text, before + 800);
                memset(text->str + before, '#', 799);
                text->str[before + 799] = '\n';
        }
        return text;
}

/* Each of them is small enough. */
static void test_documents_that_are_too_large_together_are_refused(void)
{
        const unsigned n_documents = DOCUMENTS_SIZE_MAX / POLICY_SIZE_MAX + 1;
        g_autoptr(GString) text = large_text(), data = g_string_new(NULL);
        StoreRecord record = record_of(text->str);
        Bytes bytes = encode(&record);
        uint32_t n_head = head_size(&bytes);

        g_string_append_len(data, (const char *) bytes.data, DOCUMENT);
        for (unsigned i = 0; i < n_documents; i++) {
                bytes.data[NAME] = (uint8_t) ('a' + i);
                g_string_append_len(data, (const char *) bytes.data + DOCUMENT,
                                    DOCUMENT_HEADER + 3);
        }
        g_string_append_len(data, (const char *) bytes.data + SECOND,
                            (gssize) (n_head - SECOND + DIGEST_SIZE));
        n_head = (uint32_t) data->len - DIGEST_SIZE;
        for (unsigned i = 0; i < n_documents; i++)
                g_string_append_len(data, text->str, (gssize) text->len);
        g_free(bytes.data);
        bytes.n = data->len;
        bytes.data = (uint8_t *) g_string_free(g_steal_pointer(&data), FALSE);
        put_u32(&bytes, N_DOCUMENTS, n_documents);
        put_u32(&bytes, N_HEAD, n_head);
        refused(&bytes);
        store_record_deinit(&record);
}

/* All that a set may have fits into what is read. */
static void test_the_longest_names_fit(void)
{
        char name[POLICY_NAME_MAX + 1];
        StoreRecord record = {.generation = 5};
        size_t n_texts = 0;
        Bytes bytes;

        g_assert_cmpint(document_set_new(&record.documents), ==, 0);
        for (unsigned i = 0; i < DOCUMENTS_MAX; i++) {
                memset(name, 'a', POLICY_NAME_MAX);
                snprintf(name, 4, "%03u", i);
                name[3] = 'a';
                name[POLICY_NAME_MAX] = '\0';
                add_document(&record, name, TWO_RULES);
                n_texts += N_TEXT_BYTES;
        }
        record.audited = ~0ull >> (64 - N_HOOKS);
        bytes = encode(&record);
        g_assert_cmpuint(bytes.n - n_texts, <=,
                         RECORD_SIZE_MAX - DOCUMENTS_SIZE_MAX - 4 * RULES_MAX);
        store_record_deinit(&record);
        g_free(bytes.data);
}

#define ADD(function) g_test_add_func("/record/" #function, function)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        log_set_max_level(LOG_EMERG);
        ADD(test_what_was_written_is_read);
        ADD(test_a_number_that_makes_no_sense_is_refused);
        ADD(test_a_generation_that_means_any_is_refused);
        ADD(test_a_document_that_is_none_is_refused);
        ADD(test_what_ends_early_is_refused_wherever_that_is);
        ADD(test_what_goes_on_behind_its_end_is_refused);
        ADD(test_numbers_of_more_rules_than_there_are_are_refused);
        ADD(test_twice_0_is_in_order);
        ADD(test_a_hook_that_is_not_known_is_left_out);
        ADD(test_the_longest_names_fit);
        ADD(test_documents_that_are_too_large_together_are_refused);
        return g_test_run();
}
