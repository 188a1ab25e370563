/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Single rule: see rule.h. One line is read by itself, in a child. Where what is in force says it
 * already, or it is to go into a document that is read in any case, one child less is needed. */
#include "transaction/single-rule.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/apart.h"
#include "policy/digest.h"
#include "policy/rule-text.h"
#include "policy/text.h"
#include "transaction/internal.h"
#include "util/array.h"

#define USEC_PER_SEC 1000000u
#define VERSION_OLD 6u /* has every section of those before it */

SingleRule *single_rule_free(SingleRule *rule)
{
        if (!rule)
                return NULL;
        policy_unref(rule->policy);
        free(rule->text);
        free(rule);
        return NULL;
}

const char *single_rule_section(const SingleRule *rule)
{
        return rule_section(&rule->rule);
}

const char *single_rule_text(const SingleRule *rule)
{
        return rule->text;
}

int single_rule_loosens(const SingleRule *rule, ChangeKind kind)
{
        switch (kind) {
        case CHANGE_ADDED:
                return rule->rule.verdict != RULE_DENY || rule->options.mode == RULE_MODE_AUDIT;
        case CHANGE_REMOVED:
                return rule->rule.verdict != RULE_ALLOW;
        }
        return 1;
}

/* ---- reading one ---- */

#define ENTRY_LINE 3u /* of the document that parse_alone() makes */

/* Returns as policy_parse(). */
static int parse_alone(Policy **ret_policy, unsigned version, const char *section,
                       const char *entry, Diagnostics *diagnostics)
{
        _cleanup_(freep) char *text = NULL;
        int n = asprintf(&text, "version=%u\n[%s]\n%s\n", version, section, entry);

        if (n < 0) {
                text = NULL;
                return -ENOMEM;
        }
        return policy_parse_apart(ret_policy, text, (size_t) n, diagnostics);
}

/* What was said of that document, said of its entry. */
static int relate_faults(const Diagnostics *found, Diagnostics *diagnostics)
{
        for (size_t i = 0; i < found->n_items; i++) {
                const Diagnostic *item = &found->items[i];
                int is_of_entry = item->line == ENTRY_LINE;

                if (item->severity == SEVERITY_FAULT)
                        diagnostics_add(diagnostics, SEVERITY_FAULT, is_of_entry ? 1 : 0,
                                        is_of_entry ? item->column : 0, item->hint, "%s",
                                        item->message);
        }
        return TRANSACTION_E_INVALID_POLICY;
}

static int says_of_section(const Diagnostics *found)
{
        for (size_t i = 0; i < found->n_items; i++)
                if (found->items[i].severity == SEVERITY_FAULT &&
                    found->items[i].line != ENTRY_LINE)
                        return 1;
        return 0;
}

static int is_of_version_7(const char *section)
{
        static const char *const names[] = {"deny", "allow", "audit", "default"};

        for (size_t i = 0; i < ELEMENTS_OF(names); i++)
                if (strcmp(section, names[i]) == 0)
                        return 1;
        return 0;
}

static int parse_new(Policy **ret_policy, const char *section, const char *entry,
                     Diagnostics *diagnostics)
{
        _cleanup_(diagnostics_deinit) Diagnostics found = {};
        _cleanup_(policy_unrefp) Policy *policy = NULL;
        int r = parse_alone(&policy, VERSION_NEW, section, entry, &found);

        if (r < 0)
                return r;
        if (r > 0)
                return relate_faults(&found, diagnostics);
        if (policy_n_rules(policy) != 1) {
                diagnostics_add(diagnostics, SEVERITY_FAULT, 1, 1,
                                "write an object, and options behind it", "there is no rule in it");
                return TRANSACTION_E_INVALID_POLICY;
        }
        *ret_policy = TAKE_PTR(policy);
        return 0;
}

/* A section that takes no entries is a rule by its own line, if nothing is written below it. */
static int is_one_rule(const Policy *policy, const char *entry)
{
        return policy_n_rules(policy) == 1 &&
               (policy_rule(policy, 0)->line == ENTRY_LINE || entry[strspn(entry, " \t")] == '\0');
}

/* What is more than one rule in versions 1 to 6, or none, version 7 names in the way it says it. */
static int parse_old(Policy **ret_policy, const char *section, const char *entry,
                     Diagnostics *diagnostics)
{
        _cleanup_(diagnostics_deinit) Diagnostics found = {};
        _cleanup_(policy_unrefp) Policy *policy = NULL;
        int r = parse_alone(&policy, VERSION_OLD, section, entry, &found);

        if (r < 0)
                return r;
        if (r > 0 && !says_of_section(&found))
                return relate_faults(&found, diagnostics);
        if (r > 0 || !is_one_rule(policy, entry))
                return parse_new(ret_policy, section, "", diagnostics);
        *ret_policy = TAKE_PTR(policy);
        return 0;
}

/* Whatever would end the line, or the section's name, is refused before it can. */
static int check_words(const char *section, const char *entry, Diagnostics *diagnostics)
{
        size_t n_section = strnlen(section, POLICY_NAME_MAX + 1), at;
        size_t n_entry = strnlen(entry, POLICY_LINE_MAX + 1);
        TextFault fault;

        if (n_section == 0 || n_section > POLICY_NAME_MAX ||
            strspn(section, "abcdefghijklmnopqrstuvwxyz_") != n_section) {
                diagnostics_add(diagnostics, SEVERITY_FAULT, 0, 0,
                                "write deny, allow, audit or default", "there is no section \"%s\"",
                                quoted(section, n_section).text);
                return TRANSACTION_E_INVALID_POLICY;
        }
        if (n_entry > POLICY_LINE_MAX) {
                diagnostics_add(diagnostics, SEVERITY_FAULT, 1, POLICY_LINE_MAX + 1, "",
                                "an entry has at most %u bytes", POLICY_LINE_MAX);
                return TRANSACTION_E_INVALID_POLICY;
        }
        fault = text_check(entry, n_entry, &at);
        if (fault == TEXT_FINE)
                return 0;
        diagnostics_add(diagnostics, SEVERITY_FAULT, 1, (uint32_t) at + 1,
                        entry[at] == '\n' ? "add one rule after the other"
                                          : "write it between quotes, as \"\\n\" or \"\\x7f\"",
                        fault == TEXT_CONTROL ? "there is a control character (byte 0x%02x)"
                                              : "byte 0x%02x is not UTF-8 here",
                        (uint8_t) entry[at]);
        return TRANSACTION_E_INVALID_POLICY;
}

static int set_ttl(SingleRule *single, uint64_t ttl_usec, Diagnostics *diagnostics)
{
        if (ttl_usec == 0)
                return 0;
        if (single->options.ttl > 0) {
                diagnostics_add(diagnostics, SEVERITY_FAULT, 1, single->rule.column,
                                "leave ttl= out of the entry", "the entry has a ttl of its own");
                return TRANSACTION_E_INVALID_POLICY;
        }
        single->options.ttl = ttl_usec / USEC_PER_SEC + (ttl_usec % USEC_PER_SEC > 0);
        return 0;
}

/* The preferred spelling may be longer, and the ttl one that no rule can have. */
static int check_text(const SingleRule *single, Diagnostics *diagnostics)
{
        _cleanup_(diagnostics_deinit) Diagnostics found = {};
        _cleanup_(policy_unrefp) Policy *policy = NULL;
        int r = parse_new(&policy, single_rule_section(single), single->text, &found);

        for (size_t i = 0; r > 0 && i < found.n_items; i++)
                diagnostics_add(diagnostics, SEVERITY_FAULT, 1, single->rule.column,
                                found.items[i].hint, "%s", found.items[i].message);
        return r;
}

/* Whether its text is what has been read. */
static int is_as_written(const SingleRule *single, const char *section, const char *entry,
                         uint64_t ttl_usec)
{
        return ttl_usec == 0 && is_of_version_7(section) && strcmp(single->text, entry) == 0 &&
               strcmp(single_rule_section(single), section) == 0;
}

/* rule: of single->policy. */
static void single_rule_take(SingleRule *single, const Rule *rule)
{
        single->rule = *rule;
        single->options = *rule->options;
        single->rule.options = &single->options;
}

static int single_rule_read(SingleRule *single, const char *section, const char *entry,
                            Diagnostics *diagnostics)
{
        int r;

        if (is_of_version_7(section))
                r = parse_new(&single->policy, section, entry, diagnostics);
        else
                r = parse_old(&single->policy, section, entry, diagnostics);
        if (r != 0)
                return r;
        single_rule_take(single, policy_rule(single->policy, 0));
        return 0;
}

/* ---- reading one that is written elsewhere, too ---- */

/* The rule of a line that has no other, or NULL. */
static const Rule *rule_of_line(const Policy *policy, uint32_t line)
{
        size_t low = 0, high = policy_n_rules(policy);

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (policy_rule(policy, middle)->line < line)
                        low = middle + 1;
                else
                        high = middle;
        }
        if (low == policy_n_rules(policy) || policy_rule(policy, low)->line != line ||
            (low + 1 < policy_n_rules(policy) && policy_rule(policy, low + 1)->line == line))
                return NULL;
        return policy_rule(policy, low);
}

/* Takes the rule from the document that is in force, if the same line stands there. */
static void find_written(SingleRule *single, const Loaded *loaded, const char *section,
                         const char *entry)
{
        Policy *policy = loaded->document.policy;

        for (size_t i = 0; i < policy_n_rules(policy); i++) {
                const Rule *rule = policy_rule(policy, i);

                if (rule->column != 1 || strcmp(rule->entry, entry) != 0 ||
                    strcmp(rule->section, section) != 0)
                        continue;
                single->policy = policy_ref(policy);
                single_rule_take(single, rule);
                return;
        }
}

/* Where a line goes into a document. */
typedef struct Insertion {
        size_t at;       /* of the text */
        uint32_t line;   /* that it becomes */
        int has_section; /* the section is there, and goes on at that place */
} Insertion;

/* It comes to stand behind the last rule of its section. */
static Insertion find_place(const Document *document, const char *section)
{
        const char *at = document->text, *end = at + document->n_text;
        Insertion place = {.at = document->n_text};
        uint32_t after = 0, line = 0;

        for (size_t i = 0; i < policy_n_rules(document->policy); i++) {
                const Rule *rule = policy_rule(document->policy, i);

                if (strcmp(rule->section, section) == 0)
                        after = rule->line;
        }
        for (; at < end && (after == 0 || line < after); line++) {
                const char *newline = memchr(at, '\n', (size_t) (end - at));

                at = newline ? newline + 1 : end;
        }
        place.at = (size_t) (at - document->text);
        place.has_section = after > 0;
        place.line = line + (after > 0 ? 1 : 2);
        return place;
}

/* loaded: NULL if there is no document yet. Returns the document with the line in it, or NULL. */
static char *write_with(const Loaded *loaded, const char *section, const char *entry,
                        uint32_t *ret_line)
{
        static const Document empty = {.text = "version=7\n", .n_text = sizeof("version=7\n") - 1};
        const Document *document = loaded ? &loaded->document : &empty;
        Insertion place = loaded ? find_place(document, section)
                                 : (Insertion){.at = empty.n_text, .line = ENTRY_LINE};
        const char *newline = place.at > 0 && document->text[place.at - 1] != '\n' ? "\n" : "";
        char *text = NULL;
        int n;

        if (place.has_section)
                n = asprintf(&text, "%.*s%s%s\n%.*s", (int) place.at, document->text, newline,
                             entry, (int) (document->n_text - place.at), document->text + place.at);
        else
                n = asprintf(&text, "%.*s%s[%s]\n%s\n", (int) document->n_text, document->text,
                             newline, section, entry);
        *ret_line = place.line;
        return n < 0 ? NULL : text;
}

/* Reads the document as it will most likely be, and takes the rule from there. What is not as
 * expected, or not quite in order, is left to those who can tell why. Returns 0 or -ENOMEM. */
static int read_with_rest(SingleRule *single, Enforcement *enforcement, const Loaded *loaded,
                          const char *section, const char *entry)
{
        size_t n_before = loaded ? policy_n_rules(loaded->document.policy) : 0;
        _cleanup_(diagnostics_deinit) Diagnostics found = {};
        _cleanup_(policy_unrefp) Policy *policy = NULL;
        uint8_t digest[DIGEST_SIZE];
        uint32_t line;
        _cleanup_(freep) char *text = write_with(loaded, section, entry, &line);
        const Rule *rule;

        if (!text)
                return -ENOMEM;
        digest_bytes(text, strlen(text), digest);
        policy = remembered_reading(enforcement, digest);
        if (!policy && policy_parse_apart(&policy, text, strlen(text), &found) != 0)
                return 0;
        rule = rule_of_line(policy, line);
        if (!rule || policy_n_rules(policy) != n_before + 1 || found.n_items > 0 ||
            found.n_dropped > 0 || strcmp(rule->section, section) != 0)
                return 0;
        single->policy = policy_ref(policy);
        single_rule_take(single, rule);
        remember_reading(enforcement, policy, digest);
        return 0;
}

/* ---- all of it ---- */

static int single_rule_finish(SingleRule *single, const char *section, const char *entry,
                              uint64_t ttl_usec, Diagnostics *diagnostics)
{
        int r = set_ttl(single, ttl_usec, diagnostics);

        if (r == 0)
                r = rule_to_text(&single->rule, &single->text);
        if (r == 0 && !is_as_written(single, section, entry, ttl_usec))
                r = check_text(single, diagnostics);
        return r;
}

int single_rule_new(SingleRule **ret_rule, const char *section, const char *entry,
                    uint64_t ttl_usec, Diagnostics *diagnostics)
{
        return enforcement_read_rule(NULL, CHANGE_ADDED, section, entry, ttl_usec, diagnostics,
                                     ret_rule);
}

/* Finds the rule in `runtime`, or reads it as part of that. */
static int read_in_runtime(SingleRule *single, Enforcement *enforcement, ChangeKind kind,
                           const char *section, const char *entry)
{
        const Loaded *loaded = document_set_find(enforcement->documents, RUNTIME_NAME);

        if (!is_of_version_7(section) ||
            (loaded && policy_version(loaded->document.policy) != VERSION_NEW))
                return 0;
        if (kind == CHANGE_ADDED)
                return read_with_rest(single, enforcement, loaded, section, entry);
        if (loaded)
                find_written(single, loaded, section, entry);
        return 0;
}

int enforcement_read_rule(Enforcement *enforcement, ChangeKind kind, const char *section,
                          const char *entry, uint64_t ttl_usec, Diagnostics *diagnostics,
                          SingleRule **ret_rule)
{
        _cleanup_(single_rule_freep) SingleRule *single = calloc(1, sizeof(*single));
        int r;

        if (!single)
                return -ENOMEM;
        r = check_words(section, entry, diagnostics);
        if (r == 0 && enforcement && ttl_usec == 0)
                r = read_in_runtime(single, enforcement, kind, section, entry);
        if (r == 0 && !single->policy)
                r = single_rule_read(single, section, entry, diagnostics);
        if (r == 0)
                r = single_rule_finish(single, section, entry, ttl_usec, diagnostics);
        if (r == 0)
                *ret_rule = TAKE_PTR(single);
        return r;
}
