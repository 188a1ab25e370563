/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* DocumentSet: see set.h. */
#include "transaction/set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/array.h"

/* What a document costs in the store beside its name and text: see store.c. */
#define ENTRY_OVERHEAD 24u

struct Entry {
        unsigned n_refs;
        Loaded loaded;
        char *name, *text;
};

struct DocumentSet {
        Entry **entries;
        size_t n_entries;
};

Entry *entry_unref(Entry *entry)
{
        if (!entry || --entry->n_refs > 0)
                return NULL;
        policy_unref(entry->loaded.document.policy);
        free(entry->name);
        free(entry->text);
        free(entry);
        return NULL;
}

static int64_t seconds_of(clockid_t clock)
{
        struct timespec now;

        return clock_gettime(clock, &now) < 0 ? 0 : now.tv_sec;
}

/* When a document was applied, in seconds since this boot. The clock on the wall may have been
 * wrong: nothing was applied in times to come. */
static int64_t since_boot(uint64_t changed_usec)
{
        int64_t age = seconds_of(CLOCK_REALTIME) - (int64_t) (changed_usec / 1000000u);

        return seconds_of(CLOCK_BOOTTIME) - (age > 0 ? age : 0);
}

static char *copy_text(const char *text, size_t n_text)
{
        char *copy = malloc(n_text + 1);

        if (!copy)
                return NULL;
        if (n_text > 0)
                memcpy(copy, text, n_text);
        copy[n_text] = '\0';
        return copy;
}

int entry_new(Entry **ret_entry, const Document *document, uint64_t generation,
              uint64_t changed_usec)
{
        _cleanup_(entry_unrefp) Entry *entry = calloc(1, sizeof(*entry));

        if (!entry)
                return -ENOMEM;
        entry->n_refs = 1;
        entry->name = strdup(document->name);
        entry->text = copy_text(document->text, document->n_text);
        if (!entry->name || !entry->text)
                return -ENOMEM;
        entry->loaded = (Loaded){
                .document = {.name = entry->name,
                             .text = entry->text,
                             .n_text = document->n_text,
                             .policy = policy_ref(document->policy),
                             .applied = since_boot(changed_usec),
                             .digest = entry->loaded.digest},
                .generation = generation,
                .changed_usec = changed_usec,
        };
        if (document->digest)
                memcpy(entry->loaded.digest, document->digest, DIGEST_SIZE);
        else
                digest_bytes(entry->text, document->n_text, entry->loaded.digest);
        *ret_entry = TAKE_PTR(entry);
        return 0;
}

void entry_apply_at(Entry *entry, int64_t applied)
{
        entry->loaded.document.applied = applied;
}

DocumentSet *document_set_free(DocumentSet *set)
{
        if (!set)
                return NULL;
        for (size_t i = 0; i < set->n_entries; i++)
                entry_unref(set->entries[i]);
        free(set->entries);
        free(set);
        return NULL;
}

/* The documents side by side, as the policy layer takes them. The strings stay with the set. */
static void list_documents(const DocumentSet *set, Document ret_documents[DOCUMENTS_MAX])
{
        for (size_t i = 0; i < set->n_entries; i++)
                ret_documents[i] = set->entries[i]->loaded.document;
}

static int set_allocate(size_t n_room, DocumentSet **ret_set)
{
        _cleanup_(document_set_freep) DocumentSet *set = calloc(1, sizeof(*set));

        if (!set)
                return -ENOMEM;
        set->entries = calloc(n_room + 1, sizeof(set->entries[0]));
        if (!set->entries)
                return -ENOMEM;
        *ret_set = TAKE_PTR(set);
        return 0;
}

static void set_append(DocumentSet *set, Entry *entry)
{
        entry->n_refs++;
        set->entries[set->n_entries++] = entry;
}

int document_set_new(DocumentSet **ret_set)
{
        return set_allocate(0, ret_set);
}

int document_set_copy(const DocumentSet *set, DocumentSet **ret_set)
{
        DocumentSet *copy = NULL;
        int r;

        r = set_allocate(set->n_entries, &copy);
        if (r < 0)
                return r;
        for (size_t i = 0; i < set->n_entries; i++)
                set_append(copy, set->entries[i]);
        *ret_set = copy;
        return 0;
}

size_t document_set_size(const DocumentSet *set)
{
        return set->n_entries;
}

const Loaded *document_set_get(const DocumentSet *set, size_t i)
{
        return i < set->n_entries ? &set->entries[i]->loaded : NULL;
}

/* The place of name, or where it would stand. */
static size_t set_place(const DocumentSet *set, const char *name)
{
        size_t low = 0, high = set->n_entries;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (strcmp(set->entries[middle]->name, name) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static int set_has_at(const DocumentSet *set, size_t i, const char *name)
{
        return i < set->n_entries && strcmp(set->entries[i]->name, name) == 0;
}

const Loaded *document_set_find(const DocumentSet *set, const char *name)
{
        size_t i = set_place(set, name);

        return set_has_at(set, i, name) ? &set->entries[i]->loaded : NULL;
}

void document_set_digest(const DocumentSet *set, uint8_t ret_digest[DIGEST_SIZE])
{
        Document documents[DOCUMENTS_MAX];

        list_documents(set, documents);
        digest_documents(documents, set->n_entries, ret_digest);
}

static int set_is_too_large(const DocumentSet *set)
{
        size_t sum = 0;

        for (size_t i = 0; i < set->n_entries; i++) {
                const Document *document = &set->entries[i]->loaded.document;

                sum += ENTRY_OVERHEAD + strlen(document->name) + document->n_text;
        }
        return sum > DOCUMENTS_SIZE_MAX;
}

int document_set_with(const DocumentSet *set, Entry *entry, DocumentSet **ret_set)
{
        _cleanup_(document_set_freep) DocumentSet *changed = NULL;
        size_t place = set_place(set, entry->name);
        int replaced = set_has_at(set, place, entry->name), r;

        if (!replaced && set->n_entries >= DOCUMENTS_MAX)
                return TRANSACTION_E_TOO_MANY;
        r = set_allocate(set->n_entries + 1, &changed);
        if (r < 0)
                return r;
        for (size_t i = 0; i < place; i++)
                set_append(changed, set->entries[i]);
        set_append(changed, entry);
        for (size_t i = replaced ? place + 1 : place; i < set->n_entries; i++)
                set_append(changed, set->entries[i]);
        if (set_is_too_large(changed))
                return TRANSACTION_E_TOO_LARGE;
        *ret_set = TAKE_PTR(changed);
        return 0;
}

int document_set_without(const DocumentSet *set, const char *name, DocumentSet **ret_set)
{
        _cleanup_(document_set_freep) DocumentSet *changed = NULL;
        size_t place = set_place(set, name);
        int r;

        if (!set_has_at(set, place, name))
                return TRANSACTION_E_NO_SUCH_POLICY;
        r = set_allocate(set->n_entries, &changed);
        if (r < 0)
                return r;
        for (size_t i = 0; i < set->n_entries; i++)
                if (i != place)
                        set_append(changed, set->entries[i]);
        *ret_set = TAKE_PTR(changed);
        return 0;
}

static int is_same(const Entry *a, const Entry *b)
{
        return a->loaded.document.n_text == b->loaded.document.n_text &&
               memcmp(a->text, b->text, a->loaded.document.n_text) == 0;
}

int document_set_restore(const DocumentSet *wanted, const DocumentSet *current, uint64_t generation,
                         DocumentSet **ret_set)
{
        _cleanup_(document_set_freep) DocumentSet *set = NULL;
        int r = set_allocate(wanted->n_entries, &set);

        for (size_t i = 0; r == 0 && i < wanted->n_entries; i++) {
                const Loaded *loaded = &wanted->entries[i]->loaded;
                size_t place = set_place(current, loaded->document.name);
                _cleanup_(entry_unrefp) Entry *entry = NULL;

                if (set_has_at(current, place, loaded->document.name) &&
                    is_same(current->entries[place], wanted->entries[i])) {
                        set_append(set, current->entries[place]);
                        continue;
                }
                r = entry_new(&entry, &loaded->document, generation, loaded->changed_usec);
                if (r == 0)
                        set_append(set, entry);
        }
        if (r == 0)
                *ret_set = TAKE_PTR(set);
        return r;
}

int document_set_keep(const DocumentSet *set, const DocumentSet *current, const char *name,
                      DocumentSet **ret_set)
{
        size_t place = set_place(current, name);

        if (set_has_at(current, place, name))
                return document_set_with(set, current->entries[place], ret_set);
        if (!document_set_find(set, name))
                return document_set_copy(set, ret_set);
        return document_set_without(set, name, ret_set);
}

typedef struct Findings {
        Diagnostics *items; /* one a document */
        size_t n_items;
} Findings;

static void findings_deinit(Findings *findings)
{
        for (size_t i = 0; i < findings->n_items; i++)
                diagnostics_deinit(&findings->items[i]);
        free(findings->items);
}

static int findings_have_fault(const Findings *findings)
{
        for (size_t i = 0; i < findings->n_items; i++)
                if (findings->items[i].n_faults > 0)
                        return 1;
        return 0;
}

static void report_one(const Diagnostic *found, const char *other, Diagnostics *diagnostics)
{
        if (!other)
                diagnostics_add(diagnostics, found->severity, found->line, found->column,
                                found->hint, "%s", found->message);
        else if (found->severity == SEVERITY_FAULT)
                diagnostics_add(diagnostics, found->severity, 0, 0, found->hint,
                                "in policy %s, line %u: %s", other, found->line, found->message);
}

static void findings_report(const DocumentSet *set, const Findings *findings, const char *name,
                            Diagnostics *diagnostics)
{
        for (size_t i = 0; i < findings->n_items; i++) {
                const char *document = set->entries[i]->name;
                int is_named = name && strcmp(name, document) == 0;

                for (size_t j = 0; j < findings->items[i].n_items; j++)
                        report_one(&findings->items[i].items[j], is_named ? NULL : document,
                                   diagnostics);
        }
}

int document_set_compile(const DocumentSet *set, Compilation **compilation,
                         const CompilationRequest *request, const char *name,
                         Diagnostics *diagnostics, PolicyImage **ret_image)
{
        CompilationRequest whole = *request;
        _cleanup_(findings_deinit) Findings findings = {};
        _cleanup_(policy_image_freep) PolicyImage *image = NULL;
        Document documents[DOCUMENTS_MAX];
        int r;

        list_documents(set, documents);
        findings.items = calloc(set->n_entries + 1, sizeof(findings.items[0]));
        if (!findings.items)
                return -ENOMEM;
        findings.n_items = set->n_entries;
        whole.documents = documents;
        whole.n_documents = set->n_entries;
        r = compilation_run(compilation, &whole, findings.items, &image);
        /* Mostly there is a rule to blame. */
        if (r == -E2BIG && !findings_have_fault(&findings))
                return TRANSACTION_E_TOO_LARGE;
        if (r == -ENOMEM)
                return r;
        findings_report(set, &findings, name, diagnostics);
        if (r < 0)
                return findings_have_fault(&findings) ? TRANSACTION_E_INVALID_POLICY : r;
        *ret_image = TAKE_PTR(image);
        return 0;
}
