/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Doctor, on the machine itself: what can be seen without the service. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "build-config.h"
#include "doctor.h"

#define SECURITY "/sys/kernel/security" /* mounted, as a rule */
#define LSM_LIST SECURITY "/lsm"
#define OTHER_KERNEL "sudo apt-get install linux-image-amd64 && sudo reboot"

/* One file that must be there. */
typedef struct Needed {
        const char *check;
        const char *const *paths; /* one of them is enough; NULL-terminated */
        Severity severity;        /* if none is there */
        const char *present, *absent;
        const char *why, *mend;
} Needed;

static const char *const btf[] = {"/sys/kernel/btf/vmlinux", NULL};
static const char *const ima[] = {SECURITY "/ima", NULL};
static const char *const verity[] = {"/sys/fs/ext4/features/verity", "/sys/fs/f2fs/features/verity",
                                     "/sys/fs/btrfs/features/verity", NULL};
static const char *const agent[] = {"/usr/bin/pkttyagent", NULL};
static const char *const bus_policy[] = {AEGIS_DBUS_POLICY,
                                         "/etc/dbus-1/system.d/org.aegis.Enforcer.conf", NULL};
static const char *const actions[] = {AEGIS_POLKIT_ACTIONS, NULL};
static const char *const unit[] = {AEGIS_UNIT, "/etc/systemd/system/aegisd.service", NULL};

static const Needed needed[] = {
        {"btf", btf, SEVERITY_PROBLEM, "the kernel describes its types (BTF)",
         "the kernel does not describe its types (BTF)",
         "without them no program of this service can be loaded", OTHER_KERNEL},
        {"ima", ima, SEVERITY_NOTE, "the kernel has IMA", "the kernel has no IMA",
         "rules by the SHA-256 digest of a program do not hold without it", OTHER_KERNEL},
        {"fs-verity", verity, SEVERITY_NOTE, "a file system with fs-verity is in use",
         "no file system with fs-verity is in use",
         "rules by the digest of fs-verity find no file to decide about",
         "sudo tune2fs -O verity DEVICE"},
        {"agent", agent, SEVERITY_NOTE, "polkit can ask for a password on a terminal",
         "polkit cannot ask for a password on a terminal",
         "without a desktop only root, and whom a rule of polkit's allows, can change anything",
         "sudo apt-get install polkitd"},
        {"unit", unit, SEVERITY_PROBLEM, "the unit of the service is installed",
         "the unit of the service is not installed", "systemd does not start the service",
         "sudo meson install -C build/install && sudo systemctl daemon-reload"},
        {"bus-policy", bus_policy, SEVERITY_PROBLEM, "the bus policy is installed",
         "the bus policy is not installed", "nobody can reach the service",
         "sudo meson install -C build/install && sudo systemctl reload dbus"},
        {"polkit-actions", actions, SEVERITY_PROBLEM, "polkit's actions are installed",
         "polkit's actions are not installed", "polkit denies everybody but root everything",
         "sudo meson install -C build/install"},
};

static int is_there(const char *const *paths)
{
        for (; *paths; paths++)
                if (access(*paths, F_OK) == 0)
                        return 1;
        return 0;
}

static void look_for(Diagnosis *diagnosis, const Needed *thing)
{
        int found = is_there(thing->paths);

        /* What lies where nothing is mounted is neither there nor not there. */
        if (strncmp(thing->paths[0], SECURITY, strlen(SECURITY)) == 0 && access(LSM_LIST, F_OK) < 0)
                return;
        diagnosis_add(diagnosis, &(Finding){
                                         .check = thing->check,
                                         .severity = found ? SEVERITY_OK : thing->severity,
                                         .what = found ? thing->present : thing->absent,
                                         .why = found ? "" : thing->why,
                                         .mend = found ? "" : thing->mend,
                                 });
}

/* ---- bpf among the LSMs ---- */

static int read_lsms(char *list, size_t room)
{
        FILE *file = fopen(LSM_LIST, "re");

        if (!file)
                return -errno;
        if (!fgets(list, (int) room, file))
                list[0] = '\0';
        fclose(file);
        list[strcspn(list, "\n")] = '\0';
        return 0;
}

static int has_word(const char *list, const char *word)
{
        size_t n = strlen(word);

        for (const char *at = list; (at = strstr(at, word)); at += n)
                if ((at == list || at[-1] == ',') && (at[n] == ',' || at[n] == '\0'))
                        return 1;
        return 0;
}

/* The list as it is and bpf: the kernel takes what it is told in place of its own. */
static void look_at_lsms(Diagnosis *diagnosis)
{
        char list[512], mend[1024];
        Finding finding = {.check = "lsm",
                           .severity = SEVERITY_OK,
                           .what = "bpf is in the kernel's list of LSMs",
                           .why = "",
                           .mend = ""};
        int r = read_lsms(list, sizeof(list));

        if (r < 0) {
                finding.severity = SEVERITY_NOTE;
                finding.what = "the kernel's list of LSMs cannot be read";
                finding.why = "whether bpf is in it decides which means there are to deny";
                finding.mend = "sudo mount -t securityfs securityfs /sys/kernel/security";
        } else if (!has_word(list, "bpf")) {
                snprintf(mend, sizeof(mend),
                         "echo 'GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX lsm=%s%sbpf\"' | sudo tee "
                         "/etc/default/grub.d/aegis.cfg && sudo update-grub && sudo reboot",
                         list, *list ? "," : "");
                finding.severity = SEVERITY_PROBLEM;
                finding.what = "bpf is not in the kernel's list of LSMs";
                finding.why = "the service cannot use BPF LSM, its best means to deny";
                finding.mend = mend;
        }
        diagnosis_add(diagnosis, &finding);
}

/* ---- the record ---- */

/* Root's alone to see; for others the service tells, in its posture. */
static void look_at_record(Diagnosis *diagnosis)
{
        int is_damaged = access(AEGIS_STATEDIR "/state.damaged", F_OK) == 0;

        if (geteuid() != 0)
                return;
        diagnosis_add(diagnosis,
                      &(Finding){
                              .check = "record",
                              .severity = is_damaged ? SEVERITY_NOTE : SEVERITY_OK,
                              .what = is_damaged ? "a damaged record was put aside as "
                                                   "" AEGIS_STATEDIR "/state.damaged"
                                                 : "no record of what is in force was damaged",
                              .why = is_damaged ? "policies may be missing since then" : "",
                              .mend = is_damaged ? "aegis-client policies; once all are there: "
                                                   "sudo rm " AEGIS_STATEDIR "/state.damaged"
                                                 : "",
                      });
}

void doctor_look_at_machine(Diagnosis *diagnosis)
{
        look_at_lsms(diagnosis);
        for (size_t i = 0; i < ELEMENTS_OF(needed); i++)
                look_for(diagnosis, &needed[i]);
        look_at_record(diagnosis);
}
