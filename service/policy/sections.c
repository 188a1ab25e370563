/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sections: the one table of them. */
#include <string.h>

#include "policy/parse.h"
#include "policy/text.h"
#include "util/array.h"

#define CGROUP_BEHIND " with cgroup= behind it, under [deny]"

static const Section sections[] = {
        {"deny_path", 1, entry_deny_path, NULL, "write file:/path/ under [deny]"},
        {"deny_inode", 1, entry_deny_inode, NULL, "write inode:device:number under [deny]"},
        {"deny_ip", 1, entry_deny_ip, NULL, "write net:connect,send:address under [deny]"},
        {"deny_cidr", 1, entry_deny_cidr, NULL,
         "write net:connect,send:address/prefix under [deny]"},
        {"deny_port", 1, entry_deny_port, NULL, "write net:connect,bind,send:*:port under [deny]"},
        {"deny_ip_port", 1, entry_deny_ip_port, NULL,
         "write net:connect,send:address:port under [deny]"},
        {"allow_cgroup", 1, entry_allow_cgroup, NULL, "write cgroup:/path under [allow]"},
        {"deny_comm", 1, entry_deny_comm, NULL, "write comm:name under [deny]"},
        {"deny_ptrace", 1, entry_of_flag, flag_deny_ptrace, "write kernel:ptrace under [deny]"},
        {"deny_module_load", 1, entry_of_flag, flag_deny_module_load,
         "write kernel:module under [deny]"},
        {"deny_bpf", 1, entry_of_flag, flag_deny_bpf, "write kernel:bpf under [deny]"},
        /* Documents call it younger; the parser that documents were written for never asked. */
        {"scan_paths", 1, entry_scan_path, NULL, "leave it out: programs are hashed as they run"},
        {"deny_binary_hash", 3, entry_deny_hash, NULL, "write exec:sha256:digest under [deny]"},
        {"allow_binary_hash", 3, entry_allow_hash, NULL,
         "write exec:sha256:digest under [allow], and exec=deny under [default]"},
        {"protect_path", 4, entry_protect_path, NULL,
         "write file:/path/ under [deny], and again with identity=verified under [allow]"},
        {"protect_connect", 4, entry_of_flag, flag_protect_connect,
         "write net:connect,send under [deny], and again with identity=verified under [allow]"},
        {"protect_runtime_deps", 4, entry_of_flag, flag_protect_runtime_deps,
         "write runtime-deps=verified in the header"},
        {"require_ima_appraisal", 5, entry_of_flag, flag_require_ima_appraisal,
         "write ima-appraisal=required in the header"},
        {"trusted_exec_hash", 5, entry_allow_hash, NULL,
         "write exec:sha256:digest under [allow], and exec=deny under [default]"},
        {"ima_fail_closed", 5, entry_of_flag, flag_ima_fail_closed,
         "leave it out: what cannot be hashed is denied"},
        {"cgroup_deny_inode", 6, entry_cgroup_deny_inode, NULL,
         "write inode:device:number" CGROUP_BEHIND},
        {"cgroup_deny_ip", 6, entry_cgroup_deny_ip, NULL,
         "write net:connect,send:address" CGROUP_BEHIND},
        {"cgroup_deny_port", 6, entry_cgroup_deny_port, NULL,
         "write net:connect,bind,send:*:port" CGROUP_BEHIND},
        {"deny", 7, entry_v7_deny, NULL, ""},
        {"allow", 7, entry_v7_allow, NULL, ""},
        {"audit", 7, entry_v7_audit, NULL, ""},
        {"default", 7, entry_v7_default, NULL, ""},
};
_Static_assert(ELEMENTS_OF(sections) <= N_SECTIONS_MAX, "a parser's notes have a place for each");

const Section *section_find(const char *name, size_t n)
{
        for (size_t i = 0; i < ELEMENTS_OF(sections); i++)
                if (strlen(sections[i].name) == n && memcmp(sections[i].name, name, n) == 0)
                        return &sections[i];
        return NULL;
}

const Section *section_guess(const char *name, size_t n)
{
        for (size_t i = 0; i < ELEMENTS_OF(sections); i++)
                if (text_is_near(name, n, sections[i].name))
                        return &sections[i];
        return NULL;
}

size_t section_number(const Section *section)
{
        return (size_t) (section - sections);
}

const Section *section_at(size_t number)
{
        return number < ELEMENTS_OF(sections) ? &sections[number] : NULL;
}
