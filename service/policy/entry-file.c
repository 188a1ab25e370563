/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Entries that name files, inodes and cgroups. */
#include <errno.h>
#include <linux/limits.h>
#include <stdio.h>
#include <string.h>

#include "policy/parse.h"
#include "policy/text.h"

#define CGROUP_MOUNT "/sys/fs/cgroup"

/* ---- paths ---- */

/* Where a path's component begins and how long it is. */
typedef struct Component {
        size_t at, n;
} Component;

static Component next_component(const char *path, size_t at)
{
        at += strspn(path + at, "/");
        return (Component){at, strcspn(path + at, "/")};
}

static int component_check(const Entry *entry, Component component)
{
        const char *name = entry->text + component.at;

        if (component.n > NAME_MAX) {
                entry_fault(entry, component.at, "", "the name is longer than %u bytes", NAME_MAX);
                return POLICY_E_SYNTAX;
        }
        if ((component.n == 1 && name[0] == '.') ||
            (component.n == 2 && memcmp(name, "..", 2) == 0)) {
                entry_fault(entry, component.at, "write the path without it",
                            "a path has no \"%.*s\" in it", (int) component.n, name);
                return POLICY_E_SYNTAX;
        }
        return 0;
}

/* Copies the path's components to the entry's room, one slash before each; "/" if there is none.
 * Most paths are clean as they stand and need no copy. */
static int path_clean(const Entry *entry, const char **ret_path)
{
        char *path = *entry->room, *end = path;
        Component component = next_component(entry->text, 0);
        int r = 0;

        for (; component.n > 0;
             component = next_component(entry->text, component.at + component.n)) {
                if (component_check(entry, component) != 0)
                        r = POLICY_E_SYNTAX;
                *end++ = '/';
                memcpy(end, entry->text + component.at, component.n);
                end += component.n;
        }
        if (r != 0)
                return r;
        if (end == path)
                *end++ = '/';
        *end++ = '\0';
        if (strcmp(path, entry->text) == 0) {
                *ret_path = entry->text;
                return 0;
        }
        *entry->room = end;
        *ret_path = path;
        return 0;
}

static int path_check_begin(const Entry *entry)
{
        char hint[128];

        if (entry->text[0] == '/')
                return 0;
        snprintf(hint, sizeof(hint), "write /%s, or the path that is meant",
                 quoted(entry->text, strlen(entry->text)).text);
        if (entry->text[0] == '~')
                entry_fault(entry, 0, "write the home directory's path, as /home/name",
                            "~ stands for nothing here");
        else
                entry_fault(entry, 0, hint, "the path does not begin with a slash");
        return POLICY_E_SYNTAX;
}

/* What may be meant otherwise than it is read. */
static void path_warn(const Entry *entry)
{
        size_t star = strcspn(entry->text, "*");
        const char *mark = strstr(entry->text, " #"), *slashes = strstr(entry->text, "//");

        if (entry->text[star] == '*')
                entry_warning(entry, star, "", "* stands for itself: version 1 has no patterns");
        if (mark)
                entry_warning(entry, mark + 1 - entry->text, "put a comment on a line of its own",
                              "what follows # is taken as part of the path");
        if (slashes)
                entry_warning(entry, slashes - entry->text, "write one", "slashes are doubled");
        if (strspn(entry->text, "/") == strlen(entry->text))
                entry_warning(entry, 0, "", "this is the whole of the root file system");
}

int entry_deny_path(const Entry *entry, Rule *rule)
{
        size_t n = strlen(entry->text);
        int r = path_check_begin(entry);

        if (r != 0)
                return r;
        if (n >= PATH_MAX) {
                entry_fault(entry, PATH_MAX - 1, "", "the path is longer than %u bytes",
                            PATH_MAX - 1);
                return POLICY_E_SYNTAX;
        }
        r = path_clean(entry, &rule->file.path);
        if (r != 0)
                return r;
        path_warn(entry);
        rule->kind = RULE_DENY_PATH;
        rule->file.below = 1;
        return 0;
}

/* ---- inodes ---- */

/* "8:3:12", as some tools print major, minor and inode, gets the spelling that is meant as its
 * hint. */
static void inode_hint(const char *text, char *hint, size_t n_hint)
{
        unsigned major, minor;
        unsigned long long inode;
        char rest;

        if (sscanf(text, "%4u:%7u:%20llu%c", &major, &minor, &inode, &rest) == 3 && major < 4096 &&
            minor < 1048576)
                snprintf(hint, n_hint, "write %u:%llu", major << 20 | minor, inode);
        else
                snprintf(hint, n_hint,
                         "write device:inode in decimal; the device is major * 1048576 + minor");
}

int entry_deny_inode(const Entry *entry, Rule *rule)
{
        size_t n = strlen(entry->text), n_device = strcspn(entry->text, ":");
        size_t at = n_device < n ? n_device + 1 : n;
        uint64_t device, inode;
        char hint[96];

        inode_hint(entry->text, hint, sizeof(hint));
        if (number_parse(entry->text, n_device, UINT32_MAX, &device) < 0) {
                entry_fault(entry, 0, hint, "the device is no number from 0 to %u", UINT32_MAX);
                return POLICY_E_SYNTAX;
        }
        if (number_parse(entry->text + at, n - at, UINT64_MAX, &inode) < 0) {
                entry_fault(entry, at, hint, "the inode is no number from 0 to %llu",
                            (unsigned long long) UINT64_MAX);
                return POLICY_E_SYNTAX;
        }
        rule->kind = RULE_DENY_INODE;
        rule->inode.device = (uint32_t) device;
        rule->inode.inode = inode;
        return 0;
}

/* ---- cgroups ---- */

static void warn_of_all(const Entry *entry)
{
        entry_warning(entry, 0, "name the cgroups that are meant",
                      "every process is in this cgroup: no rule of any document binds one");
}

static int cgroup_id(const Entry *entry, size_t at, Rule *rule)
{
        size_t n;

        at += strspn(entry->text + at, " \t");
        n = strlen(entry->text + at);
        if (number_parse(entry->text + at, n, UINT64_MAX, &rule->cgroup.id) < 0 ||
            rule->cgroup.id == 0) {
                entry_fault(entry, at, "write cgid: and the inode of the cgroup's directory",
                            "the id is no number from 1 to %llu", (unsigned long long) UINT64_MAX);
                return POLICY_E_SYNTAX;
        }
        if (rule->cgroup.id == 1)
                warn_of_all(entry);
        rule->kind = RULE_ALLOW_CGROUP;
        return 0;
}

/* Documents have cgroups as they are seen in the file system, too. */
static const char *cgroup_below_mount(const char *path)
{
        size_t n = strlen(CGROUP_MOUNT);

        if (strncmp(path, CGROUP_MOUNT, n) != 0 || (path[n] != '/' && path[n] != '\0'))
                return path;
        return path[n] == '\0' ? "/" : path + n;
}

int entry_allow_cgroup(const Entry *entry, Rule *rule)
{
        const char *path;
        int r;

        if (strncmp(entry->text, "cgid:", 5) == 0)
                return cgroup_id(entry, 5, rule);
        if (entry->text[0] != '/') {
                entry_fault(entry, 0, "write /system.slice/name.service, or cgid: and a number",
                            "this is neither a cgroup's path nor cgid:");
                return POLICY_E_SYNTAX;
        }
        r = path_clean(entry, &path);
        if (r != 0)
                return r;
        rule->kind = RULE_ALLOW_CGROUP;
        rule->cgroup.path = cgroup_below_mount(path);
        if (strcmp(rule->cgroup.path, "/") == 0)
                warn_of_all(entry);
        return 0;
}
