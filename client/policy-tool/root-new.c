/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A new root: see root-new.h. What it comes to is parsed before it is written: a root that cannot
 * be believed is not made. */
#include "root-new.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bundle-write.h"
#include "document.h"
#include "policy/fields.h"
#include "policy/text.h"
#include "write.h"

ToolStatus root_read(const char *file, Root *ret_root)
{
        SourceDocument text = {};
        int r = source_document_read(file, &text);

        if (r < 0)
                return tool_trouble("cannot read %s: %s.", file, strerror(-r));
        r = root_parse(text.text, text.n_text, ret_root);
        source_document_deinit(&text);
        return r == 0 ? TOOL_FINE : tool_trouble("%s: %s.", file, root_told((RootError) r));
}

/* The base64 line of a public key's file, once that has been parsed. */
static ToolStatus read_key(const char *file, char **ret_line)
{
        SourceDocument text = {};
        PublicKey key;
        int r = source_document_read(file, &text);

        if (r < 0)
                return tool_trouble("cannot read %s: %s.", file, strerror(-r));
        r = public_key_parse(text.text, text.n_text, &key);
        if (r == 0) {
                const char *line = strchr(text.text, '\n') + 1;

                *ret_line = strndup(line, strcspn(line, "\n"));
        }
        source_document_deinit(&text);
        if (r != 0)
                return tool_trouble("%s is no public key of minisign's; 'keygen' makes one.", file);
        return *ret_line ? TOOL_FINE : tool_trouble("memory is short.");
}

static ToolStatus add_word(FILE *out, const char *word, int is_revoked)
{
        static const char revoked[] = "revoked";
        _cleanup_(freep) char *line = NULL;
        const char *equals = strchr(word, '=');
        size_t n = equals ? (size_t) (equals - word) : 0;
        ToolStatus status;

        if (!equals)
                return tool_usage("\"%s\" is not of the form ROLES=FILE.", word);
        if (is_revoked != (n == strlen(revoked) && memcmp(word, revoked, n) == 0))
                return TOOL_FINE;
        status = read_key(equals + 1, &line);
        if (status != TOOL_FINE)
                return status;
        if (is_revoked)
                fprintf(out, "revoked=%s\n", line);
        else
                fprintf(out, "key=%s %.*s\n", line, (int) n, word);
        return TOOL_FINE;
}

/* "2,1,0" */
static ToolStatus read_thresholds(const char *text, uint64_t thresholds[N_ROLES])
{
        for (unsigned role = 0; text && role < N_ROLES; role++) {
                size_t n = strcspn(text, ",");

                if (number_parse(text, n, SIGNATURES_MAX, &thresholds[role]) < 0 ||
                    (text[n] == ',') != (role + 1 < N_ROLES))
                        return tool_usage("--thresholds wants three numbers, as 2,1,0.");
                text += n + 1;
        }
        return TOOL_FINE;
}

/* What the root before revoked stays revoked. */
static void add_revoked(FILE *out, const char *before)
{
        const char *line = before ? strstr(before, "\nrevoked=") : NULL;

        if (line)
                fputs(line + 1, out);
}

static ToolStatus write_all(FILE *out, const ToolOptions *options, char **words, size_t n,
                            const SourceDocument *before)
{
        uint64_t thresholds[N_ROLES] = {1, 1, 0}, expires = 0;
        char issued_text[FIELD_TIME_SIZE], expires_text[FIELD_TIME_SIZE];
        Root root = {};
        ToolStatus status = time_read(options->arguments[TOOL_EXPIRES], &expires);

        if (status == TOOL_FINE)
                status = read_thresholds(options->arguments[TOOL_THRESHOLDS], thresholds);
        if (status != TOOL_FINE)
                return status;
        if (before->text && root_parse(before->text, before->n_text, &root) != 0)
                return tool_trouble("%s: %s.", before->label, root_told(ROOT_E_FORMAT));
        field_time_format(time_now(), issued_text);
        field_time_format(expires, expires_text);
        fprintf(out,
                "root=1\nseq=%" PRIu64 "\nissued=%s\nexpires=%s\nthreshold-root=%" PRIu64
                "\nthreshold-policy=%" PRIu64 "\nthreshold-recovery=%" PRIu64 "\n",
                root.seq + 1, issued_text, expires_text, thresholds[ROLE_ROOT],
                thresholds[ROLE_POLICY], thresholds[ROLE_RECOVERY]);
        for (size_t i = 0; i < n && status == TOOL_FINE; i++)
                status = add_word(out, words[i], 0);
        add_revoked(out, before->text);
        for (size_t i = 0; i < n && status == TOOL_FINE; i++)
                status = add_word(out, words[i], 1);
        return status;
}

static ToolStatus put_out(const char *text, size_t n, const char *file)
{
        Root root;

        if (root_parse(text, n, &root) != 0)
                return tool_trouble(
                        "such a root could not be believed: each key is named once, its "
                        "roles in the order root,policy,recovery, and each threshold "
                        "can be met (0 only where nobody has the role recovery).");
        if (file)
                return write_new(file, text, 0644);
        fputs(text, stdout);
        return TOOL_FINE;
}

ToolStatus root_new(const ToolOptions *options, char **words, size_t n)
{
        const char *after = options->arguments[TOOL_AFTER];
        _cleanup_(freep) char *text = NULL;
        SourceDocument before = {};
        size_t size = 0;
        FILE *out;
        ToolStatus status;
        int r = after ? source_document_read(after, &before) : 0;

        if (r < 0)
                return tool_trouble("cannot read %s: %s.", after, strerror(-r));
        out = open_memstream(&text, &size);
        status = out ? write_all(out, options, words, n, &before) : TOOL_TROUBLE;
        source_document_deinit(&before);
        if (!out || fclose(out) != 0)
                return tool_trouble("memory is short.");
        return status == TOOL_FINE ? put_out(text, size, options->arguments[TOOL_OUTPUT]) : status;
}
