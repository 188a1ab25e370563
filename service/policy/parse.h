/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parse: what the rooms of the parser share. parse.c cuts a document into lines, sections.c knows
 * the sections, entry-*.c read one entry each, duplicates.c compares the rules that came out. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

struct Policy {
        unsigned n_refs;
        unsigned version;
        Rule *rules;
        size_t n_rules, n_allocated;
        char *strings; /* all that the rules point to */
};

/* One entry on its way to become a rule. text: trimmed, valid UTF-8 without control characters,
 * never empty. room: what is left of the policy's strings; one entry may use strlen(text) + 1 bytes
 * of it and moves it on. */
typedef struct Entry {
        const char *text;
        uint32_t line, column;
        Diagnostics *diagnostics;
        char **room;
} Entry;

/* offset: of the faulty byte in entry->text. */
#define entry_fault(entry, offset, hint, ...)                                                      \
        diagnostics_add((entry)->diagnostics, SEVERITY_FAULT, (entry)->line,                       \
                        (entry)->column + (uint32_t) (offset), (hint), __VA_ARGS__)
#define entry_warning(entry, offset, hint, ...)                                                    \
        diagnostics_add((entry)->diagnostics, SEVERITY_WARNING, (entry)->line,                     \
                        (entry)->column + (uint32_t) (offset), (hint), __VA_ARGS__)

/* Fills kind and union of rule. Returns 0, or POLICY_E_SYNTAX with the faults added. */
typedef int (*EntryFunc)(const Entry *entry, Rule *rule);

int entry_deny_path(const Entry *entry, Rule *rule);
int entry_deny_inode(const Entry *entry, Rule *rule);
int entry_allow_cgroup(const Entry *entry, Rule *rule);
int entry_deny_ip(const Entry *entry, Rule *rule);
int entry_deny_cidr(const Entry *entry, Rule *rule);
int entry_deny_port(const Entry *entry, Rule *rule);
int entry_deny_ip_port(const Entry *entry, Rule *rule);

/* A section of the language. parse is NULL for one that this build knows by name only. */
typedef struct Section {
        const char *name;
        unsigned since;
        EntryFunc parse;
} Section;

#define N_SECTIONS_MAX 32

/* Returns a row of the table, or NULL. */
const Section *section_find(const char *name, size_t n);
size_t section_number(const Section *section); /* below N_SECTIONS_MAX */

/* What this build reads, as one sentence. */
#define SECTIONS_HINT                                                                              \
        "this build reads version 1 with [deny_path], [deny_inode], [deny_ip], [deny_cidr], "      \
        "[deny_port], [deny_ip_port] and [allow_cgroup]"

/* Adds a warning for each rule that says what an earlier one said. Returns 0 or -ENOMEM. */
int duplicates_find(const Policy *policy, Diagnostics *diagnostics);
