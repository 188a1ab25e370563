/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parcel: a head, then rules, options, findings, and the bytes of all strings, which are named by
 * where they begin, from 1; 0 is no string. */
#include "policy/parcel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/parse.h"
#include "policy/sound.h"
#include "policy/text.h"

#define RULES_PER_LINE 2u
#define FINDING_TEXT_MAX 2048u

typedef struct ParcelHead {
        int32_t result; /* of policy_parse() */
        uint32_t version, name;
        uint32_t accepts_missing, runtime_deps, wants_ima_appraisal;
        uint32_t n_rules, n_options, n_findings;
        uint32_t n_strings; /* bytes of the policy's own; those of findings follow */
        uint32_t n_bytes;   /* of all */
        uint64_t n_faults, n_dropped;
} ParcelHead;

/* Pointers of the structures that stand first in these mean nothing. */
typedef struct ParcelRule {
        Rule rule;
        uint32_t section; /* its number */
        uint32_t entry;
        uint32_t object;  /* path or comm, if the kind has one */
        uint32_t options; /* from 1, as they first come; 0: none */
} ParcelRule;

typedef struct ParcelOptions {
        RuleOptions options;
        uint32_t exe, cgroup, id, why;
} ParcelOptions;

typedef struct Finding {
        uint32_t line, column, severity, message, hint;
} Finding;

typedef struct Parcel {
        ParcelHead *head;
        ParcelRule *rules;
        ParcelOptions *options;
        Finding *findings;
        char *bytes;
} Parcel;

/* Takes the next n elements of the room. Returns NULL if it has no more. */
static void *take(size_t *at, size_t n_room, uint64_t n, size_t size, const void *room)
{
        size_t begin = *at;

        if (n > (n_room - begin) / size)
                return NULL;
        *at = begin + (size_t) n * size;
        return (char *) room + begin;
}

/* Returns 0 or -E2BIG. */
static int lay_out(const void *room, size_t n_room, const ParcelHead *head, Parcel *ret_parcel)
{
        size_t at = 0;
        Parcel parcel = {
                .head = take(&at, n_room, 1, sizeof(ParcelHead), room),
                .rules = take(&at, n_room, head->n_rules, sizeof(ParcelRule), room),
                .options = take(&at, n_room, head->n_options, sizeof(ParcelOptions), room),
                .findings = take(&at, n_room, head->n_findings, sizeof(Finding), room),
                .bytes = take(&at, n_room, head->n_bytes, 1, room),
        };

        if (!parcel.head || !parcel.rules || !parcel.options || !parcel.findings || !parcel.bytes)
                return -E2BIG;
        *ret_parcel = parcel;
        return 0;
}

size_t parcel_size_max(const char *text, size_t n_text)
{
        const char *end = text + n_text;
        size_t n_lines = 1;

        for (; (text = memchr(text, '\n', (size_t) (end - text))); text++)
                n_lines++;
        return sizeof(ParcelHead) +
               n_lines * RULES_PER_LINE * (sizeof(ParcelRule) + sizeof(ParcelOptions)) +
               DIAGNOSTICS_MAX * (sizeof(Finding) + FINDING_TEXT_MAX) + 2 * (n_text + 1);
}

/* ---- filling ---- */

static uint32_t string_at(const Policy *policy, const char *string)
{
        return string ? (uint32_t) (string - policy->strings) + 1 : 0;
}

static const char *const *rule_object(const Rule *rule)
{
        switch (rule->kind) {
        case RULE_FILE:
                return &rule->file.path;
        case RULE_COMM:
                return &rule->comm;
        case RULE_ALLOW_CGROUP:
                return &rule->cgroup.path;
        default:
                return NULL;
        }
}

static int brings_options(const Policy *policy, size_t i)
{
        const RuleOptions *options = policy->rules[i].options;

        return options != &rule_options_none && (i == 0 || options != policy->rules[i - 1].options);
}

static void fill_options(const Policy *policy, const RuleOptions *options, ParcelOptions *into)
{
        *into = (ParcelOptions){
                .options = *options,
                .exe = string_at(policy, options->exe),
                .cgroup = string_at(policy, options->cgroup),
                .id = string_at(policy, options->id),
                .why = string_at(policy, options->why),
        };
}

static uint32_t find_section(const char *name)
{
        return (uint32_t) section_number(section_find(name, strlen(name)));
}

static void fill_rules(const Policy *policy, const Parcel *parcel)
{
        uint32_t n_options = 0, section = 0;

        for (size_t i = 0; i < policy->n_rules; i++) {
                const Rule *rule = &policy->rules[i];
                const char *const *object = rule_object(rule);

                if (i == 0 || rule->section != policy->rules[i - 1].section)
                        section = find_section(rule->section);
                if (brings_options(policy, i))
                        fill_options(policy, rule->options, &parcel->options[n_options++]);
                parcel->rules[i] = (ParcelRule){
                        .rule = *rule,
                        .section = section,
                        .entry = string_at(policy, rule->entry),
                        .object = object ? string_at(policy, *object) : 0,
                        .options = rule->options == &rule_options_none ? 0 : n_options,
                };
        }
}

static uint32_t fill_string(const Parcel *parcel, size_t *at, const char *string)
{
        size_t n = strlen(string) + 1, begin = *at;

        memcpy(parcel->bytes + begin, string, n);
        *at += n;
        return (uint32_t) begin + 1;
}

static void fill_findings(const Diagnostics *diagnostics, const Parcel *parcel)
{
        size_t at = parcel->head->n_strings;

        for (size_t i = 0; i < diagnostics->n_items; i++) {
                const Diagnostic *item = &diagnostics->items[i];
                Finding *finding = &parcel->findings[i];

                *finding = (Finding){item->line, item->column, (uint32_t) item->severity, 0, 0};
                finding->message = fill_string(parcel, &at, item->message);
                finding->hint = fill_string(parcel, &at, item->hint);
        }
}

static void count_policy(const Policy *policy, ParcelHead *head)
{
        head->version = policy->version;
        head->name = string_at(policy, policy->name);
        head->accepts_missing = policy->accepts_missing ? 1 : 0;
        head->runtime_deps = policy->runtime_deps ? 1 : 0;
        head->wants_ima_appraisal = policy->wants_ima_appraisal ? 1 : 0;
        head->n_rules = (uint32_t) policy->n_rules;
        head->n_strings = head->n_bytes = (uint32_t) policy->n_strings;
        for (size_t i = 0; i < policy->n_rules; i++)
                head->n_options += brings_options(policy, i) ? 1 : 0;
}

static void count_findings(const Diagnostics *diagnostics, ParcelHead *head)
{
        head->n_findings = (uint32_t) diagnostics->n_items;
        head->n_faults = diagnostics->n_faults;
        head->n_dropped = diagnostics->n_dropped;
        for (size_t i = 0; i < diagnostics->n_items; i++)
                head->n_bytes += (uint32_t) (strlen(diagnostics->items[i].message) +
                                             strlen(diagnostics->items[i].hint) + 2);
}

int parcel_fill(void *room, size_t n_room, int result, const Policy *policy,
                const Diagnostics *diagnostics)
{
        ParcelHead head = {.result = result};
        Parcel parcel;
        int r;

        if (policy)
                count_policy(policy, &head);
        count_findings(diagnostics, &head);
        r = lay_out(room, n_room, &head, &parcel);
        if (r < 0)
                return r;
        *parcel.head = head;
        if (policy) {
                memcpy(parcel.bytes, policy->strings, policy->n_strings);
                fill_rules(policy, &parcel);
        }
        fill_findings(diagnostics, &parcel);
        return 0;
}

/* ---- opening ---- */

/* Returns 0, or -EBADMSG for a string that is not there. */
static int read_string(const Policy *policy, uint32_t at, const char **ret_string)
{
        if (at > policy->n_strings)
                return -EBADMSG;
        *ret_string = at > 0 ? policy->strings + at - 1 : NULL;
        return 0;
}

static int read_options(Policy *policy, const ParcelOptions *from, const RuleOptions **ret_options)
{
        RuleOptions options = from->options;

        if (read_string(policy, from->exe, &options.exe) < 0 ||
            read_string(policy, from->cgroup, &options.cgroup) < 0 ||
            read_string(policy, from->id, &options.id) < 0 ||
            read_string(policy, from->why, &options.why) < 0)
                return -EBADMSG;
        *ret_options = policy_keep_options(policy, &options);
        return *ret_options ? 0 : -ENOMEM;
}

/* Options of their own are those behind the ones that were there last. */
static int read_rule_options(Policy *policy, const Parcel *parcel, const ParcelRule *from,
                             uint32_t *n_options, Rule *rule)
{
        if (from->options == 0)
                rule->options = &rule_options_none;
        else if (from->options == *n_options && policy->n_rules > 0)
                rule->options = policy->rules[policy->n_rules - 1].options;
        else if (from->options == *n_options + 1 && from->options <= parcel->head->n_options)
                return read_options(policy, &parcel->options[(*n_options)++], &rule->options);
        else
                return -EBADMSG;
        return 0;
}

static int read_object(const Policy *policy, uint32_t at, Rule *rule)
{
        const char **object = (const char **) rule_object(rule);

        return object ? read_string(policy, at, object) : 0;
}

static int read_rule(Policy *policy, const Parcel *parcel, const ParcelRule *from,
                     uint32_t *n_options)
{
        const Section *section = section_at(from->section);
        Rule *rule = &policy->rules[policy->n_rules];
        int r;

        *rule = from->rule;
        if (!section || read_string(policy, from->entry, &rule->entry) < 0 ||
            read_object(policy, from->object, rule) < 0)
                return -EBADMSG;
        rule->section = section->name;
        r = read_rule_options(policy, parcel, from, n_options, rule);
        if (r < 0)
                return r;
        if (!rule_is_sound(rule) || (policy->n_rules > 0 && rule->line < rule[-1].line))
                return -EBADMSG;
        policy->n_rules++;
        return 0;
}

static int read_rules(Policy *policy, const Parcel *parcel)
{
        uint32_t n_options = 0;

        for (size_t i = 0; i < parcel->head->n_rules; i++) {
                int r = read_rule(policy, parcel, &parcel->rules[i], &n_options);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_head(Policy *policy, const ParcelHead *head)
{
        policy->version = head->version;
        policy->accepts_missing = head->accepts_missing != 0;
        policy->runtime_deps = head->runtime_deps != 0;
        policy->wants_ima_appraisal = head->wants_ima_appraisal != 0;
        if (policy->version < 1 || policy->version > POLICY_VERSION_MAX ||
            read_string(policy, head->name, &policy->name) < 0 ||
            (policy->name && !policy_name_is_valid(policy->name)))
                return -EBADMSG;
        return 0;
}

static int read_policy(const Parcel *parcel, Policy **ret_policy)
{
        const ParcelHead *head = parcel->head;
        _cleanup_(policy_unrefp) Policy *policy = calloc(1, sizeof(*policy));
        int r;

        if (!policy)
                return -ENOMEM;
        policy->n_refs = 1;
        policy->n_strings = head->n_strings;
        policy->strings = malloc((size_t) head->n_strings + 1);
        policy->rules = calloc(head->n_rules, sizeof(*policy->rules));
        if (!policy->strings || !policy->rules)
                return -ENOMEM;
        policy->n_allocated = head->n_rules;
        memcpy(policy->strings, parcel->bytes, head->n_strings);
        policy->strings[head->n_strings] = '\0';
        r = read_head(policy, head);
        if (r == 0)
                r = read_rules(policy, parcel);
        if (r == 0)
                *ret_policy = TAKE_PTR(policy);
        return r;
}

/* One line of text, for people; it need not end. */
static int finding_text(const Parcel *parcel, uint32_t at, const char **ret_text, int *ret_n)
{
        const char *text = parcel->bytes + at - 1;
        size_t n, offset;

        if (at == 0 || at > parcel->head->n_bytes)
                return -EBADMSG;
        n = strnlen(text, parcel->head->n_bytes - (at - 1));
        if (n > FINDING_TEXT_MAX || text_check(text, n, &offset) != TEXT_FINE)
                return -EBADMSG;
        *ret_text = text;
        *ret_n = (int) n;
        return 0;
}

static int read_finding(const Parcel *parcel, const Finding *finding, Diagnostics *diagnostics)
{
        char hint[FINDING_TEXT_MAX + 1] = "";
        const char *message, *text;
        int n_message, n_hint;

        if (finding->severity > SEVERITY_WARNING || finding->line > POLICY_LINES_MAX + 1 ||
            finding_text(parcel, finding->message, &message, &n_message) < 0 ||
            finding_text(parcel, finding->hint, &text, &n_hint) < 0)
                return -EBADMSG;
        memcpy(hint, text, (size_t) n_hint);
        diagnostics_add(diagnostics, (Severity) finding->severity, finding->line, finding->column,
                        hint, "%.*s", n_message, message);
        return 0;
}

static int read_findings(const Parcel *parcel, Diagnostics *diagnostics)
{
        const ParcelHead *head = parcel->head;
        size_t n_faults = diagnostics->n_faults, n_found;

        if (head->n_findings > DIAGNOSTICS_MAX)
                return -EBADMSG;
        for (size_t i = 0; i < head->n_findings; i++)
                if (read_finding(parcel, &parcel->findings[i], diagnostics) < 0)
                        return -EBADMSG;
        n_found = diagnostics->n_faults - n_faults;
        if (head->n_faults < n_found || head->n_dropped < head->n_faults - n_found ||
            head->n_dropped > UINT32_MAX)
                return -EBADMSG;
        diagnostics->n_faults += head->n_faults - n_found;
        diagnostics->n_dropped += head->n_dropped;
        diagnostics_sort(diagnostics);
        return 0;
}

int parcel_open(const void *room, size_t n_room, Policy **ret_policy, Diagnostics *diagnostics)
{
        ParcelHead head;
        Parcel parcel;

        if (n_room < sizeof(head))
                return -EBADMSG;
        memcpy(&head, room, sizeof(head));
        if (head.n_strings > head.n_bytes || lay_out(room, n_room, &head, &parcel) < 0 ||
            read_findings(&parcel, diagnostics) < 0)
                return -EBADMSG;
        if (head.result == POLICY_E_SYNTAX && head.n_faults > 0)
                return POLICY_E_SYNTAX;
        if (head.result != 0 || head.n_faults > 0)
                return -EBADMSG;
        return read_policy(&parcel, ret_policy);
}
