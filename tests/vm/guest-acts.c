/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Acts: see guest-acts.h. */
#include "guest-acts.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int child_errno(int (*act)(const void *), const void *argument)
{
        pid_t pid = fork();
        int status;

        if (pid == 0)
                _exit(act(argument) < 0 ? errno : 0);
        g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
        g_assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

int become_user(unsigned uid)
{
        if (uid == 0)
                return 0;
        if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0)
                return -1;
        return setresuid(uid, uid, uid);
}

void make_file(const char *path)
{
        g_autofree char *directory = g_path_get_dirname(path);
        int fd;

        g_assert_cmpint(g_mkdir_with_parents(directory, 0755), ==, 0);
        fd = creat(path, 0644);
        g_assert_cmpint(fd, >=, 0);
        g_assert_cmpint(write(fd, "x", 1), ==, 1);
        close(fd);
}

typedef struct FileAct {
        unsigned uid;
        char what;
        const char *path, *second;
} FileAct;

static int file_act(const void *argument)
{
        const FileAct *act = argument;

        if (become_user(act->uid) < 0)
                return -1;
        switch (act->what) {
        case 'o':
                return open(act->path, O_RDONLY);
        case 'c':
                return open(act->path, O_WRONLY | O_CREAT, 0644);
        case 'u':
                return unlink(act->path);
        case 'r':
                return rename(act->path, act->second);
        default:
                return link(act->path, act->second);
        }
}

int try_open(unsigned uid, const char *path)
{
        return child_errno(file_act, &(FileAct){uid, 'o', path, NULL});
}

int try_create(unsigned uid, const char *path)
{
        return child_errno(file_act, &(FileAct){uid, 'c', path, NULL});
}

int try_unlink(unsigned uid, const char *path)
{
        return child_errno(file_act, &(FileAct){uid, 'u', path, NULL});
}

int try_rename(unsigned uid, const char *from, const char *to)
{
        return child_errno(file_act, &(FileAct){uid, 'r', from, to});
}

int try_link(unsigned uid, const char *from, const char *to)
{
        return child_errno(file_act, &(FileAct){uid, 'l', from, to});
}

static int open_in_cgroup(const void *argument)
{
        const char *const *paths = argument;
        g_autofree char *procs = g_strconcat(paths[0], "/cgroup.procs", NULL);
        FILE *file = fopen(procs, "w");

        if (!file || fprintf(file, "%d\n", getpid()) < 0 || fclose(file) != 0)
                return -1;
        return open(paths[1], O_RDONLY);
}

int try_open_in_cgroup(const char *cgroup, const char *path)
{
        return child_errno(open_in_cgroup, (const char *[]){cgroup, path});
}

int uring_do(const struct io_uring_sqe *sqe)
{
        struct io_uring_params parameters = {};
        int fd = (int) syscall(SYS_io_uring_setup, 1, &parameters);
        char *ring, *completions;
        struct io_uring_sqe *sqes;

        if (fd < 0)
                return -ENOSYS;
        ring = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQ_RING);
        sqes = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQES);
        completions = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_CQ_RING);
        if (ring == MAP_FAILED || sqes == MAP_FAILED || completions == MAP_FAILED)
                return -ENOSYS;
        sqes[0] = *sqe;
        ((unsigned *) (ring + parameters.sq_off.array))[0] = 0;
        __atomic_store_n((unsigned *) (ring + parameters.sq_off.tail), 1, __ATOMIC_RELEASE);
        if (syscall(SYS_io_uring_enter, fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
                return -ENOSYS;
        return ((struct io_uring_cqe *) (completions + parameters.cq_off.cqes))[0].res;
}

typedef struct SocketAct {
        int family, type;
        char what;
        const char *address;
        uint16_t port;
} SocketAct;

static socklen_t fill_address(const SocketAct *act, struct sockaddr_storage *ret_address)
{
        struct sockaddr_in *v4 = (struct sockaddr_in *) ret_address;
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *) ret_address;

        memset(ret_address, 0, sizeof(*ret_address));
        if (strchr(act->address, ':')) {
                v6->sin6_family = AF_INET6;
                v6->sin6_port = htons(act->port);
                g_assert_cmpint(inet_pton(AF_INET6, act->address, &v6->sin6_addr), ==, 1);
                return sizeof(*v6);
        }
        v4->sin_family = AF_INET;
        v4->sin_port = htons(act->port);
        g_assert_cmpint(inet_pton(AF_INET, act->address, &v4->sin_addr), ==, 1);
        return sizeof(*v4);
}

static int socket_act(const void *argument)
{
        const SocketAct *act = argument;
        struct sockaddr_storage address;
        socklen_t n = fill_address(act, &address);
        int fd = socket(act->family, act->type, 0);

        if (fd < 0)
                return -1;
        if (act->what == 'c')
                return connect(fd, (struct sockaddr *) &address, n);
        if (act->what == 'b')
                return bind(fd, (struct sockaddr *) &address, n);
        return sendto(fd, "x", 1, 0, (struct sockaddr *) &address, n) < 0 ? -1 : 0;
}

int try_socket(int family, int type, char what, const char *address, uint16_t port)
{
        return child_errno(socket_act, &(SocketAct){family, type, what, address, port});
}

static void probe(int stop_fd, int result_fd, const char *denied, const char *allowed)
{
        struct pollfd stop = {.fd = stop_fd};
        ProberCounts counts = {};

        while (poll(&stop, 1, 0) == 0) { /* until the other end is closed */
                int fd = open(denied, O_RDONLY);

                fd < 0 ? counts.denied++ : counts.leaked++;
                close(fd);
                fd = open(allowed, O_RDONLY);
                fd < 0 ? counts.wrongly_denied++ : counts.allowed++;
                close(fd);
        }
        _exit(write(result_fd, &counts, sizeof(counts)) != sizeof(counts));
}

void prober_start(Prober *prober, const char *denied, const char *allowed)
{
        int stop[2], result[2];

        g_assert_cmpint(pipe2(stop, O_CLOEXEC), ==, 0);
        g_assert_cmpint(pipe2(result, O_CLOEXEC), ==, 0);
        prober->pid = fork();
        g_assert_cmpint(prober->pid, >=, 0);
        if (prober->pid == 0) {
                close(stop[1]);
                probe(stop[0], result[1], denied, allowed);
        }
        close(stop[0]);
        close(result[1]);
        prober->stop_fd = stop[1];
        prober->result_fd = result[0];
}

ProberCounts prober_stop(Prober *prober)
{
        ProberCounts counts;

        close(prober->stop_fd);
        g_assert_cmpint(read(prober->result_fd, &counts, sizeof(counts)), ==, sizeof(counts));
        g_assert_cmpint(waitpid(prober->pid, NULL, 0), ==, prober->pid);
        close(prober->result_fd);
        return counts;
}
