/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file that says it is a signature, or a key. What is taken must be as long as it says, and no
 * signature that is not the seed's own may be taken for a document. */
#include <string.h>

#include "fuzz.h"
#include "policy/digest.h"
#include "policy/signature.h"

/* Of a key that nobody has: whatever is signed with it was not signed by anybody. */
static const PublicKey nobody = {.key = {9}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const char *text = (const char *) data;
        Signature signature = {};
        PublicKey key = {}, own = nobody;

        if (digest_init() < 0)
                return 0;
        (void) public_key_parse(text, size, &key);
        if (signature_parse(text, size, &signature) != 0)
                return 0;
        HOLDS(signature.n_comment <= TRUSTED_COMMENT_MAX);
        HOLDS(signature.comment >= text && signature.comment + signature.n_comment <= text + size);
        memcpy(own.id, signature.id, KEY_ID_SIZE);
        HOLDS(signature_verify(&signature, &own, text, size) == SIGNATURE_E_WRONG);
        return 0;
}
