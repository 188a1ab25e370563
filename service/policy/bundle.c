/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bundle: see bundle.h. */
#include "policy/bundle.h"

#include <stdlib.h>
#include <string.h>

#include "policy/fields.h"

#define HEADER_LINES_MAX 6u

const char *bundle_told(BundleError error)
{
        switch (error) {
        case BUNDLE_E_SIGNATURE:
                return "a signature is not in minisign's format, or there are too many of them";
        case BUNDLE_E_LEGACY:
                return "a signature is of minisign's old kind; sign without -l";
        case BUNDLE_E_WRONG:
                return "the document, or a signature's comment, is not what was signed";
        case BUNDLE_E_THRESHOLD:
                return "fewer of the root's keys for policies have signed it than the root asks "
                       "for";
        case BUNDLE_E_HEADER:
                return "it does not begin with bundle=1, name=, seq=, issued=, expires= and "
                       "perhaps scope=, in this order; 'aegis-policy sign --bundle' writes them";
        case BUNDLE_E_NAME:
                return "it was signed for another name";
        case BUNDLE_E_SCOPE:
                return "it was signed for another machine";
        case BUNDLE_E_JUMP:
                return "its seq leaps more than 1000000 ahead; the root's keys for recovery must "
                       "sign that too";
        case BUNDLE_E_OLD:
                return "a later one has been in force; sign it anew with a higher seq";
        case BUNDLE_E_OTHER:
                return "another document has that seq; sign it anew with a higher one";
        case BUNDLE_E_FUTURE:
                return "it was issued later than it is now by this machine's clock";
        case BUNDLE_E_EXPIRED:
                return "its time is over; sign it anew";
        case BUNDLE_E_ROOT_EXPIRED:
                return "the time of the root that names its keys is over; put the next one in "
                       "place";
        }
        return "it is signed";
}

/* ---- the header ---- */

static int take_name(Lines *lines, BundleHeader *header)
{
        const char *text = NULL;
        size_t n = 0;

        if (field_take(lines, "name", &text, &n) != 0 || n > POLICY_NAME_MAX)
                return BUNDLE_E_HEADER;
        memcpy(header->name, text, n);
        return policy_name_is_valid(header->name) ? 0 : BUNDLE_E_HEADER;
}

/* No line of a document's own begins so: where it is left out, the document begins. */
static int take_scope(Lines *lines, BundleHeader *header)
{
        static const char key[] = "scope=";
        const char *text = NULL;
        size_t n = 0;

        if (lines->n < strlen(key) || memcmp(lines->at, key, strlen(key)) != 0)
                return 0;
        if (field_take(lines, "scope", &text, &n) != 0 || n != SCOPE_SIZE - 1)
                return BUNDLE_E_HEADER;
        memcpy(header->scope, text, n);
        return strspn(header->scope, "0123456789abcdef") == n ? 0 : BUNDLE_E_HEADER;
}

int bundle_header_parse(const char *text, size_t n, BundleHeader *ret_header)
{
        BundleHeader header = {};
        Lines lines = {text, n};

        if (field_take_is(&lines, "bundle", "1") != 0 || take_name(&lines, &header) != 0 ||
            field_take_number(&lines, "seq", SEQ_MAX, &header.seq) != 0 || header.seq == 0 ||
            field_take_time(&lines, "issued", &header.issued) != 0 ||
            field_take_time(&lines, "expires", &header.expires) != 0 ||
            header.expires <= header.issued || take_scope(&lines, &header) != 0)
                return BUNDLE_E_HEADER;
        header.n = n - lines.n;
        *ret_header = header;
        return 0;
}

char *bundle_document(const BundleHeader *header, const char *text, size_t n, size_t *ret_n)
{
        char *document = malloc(n + HEADER_LINES_MAX + 1), *at = document;

        if (!document)
                return NULL;
        for (size_t i = 0; i < header->n; i++) {
                if (i == 0 || text[i - 1] == '\n')
                        *at++ = '#';
                *at++ = text[i];
        }
        memcpy(at, text + header->n, n - header->n);
        at += n - header->n;
        *at = '\0';
        *ret_n = (size_t) (at - document);
        return document;
}

/* ---- verification ---- */

static int translate(int error)
{
        switch ((SignatureError) error) {
        case SIGNATURE_E_LEGACY:
                return BUNDLE_E_LEGACY;
        case SIGNATURE_E_KEY:
        case SIGNATURE_E_WRONG:
                return BUNDLE_E_WRONG;
        case SIGNATURE_E_FORMAT:
                return BUNDLE_E_SIGNATURE;
        }
        return 0;
}

int bundle_verify(const Root *root, const char *text, size_t n, const SignatureTexts *signatures,
                  Bundle *ret_bundle)
{
        Bundle bundle = {};
        int r;

        r = translate(root_signers(root, NULL, signatures, text, n, &bundle.signers));
        if (r == 0 && bundle.signers.n[ROLE_POLICY] < root->thresholds[ROLE_POLICY])
                r = BUNDLE_E_THRESHOLD;
        if (r == 0)
                r = bundle_header_parse(text, n, &bundle.header);
        if (r != 0)
                return r;
        digest_bytes(text, n, bundle.digest);
        *ret_bundle = bundle;
        return 0;
}

static int admit_seq(const Bundle *bundle, const Root *root, const BundleTerms *terms)
{
        uint64_t seq = bundle->header.seq, recovery = root->thresholds[ROLE_RECOVERY];

        if (seq < terms->floor)
                return BUNDLE_E_OLD;
        if (seq == terms->floor && memcmp(bundle->digest, terms->digest, DIGEST_SIZE) != 0)
                return BUNDLE_E_OTHER;
        /* Whoever has stolen a key must not be able to use up all numbers. */
        if (terms->floor > 0 && seq - terms->floor > BUNDLE_JUMP_MAX &&
            (recovery == 0 || bundle->signers.n[ROLE_RECOVERY] < recovery))
                return BUNDLE_E_JUMP;
        return 0;
}

static int admit_time(const Bundle *bundle, const Root *root, const BundleTerms *terms)
{
        if (root->expires <= terms->now)
                return BUNDLE_E_ROOT_EXPIRED;
        if (bundle->header.expires <= terms->now)
                return BUNDLE_E_EXPIRED;
        if (bundle->header.issued > terms->now + BUNDLE_FUTURE_MAX)
                return BUNDLE_E_FUTURE;
        return 0;
}

int bundle_admit(const Bundle *bundle, const Root *root, const BundleTerms *terms)
{
        int r;

        if (strcmp(bundle->header.name, terms->name) != 0)
                return BUNDLE_E_NAME;
        if (bundle->header.scope[0] && strcmp(bundle->header.scope, terms->machine) != 0)
                return BUNDLE_E_SCOPE;
        r = admit_seq(bundle, root, terms);
        return r != 0 ? r : admit_time(bundle, root, terms);
}

int bundle_is_foreign(const char *text, size_t n)
{
        static const char magic[] = "AEGIS-POLICY-BUNDLE-V";

        return n >= strlen(magic) && memcmp(text, magic, strlen(magic)) == 0;
}
