/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sign: a signature beside each document, as minisign would make it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bundle-write.h"
#include "document.h"
#include "password.h"
#include "policy/digest.h"
#include "policy/text.h"
#include "secret-key.h"
#include "write.h"

static ToolStatus explain(int r, const char *file)
{
        if (r == SECRET_KEY_E_PASSWORD)
                return tool_trouble("%s does not open: another password, or a damaged file.", file);
        if (r < 0)
                return tool_trouble("%s does not open: memory is short, it takes 1 GiB.", file);
        return tool_trouble("%s is no secret key of minisign's; 'keygen' makes one.", file);
}

static ToolStatus open_key(const char *file, SecretKey **ret_key)
{
        _cleanup_(password_freep) char *password = NULL;
        SourceDocument text = {};
        ToolStatus status = TOOL_FINE;
        int r = source_document_read(file, &text);

        if (r < 0)
                return tool_trouble("cannot read %s: %s.", file, strerror(-r));
        if (secret_key_is_encrypted(text.text, text.n_text) > 0)
                status = password_read("Password of the key", &password);
        if (status == TOOL_FINE) {
                r = secret_key_parse(text.text, text.n_text, password, ret_key);
                status = r == 0 ? TOOL_FINE : explain(r, file);
        }
        explicit_bzero(text.text, text.n_text); /* it may not be encrypted */
        source_document_deinit(&text);
        return status;
}

static char *usual_comment(const char *file)
{
        const char *slash = strrchr(file, '/');
        char *comment;

        if (asprintf(&comment, "timestamp:%lld\tfile:%s\thashed", (long long) time(NULL),
                     slash ? slash + 1 : file) < 0)
                return NULL;
        return comment;
}

/* A comment is told to whoever verifies; what a terminal acts on has no place in it. */
static int is_comment(const char *comment)
{
        size_t n = strlen(comment), fault;

        return n <= TRUSTED_COMMENT_MAX && text_check(comment, n, &fault) == TEXT_FINE &&
               !strchr(comment, '\n');
}

static ToolStatus sign_text(const SecretKey *key, const SourceDocument *document,
                            const char *comment, const char *output)
{
        _cleanup_(freep) char *usual = NULL, *signature = NULL, *name = NULL;

        if (!comment)
                comment = usual = usual_comment(document->label);
        if (!comment || asprintf(&name, "%s" SIGNATURE_SUFFIX, document->label) < 0)
                return tool_trouble("memory is short.");
        if (!is_comment(comment))
                return tool_trouble("the comment for %s is too long or has control characters; "
                                    "give another with --trusted-comment.",
                                    document->label);
        signature = secret_key_sign(key, document->text, document->n_text, comment);
        if (!signature)
                return tool_trouble("memory is short.");
        return write_document(output ? output : name, signature);
}

static ToolStatus sign_file(const SecretKey *key, const char *file, const ToolOptions *options)
{
        SourceDocument document = {};
        ToolStatus status = TOOL_FINE;
        int r = strcmp(file, "-") == 0 ? -EINVAL : source_document_read(file, &document);

        if (r < 0)
                return tool_trouble("cannot sign %s: %s.", file, strerror(-r));
        if (TOOL_GIVEN(options, TOOL_BUNDLE))
                status = bundle_write(&document, options);
        if (status == TOOL_FINE)
                status = sign_text(key, &document, options->arguments[TOOL_COMMENT],
                                   options->arguments[TOOL_OUTPUT]);
        source_document_deinit(&document);
        return status;
}

static ToolStatus check_options(const ToolOptions *options, size_t n)
{
        static const ToolOptionId of_bundles[] = {TOOL_NAME, TOOL_SEQ, TOOL_EXPIRES, TOOL_SCOPE};

        if (!TOOL_GIVEN(options, TOOL_SECRET_KEY))
                return tool_usage("'sign' wants --secret-key=FILE, to sign with.");
        if (n > 1 && (TOOL_GIVEN(options, TOOL_OUTPUT) || TOOL_GIVEN(options, TOOL_NAME)))
                return tool_usage("--output and --name are for one file.");
        for (size_t i = 0; i < ELEMENTS_OF(of_bundles); i++)
                if (TOOL_GIVEN(options, of_bundles[i]) && !TOOL_GIVEN(options, TOOL_BUNDLE))
                        return tool_usage("--%s is for --bundle.",
                                          tool_options[of_bundles[i]].name);
        return TOOL_FINE;
}

ToolStatus command_sign(const ToolOptions *options, char **files, size_t n)
{
        _cleanup_(secret_key_freep) SecretKey *key = NULL;
        ToolStatus status = check_options(options, n);

        if (status != TOOL_FINE)
                return status;
        if (digest_init() < 0)
                return tool_trouble("libsodium refuses to work.");
        status = open_key(options->arguments[TOOL_SECRET_KEY], &key);
        for (size_t i = 0; i < n && status == TOOL_FINE; i++)
                status = sign_file(key, files[i], options);
        return status;
}
