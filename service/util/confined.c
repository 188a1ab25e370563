/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Confined: see confined.h. The child is a fork: it needs no program, which a policy could deny,
 * and what it is to read is there already. */
#include "util/confined.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"
#include "util/fiber.h"

#define WAIT_MSEC 5 /* for as long the loop may stand still */

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "name the architecture as the audit subsystem does"
#endif

/* ---- in the child ---- */

/* A hundred lines of this are a good part of what a child costs: so no sscanf(). */
static int read_mapping(const char *line, unsigned long *ret_begin, unsigned long *ret_end,
                        int *ret_is_shared)
{
        char *at;

        *ret_begin = strtoul(line, &at, 16);
        if (at == line || *at != '-')
                return -EBADMSG;
        line = at + 1;
        *ret_end = strtoul(line, &at, 16);
        if (at == line || *at != ' ' || strnlen(at + 1, 4) < 4)
                return -EBADMSG;
        *ret_is_shared = at[4] == 's';
        return 0;
}

/* Mappings of the kernel's maps and rings are shared: a child could write to them. */
static int unmap_if_shared(const char *line, const void *room)
{
        unsigned long begin, end;
        int is_shared, r = read_mapping(line, &begin, &end, &is_shared);

        if (r < 0 || !is_shared || begin == (unsigned long) room)
                return r;
        return munmap((void *) begin, end - begin) < 0 ? -errno : 0;
}

static int unmap_shared(const void *room)
{
        _cleanup_(freep) char *line = NULL;
        FILE *maps = fopen("/proc/self/maps", "re");
        size_t n = 0;
        int r = 0;

        if (!maps)
                return -errno;
        while (r == 0 && getline(&line, &n, maps) > 0)
                r = unmap_if_shared(line, room);
        if (r == 0 && ferror(maps))
                r = -EIO;
        fclose(maps);
        return r;
}

static int drop_capabilities(void)
{
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};

        return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

#define LOAD(field)                                                                                \
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t) offsetof(struct seccomp_data, field))
#define LOAD_HIGH(field)                                                                           \
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t) offsetof(struct seccomp_data, field) + 4)
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, (action))
#define UNLESS_EQUAL(value, n_over) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (n_over))
#define IF_EQUAL(value, n_over) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (n_over), 0)
#define IF_ABOVE(value, n_over) BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (value), (n_over), 0)
#define ALLOW(number) UNLESS_EQUAL((number), 1), RETURN(SECCOMP_RET_ALLOW)

/* highest: where the heap may end; the child ends with one that is larger, for the C library takes
 * no other answer. All else fails: it may ask for a thing or two that it can do without. */
static int filter_calls(uint64_t highest)
{
        uint32_t high = (uint32_t) (highest >> 32), low = (uint32_t) highest;
        struct sock_filter filter[] = {
                LOAD(arch),
                IF_EQUAL(ARCHITECTURE, 1),
                RETURN(SECCOMP_RET_KILL_PROCESS),
                LOAD(nr),
                ALLOW(SYS_exit_group),
#ifdef __SANITIZE_ADDRESS__ /* its heap is another; it looks at its stacks as it ends */
                ALLOW(SYS_mmap),
                ALLOW(SYS_munmap),
                ALLOW(SYS_madvise),
                ALLOW(SYS_sigaltstack),
#endif
                IF_EQUAL(SYS_brk, 1),
                RETURN(SECCOMP_RET_ERRNO | EPERM),
                LOAD_HIGH(args[0]),
                IF_ABOVE(high, 4),
                UNLESS_EQUAL(high, 2),
                LOAD(args[0]),
                IF_ABOVE(low, 1),
                RETURN(SECCOMP_RET_ALLOW),
                RETURN(SECCOMP_RET_KILL_PROCESS),
        };
        struct sock_fprog program = {.len = ELEMENTS_OF(filter), .filter = filter};

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
                return -errno;
        return 0;
}

/* Memory comes from the heap alone: the filter sees where that ends. */
static int confine(const ConfinedWork *work, const void *room)
{
        int r;

        /* at once: a lock of the service's would outlive it */
        if (syscall(SYS_close_range, 0, ~0u, 0) < 0)
                return -errno;
        r = unmap_shared(room);
        if (r < 0)
                return r;
        r = drop_capabilities();
        if (r < 0)
                return r;
        mallopt(M_MMAP_MAX, 0);
        return filter_calls((uint64_t) (uintptr_t) sbrk(0) + work->n_memory);
}

static void be_child(const ConfinedWork *work, pid_t parent, void *room)
{
        int r;

        fiber_leave();
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
                _exit(ECHILD);
        r = confine(work, room);
        if (r == 0)
                r = work->function(work->userdata, room, work->n_room);
        _exit(-r);
}

/* ---- outside ---- */

/* Returns -ETIME, and ends the child, when it is not done in time. */
static int await(int child, pid_t pid, uint64_t msec)
{
        struct pollfd ended = {.fd = child, .events = POLLIN};

        for (uint64_t waited = 0; waited < msec; waited += WAIT_MSEC) {
                if (poll(&ended, 1, WAIT_MSEC) > 0)
                        return 0;
                fiber_yield();
        }
        kill(pid, SIGKILL);
        return -ETIME;
}

static int reap(pid_t pid)
{
        int status;
        pid_t r;

        do
                r = waitpid(pid, &status, 0);
        while (r < 0 && errno == EINTR);
        if (r < 0)
                return -errno;
        return WIFEXITED(status) ? -WEXITSTATUS(status) : -EFAULT;
}

static int look_after(pid_t pid, uint64_t msec)
{
        int child = (int) syscall(SYS_pidfd_open, pid, 0), r, status;

        if (child < 0) {
                r = -errno;
                kill(pid, SIGKILL);
                reap(pid);
                return r;
        }
        r = await(child, pid, msec);
        close(child);
        status = reap(pid);
        return r < 0 ? r : status;
}

int confined_run(const ConfinedWork *work, void **ret_room)
{
        pid_t parent = getpid(), pid;
        void *room = mmap(NULL, work->n_room, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        int r;

        if (room == MAP_FAILED)
                return -errno;
        pid = fork();
        if (pid == 0)
                be_child(work, parent, room);
        r = pid < 0 ? -errno : look_after(pid, work->msec);
        if (r < 0) {
                munmap(room, work->n_room);
                return r;
        }
        *ret_room = room;
        return 0;
}

void confined_free(void *room, size_t n_room)
{
        munmap(room, n_room);
}
