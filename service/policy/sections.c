/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sections: the one table of them. A row without a parser is a section that the language has and
 * this build does not read: its name deserves a better answer than "unknown". */
#include <string.h>

#include "policy/parse.h"
#include "util/array.h"

static const Section sections[] = {
        {"deny_path", 1, entry_deny_path},
        {"deny_inode", 1, entry_deny_inode},
        {"deny_ip", 1, entry_deny_ip},
        {"deny_cidr", 1, entry_deny_cidr},
        {"deny_port", 1, entry_deny_port},
        {"deny_ip_port", 1, entry_deny_ip_port},
        {"allow_cgroup", 1, entry_allow_cgroup},
        {"deny_comm", 1, NULL},
        {"deny_ptrace", 1, NULL},
        {"deny_module_load", 1, NULL},
        {"deny_bpf", 1, NULL},
        {"deny_binary_hash", 3, NULL},
        {"allow_binary_hash", 3, NULL},
        {"scan_paths", 3, NULL},
        {"protect_path", 4, NULL},
        {"protect_connect", 4, NULL},
        {"protect_runtime_deps", 4, NULL},
        {"require_ima_appraisal", 5, NULL},
        {"trusted_exec_hash", 5, NULL},
        {"ima_fail_closed", 5, NULL},
        {"cgroup_deny_inode", 6, NULL},
        {"cgroup_deny_ip", 6, NULL},
        {"cgroup_deny_port", 6, NULL},
        {"deny", 7, NULL},
        {"allow", 7, NULL},
        {"audit", 7, NULL},
        {"default", 7, NULL},
};
_Static_assert(ELEMENTS_OF(sections) <= N_SECTIONS_MAX, "a parser's notes have a place for each");

const Section *section_find(const char *name, size_t n)
{
        for (size_t i = 0; i < ELEMENTS_OF(sections); i++)
                if (strlen(sections[i].name) == n && memcmp(sections[i].name, name, n) == 0)
                        return &sections[i];
        return NULL;
}

size_t section_number(const Section *section)
{
        return (size_t) (section - sections);
}
