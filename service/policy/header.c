/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The header of a document: key=value, before the first section. */
#include <string.h>

#include "policy/parse.h"
#include "policy/text.h"
#include "util/array.h"

#define VERSION_HINT "write version=7, or 1 to 6 for a document in the older format"

/* value: trimmed, without a comment. Adds what is wrong. */
typedef void (*HeaderFunc)(const Entry *value);

typedef struct HeaderKey {
        const char *name;
        unsigned since;
        HeaderFunc read;
} HeaderKey;

static void read_version(const Entry *value)
{
        uint64_t version;

        if (number_parse(value->text, value->n, UINT32_MAX, &version) < 0 || version == 0)
                entry_fault(value, 0, VERSION_HINT, "\"%s\" is no version of this language",
                            quoted(value->text, value->n).text);
        else if (version > POLICY_VERSION_MAX)
                entry_fault(value, 0, VERSION_HINT, "version %u is not read by this build",
                            (unsigned) version);
        else
                value->policy->version = (unsigned) version;
}

static void read_name(const Entry *value)
{
        if (policy_name_is_valid(value->text))
                value->policy->name = value->text;
        else
                entry_fault(value, 0,
                            "write 1 to 64 of A-Z a-z 0-9 _ . -, not beginning with a dot or dash",
                            "\"%s\" is no name for a document", quoted(value->text, value->n).text);
}

static void read_on_missing(const Entry *value)
{
        if (strcmp(value->text, "accept") == 0)
                value->policy->accepts_missing = 1;
        else if (strcmp(value->text, "refuse") != 0)
                entry_fault(value, 0, "write refuse (which is so without this line), or accept",
                            "\"%s\" is neither refuse nor accept",
                            quoted(value->text, value->n).text);
}

static void read_runtime_deps(const Entry *value)
{
        if (strcmp(value->text, "verified") == 0)
                value->policy->runtime_deps = 1;
        else
                entry_fault(value, 0, "write runtime-deps=verified, or leave the line out",
                            "\"%s\" is not verified", quoted(value->text, value->n).text);
}

static void read_ima_appraisal(const Entry *value)
{
        if (strcmp(value->text, "required") == 0)
                value->policy->wants_ima_appraisal = 1;
        else
                entry_fault(value, 0, "write ima-appraisal=required, or leave the line out",
                            "\"%s\" is not required", quoted(value->text, value->n).text);
}

enum {
        KEY_VERSION,
        KEY_NAME,
        KEY_ON_MISSING,
        KEY_RUNTIME_DEPS,
        KEY_IMA_APPRAISAL,
};

static const HeaderKey keys[] = {
        [KEY_VERSION] = {"version", 1, read_version},
        [KEY_NAME] = {"name", 7, read_name},
        [KEY_ON_MISSING] = {"on-missing-guarantee", 7, read_on_missing},
        [KEY_RUNTIME_DEPS] = {"runtime-deps", 7, read_runtime_deps},
        [KEY_IMA_APPRAISAL] = {"ima-appraisal", 7, read_ima_appraisal},
};
_Static_assert(ELEMENTS_OF(keys) == N_HEADER_KEYS, "the header has a note for each");

/* ---- lines ---- */

static void explain_key(const Entry *line, Span key)
{
        static const char *const of_bundles[] = {"bundle", "seq", "issued", "expires", "scope"};
        const char *hint =
                "the keys are version, name, on-missing-guarantee, runtime-deps and ima-appraisal";

        for (size_t i = 0; i < ELEMENTS_OF(of_bundles); i++)
                if (span_equals(key, of_bundles[i]))
                        hint = "it is of signed documents: give the signatures with it";
        if (span_equals(key, "mode") || span_equals(key, "enforce") || span_equals(key, "audit"))
                hint = "the mode is the service's; version 7 takes mode= behind a rule";
        entry_fault(line, key.column - line->column, hint, "\"%s\" is no key of the header",
                    quoted(key.text, key.n).text);
}

static void explain_no_key(const Entry *line)
{
        static const char *const objects[] = {"file:", "exec:", "net:", "kernel:", "comm:"};
        const char *hint = "write [deny_path], or another section, on a line before it";

        for (size_t i = 0; i < ELEMENTS_OF(objects); i++)
                if (strncmp(line->text, objects[i], strlen(objects[i])) == 0)
                        hint = "write [deny], [allow] or [audit] on a line before it";
        entry_fault(line, 0, hint, "\"%s\" stands before the first section and is no key=value",
                    quoted(line->text, line->n).text);
}

/* A comment behind a value: no value has a # in it. */
static size_t find_comment(const char *text, size_t n)
{
        for (size_t i = 1; i < n; i++)
                if (text[i] == '#' && (text[i - 1] == ' ' || text[i - 1] == '\t'))
                        return i;
        return n;
}

static const HeaderKey *find_key(Span name)
{
        for (size_t i = 0; i < ELEMENTS_OF(keys); i++)
                if (span_equals(name, keys[i].name))
                        return &keys[i];
        return NULL;
}

static void read_value(Header *header, const HeaderKey *key, const Entry *line, Span span)
{
        Entry value = *line;
        size_t i = (size_t) (key - keys);
        char *text = *line->room;

        if (header->seen[i].line > 0) {
                entry_fault(line, span.column - line->column, "keep one of the two",
                            "%s= stands on line %u already", key->name, header->seen[i].line);
                return;
        }
        header->seen[i].line = line->line;
        header->seen[i].column = line->column;
        memcpy(text, span.text, span.n);
        text[span.n] = '\0';
        *line->room += span.n + 1;
        value.text = text;
        value.n = span.n;
        value.column = span.column;
        key->read(&value);
}

void header_read_line(Header *header, const Entry *line)
{
        size_t n = find_comment(line->text, line->n), n_name = strcspn(line->text, "=");
        Span span = span_trim((Span){line->text, n, line->column}), name;
        const HeaderKey *key;

        if (n_name >= span.n) {
                explain_no_key(line);
                return;
        }
        name = span_trim(span_part(span, 0, n_name));
        key = find_key(name);
        if (key)
                read_value(header, key, line,
                           span_trim(span_part(span, n_name + 1, span.n - n_name - 1)));
        else
                explain_key(line, name);
}

/* A fault at the line of a key that is there. */
#define key_fault(header, key, diagnostics, ...)                                                   \
        diagnostics_add((diagnostics), SEVERITY_FAULT, (header)->seen[key].line,                   \
                        (header)->seen[key].column, __VA_ARGS__)

static int asks_for_identity(const Policy *policy)
{
        for (size_t i = 0; i < policy->n_rules; i++)
                if (policy->rules[i].options->subject & SUBJECT_VERIFIED)
                        return 1;
        return 0;
}

void header_check(const Header *header, const Policy *policy, Diagnostics *diagnostics)
{
        unsigned version = policy->version;

        if (header->seen[KEY_VERSION].line == 0)
                diagnostics_add(diagnostics, SEVERITY_FAULT, 1, 1,
                                "write version=7 on the first line; a document in the older format "
                                "has version=1 to version=6",
                                "the document does not say its version");
        for (size_t i = 0; i < ELEMENTS_OF(keys); i++)
                if (header->seen[i].line > 0 && version > 0 && version < keys[i].since)
                        key_fault(header, i, diagnostics,
                                  "remove it, or convert the document to version 7",
                                  "%s= is a key of version %u", keys[i].name, keys[i].since);
        if (version == 7 && policy->runtime_deps && !asks_for_identity(policy))
                key_fault(header, KEY_RUNTIME_DEPS, diagnostics,
                          "write a rule with identity=verified, or remove it",
                          "runtime-deps= is about verified identities, and no rule asks for one");
}
