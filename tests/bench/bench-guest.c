/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bench-guest: what system calls cost, in a machine whose nanosecond is one executed instruction.
 *
 *   bench-guest run N ALLOWED DENIED TINY WORKLOAD...   a line "WORK name cost refused" each
 *   bench-guest flood N PATH                            opens in a row, nothing printed
 *   bench-guest files N DIRECTORY                       makes N files
 *   bench-guest now                                     the clock, in instructions since boot
 *   bench-guest time COMMAND...                         "TIME instructions status"
 *
 * Costs are those charged to this process and its children, but for connect, which is what one call
 * takes on the clock: the other end works for it too. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WARM_UP 200
#define SPAWN_SHARE 40 /* a process costs so much more than a call that fewer are enough */

typedef struct Bench {
        const char *allowed, *denied, *tiny;
        int file;              /* allowed, open */
        int listener, in, out; /* sockets */
        struct sockaddr_in tcp, udp;
        uint64_t timed; /* what a workload that is_timed counted itself */
} Bench;

/* Returns whether the call was refused. */
typedef int (*WorkFunc)(Bench *bench);

static uint64_t clock_read(clockid_t clock)
{
        struct timespec ts;

        clock_gettime(clock, &ts);
        return (uint64_t) ts.tv_sec * 1000000000u + (uint64_t) ts.tv_nsec;
}

static uint64_t microseconds(const struct timeval *tv)
{
        return ((uint64_t) tv->tv_sec * 1000000u + (uint64_t) tv->tv_usec) * 1000u;
}

static uint64_t charged(void)
{
        struct rusage children;

        getrusage(RUSAGE_CHILDREN, &children);
        return clock_read(CLOCK_PROCESS_CPUTIME_ID) + microseconds(&children.ru_utime) +
               microseconds(&children.ru_stime);
}

static int work_getppid(Bench *bench)
{
        return syscall(SYS_getppid) < 0;
}

static int work_stat(Bench *bench)
{
        struct stat st;

        return stat(bench->allowed, &st) < 0;
}

static int open_and_close(const char *path)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);

        if (fd < 0)
                return 1;
        close(fd);
        return 0;
}

static int work_open(Bench *bench)
{
        return open_and_close(bench->allowed);
}

static int work_open_denied(Bench *bench)
{
        return open_and_close(bench->denied);
}

static int work_pread(Bench *bench)
{
        char buffer[64];

        return pread(bench->file, buffer, sizeof(buffer), 0) != sizeof(buffer);
}

static int work_mmap(Bench *bench)
{
        void *map = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, bench->file, 0);

        if (map == MAP_FAILED)
                return 1;
        munmap(map, 4096);
        return 0;
}

/* The client resets, so that nothing is left waiting. */
static int work_connect(Bench *bench)
{
        static const struct linger reset = {1, 0};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), peer, refused;
        uint64_t begin, end;

        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        begin = clock_read(CLOCK_MONOTONIC);
        refused = connect(fd, (struct sockaddr *) &bench->tcp, sizeof(bench->tcp)) < 0;
        end = clock_read(CLOCK_MONOTONIC);
        bench->timed += end - begin;
        peer = refused ? -1 : accept4(bench->listener, NULL, NULL, SOCK_CLOEXEC);
        if (peer >= 0)
                close(peer);
        close(fd);
        return refused;
}

static int work_bind(Bench *bench)
{
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int refused = bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0;

        close(fd);
        return refused;
}

static int work_udp(Bench *bench)
{
        char buffer[64] = {};

        if (sendto(bench->out, buffer, sizeof(buffer), 0, (struct sockaddr *) &bench->udp,
                   sizeof(bench->udp)) < 0)
                return 1;
        return recv(bench->in, buffer, sizeof(buffer), MSG_DONTWAIT) != sizeof(buffer);
}

static int work_fork(Bench *bench)
{
        pid_t pid = fork();

        if (pid == 0)
                _exit(0);
        return pid < 0 || waitpid(pid, NULL, 0) < 0;
}

static int work_exec(Bench *bench)
{
        char *argv[] = {(char *) bench->tiny, NULL}, *none[] = {NULL};
        int status = 1;
        pid_t pid;

        if (posix_spawn(&pid, bench->tiny, NULL, NULL, argv, none) != 0)
                return 1;
        return waitpid(pid, &status, 0) < 0 || status != 0;
}

static const struct {
        const char *name;
        WorkFunc function;
        int is_spawn; /* the processor rests before each, so that the kernel's caches are alike */
        int is_timed; /* it tells what counts by itself */
} workloads[] = {
        {"getppid", work_getppid, 0, 0}, {"stat", work_stat, 0, 0},
        {"open", work_open, 0, 0},       {"open-denied", work_open_denied, 0, 0},
        {"pread", work_pread, 0, 0},     {"mmap", work_mmap, 0, 0},
        {"connect", work_connect, 0, 1}, {"bind", work_bind, 0, 0},
        {"udp", work_udp, 0, 0},         {"fork", work_fork, 1, 0},
        {"exec", work_exec, 1, 0},
};

typedef struct Cost {
        uint64_t instructions;
        long refused;
} Cost;

static Cost measure_calls(Bench *bench, size_t i, long n)
{
        uint64_t begin = charged();
        Cost cost = {};

        bench->timed = 0;
        for (long j = 0; j < n; j++)
                cost.refused += workloads[i].function(bench);
        cost.instructions = workloads[i].is_timed ? bench->timed : charged() - begin;
        return cost;
}

static Cost measure_spawns(Bench *bench, size_t i, long n)
{
        Cost cost = {};

        for (long j = 0; j < n; j++) {
                uint64_t begin;

                usleep(12000);
                begin = charged();
                cost.refused += workloads[i].function(bench);
                cost.instructions += charged() - begin;
        }
        return cost;
}

static void measure(Bench *bench, size_t i, long n)
{
        Cost (*function)(Bench *, size_t, long) =
                workloads[i].is_spawn ? measure_spawns : measure_calls;
        Cost cost;

        n = workloads[i].is_spawn ? n / SPAWN_SHARE : n;
        function(bench, i, workloads[i].is_spawn ? WARM_UP / SPAWN_SHARE : WARM_UP);
        cost = function(bench, i, n);
        printf("WORK %s %.1f %ld\n", workloads[i].name, (double) cost.instructions / (double) n,
               cost.refused);
        fflush(stdout);
}

static int bench_init(Bench *bench, char **paths)
{
        struct sockaddr_in loopback = {.sin_family = AF_INET,
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t n = sizeof(loopback);

        *bench = (Bench){.allowed = paths[0], .denied = paths[1], .tiny = paths[2]};
        bench->file = open(bench->allowed, O_RDONLY | O_CLOEXEC);
        bench->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bench->in = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        bench->out = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (bench->file < 0 ||
            bind(bench->listener, (struct sockaddr *) &loopback, sizeof(loopback)) < 0 ||
            listen(bench->listener, 64) < 0 ||
            bind(bench->in, (struct sockaddr *) &loopback, sizeof(loopback)) < 0)
                return -errno;
        getsockname(bench->listener, (struct sockaddr *) &bench->tcp, &n);
        getsockname(bench->in, (struct sockaddr *) &bench->udp, &n);
        return 0;
}

static int run(long n, char **argv, int argc)
{
        Bench bench;
        int r = bench_init(&bench, argv);

        if (r < 0) {
                fprintf(stderr, "bench-guest: %s\n", strerror(-r));
                return 1;
        }
        for (int i = 3; i < argc; i++)
                for (size_t j = 0; j < sizeof(workloads) / sizeof(workloads[0]); j++)
                        if (strcmp(argv[i], workloads[j].name) == 0)
                                measure(&bench, j, n);
        return 0;
}

static int make_files(long n, const char *directory)
{
        char path[4096];
        int fd;

        mkdir(directory, 0755);
        for (long i = 0; i < n; i++) {
                snprintf(path, sizeof(path), "%s/f%06ld", directory, i);
                fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
                if (fd < 0)
                        return 1;
                close(fd);
        }
        return 0;
}

static int time_command(char **argv)
{
        uint64_t begin = clock_read(CLOCK_MONOTONIC);
        int status = -1;
        pid_t pid = fork();

        if (pid == 0) {
                execvp(argv[0], argv);
                _exit(127);
        }
        waitpid(pid, &status, 0);
        printf("TIME %llu %d\n", (unsigned long long) (clock_read(CLOCK_MONOTONIC) - begin),
               WIFEXITED(status) ? WEXITSTATUS(status) : 255);
        return 0;
}

int main(int argc, char **argv)
{
        const char *what = argc > 1 ? argv[1] : "";
        long n = argc > 2 ? atol(argv[2]) : 0;

        if (strcmp(what, "run") == 0 && argc > 6)
                return run(n, argv + 3, argc - 3);
        if (strcmp(what, "files") == 0 && argc == 4)
                return make_files(n, argv[3]);
        if (strcmp(what, "time") == 0 && argc > 2)
                return time_command(argv + 2);
        if (strcmp(what, "flood") == 0 && argc == 4) {
                for (long i = 0; i < n; i++)
                        open_and_close(argv[3]);
                return 0;
        }
        if (strcmp(what, "now") == 0) {
                printf("%llu\n", (unsigned long long) clock_read(CLOCK_MONOTONIC));
                return 0;
        }
        fputs("bench-guest: see the head of its source\n", stderr);
        return 64;
}
