/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options: see options.h. One row a key; what a person may write in its place has an answer. */
#include "policy/options.h"

#include <stdio.h>
#include <string.h>

#include "policy/terms.h"
#include "policy/text.h"
#include "util/array.h"

static Quoted value_quoted(const Entry *value)
{
        return quoted(value->text, value->n);
}

/* ---- values ---- */

static int read_access(const Entry *value, OptionSet *set)
{
        size_t at = 0, n;
        int r = 0;

        do {
                uint32_t bits = 0;

                n = strcspn(value->text + at, ",");
                if (term_find(&access_terms, value->text + at, n, &bits) < 0) {
                        entry_fault(value, at,
                                    "write some of read,write,exec,map,create,delete,link,attr, or "
                                    "leave access= out for all of them",
                                    "\"%s\" is no kind of access",
                                    quoted(value->text + at, n).text);
                        r = POLICY_E_SYNTAX;
                }
                set->access |= bits;
                at += n + 1;
        } while (at <= value->n);
        return r;
}

static int read_exe(const Entry *value, OptionSet *set)
{
        CleanPath path;
        int r = path_read(value, PATH_STARS_WILD, &path);

        if (r != 0)
                return r;
        if (path.has_star_component) {
                entry_fault(value, 0, "name its directory, with a slash at the end",
                            "a program cannot be named by a component that is * itself");
                return POLICY_E_SYNTAX;
        }
        set->options.subject |= SUBJECT_EXE;
        set->options.exe = path.path;
        set->options.exe_below = path.ends_in_slash ? 1 : 0;
        return 0;
}

/* The last number stands for "no one" in the kernel. */
static int read_number(const Entry *value, const char *hint, uint32_t *ret_number)
{
        uint64_t number;

        if (number_parse(value->text, value->n, UINT32_MAX - 1, &number) < 0) {
                entry_fault(value, 0, hint, "\"%s\" is no number from 0 to %u",
                            value_quoted(value).text, UINT32_MAX - 1);
                return POLICY_E_SYNTAX;
        }
        *ret_number = (uint32_t) number;
        return 0;
}

static int read_uid(const Entry *value, OptionSet *set)
{
        set->options.subject |= SUBJECT_UID;
        return read_number(
                value,
                strchr(value->text, ',') || strchr(value->text, '-')
                        ? "write a line for each"
                        : "write the number (id -u NAME prints it): names are not looked up",
                &set->options.uid);
}

static int read_gid(const Entry *value, OptionSet *set)
{
        set->options.subject |= SUBJECT_GID;
        return read_number(
                value,
                strchr(value->text, ',') || strchr(value->text, '-')
                        ? "write a line for each"
                        : "write the number (getent group NAME prints it): names are not "
                          "looked up",
                &set->options.gid);
}

static int read_cgroup(const Entry *value, OptionSet *set)
{
        CgroupName cgroup;
        int r = cgroup_read(value, CGROUP_FORMS_UNITS, &cgroup);

        if (r != 0)
                return r;
        if (cgroup.is_root)
                entry_warning(value, 0, "leave cgroup= out", "every process is in this cgroup");
        set->options.subject |= SUBJECT_CGROUP;
        set->options.cgroup = cgroup.path;
        set->options.cgroup_id = cgroup.id;
        return 0;
}

static int read_identity(const Entry *value, OptionSet *set)
{
        if (strcmp(value->text, "verified") != 0) {
                entry_fault(value, 0,
                            "write identity=verified; for the others, deny it to all and allow it "
                            "to these",
                            "\"%s\" is no identity", value_quoted(value).text);
                return POLICY_E_SYNTAX;
        }
        set->options.subject |= SUBJECT_VERIFIED;
        return 0;
}

static int read_mode(const Entry *value, OptionSet *set)
{
        uint32_t mode;

        if (term_find(&mode_terms, value->text, value->n, &mode) < 0) {
                entry_fault(value, 0, "write mode=audit or mode=enforce", "\"%s\" is no mode",
                            value_quoted(value).text);
                return POLICY_E_SYNTAX;
        }
        set->options.mode = (RuleMode) mode;
        return 0;
}

static uint64_t unit_seconds(char unit)
{
        switch (unit) {
        case 's':
                return 1;
        case 'm':
                return 60;
        case 'h':
                return 3600;
        case 'd':
                return SECONDS_OF_DAY;
        }
        return 0;
}

static int read_ttl(const Entry *value, OptionSet *set)
{
        uint64_t unit = value->n > 0 ? unit_seconds(value->text[value->n - 1]) : 0, number, max;
        char hint[64];

        if (unit == 0 || number_parse(value->text, value->n - 1, UINT64_MAX, &number) < 0) {
                if (number_parse(value->text, value->n, UINT32_MAX, &number) == 0)
                        snprintf(hint, sizeof(hint), "write %us, or with m, h or d",
                                 (unsigned) number);
                else
                        snprintf(hint, sizeof(hint), "write a number and a unit: 30s, 30m, 2h, 1d");
                entry_fault(value, 0, hint, "\"%s\" is no span of time", value_quoted(value).text);
                return POLICY_E_SYNTAX;
        }
        max = (uint64_t) TTL_DAYS_MAX * SECONDS_OF_DAY / unit;
        if (number == 0 || number > max) {
                entry_fault(value, 0,
                            number == 0 ? "leave the rule out"
                                        : "leave ttl= out for a rule that stays",
                            "a rule lives from 1s to %ud", TTL_DAYS_MAX);
                return POLICY_E_SYNTAX;
        }
        set->options.ttl = number * unit;
        return 0;
}

static int read_signal(const Entry *value, OptionSet *set)
{
        if (term_find(&signal_terms, value->text, value->n, &set->options.signal) < 0) {
                entry_fault(value, 0, "write signal=none, signal=term or signal=kill",
                            "\"%s\" is no signal that follows a denial", value_quoted(value).text);
                return POLICY_E_SYNTAX;
        }
        return 0;
}

static int read_id(const Entry *value, OptionSet *set)
{
        if (!policy_name_is_valid(value->text)) {
                entry_fault(value, 0,
                            "write 1 to 64 of A-Z a-z 0-9 _ . -, not beginning with a dot or dash",
                            "\"%s\" is no name for a rule", value_quoted(value).text);
                return POLICY_E_SYNTAX;
        }
        set->options.id = value->text;
        return 0;
}

/* It is shown to people: no control characters. */
static int read_why(const Entry *value, OptionSet *set)
{
        size_t at;

        if (text_check(value->text, value->n, &at) != TEXT_FINE || strchr(value->text, '\t')) {
                entry_fault(value, 0, "write a sentence", "why= is not text of one line");
                return POLICY_E_SYNTAX;
        }
        if (value->n == 0 || value->n > WHY_MAX) {
                entry_fault(value, 0,
                            value->n == 0 ? "write why=\"a sentence\", or leave it out" : "",
                            "why= has 1 to %u bytes", WHY_MAX);
                return POLICY_E_SYNTAX;
        }
        set->options.why = value->text;
        return 0;
}

typedef struct OptionRow {
        const char *key;
        PathStars stars;
        int (*read)(const Entry *value, OptionSet *set);
} OptionRow;

static const OptionRow rows[N_OPTION_KEYS] = {
        [OPTION_ACCESS] = {"access", PATH_STARS_LITERAL, read_access},
        [OPTION_EXE] = {"exe", PATH_STARS_WILD, read_exe},
        [OPTION_UID] = {"uid", PATH_STARS_LITERAL, read_uid},
        [OPTION_GID] = {"gid", PATH_STARS_LITERAL, read_gid},
        [OPTION_CGROUP] = {"cgroup", PATH_STARS_LITERAL, read_cgroup},
        [OPTION_IDENTITY] = {"identity", PATH_STARS_LITERAL, read_identity},
        [OPTION_MODE] = {"mode", PATH_STARS_LITERAL, read_mode},
        [OPTION_TTL] = {"ttl", PATH_STARS_LITERAL, read_ttl},
        [OPTION_SIGNAL] = {"signal", PATH_STARS_LITERAL, read_signal},
        [OPTION_ID] = {"id", PATH_STARS_LITERAL, read_id},
        [OPTION_WHY] = {"why", PATH_STARS_LITERAL, read_why},
};

/* ---- keys ---- */

/* What people call an option, and what it is called. */
static const char *const other_names[][2] = {
        {"user", "uid="},          {"group", "gid="},      {"path", "exe="},
        {"binary", "exe="},        {"program", "exe="},    {"comm", "exe="},
        {"unit", "cgroup="},       {"service", "cgroup="}, {"slice", "cgroup="},
        {"cgid", "cgroup=cgid:"},  {"reason", "why="},     {"comment", "why="},
        {"message", "why="},       {"name", "id="},        {"rule", "id="},
        {"timeout", "ttl="},       {"expires", "ttl="},    {"for", "ttl="},
        {"verified", "identity="}, {"action", "mode="},    {"perm", "access="},
        {"perms", "access="},      {"op", "access="},      {"ops", "access="},
        {"kill", "signal="},
};

static void explain_key(const Entry *entry, Word key)
{
        const char *text = entry->text + key.at,
                   *hint = "the options are access, exe, uid, gid, cgroup, identity, mode, ttl, "
                           "signal, id and why";
        char other[32];

        for (size_t i = 0; i < ELEMENTS_OF(other_names); i++) {
                if (strlen(other_names[i][0]) != key.n ||
                    memcmp(other_names[i][0], text, key.n) != 0)
                        continue;
                snprintf(other, sizeof(other), "write %s", other_names[i][1]);
                hint = other;
        }
        for (size_t i = 0; i < N_OPTION_KEYS; i++) {
                if (!text_is_near(text, key.n, rows[i].key))
                        continue;
                snprintf(other, sizeof(other), "write %s=", rows[i].key);
                hint = other;
        }
        entry_fault(entry, key.at, hint, "there is no option \"%s\"", quoted(text, key.n).text);
}

static void explain_word(const Entry *entry, Word word)
{
        const char *text = entry->text + word.at,
                   *hint = "an option is key=value, with no blank around the =; a name with "
                           "blanks stands between quotes";
        uint32_t bits;

        if (word.at >= 2 && entry->text[word.at - 2] == '\\')
                hint = "put quotes around a name that has blanks";
        else if (memchr(text, '/', word.n))
                hint = "write one object a line; put quotes around a name that has blanks";
        else if (term_find(&access_terms, text, word.n, &bits) == 0)
                hint = "write access= before it";
        entry_fault(entry, word.at, hint, "\"%s\" is no option", quoted(text, word.n).text);
}

static size_t find_row(const char *text, size_t n)
{
        size_t i = 0;

        while (i < N_OPTION_KEYS && (strlen(rows[i].key) != n || memcmp(rows[i].key, text, n) != 0))
                i++;
        return i;
}

int option_is(const Entry *entry, Word word)
{
        Word key, rest;

        return word_split(entry, word, '=', &key, &rest) &&
               find_row(entry->text + key.at, key.n) < N_OPTION_KEYS;
}

static int read_option(const Entry *entry, Word word, OptionSet *set)
{
        Word key, rest;
        Entry value;
        size_t i;

        if (!word_split(entry, word, '=', &key, &rest)) {
                explain_word(entry, word);
                return POLICY_E_SYNTAX;
        }
        i = find_row(entry->text + key.at, key.n);
        if (i == N_OPTION_KEYS) {
                explain_key(entry, key);
                return POLICY_E_SYNTAX;
        }
        if (OPTION_SEEN(set, i)) {
                entry_fault(entry, word.at, "write a line for each", "%s= stands here twice",
                            rows[i].key);
                return POLICY_E_SYNTAX;
        }
        set->seen |= 1u << i;
        set->at[i] = word.at;
        if (word_read(entry, rest, rows[i].stars, &value) != 0)
                return POLICY_E_SYNTAX;
        return rows[i].read(&value, set);
}

int options_read(const Entry *entry, size_t at, OptionSet *ret_set)
{
        OptionSet set = {};
        int r = 0;
        Word word;

        for (;;) {
                if (word_next(entry, &at, &word) != 0)
                        return POLICY_E_SYNTAX;
                if (word.n == 0)
                        break;
                if (read_option(entry, word, &set) != 0)
                        r = POLICY_E_SYNTAX;
        }
        *ret_set = set;
        return r;
}

/* ---- what goes with what ---- */

static int refuse(const Entry *entry, const OptionSet *set, OptionKey key, const char *message,
                  const char *hint)
{
        if (!OPTION_SEEN(set, key))
                return 0;
        entry_fault(entry, set->at[key], hint, "%s", message);
        return POLICY_E_SYNTAX;
}

static int check_access(const Entry *entry, const OptionSet *set, const Rule *rule)
{
        const char *message = "access= is about files and inodes";

        switch (rule->kind) {
        case RULE_FILE:
                /* exec: says its access itself. */
                if (strncmp(entry->text, "file:", 5) == 0 ||
                    strncmp(entry->text, "\"file:", 6) == 0)
                        return 0;
                return refuse(entry, set, OPTION_ACCESS, "exec: is about running alone",
                              "write file: for other access");
        case RULE_INODE:
                return 0;
        case RULE_NET:
                return refuse(entry, set, OPTION_ACCESS, message,
                              "write what is done behind net:, as net:connect,send:");
        case RULE_KERNEL:
        case RULE_COMM:
        case RULE_DIGEST:
        case RULE_DEFAULT:
        case RULE_ALLOW_CGROUP:
                return refuse(entry, set, OPTION_ACCESS, message, "remove it");
        }
        return 0;
}

static int check_verdict(const Entry *entry, const OptionSet *set, const Rule *rule)
{
        int r = 0;

        switch (rule->verdict) {
        case RULE_DENY:
                if (set->options.mode == RULE_MODE_AUDIT && set->options.signal != SIGNAL_NONE &&
                    set->options.signal != SIGNAL_DEFAULT)
                        r = refuse(
                                entry, set, OPTION_SIGNAL,
                                "a rule with mode=audit denies nothing that a signal could follow",
                                "remove one of the two");
                return r;
        case RULE_ALLOW:
                r = refuse(entry, set, OPTION_MODE, "an allowance holds in every mode",
                           "remove it");
                if (refuse(entry, set, OPTION_SIGNAL, "no signal follows what is allowed",
                           "remove it") != 0)
                        r = POLICY_E_SYNTAX;
                return r;
        case RULE_AUDIT:
                r = refuse(entry, set, OPTION_MODE, "a rule to audit records and never denies",
                           "write the rule under [deny] for a mode of its own");
                if (refuse(entry, set, OPTION_SIGNAL, "no signal follows what is recorded alone",
                           "write the rule under [deny]") != 0)
                        r = POLICY_E_SYNTAX;
                return r;
        }
        return r;
}

static int check_cgroup(const Entry *entry, const OptionSet *set, const Rule *rule)
{
        if (rule->kind != RULE_ALLOW_CGROUP)
                return 0;
        for (unsigned i = 0; i < N_OPTION_KEYS; i++)
                if (OPTION_SEEN(set, i))
                        return refuse(entry, set, (OptionKey) i,
                                      "cgroup: takes no options: no rule binds who is in it",
                                      "remove it; cgroup= stands behind an object");
        return 0;
}

int options_check(const Entry *entry, const OptionSet *set, const Rule *rule)
{
        int r = check_cgroup(entry, set, rule);

        if (r != 0)
                return r;
        r = check_access(entry, set, rule);
        if (check_verdict(entry, set, rule) != 0)
                r = POLICY_E_SYNTAX;
        return r;
}
