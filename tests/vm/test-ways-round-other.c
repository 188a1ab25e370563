/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the other tests of ways round leave: by whom, for how long, by other calls, and what comes
 * and goes while rules are in force. Each is denied, or open exactly as docs/guarantees.md says.
 * Runs in a virtual machine as root, with an ext4 at /mnt/ext4; see test-ways-round.c. */
#include <glib.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <linux/mount.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest-acts.h"
#include "guest-backend.h"
#include "guest-exec.h"
#include "guest-ways.h"

#define VERSION "version=7\n"
#define PINS "/run/aegis-test/bpf"
#define PROTOCOL_L2TP 115 /* which not every C library names */

/* ---- by whom ---- */

static int write_text(const char *path, const char *text)
{
        int fd = open(path, O_WRONLY | O_CLOEXEC), r;

        r = fd < 0 || write(fd, text, strlen(text)) < 0 ? -1 : 0;
        close(fd);
        return r;
}

/* uid 0 of a namespace of its own; outside it is 1000. */
static int act_open_as_its_own_root(const void *path)
{
        if (become_user(1000) < 0 || prctl(PR_SET_DUMPABLE, 1) < 0 || unshare(CLONE_NEWUSER) < 0 ||
            write_text("/proc/self/uid_map", "0 1000 1\n") < 0 || geteuid() != 0)
                return (errno = EBADE, -1);
        return open(path, O_RDONLY);
}

static void test_root_of_a_namespace_is_who_it_is_outside(void)
{
        fresh_tree();
        apply(VERSION "[deny]\nfile:/t/secret uid=1000\nfile:/t/free uid=0\n");
        assert_act(act_open_as_its_own_root, "/t/secret", EPERM);
        assert_act(act_open_as_its_own_root, "/t/free", 0);
        assert_open("/t/free", EPERM);
        assert_open("/t/secret", 0);
}

static int act_open_as_pid_1(const void *path)
{
        int status;
        pid_t pid;

        if (unshare(CLONE_NEWPID) < 0)
                return (errno = EBADE, -1);
        pid = fork();
        if (pid == 0)
                _exit(getpid() == 1 && open(path, O_RDONLY) < 0 ? errno : 0);
        if (waitpid(pid, &status, 0) != pid)
                return (errno = EBADE, -1);
        errno = WEXITSTATUS(status);
        return errno ? -1 : 0;
}

static void test_pid_1_of_a_container_is_bound(void)
{
        fresh_rules();
        assert_act(act_open_as_pid_1, "/t/secret", EPERM);
        assert_act(act_open_as_pid_1, "/t/free", 0);
}

static int cat_by(const char *program)
{
        return run(program, (const char *const[]){"cat", "/t/secret", NULL}, NULL).status;
}

static void test_a_copy_and_a_hard_link_of_a_denied_program_are_other_programs(void)
{
        fresh_tree();
        make_program("/t/bin/one", "");
        make_program("/t/bin/copy", "");
        g_assert_cmpint(link("/t/bin/one", "/t/bin/before"), ==, 0);
        g_assert_cmpint(symlink("one", "/t/bin/symbolic"), ==, 0);
        apply(VERSION "[deny]\nfile:/t/secret exe=/t/bin/one\n");
        g_assert_cmpint(cat_by("/t/bin/one"), !=, 0);
        g_assert_cmpint(cat_by("/t/bin/symbolic"), !=, 0);
        g_assert_cmpint(cat_by("/t/bin/copy"), ==, 0);
        g_assert_cmpint(cat_by("/t/bin/before"), ==, 0);
}

static void test_what_stands_in_the_place_of_an_allowed_program_passes_for_it(void)
{
        fresh_tree();
        make_program("/t/bin/one", "");
        apply(VERSION "[allow]\nfile:/t/secret exe=/t/bin/one\n[deny]\nfile:/t/secret\n");
        g_assert_cmpint(cat_by("/t/bin/one"), ==, 0);
        make_program("/t/bin/new", "another");
        g_assert_cmpint(cat_by("/t/bin/new"), !=, 0);
        g_assert_cmpint(try_rename(0, "/t/bin/new", "/t/bin/one"), ==, 0);
        g_assert_cmpint(cat_by("/t/bin/one"), ==, 0);
}

/* ---- for how long ---- */

static int64_t now(void)
{
        struct timespec time;

        g_assert_cmpint(clock_gettime(CLOCK_BOOTTIME, &time), ==, 0);
        return time.tv_sec;
}

/* Returns when it ends. A document that is compiled here was applied when the machine booted. */
static int64_t apply_for(int seconds)
{
        int64_t end = now() + seconds;
        g_autofree char *text = g_strdup_printf(
                VERSION "[deny]\nfile:/t/secret ttl=%ds\nfile:/t/vault/\n", (int) end);

        apply(text);
        return end;
}

static void test_a_rule_with_a_ttl_ends_by_itself(void)
{
        int seconds = 4;
        int64_t end;

        fresh_rules();
        end = apply_for(seconds);
        while (try_open(0, "/t/secret") != EPERM) { /* a slow machine */
                seconds *= 2;
                g_assert_cmpint(seconds, <, 1000);
                end = apply_for(seconds);
        }
        while (now() < end)
                usleep(100000);
        assert_open("/t/secret", 0);
        assert_open("/t/vault/file", EPERM);
}

/* ---- by one kind of access ---- */

static void test_linking_is_denied_by_itself(void)
{
        fresh_tree();
        apply(VERSION "[deny]\nfile:/t/secret access=link\n");
        g_assert_cmpint(try_link(0, "/t/secret", "/t/other"), ==, EPERM);
        assert_open("/t/secret", 0);
        g_assert_cmpint(try_link(0, "/t/free", "/t/other"), ==, 0);
        g_assert_cmpint(try_rename(0, "/t/secret", "/t/moved"), ==, EPERM);
        g_assert_cmpint(try_unlink(0, "/t/secret"), ==, 0);
}

static void test_one_of_several_names_is_not_taken_away(void)
{
        fresh_tree();
        g_assert_cmpint(link("/t/secret", "/t/second"), ==, 0);
        apply(VERSION "[deny]\nfile:/t/secret access=read\n");
        g_assert_cmpint(try_unlink(0, "/t/secret"), ==, EPERM);
        g_assert_cmpint(try_rename(0, "/t/free", "/t/secret"), ==, EPERM);
}

static int act_set_flags(const void *path)
{
        int flags = 0, fd = open(path, O_RDONLY);

        /* One is added: without those it has, the file would be laid out anew, which may fail. */
        if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
                return -1;
        flags ^= FS_NODUMP_FL;
        return ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

static int act_chmod(const void *path)
{
        return chmod(path, 0600);
}

static void test_flags_of_a_file_are_open_to_who_may_open_it(void)
{
        apply("");
        make_file("/mnt/ext4/flags");
        apply(VERSION "[deny]\nfile:/mnt/ext4/flags access=attr\n");
        assert_act(act_chmod, "/mnt/ext4/flags", EPERM);
        assert_act(act_set_flags, "/mnt/ext4/flags", 0);
        apply(VERSION "[deny]\nfile:/mnt/ext4/flags\n");
        assert_act(act_set_flags, "/mnt/ext4/flags", EPERM);
}

/* ---- by other calls ---- */

static int act_uring(const void *sqe)
{
        int r = uring_do(sqe);

        errno = r < 0 ? -r : 0;
        return r < 0 ? -1 : 0;
}

static void assert_uring(const struct io_uring_sqe *sqe, int error)
{
        assert_act(act_uring, sqe, error);
        g_assert_cmpint(error, !=, ENOSYS);
}

static struct sockaddr_in address_of(const char *text, uint16_t port)
{
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

        g_assert_cmpint(inet_pton(AF_INET, text, &address.sin_addr), ==, 1);
        return address;
}

static void test_io_uring_connects_and_sends_as_others_do(void)
{
        struct sockaddr_in ruled = address_of("127.0.0.66", 80),
                           free = address_of("127.0.0.67", 80);
        int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct msghdr message = {.msg_name = &ruled, .msg_namelen = sizeof(ruled)};
        struct io_uring_sqe connect = {.opcode = IORING_OP_CONNECT,
                                       .fd = tcp,
                                       .addr = (uintptr_t) &ruled,
                                       .off = sizeof(ruled)};
        struct io_uring_sqe send = {
                .opcode = IORING_OP_SENDMSG, .fd = udp, .addr = (uintptr_t) &message, .len = 1};

        apply("[deny_ip]\n127.0.0.66\n");
        assert_uring(&connect, EPERM);
        assert_uring(&send, EPERM);
        connect.flags = send.flags = IOSQE_ASYNC; /* by a worker */
        assert_uring(&connect, EPERM);
        assert_uring(&send, EPERM);
        connect.addr = (uintptr_t) &free;
        message.msg_name = &free;
        assert_uring(&connect, ECONNREFUSED);
        assert_uring(&send, 0);
        close(tcp);
        close(udp);
}

static int act_listen(const void *fd)
{
        return listen(*(const int *) fd, 1);
}

static void test_listen_is_judged_by_the_port_that_the_kernel_chose(void)
{
        struct sockaddr_in own = address_of("127.0.0.1", 0);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        socklen_t n = sizeof(own);
        g_autofree char *ruled = NULL, *next = NULL;

        g_assert_cmpint(bind(fd, (struct sockaddr *) &own, n), ==, 0);
        g_assert_cmpint(getsockname(fd, (struct sockaddr *) &own, &n), ==, 0);
        ruled = g_strdup_printf(VERSION "[deny]\nnet:listen:*:%u/tcp\n", ntohs(own.sin_port));
        next = g_strdup_printf(VERSION "[deny]\nnet:listen:*:%u/tcp\n", ntohs(own.sin_port) ^ 1);
        apply(ruled);
        assert_act(act_listen, &fd, EPERM);
        apply(next);
        assert_act(act_listen, &fd, 0);
        close(fd);
}

/* struct sockaddr_l2tpip */
typedef struct L2tpAddress {
        sa_family_t family;
        uint16_t unused;
        struct in_addr address;
        uint32_t connection;
        unsigned char zero[4];
} L2tpAddress;

static L2tpAddress l2tp_address(sa_family_t family)
{
        L2tpAddress address = {.family = family, .connection = 7};

        inet_pton(AF_INET, "127.0.0.66", &address.address);
        return address;
}

static int act_l2tp_send(const void *family)
{
        L2tpAddress to = l2tp_address((sa_family_t) GPOINTER_TO_INT(family));
        int fd = socket(AF_INET, SOCK_DGRAM, PROTOCOL_L2TP);

        return sendto(fd, "12345678", 8, 0, (struct sockaddr *) &to, sizeof(to)) < 0 ? -1 : 0;
}

static int act_l2tp_connect(const void *family)
{
        L2tpAddress to = l2tp_address((sa_family_t) GPOINTER_TO_INT(family));
        int fd = socket(AF_INET, SOCK_DGRAM, PROTOCOL_L2TP);

        if (connect(fd, (struct sockaddr *) &to, sizeof(to)) < 0)
                return -1;
        return send(fd, "12345678", 8, 0) < 0 ? -1 : 0;
}

static void test_l2tp_by_any_family(void)
{
        apply("[deny_ip]\n127.0.0.66\n");
        assert_act(act_l2tp_connect, GINT_TO_POINTER(AF_INET), EPERM);
        assert_act(act_l2tp_send, GINT_TO_POINTER(AF_INET), EPERM);
        assert_act(act_l2tp_send, GINT_TO_POINTER(AF_UNSPEC), EPERM);
        assert_act(act_l2tp_connect, GINT_TO_POINTER(AF_UNSPEC), EDESTADDRREQ); /* of nothing */
}

/* struct sockaddr_l2tpip6 */
typedef struct L2tpAddress6 {
        sa_family_t family;
        uint16_t unused;
        uint32_t flow;
        struct in6_addr address;
        uint32_t scope, connection;
} L2tpAddress6;

static L2tpAddress6 l2tp_address_6(sa_family_t family)
{
        L2tpAddress6 address = {.family = family, .connection = 7};

        inet_pton(AF_INET6, "2001:db8::66", &address.address);
        return address;
}

static int act_l2tp_send_6(const void *family)
{
        L2tpAddress6 to = l2tp_address_6((sa_family_t) GPOINTER_TO_INT(family));
        int fd = socket(AF_INET6, SOCK_DGRAM, PROTOCOL_L2TP);

        if (fd < 0)
                return (errno = EBADE, -1);
        return sendto(fd, "12345678", 8, 0, (struct sockaddr *) &to, sizeof(to)) < 0 ? -1 : 0;
}

static int act_l2tp_connect_6(const void *family)
{
        L2tpAddress6 to = l2tp_address_6((sa_family_t) GPOINTER_TO_INT(family));
        int fd = socket(AF_INET6, SOCK_DGRAM, PROTOCOL_L2TP);

        if (fd < 0)
                return (errno = EBADE, -1);
        return connect(fd, (struct sockaddr *) &to, sizeof(to));
}

static void test_l2tp_over_ipv6(void)
{
        int sent = child_errno(act_l2tp_send_6, GINT_TO_POINTER(AF_INET6)),
            connected = child_errno(act_l2tp_connect_6, GINT_TO_POINTER(AF_INET6));

        /* without a rule: no route, or sent */
        g_assert_cmpint(sent, !=, EPERM);
        g_assert_cmpint(connected, !=, EPERM);
        apply("[deny_ip]\n2001:db8::66\n");
        assert_act(act_l2tp_connect_6, GINT_TO_POINTER(AF_INET6), EPERM);
        assert_act(act_l2tp_send_6, GINT_TO_POINTER(AF_INET6), EPERM);
        apply("[deny_ip]\n2001:db8::67\n");
        assert_act(act_l2tp_connect_6, GINT_TO_POINTER(AF_INET6), connected);
        assert_act(act_l2tp_send_6, GINT_TO_POINTER(AF_INET6), sent);
}

/* ---- overlays ---- */

static int act_map_in_overlay(const void *path)
{
        void *memory;
        int fd;

        if (own_mounts() < 0 ||
            mount("overlay", "/t/merged", "overlay", 0, "lowerdir=/t/lower:/t/upper") < 0)
                return (errno = ENODEV, -1);
        fd = open(path, O_RDONLY);
        if (fd < 0)
                return -1;
        memory = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
        return memory == MAP_FAILED ? -1 : 0;
}

static int act_run_in_overlay(const void *path)
{
        if (own_mounts() < 0 ||
            mount("overlay", "/t/merged", "overlay", 0, "lowerdir=/t/lower:/t/upper") < 0)
                return (errno = ENODEV, -1);
        return execl(path, "true", NULL);
}

static void test_a_map_in_an_overlay_is_judged_by_the_overlay_s_name_alone(void)
{
        fresh_tree();
        make_program("/t/lower/program", "");
        mkdir("/t/upper", 0755);
        mkdir("/t/merged", 0755);
        apply(VERSION "[deny]\nexec:/t/lower/program\n");
        g_assert_cmpint(try_map("/t/lower/program"), ==, EPERM);
        assert_act(act_map_in_overlay, "/t/merged/program", 0);
        assert_act(act_run_in_overlay, "/t/merged/program", EPERM);
        apply(VERSION "[deny]\nfile:/t/lower/program\n");
        assert_act(act_map_in_overlay, "/t/merged/program", EPERM);
}

/* ---- what comes and goes ---- */

static int act_rmdir(const void *path)
{
        return rmdir(path);
}

static void test_an_ancestor_that_is_made_anew_is_the_same_to_rules(void)
{
        fresh_tree();
        mkdir("/t/a", 0755);
        mkdir("/t/a/b", 0755);
        apply(RULES "/t/a/b/named\n");
        g_assert_cmpint(try_create(0, "/t/a/b/named"), ==, EPERM);
        assert_act(act_rmdir, "/t/a/b", 0);
        assert_act(act_rmdir, "/t/a", 0);
        make_file("/t/a/b/other");
        g_assert_cmpint(try_create(0, "/t/a/b/named"), ==, EPERM);
        make_file("/t/a/b/named");
        assert_open("/t/a/b/named", EPERM);
        assert_open("/t/a/b/other", 0);
}

#define CGROUPS "/sys/fs/cgroup/"

static void test_cgroups_above_an_allowed_one_that_are_made_anew(void)
{
        fresh_tree();
        g_assert_cmpint(g_mkdir_with_parents(CGROUPS "outer/inner", 0755), ==, 0);
        apply(RULES "[allow_cgroup]\n/outer/inner\n");
        g_assert_cmpint(try_open_in_cgroup(CGROUPS "outer/inner", "/t/secret"), ==, 0);
        g_assert_cmpint(try_open_in_cgroup(CGROUPS "outer", "/t/secret"), ==, EPERM);
        g_assert_cmpint(rmdir(CGROUPS "outer/inner"), ==, 0);
        g_assert_cmpint(rmdir(CGROUPS "outer"), ==, 0);
        g_assert_cmpint(g_mkdir_with_parents(CGROUPS "outer/inner", 0755), ==, 0);
        g_assert_cmpint(try_open_in_cgroup(CGROUPS "outer/inner", "/t/secret"), ==, 0);
        g_assert_cmpint(try_open_in_cgroup(CGROUPS "outer", "/t/secret"), ==, EPERM);
}

static void test_what_is_mounted_below_a_ruled_directory_is_not_covered(void)
{
        fresh_tree();
        mkdir("/t/vault/mounted", 0755);
        apply(RULES);
        g_assert_cmpint(mount("tmpfs", "/t/vault/mounted", "tmpfs", 0, NULL), ==, 0);
        make_file("/t/vault/mounted/file");
        assert_open("/t/vault/mounted/file", 0);
        apply(RULES); /* not when paths are looked up anew either */
        assert_open("/t/vault/mounted/file", 0);
        apply(RULES "/t/vault/mounted/\n");
        assert_open("/t/vault/mounted/file", EPERM);
        g_assert_cmpint(umount("/t/vault/mounted"), ==, 0);
}

/* ---- the pins ---- */

static int set_read_only(const char *path, int is_on)
{
        struct mount_attr attributes = {.attr_set = is_on ? MOUNT_ATTR_RDONLY : 0,
                                        .attr_clr = is_on ? 0 : MOUNT_ATTR_RDONLY};

        return (int) syscall(SYS_mount_setattr, AT_FDCWD, path, 0, &attributes, sizeof(attributes));
}

static int act_mount_setattr(const void *path)
{
        return set_read_only(path, 1);
}

static int reconfigure(const char *path, const char *flag)
{
        int fd = (int) syscall(SYS_fspick, AT_FDCWD, path, FSPICK_CLOEXEC), r;

        if (fd < 0 || syscall(SYS_fsconfig, fd, FSCONFIG_SET_FLAG, flag, NULL, 0) < 0)
                return -1;
        r = (int) syscall(SYS_fsconfig, fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0);
        close(fd);
        return r;
}

static int act_reconfigure(const void *path)
{
        return reconfigure(path, "ro");
}

static void assert_goes_on(void)
{
        PolicyImage *image;

        assert_open("/t/secret", EPERM);
        image = compile("[deny_path]\n/t/free\n[deny_ip]\n127.0.0.66\n"); /* needs more hooks */
        g_assert_cmpint(backend_prepare(backend, image, MODE_ENFORCE, 0, generation + 1), !=, 0);
        policy_image_free(image);
        assert_open("/t/secret", EPERM);
        assert_open("/t/free", 0);
}

static void test_pins_that_were_made_read_only_keep_what_is_in_force(void)
{
        fresh_rules();
        assert_act(act_mount_setattr, PINS, 0);
        assert_goes_on();
        g_assert_cmpint(set_read_only(PINS, 0), ==, 0);
        assert_act(act_reconfigure, PINS, 0);
        assert_goes_on();
        g_assert_cmpint(reconfigure(PINS, "rw"), ==, 0);
        apply("[deny_path]\n/t/free\n[deny_ip]\n127.0.0.66\n");
        assert_open("/t/free", EPERM);
}

#define ADD(name) g_test_add_func("/ways-round-other/" #name, test_##name)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        backend = start_backend();
        ADD(root_of_a_namespace_is_who_it_is_outside);
        ADD(pid_1_of_a_container_is_bound);
        ADD(a_copy_and_a_hard_link_of_a_denied_program_are_other_programs);
        ADD(what_stands_in_the_place_of_an_allowed_program_passes_for_it);
        ADD(a_rule_with_a_ttl_ends_by_itself);
        ADD(linking_is_denied_by_itself);
        ADD(one_of_several_names_is_not_taken_away);
        ADD(flags_of_a_file_are_open_to_who_may_open_it);
        ADD(io_uring_connects_and_sends_as_others_do);
        ADD(listen_is_judged_by_the_port_that_the_kernel_chose);
        ADD(l2tp_by_any_family);
        ADD(l2tp_over_ipv6);
        ADD(a_map_in_an_overlay_is_judged_by_the_overlay_s_name_alone);
        ADD(an_ancestor_that_is_made_anew_is_the_same_to_rules);
        ADD(cgroups_above_an_allowed_one_that_are_made_anew);
        ADD(what_is_mounted_below_a_ruled_directory_is_not_covered);
        ADD(pins_that_were_made_read_only_keep_what_is_in_force);
        return g_test_run();
}
