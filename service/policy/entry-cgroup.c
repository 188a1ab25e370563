/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Entries that name cgroups, and entries for one cgroup. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/parse.h"
#include "policy/text.h"
#include "util/array.h"

#define CGROUP_MOUNT "/sys/fs/cgroup"

static int read_id(const Entry *value, size_t at, CgroupName *ret_cgroup)
{
        CgroupName cgroup = {};

        while (at < value->n && (value->text[at] == ' ' || value->text[at] == '\t'))
                at++;
        if (number_parse(value->text + at, value->n - at, UINT64_MAX, &cgroup.id) < 0 ||
            cgroup.id == 0) {
                entry_fault(value, at, "write cgid: and the inode of the cgroup's directory",
                            "the id is no number from 1 to %llu", (unsigned long long) UINT64_MAX);
                return POLICY_E_SYNTAX;
        }
        cgroup.is_root = cgroup.id == 1;
        *ret_cgroup = cgroup;
        return 0;
}

/* A string of the policy's, as all others. path: the value's, clean. */
static const char *root_of_cgroups(const Entry *value, const char *path)
{
        char *into = path == value->text && !value->is_copy ? *value->room : (char *) path;

        if (into == *value->room)
                *value->room += 2;
        return strcpy(into, "/");
}

/* Documents have cgroups as they are seen in the file system, too. */
static const char *below_mount(const Entry *value, const char *path)
{
        size_t n = strlen(CGROUP_MOUNT);

        if (strncmp(path, CGROUP_MOUNT, n) != 0 || (path[n] != '/' && path[n] != '\0'))
                return path;
        return path[n] == '\0' ? root_of_cgroups(value, path) : path + n;
}

static int check_length(const Entry *value, const char *path)
{
        if (strlen(path) < CGROUP_PATH_SIZE)
                return 0;
        entry_fault(value, 0, "name it by its number, cgid:N",
                    "the cgroup's path is longer than %u bytes", CGROUP_PATH_SIZE - 1);
        return POLICY_E_SYNTAX;
}

static int read_path(const Entry *value, CgroupName *ret_cgroup)
{
        CleanPath path;
        const char *below;
        int r = path_read(value, PATH_STARS_LITERAL, &path);

        if (r != 0)
                return r;
        below = below_mount(value, path.path);
        r = check_length(value, below);
        if (r != 0)
                return r;
        *ret_cgroup = (CgroupName){.path = below, .is_root = strcmp(below, "/") == 0};
        return 0;
}

/* ---- units ---- */

int cgroup_is_unit(const char *name, size_t n)
{
        static const char *const suffixes[] = {".service", ".slice", ".scope",
                                               ".socket",  ".mount", ".swap"};
        static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                      "0123456789:_.\\@-";

        if (strspn(name, allowed) != n)
                return 0;
        for (size_t i = 0; i < ELEMENTS_OF(suffixes); i++) {
                size_t n_suffix = strlen(suffixes[i]);

                if (n > n_suffix && strcmp(name + n - n_suffix, suffixes[i]) == 0)
                        return 1;
        }
        return 0;
}

static int read_unit(const Entry *value, CgroupName *ret_cgroup)
{
        char hint[160];

        if (cgroup_is_unit(value->text, value->n)) {
                *ret_cgroup = (CgroupName){.path = value->text};
                return check_length(value, value->text);
        }
        if (value->n > 0 && !strchr(value->text, '.') && !strchr(value->text, '/'))
                snprintf(hint, sizeof(hint), "write %s.service, /path or cgid:number",
                         quoted(value->text, value->n).text);
        else
                snprintf(hint, sizeof(hint), "write /path, a unit as name.service, or cgid:number");
        entry_fault(value, 0, hint, "\"%s\" is neither a cgroup's path nor a unit",
                    quoted(value->text, value->n).text);
        return POLICY_E_SYNTAX;
}

int cgroup_read(const Entry *value, CgroupForms forms, CgroupName *ret_cgroup)
{
        if (value->n >= 5 && memcmp(value->text, "cgid:", 5) == 0)
                return read_id(value, 5, ret_cgroup);
        if (value->n > 0 && value->text[0] == '/')
                return read_path(value, ret_cgroup);
        switch (forms) {
        case CGROUP_FORMS_UNITS:
                return read_unit(value, ret_cgroup);
        case CGROUP_FORMS_OLD:
                entry_fault(value, 0, "write /system.slice/name.service, or cgid: and a number",
                            "this is neither a cgroup's path nor cgid:");
                return POLICY_E_SYNTAX;
        }
        return POLICY_E_SYNTAX;
}

int entry_allow_cgroup(const Entry *entry, Rule *rule)
{
        CgroupName cgroup;
        int r = cgroup_read(entry, CGROUP_FORMS_OLD, &cgroup);

        if (r != 0)
                return r;
        if (cgroup.is_root)
                entry_warning(entry, 0, "name the cgroups that are meant",
                              "every process is in this cgroup: no rule of any document binds one");
        rule->kind = RULE_ALLOW_CGROUP;
        rule->verdict = RULE_ALLOW;
        rule->cgroup.path = cgroup.path;
        rule->cgroup.id = cgroup.id;
        return policy_add_rule(entry->policy, rule);
}

/* ---- rules for one cgroup ---- */

/* The subject before the blank. ret_rest: what is behind it. */
static int read_subject(const Entry *entry, Rule *rule, Entry *ret_rest)
{
        size_t n = strcspn(entry->text, " \t"), at = n + strspn(entry->text + n, " \t");
        RuleOptions options = {.subject = SUBJECT_CGROUP};
        Entry value = entry_part(entry, 0, n);
        CgroupName cgroup;
        int r;

        if (at >= entry->n) {
                entry_fault(entry, entry->n, "write the cgroup, a blank, and what is denied to it",
                            "there is nothing behind the cgroup");
                return POLICY_E_SYNTAX;
        }
        r = cgroup_read(&value, CGROUP_FORMS_OLD, &cgroup);
        if (r != 0)
                return r;
        if (cgroup.is_root)
                entry_warning(entry, 0, "", "every process is in this cgroup");
        options.cgroup = cgroup.path;
        options.cgroup_id = cgroup.id;
        rule->options = policy_keep_options(entry->policy, &options);
        if (!rule->options)
                return -ENOMEM;
        *ret_rest = entry_part(entry, at, entry->n - at);
        return 0;
}

static int read_for_cgroup(const Entry *entry, Rule *rule, EntryFunc read)
{
        Entry rest;
        int r = read_subject(entry, rule, &rest);

        return r != 0 ? r : read(&rest, rule);
}

int entry_cgroup_deny_inode(const Entry *entry, Rule *rule)
{
        return read_for_cgroup(entry, rule, entry_deny_inode);
}

static int address_or_range(const Entry *entry, Rule *rule)
{
        return strchr(entry->text, '/') ? entry_deny_cidr(entry, rule) : entry_deny_ip(entry, rule);
}

int entry_cgroup_deny_ip(const Entry *entry, Rule *rule)
{
        return read_for_cgroup(entry, rule, address_or_range);
}

int entry_cgroup_deny_port(const Entry *entry, Rule *rule)
{
        return read_for_cgroup(entry, rule, entry_deny_port);
}
