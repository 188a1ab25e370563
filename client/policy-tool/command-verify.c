/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verify: whether each document is what the owner of a key signed. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "document.h"
#include "output.h"
#include "policy/digest.h"
#include "policy/signature.h"
#include "tool.h"

/* Of one document. */
typedef struct Verdict {
        int r; /* of signature.h */
        Signature signature;
} Verdict;

static const char *told(int r)
{
        switch ((enum SignatureError) r) {
        case SIGNATURE_E_FORMAT:
                return "the signature is not in minisign's format";
        case SIGNATURE_E_LEGACY:
                return "the signature is of minisign's old kind; sign without -l";
        case SIGNATURE_E_KEY:
                return "the signature was made with another key";
        case SIGNATURE_E_WRONG:
                return "the document, or the comment, is not what was signed";
        }
        return "signed";
}

static void print(const char *file, const Verdict *verdict)
{
        char id[KEY_ID_HEX_SIZE];

        output_text(stdout, file);
        if (verdict->r != 0) {
                printf(": NOT verified: %s\n", told(verdict->r));
                return;
        }
        key_id_format(verdict->signature.id, id);
        printf(": signed with key %s: %.*s\n", id, (int) verdict->signature.n_comment,
               verdict->signature.comment);
}

static json_object *object_of(const char *file, const Verdict *verdict)
{
        json_object *object = json_object_new_object();
        char id[KEY_ID_HEX_SIZE];

        json_object_object_add(object, "file", json_object_new_string(file));
        json_object_object_add(object, "verified", json_object_new_boolean(verdict->r == 0));
        json_object_object_add(object, "reason", json_object_new_string(told(verdict->r)));
        if (verdict->r != 0)
                return object;
        key_id_format(verdict->signature.id, id);
        json_object_object_add(object, "key", json_object_new_string(id));
        json_object_object_add(object, "comment",
                               json_object_new_string_len(verdict->signature.comment,
                                                          (int) verdict->signature.n_comment));
        return object;
}

/* json: to be added to, or NULL to print. */
static ToolStatus verify_document(const SourceDocument *document, const SourceDocument *signature,
                                  const PublicKey *key, json_object *json)
{
        Verdict verdict = {};

        verdict.r = signature_parse(signature->text, signature->n_text, &verdict.signature);
        if (verdict.r == 0)
                verdict.r =
                        signature_verify(&verdict.signature, key, document->text, document->n_text);
        if (json)
                json_object_array_add(json, object_of(document->label, &verdict));
        else
                print(document->label, &verdict);
        return verdict.r == 0 ? TOOL_FINE : TOOL_FOUND;
}

static ToolStatus verify_file(const char *file, const PublicKey *key, json_object *json)
{
        SourceDocument document = {}, signature = {};
        _cleanup_(freep) char *name = NULL;
        ToolStatus status = TOOL_FINE;
        int r;

        if (asprintf(&name, "%s" SIGNATURE_SUFFIX, file) < 0)
                return tool_trouble("memory is short.");
        r = source_document_read(file, &document);
        if (r < 0)
                status = tool_trouble("cannot read %s: %s.", file, strerror(-r));
        else if ((r = source_document_read(name, &signature)) < 0)
                status = tool_trouble("cannot read %s: %s.", name, strerror(-r));
        if (status == TOOL_FINE)
                status = verify_document(&document, &signature, key, json);
        source_document_deinit(&document);
        source_document_deinit(&signature);
        return status;
}

static ToolStatus read_key(const char *file, PublicKey *ret_key)
{
        SourceDocument text = {};
        int r = source_document_read(file, &text);

        if (r < 0)
                return tool_trouble("cannot read %s: %s.", file, strerror(-r));
        r = public_key_parse(text.text, text.n_text, ret_key);
        source_document_deinit(&text);
        return r == 0 ? TOOL_FINE
                      : tool_trouble("%s is no public key of minisign's; 'keygen' makes one.",
                                     file);
}

ToolStatus command_verify(const ToolOptions *options, char **files, size_t n)
{
        const char *key_file = options->arguments[TOOL_PUBLIC_KEY];
        json_object *json = NULL;
        PublicKey key;
        ToolStatus status;

        if (!key_file)
                return tool_usage("'verify' wants --public-key=FILE, of who must have signed.");
        if (digest_init() < 0)
                return tool_trouble("libsodium refuses to work.");
        status = read_key(key_file, &key);
        if (status != TOOL_FINE)
                return status;
        if (TOOL_GIVEN(options, TOOL_JSON))
                json = json_object_new_array();
        for (size_t i = 0; i < n; i++) {
                ToolStatus one = verify_file(files[i], &key, json);

                if (one > status)
                        status = one;
        }
        if (json) {
                printf("{\"files\":%s}\n",
                       json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN));
                json_object_put(json);
        }
        return status;
}
