/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A document that says it is signed, and a stored bundle. A header that is read has its one
 * spelling; its document is as long as it says; and nobody has signed anything. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "policy/bundle.h"
#include "policy/fields.h"
#include "transaction/bundles.h"

/* Of a key that nobody has. */
static const Root nobody = {
        .seq = 1,
        .expires = UINT64_MAX,
        .thresholds = {1, 1, 0},
        .keys = {{.key = {.id = {9}, .key = {9}}, .roles = 1u << ROLE_ROOT | 1u << ROLE_POLICY}},
        .n_keys = 1,
};

static void check_spelling(const BundleHeader *header, const char *text)
{
        char issued[FIELD_TIME_SIZE], expires[FIELD_TIME_SIZE], again[512];
        int n;

        field_time_format(header->issued, issued);
        field_time_format(header->expires, expires);
        n = snprintf(again, sizeof(again),
                     "bundle=1\nname=%s\nseq=%" PRIu64 "\nissued=%s\nexpires=%s\n%s%s%s",
                     header->name, header->seq, issued, expires, header->scope[0] ? "scope=" : "",
                     header->scope, header->scope[0] ? "\n" : "");
        HOLDS((size_t) n == header->n);
        HOLDS(memcmp(again, text, header->n) == 0);
}

static void check_header(const char *text, size_t size)
{
        BundleHeader header;
        size_t n = 0, n_lines = 0;
        char *document;

        if (bundle_header_parse(text, size, &header) != 0)
                return;
        HOLDS(policy_name_is_valid(header.name));
        HOLDS(header.seq > 0 && header.expires > header.issued && header.n <= size);
        check_spelling(&header, text);
        document = bundle_document(&header, text, size, &n);
        if (!document)
                return;
        n_lines = header.scope[0] ? 6 : 5;
        HOLDS(n == size + n_lines && document[0] == '#' && document[n] == '\0');
        HOLDS(memcmp(document + header.n + n_lines, text + header.n, size - header.n) == 0);
        free(document);
}

/* It is verified as what it says, and is not what anybody signed. */
static void check_stored(const char *data, size_t size)
{
        SignedText *stored = NULL;
        Bundle bundle;

        if (signed_text_decode(data, size, &stored) != 0)
                return;
        HOLDS(stored->signatures.n <= SIGNATURES_MAX && stored->n_text <= POLICY_SIZE_MAX);
        HOLDS(bundle_verify(&nobody, stored->text, stored->n_text, &stored->signatures, &bundle) !=
              0);
        signed_text_free(stored);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const char *text = (const char *) data;

        if (digest_init() < 0)
                return 0;
        check_header(text, size);
        check_stored(text, size);
        (void) bundle_is_foreign(text, size);
        return 0;
}
