/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Acts of running programs: see canary-acts.h. What is run is no program in any format, so that
 * this process stays what it is. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/canary-acts.h"
#include "util/cleanup.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x10U /* Linux 6.3 */
#endif

/* Text, so that the kernel looks for no module that knows the format. */
static const char no_program[] = "This is run to see that it is denied.\n";

/* In memory: the canary's directory may be on a file system without programs. A descriptor for
 * reading alone; what is open for writing cannot be run. */
static int open_no_program(void)
{
        _cleanup_(closep) int writable = memfd_create("aegis-canary", MFD_CLOEXEC | MFD_EXEC);
        char path[64];

        if (writable < 0 && errno == EINVAL)
                writable = memfd_create("aegis-canary", MFD_CLOEXEC);
        if (writable < 0 ||
            write(writable, no_program, sizeof(no_program) - 1) != sizeof(no_program) - 1 ||
            fchmod(writable, 0700) < 0)
                return -1;
        snprintf(path, sizeof(path), "/proc/self/fd/%d", writable);
        return open(path, O_RDONLY | O_CLOEXEC);
}

static int act_exec(const Canary *canary)
{
        _cleanup_(closep) int fd = open_no_program();
        char name[] = "aegis-canary";
        char *const arguments[] = {name, NULL}, *const environment[] = {NULL};

        return fd < 0 ? -1 : execveat(fd, "", arguments, environment, AT_EMPTY_PATH);
}

static int map(int fd, int protection)
{
        void *memory = mmap(NULL, 1, protection, MAP_PRIVATE, fd, 0);

        if (memory == MAP_FAILED)
                return -1;
        munmap(memory, 1);
        return 0;
}

/* To be executed, and if that may not be for another reason, to be read. */
static int act_mmap(const Canary *canary)
{
        _cleanup_(closep) int fd =
                openat(canary->directory_fd, CANARY_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                return -1;
        if (map(fd, PROT_READ | PROT_EXEC) == 0)
                return 0;
        return errno == CANARY_ERRNO ? -1 : map(fd, PROT_READ);
}

static int act_mprotect(const Canary *canary)
{
        void *memory = mmap(NULL, 1, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        int r;

        if (memory == MAP_FAILED)
                return -1;
        r = mprotect(memory, 1, PROT_READ | PROT_EXEC);
        if (r < 0 && errno != CANARY_ERRNO)
                r = mprotect(memory, 1, PROT_READ);
        munmap(memory, 1);
        return r;
}

/* Of no file. */
static int act_prctl(const Canary *canary)
{
        return prctl(PR_SET_MM, PR_SET_MM_EXE_FILE, -1, 0, 0);
}

CanaryAct *const canary_exec_acts[N_HOOKS] = {
        [HOOK_BPRM_CHECK_SECURITY] = act_exec, [HOOK_BPRM_CREDS_FOR_EXEC] = act_exec,
        [HOOK_FILE_MPROTECT] = act_mprotect,   [HOOK_MMAP_FILE] = act_mmap,
        [HOOK_TASK_PRCTL] = act_prctl,
};
