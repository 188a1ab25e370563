/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Probe: what this kernel says it has. It is believed only where it denies: a canary proves that.
 */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <bpf/btf.h>

#include "backend/private.h"
#include "util/cleanup.h"

#define IMA_POLICY "/sys/kernel/security/ima/policy"
#define LSM_LIST "/sys/kernel/security/lsm"

static void read_line(const char *path, char *buffer, size_t size)
{
        _cleanup_(fclosep) FILE *file = fopen(path, "re");

        buffer[0] = '\0';
        if (!file || !fgets(buffer, (int) size, file))
                return;
        buffer[strcspn(buffer, "\n")] = '\0';
}

/* Whether word is a whole token of a list that commas divide. */
static int list_has(const char *list, const char *word)
{
        size_t n = strlen(word);

        for (const char *p = list; p; p = strchr(p, ',')) {
                p += *p == ',';
                if (strncmp(p, word, n) == 0 && (p[n] == ',' || p[n] == '\0'))
                        return 1;
        }
        return 0;
}

/* The value of a word NAME=VALUE of the kernel's command line, the last one; "" if there is none.
 */
static void find_option(const char *line, const char *name, char *value, size_t size)
{
        size_t n = strlen(name);

        value[0] = '\0';
        for (const char *word = line; word; word = strchr(word, ' ')) {
                word += strspn(word, " ");
                if (strncmp(word, name, n) == 0)
                        snprintf(value, size, "%.*s", (int) strcspn(word + n, " "), word + n);
        }
}

/* IMA appraises what a policy tells it to. The policy can be read where the kernel was built for
 * it; else there are the two on the command line that are about programs. */
static int appraises(void)
{
        char line[2048], value[256], rule[256];
        _cleanup_(fclosep) FILE *file = fopen(IMA_POLICY, "re");

        read_line("/proc/cmdline", line, sizeof(line));
        find_option(line, "ima_appraise=", value, sizeof(value));
        if (value[0] && strcmp(value, "enforce") != 0)
                return 0;
        while (file && fgets(rule, sizeof(rule), file))
                if (strncmp(rule, "appraise ", strlen("appraise ")) == 0)
                        return 1;
        find_option(line, "ima_policy=", value, sizeof(value));
        return strstr(value, "appraise_tcb") || strstr(value, "secure_boot");
}

static void explain(Probe *probe)
{
        probe->missing = probe->remedy = "";
        if (!probe->has_btf) {
                probe->missing = "the kernel carries no BTF";
                probe->remedy = "run a kernel built with CONFIG_DEBUG_INFO_BTF=y";
        } else if (!probe->has_bpf_lsm) {
                probe->missing = "the kernel is built without BPF LSM";
                probe->remedy = "run a kernel built with CONFIG_BPF_LSM=y";
        } else if (probe->lsm_list[0] && !probe->lsm_listed) {
                probe->missing = "bpf is not in the kernel's list of LSMs";
                probe->remedy = "add bpf to lsm= on the kernel's command line and restart";
        }
}

int lsm_may_do(const Probe *probe)
{
        return !probe->lsm_list[0] || probe->lsm_listed;
}

void probe_kernel(const struct btf *btf, Probe *ret_probe, KernelFunctions *ret_functions)
{
        struct utsname name;

        *ret_probe = (Probe){};
        *ret_functions = (KernelFunctions){};
        if (btf)
                kernel_functions_find(btf, ret_functions);
        if (uname(&name) == 0)
                snprintf(ret_probe->kernel, sizeof(ret_probe->kernel), "%s", name.release);
        read_line(LSM_LIST, ret_probe->lsm_list, sizeof(ret_probe->lsm_list));
        ret_probe->has_btf = btf != NULL;
        ret_probe->has_bpf_lsm = ret_functions->lsm[HOOK_FILE_OPEN].id != 0;
        ret_probe->lsm_listed = list_has(ret_probe->lsm_list, "bpf");
        ret_probe->appraises = appraises();
        explain(ret_probe);
}
