/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Entries of version 7: an object, and options behind it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/options.h"
#include "policy/parse.h"
#include "policy/terms.h"
#include "policy/text.h"
#include "policy/words.h"
#include "util/array.h"

#define COMM_MAX 15u

/* ---- objects ---- */

/* What stands behind the colon of an object. */
typedef struct Object {
        const Entry *entry;
        Word word;
} Object;

static int read_value(const Object *object, PathStars stars, Entry *ret_value)
{
        return word_read(object->entry, object->word, stars, ret_value);
}

static int read_file(const Object *object, Rule *rule)
{
        CleanPath path;
        Entry value;

        if (read_value(object, PATH_STARS_WILD, &value) != 0 ||
            path_read(&value, PATH_STARS_WILD, &path) != 0)
                return POLICY_E_SYNTAX;
        if (strcmp(path.path, "/") == 0)
                entry_warning(&value, 0, "", "this is the whole of the root file system");
        rule->kind = RULE_FILE;
        rule->file.path = path.path;
        rule->file.access = ACCESS_ALL;
        rule->file.below = path.ends_in_slash ? 1 : 0;
        rule->file.has_wildcard = path.has_wildcard ? 1 : 0;
        return 0;
}

static int read_digest(const Object *object, const char *prefix, enum digest_algorithm algorithm,
                       Rule *rule)
{
        Object digest = *object;
        Entry value;

        digest.word.at += strlen(prefix);
        digest.word.n -= strlen(prefix);
        if (read_value(&digest, PATH_STARS_LITERAL, &value) != 0)
                return POLICY_E_SYNTAX;
        rule->kind = RULE_DIGEST;
        return digest_read(&value, algorithm, &rule->digest);
}

static int begins_with(const Object *object, const char *prefix)
{
        return object->word.n >= strlen(prefix) &&
               memcmp(object->entry->text + object->word.at, prefix, strlen(prefix)) == 0;
}

static int read_exec(const Object *object, Rule *rule)
{
        int r;

        if (begins_with(object, "sha256:"))
                return read_digest(object, "sha256:", DIGEST_SHA256, rule);
        if (begins_with(object, "fsverity:sha256:"))
                return read_digest(object, "fsverity:sha256:", DIGEST_VERITY_SHA256, rule);
        if (begins_with(object, "fsverity:"))
                return read_digest(object, "fsverity:", DIGEST_VERITY_SHA256, rule);
        r = read_file(object, rule);
        rule->file.access = ACCESS_EXEC | ACCESS_MAP;
        return r;
}

static int read_net(const Object *object, Rule *rule)
{
        Entry value;

        if (read_value(object, PATH_STARS_LITERAL, &value) != 0)
                return POLICY_E_SYNTAX;
        return net_read(&value, rule);
}

static int read_kernel(const Object *object, Rule *rule)
{
        uint32_t number;
        Entry value;

        if (read_value(object, PATH_STARS_LITERAL, &value) != 0)
                return POLICY_E_SYNTAX;
        if (term_find(&kernel_terms, value.text, value.n, &number) < 0) {
                entry_fault(&value, 0, "write ptrace, module, bpf, mount or kexec",
                            "\"%s\" is nothing of the kernel that has rules",
                            quoted(value.text, value.n).text);
                return POLICY_E_SYNTAX;
        }
        rule->kind = RULE_KERNEL;
        rule->kernel = (enum kernel_object) number;
        return 0;
}

static int check_comm(const Entry *value)
{
        char hint[64];

        snprintf(hint, sizeof(hint), "write its first %u bytes: longer names are told by them",
                 COMM_MAX);
        if (value->n == 0)
                entry_fault(value, 0, "write comm:name", "there is no name");
        else if (value->n > COMM_MAX)
                entry_fault(value, COMM_MAX, hint, "the name is longer than %u bytes", COMM_MAX);
        else if (memchr(value->text, '/', value->n))
                entry_fault(value, 0, "write exec:/path for a path",
                            "no program's name has a slash in it");
        else if (memchr(value->text, '*', value->n))
                entry_fault(value, 0, "write \\* between quotes for the character",
                            "there are no patterns in a program's name");
        else
                return 0;
        return POLICY_E_SYNTAX;
}

static int read_comm(const Object *object, Rule *rule)
{
        Entry value;
        char *name;

        if (read_value(object, PATH_STARS_WILD, &value) != 0 || check_comm(&value) != 0)
                return POLICY_E_SYNTAX;
        name = (char *) value.text;
        for (size_t i = 0; i < value.n; i++)
                if (name[i] == '\0')
                        name[i] = '*';
        rule->kind = RULE_COMM;
        rule->comm = name;
        return 0;
}

static int read_inode(const Object *object, Rule *rule)
{
        Entry value;

        if (read_value(object, PATH_STARS_LITERAL, &value) != 0)
                return POLICY_E_SYNTAX;
        return inode_read(&value, rule);
}

static int read_cgroup(const Object *object, Rule *rule)
{
        CgroupName cgroup;
        Entry value;

        if (rule->verdict != RULE_ALLOW) {
                entry_fault(object->entry, 0, "write what they may not do, and cgroup= behind it",
                            "cgroup: frees processes from all rules, and stands under [allow]");
                return POLICY_E_SYNTAX;
        }
        if (read_value(object, PATH_STARS_LITERAL, &value) != 0 ||
            cgroup_read(&value, CGROUP_FORMS_UNITS, &cgroup) != 0)
                return POLICY_E_SYNTAX;
        if (cgroup.is_root)
                entry_warning(&value, 0, "name the cgroups that are meant",
                              "every process is in this cgroup: no rule of any document binds one");
        rule->kind = RULE_ALLOW_CGROUP;
        rule->cgroup.path = cgroup.path;
        rule->cgroup.id = cgroup.id;
        return 0;
}

typedef struct ObjectKind {
        const char *name;
        int (*read)(const Object *object, Rule *rule);
} ObjectKind;

static const ObjectKind kinds[] = {
        {"file", read_file},     {"exec", read_exec}, {"net", read_net},
        {"kernel", read_kernel}, {"comm", read_comm}, {"inode", read_inode},
        {"cgroup", read_cgroup},
};

/* ---- what is no object ---- */

static const char *guess_kind(const Entry *entry, Word word)
{
        Word name, rest;

        if (!word_split(entry, word, ':', &name, &rest))
                return NULL;
        for (size_t i = 0; i < ELEMENTS_OF(kinds); i++)
                if (text_is_near(entry->text + name.at, name.n, kinds[i].name))
                        return kinds[i].name;
        return NULL;
}

static void explain_object(const Entry *entry, Word word)
{
        const char *text = entry->text + word.at, *kind = guess_kind(entry, word),
                   *hint = "an object begins with file:, exec:, net:, kernel:, comm:, inode: or "
                           "cgroup:";
        Object object = {entry, word};
        char other[128];

        if (text[0] == '/' || text[0] == '[' || text[0] == '~') {
                snprintf(other, sizeof(other), "write %s%s",
                         text[0] == '[' ? "net:connect,send:" : "file:", quoted(text, word.n).text);
                hint = other;
        } else if (option_is(entry, word)) {
                hint = "write the object first, and options behind it";
        } else if (begins_with(&object, "exec=") || begins_with(&object, "map=")) {
                hint = "put it under [default]";
        } else if (begins_with(&object, "sha256:") || begins_with(&object, "fsverity:")) {
                hint = "write exec: before it";
        } else if (kind) {
                snprintf(other, sizeof(other), "write %s:", kind);
                hint = other;
        } else if (text[0] >= '0' && text[0] <= '9') {
                hint = "write net:connect,send: before an address";
        }
        entry_fault(entry, word.at, hint, "\"%s\" is no object", quoted(text, word.n).text);
}

static int read_object(const Entry *entry, Word word, Rule *rule)
{
        Object object = {.entry = entry};
        Word name;

        if (!word_split(entry, word, ':', &name, &object.word)) {
                explain_object(entry, word);
                return POLICY_E_SYNTAX;
        }
        for (size_t i = 0; i < ELEMENTS_OF(kinds); i++) {
                if (strlen(kinds[i].name) != name.n ||
                    memcmp(kinds[i].name, entry->text + name.at, name.n) != 0)
                        continue;
                if (object.word.n == 0) {
                        entry_fault(entry, object.word.at, "write it without a blank before it",
                                    "nothing follows the colon");
                        return POLICY_E_SYNTAX;
                }
                return kinds[i].read(&object, rule);
        }
        explain_object(entry, word);
        return POLICY_E_SYNTAX;
}

/* ---- entries ---- */

static int add_rule(const Entry *entry, const OptionSet *set, Rule *rule)
{
        if (rule->kind == RULE_FILE && set->access != 0)
                rule->file.access = set->access;
        if (rule->kind == RULE_INODE && set->access != 0)
                rule->inode.access = set->access;
        if ((set->seen & ~(1u << OPTION_ACCESS)) != 0) {
                rule->options = policy_keep_options(entry->policy, &set->options);
                if (!rule->options)
                        return -ENOMEM;
        }
        return policy_add_rule(entry->policy, rule);
}

static int read_entry(const Entry *entry, Rule *rule, RuleVerdict verdict)
{
        OptionSet set;
        size_t at = 0;
        Word word;
        int r;

        rule->verdict = verdict;
        if (word_next(entry, &at, &word) != 0)
                return POLICY_E_SYNTAX;
        r = read_object(entry, word, rule);
        if (options_read(entry, at, &set) != 0 || r != 0)
                return POLICY_E_SYNTAX;
        if (options_check(entry, &set, rule) != 0)
                return POLICY_E_SYNTAX;
        return add_rule(entry, &set, rule);
}

int entry_v7_deny(const Entry *entry, Rule *rule)
{
        return read_entry(entry, rule, RULE_DENY);
}

int entry_v7_allow(const Entry *entry, Rule *rule)
{
        return read_entry(entry, rule, RULE_ALLOW);
}

int entry_v7_audit(const Entry *entry, Rule *rule)
{
        return read_entry(entry, rule, RULE_AUDIT);
}

/* ---- defaults ---- */

static void explain_default(const Entry *entry, Word word)
{
        const char *text = entry->text + word.at, *hint = "write exec=deny or map=deny";
        size_t n = strcspn(text, ":= \t\"");

        if (n < word.n && text[n] == ':')
                hint = "objects stand under [deny], [allow] or [audit]; here stands exec=deny or "
                       "map=deny";
        else if (n == 4 && memcmp(text, "file", 4) == 0)
                hint = "write file:/ under [deny], and what may be used under [allow]";
        else if (n == 3 && memcmp(text, "net", 3) == 0)
                hint = "write net:* under [deny], and what may be reached under [allow]";
        else if (n == 6 && memcmp(text, "kernel", 6) == 0)
                hint = "write kernel:ptrace, and a line for each, under [deny]";
        else if (option_is(entry, word))
                hint = "write exec=deny or map=deny first, and options behind it";
        entry_fault(entry, word.at, hint, "\"%s\" is nothing that has a default",
                    quoted(text, word.n).text);
}

/* "exec=deny", "map=audit". Returns 0, or POLICY_E_SYNTAX with the fault added; ret_access is 0 if
 * it is no default at all. */
static int read_one_default(const Entry *entry, Word word, uint32_t *ret_access,
                            RuleVerdict *ret_verdict)
{
        Object object = {entry, word};
        uint32_t access = 0, verdict;
        Entry value;

        if (begins_with(&object, "exec="))
                access = ACCESS_EXEC;
        else if (begins_with(&object, "map="))
                access = ACCESS_MAP;
        *ret_access = access;
        if (access == 0)
                return 0;
        value = entry_part(entry, word.at, word.n);
        value.n -= strcspn(value.text, "=") + 1;
        value.column += (uint32_t) (word.n - value.n);
        value.text += word.n - value.n;
        if (term_find(&verdict_terms, value.text, value.n, &verdict) == 0) {
                *ret_verdict = (RuleVerdict) verdict;
                return 0;
        }
        entry_fault(&value, 0, "write deny, allow or audit", "\"%s\" is no verdict",
                    quoted(value.text, value.n).text);
        return POLICY_E_SYNTAX;
}

/* One line may have both defaults, if they agree. Returns as above; at: behind them. */
static int read_defaults(const Entry *entry, Rule *rule, size_t *at)
{
        RuleVerdict verdict = RULE_DENY;
        uint32_t access;
        size_t next = *at;
        Word word;

        for (;;) {
                if (word_next(entry, &next, &word) != 0 ||
                    read_one_default(entry, word, &access, &verdict) != 0)
                        return POLICY_E_SYNTAX;
                if (access == 0)
                        break;
                if (rule->def.access & access ||
                    (rule->def.access != 0 && verdict != rule->verdict)) {
                        entry_fault(entry, word.at, "write a line for each",
                                    "two defaults on one line do not agree");
                        return POLICY_E_SYNTAX;
                }
                rule->verdict = verdict;
                rule->def.access |= access;
                *at = next;
        }
        if (rule->def.access != 0)
                return 0;
        explain_default(entry, word);
        return POLICY_E_SYNTAX;
}

int entry_v7_default(const Entry *entry, Rule *rule)
{
        OptionSet set;
        size_t at = 0;

        rule->kind = RULE_DEFAULT;
        if (read_defaults(entry, rule, &at) != 0 || options_read(entry, at, &set) != 0)
                return POLICY_E_SYNTAX;
        if (options_check(entry, &set, rule) != 0)
                return POLICY_E_SYNTAX;
        return add_rule(entry, &set, rule);
}
