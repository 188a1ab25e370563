/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Canary: see canary.h. The acts are in a room for each topic. */
#include "backend/canary.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/canary-acts.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/file.h"

int canary_init(Canary *canary, const char *path)
{
        canary->directory_fd = directory_open(path, 0755);
        return canary->directory_fd < 0 ? canary->directory_fd : 0;
}

int canary_set_up(const Canary *canary)
{
        int dir = canary->directory_fd;
        _cleanup_(closep) int file =
                openat(dir, CANARY_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

        /* With something in it: a file without is no module before anyone is asked. */
        if (file < 0 || write(file, "\n", 1) != 1)
                return -errno;
        if (mkdirat(dir, CANARY_DIRECTORY, 0700) < 0 && errno != EEXIST)
                return -errno;
        return 0;
}

void canary_deinit(Canary *canary)
{
        closep(&canary->directory_fd);
        canary->directory_fd = -1;
}

int canary_act_in_child(const Canary *canary, CanaryAct *act)
{
        int status = 0;
        pid_t pid;

        pid = fork();
        if (pid < 0)
                return -1;
        if (pid == 0) {
                *canary->tgid = (__u32) getpid();
                _exit(act(canary) < 0 ? errno : 0);
        }
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        *canary->tgid = (__u32) getpid();
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                return 0;
        errno = WIFEXITED(status) ? WEXITSTATUS(status) : EPERM;
        return -1;
}

static CanaryAct *find_act(enum hook hook)
{
        CanaryAct *const *const topics[] = {canary_file_acts, canary_exec_acts, canary_kernel_acts,
                                            canary_net_acts};

        for (size_t i = 0; i < ELEMENTS_OF(topics); i++)
                if (topics[i][hook])
                        return topics[i][hook];
        return NULL;
}

CanaryResult canary_try(const Canary *canary, enum hook hook)
{
        CanaryAct *act = find_act(hook);
        int dir = canary->directory_fd;

        if (!act)
                return CANARY_UNTRIED;
        if (act(canary) < 0) {
                if (errno == CANARY_ERRNO)
                        return CANARY_DENIED;
                /* Capabilities, a filter of system calls or another LSM; or there is no such call.
                 */
                if (errno == EPERM || errno == EACCES || errno == ENOSYS)
                        return CANARY_UNTRIED;
                return CANARY_PASSED;
        }
        /* It was let through: take away what it may have made. */
        unlinkat(dir, CANARY_NEW, 0);
        unlinkat(dir, CANARY_NEW, AT_REMOVEDIR);
        return CANARY_PASSED;
}
