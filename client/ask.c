/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ask: see ask.h. The agent is told to close a pipe when it is ready, as systemctl does it. */
#include "ask.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <systemd/sd-login.h>
#include <unistd.h>

#include "util/cleanup.h"

#define AGENT "/usr/bin/pkttyagent"
#define READY_MSEC 25000 /* the agent calls polkit, and a call may take that long */

/* A session may have an agent of its own, which then comes first. For a process without a session
 * polkit (122) never looks at a fallback. */
static const char *fallback_option(void)
{
        return sd_pid_get_session(0, NULL) >= 0 ? "--fallback" : NULL;
}

static void become_agent(pid_t asker, int notify_fd)
{
        const char *fallback = fallback_option();
        char process[16], notify[16];

        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != asker)
                _exit(EXIT_FAILURE); /* it was gone before the signal was armed */
        if (fcntl(notify_fd, F_SETFD, 0) < 0)
                _exit(EXIT_FAILURE);
        snprintf(process, sizeof(process), "%d", (int) asker);
        snprintf(notify, sizeof(notify), "%d", notify_fd);
        execl(AGENT, AGENT, "--process", process, "--notify-fd", notify, fallback, (char *) NULL);
        _exit(EXIT_FAILURE);
}

/* Readiness, the agent's end, or too long a wait: the call goes on in each case, and polkit says no
 * where nobody can be asked. */
static void await_ready(int fd)
{
        struct pollfd ready = {.fd = fd};
        int r;

        do
                r = poll(&ready, 1, READY_MSEC);
        while (r < 0 && errno == EINTR);
}

int ask_start(pid_t *ret_pid)
{
        _cleanup_(closep) int near = -1, far = -1;
        int ends[2];
        pid_t asker = getpid(), pid;

        if (geteuid() == 0 || !isatty(STDIN_FILENO) || access(AGENT, X_OK) < 0) {
                *ret_pid = 0;
                return 0;
        }
        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        near = ends[0];
        far = ends[1];
        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                become_agent(asker, far);
        close(far);
        far = -1;
        await_ready(near);
        *ret_pid = pid;
        return 0;
}

void ask_stop(pid_t *pid)
{
        if (*pid <= 0)
                return;
        kill(*pid, SIGTERM);
        kill(*pid, SIGCONT);
        while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
                ;
        *pid = 0;
}
