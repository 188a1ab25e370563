/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bundle: see bundle-write.h. */
#include "bundle-write.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "policy/bundle.h"
#include "policy/fields.h"
#include "policy/text.h"
#include "write.h"

#define DAY 86400u
#define DAYS_MAX 36500u

uint64_t time_now(void)
{
        return (uint64_t) time(NULL);
}

ToolStatus time_read(const char *text, uint64_t *ret_seconds)
{
        size_t n = text ? strlen(text) : 0;
        _cleanup_(freep) char *line = NULL;
        Lines lines = {};
        uint64_t days = 365;

        if (!text || (n > 1 && text[n - 1] == 'd' &&
                      number_parse(text, n - 1, DAYS_MAX, &days) == 0 && days > 0)) {
                *ret_seconds = time_now() + days * DAY;
                return TOOL_FINE;
        }
        if (asprintf(&line, "at=%s\n", text) < 0)
                return tool_trouble("memory is short.");
        lines = (Lines){line, strlen(line)};
        if (field_take_time(&lines, "at", ret_seconds) == 0 && lines.n == 0)
                return TOOL_FINE;
        return tool_usage("\"%s\" is no time; write 2027-11-29T21:00:00Z, or 90d.", text);
}

/* ---- the header ---- */

static ToolStatus read_name(const SourceDocument *document, const ToolOptions *options,
                            BundleHeader *header)
{
        const char *given = options->arguments[TOOL_NAME];
        _cleanup_(freep) char *of_file = NULL;

        if (!given && header->name[0])
                return TOOL_FINE;
        if (!given)
                given = of_file = source_document_name(document->label);
        if (!given)
                return tool_trouble("memory is short.");
        if (!policy_name_is_valid(given))
                return tool_usage("\"%s\" is no name of a policy; give one with --name.", given);
        snprintf(header->name, sizeof(header->name), "%s", given);
        return TOOL_FINE;
}

static ToolStatus read_seq(const ToolOptions *options, BundleHeader *header)
{
        const char *given = options->arguments[TOOL_SEQ];

        if (!given && header->seq == SEQ_MAX)
                return tool_trouble("the number it has is the highest there is.");
        if (!given)
                header->seq++;
        else if (number_parse(given, strlen(given), SEQ_MAX, &header->seq) < 0 || header->seq == 0)
                return tool_usage("--seq wants a number from 1 on, not \"%s\".", given);
        return TOOL_FINE;
}

static ToolStatus read_scope(const ToolOptions *options, BundleHeader *header)
{
        const char *given = options->arguments[TOOL_SCOPE];

        if (!given)
                return TOOL_FINE;
        if (strlen(given) != SCOPE_SIZE - 1 || strspn(given, "0123456789abcdef") != SCOPE_SIZE - 1)
                return tool_usage("--scope wants a machine-id, as /etc/machine-id has it.");
        memcpy(header->scope, given, SCOPE_SIZE);
        return TOOL_FINE;
}

static ToolStatus fill_header(const SourceDocument *document, const ToolOptions *options,
                              BundleHeader *header)
{
        ToolStatus status = read_name(document, options, header);

        if (status == TOOL_FINE)
                status = read_seq(options, header);
        if (status == TOOL_FINE)
                status = read_scope(options, header);
        if (status == TOOL_FINE)
                status = time_read(options->arguments[TOOL_EXPIRES], &header->expires);
        header->issued = time_now();
        if (status == TOOL_FINE && header->expires <= header->issued)
                return tool_usage("--expires is over already.");
        return status;
}

static int format_bundle(const BundleHeader *header, const char *document, char **ret_text)
{
        char issued[FIELD_TIME_SIZE], expires[FIELD_TIME_SIZE];

        field_time_format(header->issued, issued);
        field_time_format(header->expires, expires);
        return asprintf(
                ret_text, "bundle=1\nname=%s\nseq=%" PRIu64 "\nissued=%s\nexpires=%s\n%s%s%s%s",
                header->name, header->seq, issued, expires, header->scope[0] ? "scope=" : "",
                header->scope, header->scope[0] ? "\n" : "", document);
}

ToolStatus bundle_write(SourceDocument *document, const ToolOptions *options)
{
        _cleanup_(freep) char *text = NULL;
        BundleHeader header = {};
        ToolStatus status;
        int n;

        if (strlen(document->text) != document->n_text)
                return tool_trouble("%s is no text.", document->label);
        if (bundle_header_parse(document->text, document->n_text, &header) != 0)
                header = (BundleHeader){};
        status = fill_header(document, options, &header);
        if (status != TOOL_FINE)
                return status;
        n = format_bundle(&header, document->text + header.n, &text);
        if (n < 0)
                return tool_trouble("memory is short.");
        status = write_document(document->label, text);
        if (status != TOOL_FINE)
                return status;
        free(document->text);
        document->text = TAKE_PTR(text);
        document->n_text = (size_t) n;
        return TOOL_FINE;
}
