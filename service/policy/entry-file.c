/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Entries of versions 1 to 6 that name files. */
#include <stdio.h>
#include <string.h>

#include "policy/parse.h"
#include "policy/text.h"

/* ---- paths ---- */

/* What may be meant otherwise than it is read. */
static void path_warn(const Entry *entry)
{
        size_t star = strcspn(entry->text, "*");
        const char *mark = strstr(entry->text, " #"), *slashes = strstr(entry->text, "//");

        if (entry->text[star] == '*')
                entry_warning(entry, star, "", "* stands for itself: only version 7 has patterns");
        if (mark)
                entry_warning(entry, mark + 1 - entry->text, "put a comment on a line of its own",
                              "what follows # is taken as part of the path");
        if (slashes)
                entry_warning(entry, slashes - entry->text, "write one", "slashes are doubled");
        if (strspn(entry->text, "/") == entry->n)
                entry_warning(entry, 0, "", "this is the whole of the root file system");
}

int entry_deny_path(const Entry *entry, Rule *rule)
{
        CleanPath path;
        int r = path_read(entry, PATH_STARS_LITERAL, &path);

        if (r != 0)
                return r;
        path_warn(entry);
        rule->kind = RULE_FILE;
        rule->verdict = RULE_DENY;
        rule->file.path = path.path;
        rule->file.access = ACCESS_ALL;
        rule->file.below = 1;
        return policy_add_rule(entry->policy, rule);
}

int entry_protect_path(const Entry *entry, Rule *rule)
{
        static const RuleOptions verified = {.subject = SUBJECT_VERIFIED};
        int r = entry_deny_path(entry, rule);

        if (r != 0)
                return r;
        rule->verdict = RULE_ALLOW;
        rule->options = &verified;
        return policy_add_rule(entry->policy, rule);
}

/* Every program is hashed when it is run, wherever it is: no directory need be named. */
int entry_scan_path(const Entry *entry, Rule *rule)
{
        CleanPath path;

        (void) rule;
        if (entry->text[0] != '/') {
                entry_warning(entry, 0, "remove it", "this is no path, and means nothing");
                return 0;
        }
        return path_read(entry, PATH_STARS_LITERAL, &path);
}

/* ---- inodes ---- */

/* "8:3:12", as some tools print major, minor and inode, gets the spelling that is meant as its
 * hint. */
static void inode_hint(const Entry *value, char *hint, size_t n_hint)
{
        unsigned major, minor;
        unsigned long long inode;
        char rest;

        if (sscanf(value->text, "%4u:%7u:%20llu%c", &major, &minor, &inode, &rest) == 3 &&
            major < 4096 && minor < 1048576)
                snprintf(hint, n_hint, "write %u:%llu", major << 20 | minor, inode);
        else
                snprintf(hint, n_hint,
                         "write device:inode in decimal; the device is major * 1048576 + minor");
}

/* stat(1) prints another form of the device's number. In the form that counts such a number would
 * be of a file system without a device. */
static void warn_of_device(const Entry *value, const Rule *rule)
{
        uint32_t device = rule->inode.device, major = device >> 8 & 0xfff;
        char hint[96];

        if (device < 256 || device >= 1u << 20)
                return;
        snprintf(hint, sizeof(hint), "write %u:%llu if device %u:%u is meant",
                 major << 20 | (device & 0xff), (unsigned long long) rule->inode.inode, major,
                 device & 0xff);
        entry_warning(value, 0, hint, "device %u is 0:%u here, a file system without a disk",
                      device, device);
}

int inode_read(const Entry *value, Rule *rule)
{
        const char *colon = memchr(value->text, ':', value->n);
        size_t n_device = colon ? (size_t) (colon - value->text) : value->n;
        size_t at = n_device < value->n ? n_device + 1 : value->n;
        Span device = span_trim((Span){value->text, n_device, 0});
        Span inode = span_trim((Span){value->text + at, value->n - at, (uint32_t) at});
        uint64_t device_number, inode_number;
        char hint[96];

        inode_hint(value, hint, sizeof(hint));
        if (number_parse(device.text, device.n, UINT32_MAX, &device_number) < 0) {
                entry_fault(value, 0, hint, "the device is no number from 0 to %u", UINT32_MAX);
                return POLICY_E_SYNTAX;
        }
        if (number_parse(inode.text, inode.n, UINT64_MAX, &inode_number) < 0) {
                entry_fault(value, inode.column, hint, "the inode is no number from 0 to %llu",
                            (unsigned long long) UINT64_MAX);
                return POLICY_E_SYNTAX;
        }
        rule->kind = RULE_INODE;
        rule->inode.device = (uint32_t) device_number;
        rule->inode.inode = inode_number;
        rule->inode.access = ACCESS_ALL;
        warn_of_device(value, rule);
        return 0;
}

int entry_deny_inode(const Entry *entry, Rule *rule)
{
        int r = inode_read(entry, rule);

        return r != 0 ? r : policy_add_rule(entry->policy, rule);
}
