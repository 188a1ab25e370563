/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parse: what the rooms of the parser share. parse.c cuts a document into lines, header.c reads
 * what stands before the sections, sections.c knows the sections, entry-*.c read one entry each,
 * words.c and options.c what version 7 has behind an object, duplicates.c and crosscheck.c compare
 * the rules that came out. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

/* Options are made in blocks, so that rules can point to them while more are made. */
#define OPTIONS_PER_BLOCK 128u
typedef struct OptionsBlock {
        struct OptionsBlock *next;
        size_t n_items;
        RuleOptions items[OPTIONS_PER_BLOCK];
} OptionsBlock;

struct Policy {
        unsigned n_refs;
        unsigned version;
        int accepts_missing, runtime_deps, wants_ima_appraisal;
        const char *name; /* NULL: the header has none */
        Rule *rules;
        size_t n_rules, n_allocated;
        OptionsBlock *options;
        char *strings; /* all that the rules point to */
        size_t n_strings;

        /* Notes for crosscheck.c. Lines of flags; 0: not there. */
        uint32_t protect_connect_line, runtime_deps_line, ima_fail_closed_line;
        int has_allow_list; /* a default that denies what is on no list of digests */
};

/* What a rule without options points to. */
extern const RuleOptions rule_options_none;

/* One entry, or a part of it, on its way to become rules. text: trimmed, ends in NUL. It is valid
 * UTF-8 without control characters, unless a value of version 7 says otherwise with escapes. room:
 * what is left of the policy's strings; one entry may use as many bytes as its line has, and one
 * more, beside its own text, and moves it on. */
typedef struct Entry {
        const char *text;
        size_t n;
        int is_copy; /* nothing else points to the text: it may be written to */
        uint32_t line, column;
        Diagnostics *diagnostics;
        Policy *policy;
        char **room;
} Entry;

/* offset: of the faulty byte in entry->text. */
#define entry_fault(entry, offset, hint, ...)                                                      \
        diagnostics_add((entry)->diagnostics, SEVERITY_FAULT, (entry)->line,                       \
                        (entry)->column + (uint32_t) (offset), (hint), __VA_ARGS__)
#define entry_warning(entry, offset, hint, ...)                                                    \
        diagnostics_add((entry)->diagnostics, SEVERITY_WARNING, (entry)->line,                     \
                        (entry)->column + (uint32_t) (offset), (hint), __VA_ARGS__)

/* The n bytes of an entry at `at`, as an entry. Its text goes on behind them: n counts. */
Entry entry_part(const Entry *entry, size_t at, size_t n);

/* Reads an entry and adds its rules. rule: line, section, entry and options are set, the rest is
 * zero; the function may write to it. Returns 0, POLICY_E_SYNTAX with the faults added, or -ENOMEM.
 */
typedef int (*EntryFunc)(const Entry *entry, Rule *rule);

/* Returns 0 or -ENOMEM. */
int policy_add_rule(Policy *policy, const Rule *rule);
/* Returns a copy that lives as long as the policy, or NULL when memory is short. */
const RuleOptions *policy_keep_options(Policy *policy, const RuleOptions *options);

/* ---- entries of versions 1 to 6 ---- */

int entry_deny_path(const Entry *entry, Rule *rule);
int entry_protect_path(const Entry *entry, Rule *rule);
int entry_scan_path(const Entry *entry, Rule *rule);
int entry_deny_inode(const Entry *entry, Rule *rule);
int entry_deny_ip(const Entry *entry, Rule *rule);
int entry_deny_cidr(const Entry *entry, Rule *rule);
int entry_deny_port(const Entry *entry, Rule *rule);
int entry_deny_ip_port(const Entry *entry, Rule *rule);
int entry_deny_comm(const Entry *entry, Rule *rule);
int entry_deny_hash(const Entry *entry, Rule *rule);
int entry_allow_hash(const Entry *entry, Rule *rule);
int entry_allow_cgroup(const Entry *entry, Rule *rule);
int entry_cgroup_deny_inode(const Entry *entry, Rule *rule);
int entry_cgroup_deny_ip(const Entry *entry, Rule *rule);
int entry_cgroup_deny_port(const Entry *entry, Rule *rule);

/* What the line of a section means that takes no entries. entry: the section's name. */
int flag_deny_ptrace(const Entry *entry, Rule *rule);
int flag_deny_module_load(const Entry *entry, Rule *rule);
int flag_deny_bpf(const Entry *entry, Rule *rule);
int flag_protect_connect(const Entry *entry, Rule *rule);
int flag_protect_runtime_deps(const Entry *entry, Rule *rule);
int flag_require_ima_appraisal(const Entry *entry, Rule *rule);
int flag_ima_fail_closed(const Entry *entry, Rule *rule);
int entry_of_flag(const Entry *entry, Rule *rule); /* a line below it */

/* ---- entries of version 7 ---- */

int entry_v7_deny(const Entry *entry, Rule *rule);
int entry_v7_allow(const Entry *entry, Rule *rule);
int entry_v7_audit(const Entry *entry, Rule *rule);
int entry_v7_default(const Entry *entry, Rule *rule);

/* ---- parts of entries; all return 0, or POLICY_E_SYNTAX with the faults added ---- */

/* Whether a component * stands for any name, and what was found of the kind. */
typedef enum PathStars {
        PATH_STARS_LITERAL, /* versions 1 to 6 */
        PATH_STARS_WILD,    /* version 7; a byte NUL is a * that was escaped */
} PathStars;

typedef struct CleanPath {
        const char *path;
        int has_wildcard;
        int has_star_component; /* one that is named * itself */
        int ends_in_slash;
} CleanPath;

/* A value that is a copy is written to. */
int path_read(const Entry *value, PathStars stars, CleanPath *ret_path);

/* major << 20 | minor, a colon, inode. */
int inode_read(const Entry *value, Rule *rule);

/* A path below the cgroup root or in the file system, cgid: and a number, or (if units are taken,
 * as in version 7) a unit's name. */
typedef struct CgroupName {
        const char *path; /* NULL if by id */
        uint64_t id;
        int is_root; /* every process is in it */
} CgroupName;
typedef enum CgroupForms {
        CGROUP_FORMS_OLD,
        CGROUP_FORMS_UNITS,
} CgroupForms;
int cgroup_read(const Entry *value, CgroupForms forms, CgroupName *ret_cgroup);
int cgroup_is_unit(const char *name, size_t n);

/* 64 digits behind what names the algorithm. */
int digest_read(const Entry *value, enum digest_algorithm algorithm, struct digest_key *ret_digest);

/* What stands behind net: in version 7. */
int net_read(const Entry *value, Rule *rule);

/* ---- documents ---- */

/* A part of a line, not ended by NUL. */
typedef struct Span {
        const char *text;
        size_t n;
        uint32_t column;
} Span;

Span span_trim(Span span);
Span span_part(Span span, size_t from, size_t n);
int span_equals(Span span, const char *text);

#define N_HEADER_KEYS 5

/* The header as far as it is read. */
typedef struct Header {
        struct {
                uint32_t line, column; /* 0: none yet */
        } seen[N_HEADER_KEYS];
} Header;

/* Reads one line of it. room: as of an Entry. */
void header_read_line(Header *header, const Entry *entry);
/* Faults that show when all of it is read. */
void header_check(const Header *header, const Policy *policy, Diagnostics *diagnostics);

/* A section of the language. */
typedef struct Section {
        const char *name;
        unsigned since; /* the first version that has it; those of 7 are of no other */
        EntryFunc read;
        EntryFunc flag;    /* what its line alone means; NULL if it takes entries */
        const char *in_v7; /* what version 7 has in its place */
} Section;

#define N_SECTIONS_MAX 32

/* Returns a row of the table, or NULL. */
const Section *section_find(const char *name, size_t n);
/* The one that was probably meant (see text_is_near()), or NULL. */
const Section *section_guess(const char *name, size_t n);
size_t section_number(const Section *section); /* below N_SECTIONS_MAX */
const Section *section_at(size_t number);      /* NULL if there is none of that number */

#define SECTIONS_HINT_V7 "version 7 has [deny], [allow], [audit] and [default]"
#define SECTIONS_HINT                                                                              \
        "versions 1 to 6 have deny_path, deny_inode, deny_ip, deny_cidr, deny_port, "              \
        "deny_ip_port, deny_comm, deny_ptrace, deny_module_load, deny_bpf, deny_binary_hash, "     \
        "allow_binary_hash, scan_paths, protect_path, protect_connect, protect_runtime_deps, "     \
        "require_ima_appraisal, trusted_exec_hash, ima_fail_closed, cgroup_deny_inode, "           \
        "cgroup_deny_ip, cgroup_deny_port and allow_cgroup; version 7 has [deny], [allow], "       \
        "[audit] and [default]"

/* Adds a warning for each rule that says what an earlier one said. Returns 0 or -ENOMEM. */
int duplicates_find(const Policy *policy, Diagnostics *diagnostics);

/* What sections of versions 1 to 6 mean to each other: where one denied in spite of another, rules
 * are cut down until none of them lifts what the other says. Returns 0 or -ENOMEM. */
int crosscheck(Policy *policy, Diagnostics *diagnostics);
