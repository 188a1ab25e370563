/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rule: see rule.h. The document is changed as text, line by line, and then planned like any other.
 */
#include "transaction/rule.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/meaning.h"
#include "policy/rule-text.h"
#include "transaction/internal.h"
#include "transaction/single-rule.h"
#include "util/fiber.h"
#include "util/log.h"

/* ---- the document ---- */

/* Seconds that have passed since the document's times were written: so much less is left of them.
 */
typedef struct Edit {
        const SingleRule *single;
        ChangeKind kind;
        const Loaded *loaded; /* NULL: there is no document yet */
        int64_t elapsed;
        int is_there, lasts; /* an equal rule; one that ends no earlier */
        int has_times;       /* other rules have a ttl */
        size_t n_left;       /* of those that are there */
        uint32_t place;    /* the line behind which the rule belongs; 0: in a section of its own */
        uint32_t new_line; /* where it came to stand */
} Edit;

static size_t edit_n_rules(const Edit *edit)
{
        return edit->loaded ? policy_n_rules(edit->loaded->document.policy) : 0;
}

static const Rule *edit_rule(const Edit *edit, size_t i)
{
        return policy_rule(edit->loaded->document.policy, i);
}

static int is_equal(const Edit *edit, const Rule *rule)
{
        RuleOptions x = *edit->single->rule.options, y = *rule->options;
        Rule a = edit->single->rule, b = *rule;

        x.ttl = y.ttl = 0;
        a.options = &x;
        b.options = &y;
        return rule_compare(&a, &b) == 0;
}

static int64_t time_left(const Edit *edit, const Rule *rule)
{
        return (int64_t) rule->options->ttl - edit->elapsed;
}

static int has_passed(const Edit *edit, const Rule *rule)
{
        return rule->options->ttl > 0 && time_left(edit, rule) <= 0;
}

static int lasts_as_long(const Edit *edit, const Rule *rule)
{
        uint64_t wanted = edit->single->options.ttl;

        return rule->options->ttl == 0 || (wanted > 0 && time_left(edit, rule) >= (int64_t) wanted);
}

static void edit_survey(Edit *edit)
{
        for (size_t i = 0; i < edit_n_rules(edit); i++) {
                const Rule *rule = edit_rule(edit, i);
                int equal = is_equal(edit, rule), passed = has_passed(edit, rule);

                fiber_pace();
                edit->is_there |= equal;
                edit->lasts |= equal && !passed && lasts_as_long(edit, rule);
                edit->has_times |= !equal && rule->options->ttl > 0;
                edit->n_left += !equal && !passed;
                if (strcmp(rule->section, single_rule_section(edit->single)) == 0)
                        edit->place = rule->line;
        }
}

typedef struct Writer {
        FILE *out;
        uint32_t line; /* of those written */
} Writer;

static void write_line(Writer *writer, const char *text, size_t n)
{
        fwrite(text, 1, n, writer->out);
        fputc('\n', writer->out);
        writer->line++;
}

/* What is left of a rule that lives for a time. */
static int write_timed(Writer *writer, const Edit *edit, const Rule *rule)
{
        _cleanup_(freep) char *text = NULL;
        RuleOptions options = *rule->options;
        Rule timed = *rule;
        int r;

        options.ttl = (uint64_t) time_left(edit, rule);
        timed.options = &options;
        r = rule_to_text(&timed, &text);
        if (r < 0)
                return r;
        write_line(writer, text, strlen(text));
        return 0;
}

static int write_rule(Writer *writer, const Edit *edit, const Rule *rule, const char *text,
                      size_t n)
{
        if (has_passed(edit, rule) || is_equal(edit, rule))
                return 0;
        if (rule->options->ttl > 0)
                return write_timed(writer, edit, rule);
        write_line(writer, text, n);
        return 0;
}

static void write_new(Writer *writer, Edit *edit)
{
        const char *text = single_rule_text(edit->single);

        if (edit->kind != CHANGE_ADDED)
                return;
        write_line(writer, text, strlen(text));
        edit->new_line = writer->line;
}

/* In version 7 a line has one rule at most, and they stand in the order of lines. */
static int write_lines(Writer *writer, Edit *edit)
{
        const Document *document = &edit->loaded->document;
        const char *text = document->text, *end = text + document->n_text;
        size_t i = 0, n;
        int r = 0;

        for (uint32_t line = 1; r == 0 && text < end; line++, text += n + 1) {
                const char *newline = memchr(text, '\n', (size_t) (end - text));

                fiber_pace();
                n = (size_t) ((newline ? newline : end) - text);
                if (i < edit_n_rules(edit) && edit_rule(edit, i)->line == line)
                        r = write_rule(writer, edit, edit_rule(edit, i++), text, n);
                else
                        write_line(writer, text, n);
                if (line == edit->place)
                        write_new(writer, edit);
        }
        return r;
}

static int write_document(Writer *writer, Edit *edit)
{
        char header[POLICY_NAME_MAX + 4];
        int r = 0;

        if (edit->loaded)
                r = write_lines(writer, edit);
        else
                write_line(writer, "version=7", strlen("version=7"));
        if (edit->place > 0 || edit->kind != CHANGE_ADDED)
                return r;
        snprintf(header, sizeof(header), "[%s]", single_rule_section(edit->single));
        write_line(writer, header, strlen(header));
        write_new(writer, edit);
        return r;
}

/* The document's text with the change made. Returns 0 or -ENOMEM. */
static int edit_make(Edit *edit, char **ret_text, size_t *ret_n)
{
        _cleanup_(freep) char *text = NULL;
        Writer writer = {.out = open_memstream(&text, ret_n)};
        int r, failed;

        if (!writer.out)
                return -ENOMEM;
        r = write_document(&writer, edit);
        failed = ferror(writer.out);
        if (fclose(writer.out) != 0 || failed || r < 0)
                return -ENOMEM;
        *ret_text = TAKE_PTR(text);
        return 0;
}

/* ---- planning ---- */

/* What is left of times is counted from one moment, which becomes the document's. */
static void plan_set_moment(Plan *plan)
{
        struct timespec now = {};

        clock_gettime(CLOCK_BOOTTIME, &now);
        plan->applied = now.tv_sec;
        plan->changed_usec = plan_now_usec();
}

/* While somebody thinks about the question time runs on: that alone makes it no other one. */
static int plan_bind(Plan *plan, const Enforcement *enforcement, const Edit *edit)
{
        _cleanup_(document_set_freep) DocumentSet *documents = NULL;
        _cleanup_(freep) char *text = NULL;
        Plan timeless = *plan;
        Edit standing = *edit;
        int r;

        if (!edit->has_times || plan->removal)
                return 0;
        standing.elapsed = 0;
        r = edit_make(&standing, &text, &timeless.n_text);
        if (r < 0)
                return r;
        timeless.text = text;
        digest_bytes(text, timeless.n_text, timeless.document_digest);
        r = plan_realize(&timeless, enforcement->documents, enforcement->generation, &documents);
        if (r == 0)
                document_set_digest(documents, plan->bound);
        return r;
}

/* A header can hold by itself, for the other documents too. */
static int is_empty_without(const Edit *edit)
{
        const Policy *policy = edit->loaded->document.policy;

        return edit->n_left == 0 && !policy_wants_ima_appraisal(policy) &&
               !policy_runtime_deps(policy);
}

static int plan_change(Plan *plan, Enforcement *enforcement, Edit *edit)
{
        _cleanup_(freep) char *text = NULL;
        size_t n = 0;
        int r;

        if (edit->kind == CHANGE_REMOVED && is_empty_without(edit))
                return plan_removal(plan, enforcement);
        r = edit_make(edit, &text, &n);
        if (r < 0)
                return r;
        r = plan_document(plan, enforcement, text, n);
        return r == 0 ? plan_bind(plan, enforcement, edit) : r;
}

/* What is wrong with the rule, said of its entry; and with the rest, of that. */
static void relate_plan(Plan *plan, const Edit *edit)
{
        Diagnostics found = plan->diagnostics;

        plan->diagnostics = (Diagnostics){};
        for (size_t i = 0; i < found.n_items; i++) {
                const Diagnostic *item = &found.items[i];

                if (item->line > 0 && item->line == edit->new_line)
                        diagnostics_add(&plan->diagnostics, item->severity, 1,
                                        edit->single->rule.column, item->hint, "%s", item->message);
                else if (item->severity == SEVERITY_FAULT && item->line > 0)
                        diagnostics_add(&plan->diagnostics, item->severity, 0, 0, item->hint,
                                        "in policy %s, line %u: %s", plan->name, item->line,
                                        item->message);
                else if (item->severity == SEVERITY_FAULT)
                        diagnostics_add(&plan->diagnostics, item->severity, 0, 0, item->hint, "%s",
                                        item->message);
        }
        diagnostics_deinit(&found);
}

static int plan_rule(Plan *plan, Enforcement *enforcement, Edit *edit)
{
        int r;

        /* One rule more must not be all the rules there are. */
        if (enforcement->documents_unknown)
                return TRANSACTION_E_UNKNOWN;
        if (edit->loaded && policy_version(edit->loaded->document.policy) != VERSION_NEW)
                return TRANSACTION_E_RUNTIME_VERSION;
        plan_set_moment(plan);
        if (edit->loaded)
                edit->elapsed = plan->applied - edit->loaded->document.applied;
        edit_survey(edit);
        if (edit->kind == CHANGE_REMOVED && !edit->is_there)
                return TRANSACTION_E_NO_SUCH_RULE;
        if (edit->kind == CHANGE_ADDED && edit->lasts)
                return 0;
        r = plan_change(plan, enforcement, edit);
        relate_plan(plan, edit);
        return r;
}

int enforcement_plan_rule(Enforcement *enforcement, const SingleRule *rule, ChangeKind kind,
                          Plan **ret_plan)
{
        return enforcement_plan_rule_of(enforcement, RUNTIME_NAME, rule, kind, ret_plan);
}

/* Where documents must be signed, a rule may only be taken away, and from one that is not. */
static int is_for_signers(Enforcement *enforcement, const Loaded *loaded, ChangeKind kind)
{
        if (!trust_requires(enforcement->trust))
                return 0;
        if (kind == CHANGE_ADDED)
                return 1;
        return loaded && trust_is_signed(enforcement->trust, loaded) != 0;
}

int enforcement_plan_rule_of(Enforcement *enforcement, const char *name, const SingleRule *rule,
                             ChangeKind kind, Plan **ret_plan)
{
        _cleanup_(plan_freep) Plan *plan = NULL;
        Edit edit = {.single = rule, .kind = kind};
        int r;

        edit.loaded = document_set_find(enforcement->documents, name);
        if (is_for_signers(enforcement, edit.loaded, kind))
                return TRANSACTION_E_SIGNATURE_REQUIRED;
        plan = plan_new(enforcement, name);
        if (!plan)
                return log_errno(-ENOMEM, "A rule cannot be planned");
        r = plan_rule(plan, enforcement, &edit);
        if (r < 0)
                return log_errno(r, "A rule cannot be planned");
        if (r != 0 && r != TRANSACTION_E_INVALID_POLICY)
                return r;
        *ret_plan = TAKE_PTR(plan);
        return r;
}
