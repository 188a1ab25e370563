/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ways round rules about files, one by one: each is denied, or is shown to be open exactly as
 * docs/guarantees.md says. Runs in a virtual machine as root, with an ext4 at /mnt/ext4; the
 * acts are a child's, since this process is never denied. */
#include <glib.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest-acts.h"
#include "guest-backend.h"
#include "guest-ways.h"

/* ---- names ---- */

static void test_a_symbolic_link_made_after_the_rule(void)
{
        fresh_rules();
        g_assert_cmpint(symlink("/t/secret", "/t/link"), ==, 0);
        g_assert_cmpint(symlink("/t/vault", "/t/directory"), ==, 0);
        assert_open("/t/link", EPERM);
        assert_open("/t/directory/file", EPERM);
}

static void test_a_hard_link(void)
{
        fresh_tree();
        g_assert_cmpint(link("/t/secret", "/t/before"), ==, 0);
        apply(RULES);
        assert_open("/t/before", EPERM);
        g_assert_cmpint(try_unlink(0, "/t/before"), ==, EPERM);
        g_assert_cmpint(try_link(0, "/t/secret", "/t/after"), ==, EPERM);
        g_assert_cmpint(try_link(0, "/t/vault/file", "/t/after"), ==, EPERM);
        g_assert_cmpint(try_link(0, "/t/free", "/t/vault/new"), ==, EPERM);
}

static void test_a_hard_link_from_below_a_ruled_directory_made_before_is_open(void)
{
        fresh_tree();
        g_assert_cmpint(link("/t/vault/file", "/t/before"), ==, 0);
        apply(RULES);
        assert_open("/t/vault/file", EPERM);
        assert_open("/t/before", 0);
}

static void test_a_hard_link_made_while_a_policy_is_put_in_force_is_open(void)
{
        PolicyImage *image;

        fresh_tree();
        image = compile(RULES);
        g_assert_cmpint(link("/t/secret", "/t/meanwhile"), ==, 0);
        g_assert_cmpint(backend_prepare(backend, image, MODE_ENFORCE, 0, ++generation), ==, 0);
        backend_commit(backend);
        policy_image_free(image);
        assert_open("/t/secret", EPERM);
        assert_open("/t/meanwhile", 0);
}

static void test_a_rename_of_the_file_its_parent_or_over_it(void)
{
        fresh_tree();
        make_file("/t/a/b/named");
        apply(RULES "/t/a/b/named\n");
        g_assert_cmpint(try_rename(0, "/t/secret", "/t/x"), ==, EPERM);
        g_assert_cmpint(try_rename(0, "/t/free", "/t/secret"), ==, EPERM);
        g_assert_cmpint(try_rename(0, "/t/vault/file", "/t/x"), ==, EPERM);
        g_assert_cmpint(try_rename(0, "/t/vault", "/t/x"), ==, EPERM);
        g_assert_cmpint(try_rename(0, "/t/a/b", "/t/x"), ==, EPERM);
        g_assert_cmpint(try_rename(0, "/t/a", "/t/x"), ==, EPERM);
}

static int act_exchange(const void *argument)
{
        const char *const *paths = argument;

        return (int) syscall(SYS_renameat2, AT_FDCWD, paths[0], AT_FDCWD, paths[1],
                             RENAME_EXCHANGE);
}

static int try_exchange(const char *one, const char *other)
{
        return child_errno(act_exchange, (const char *[]){one, other});
}

static void test_an_exchange_of_names_in_both_orders(void)
{
        fresh_tree();
        make_file("/t/a/b/named");
        make_file("/t/other/file");
        apply(RULES "/t/a/b/named\n");
        g_assert_cmpint(try_exchange("/t/free", "/t/secret"), ==, EPERM);
        g_assert_cmpint(try_exchange("/t/secret", "/t/free"), ==, EPERM);
        g_assert_cmpint(try_exchange("/t/free", "/t/a"), ==, EPERM);
        g_assert_cmpint(try_exchange("/t/a", "/t/free"), ==, EPERM);
        g_assert_cmpint(try_exchange("/t/other", "/t/a/b"), ==, EPERM);
        g_assert_cmpint(try_exchange("/t/a/b", "/t/other"), ==, EPERM);
        g_assert_cmpint(try_exchange("/t/free", "/t/other"), ==, 0);
        g_assert_cmpint(try_exchange("/t/free", "/t/other"), ==, 0);
}

static void test_an_exchange_ends_what_was_learnt(void)
{
        fresh_tree();
        make_file("/t/w/dir/f");
        apply(RULES "/t/z/dir/\n");
        make_file("/t/z");
        assert_open("/t/w/dir/f", 0); /* learnt as free */
        g_assert_cmpint(try_exchange("/t/z", "/t/w"), ==, 0);
        assert_open("/t/z/dir/f", EPERM);
}

static void test_deleting_and_making_anew(void)
{
        fresh_rules();
        g_assert_cmpint(try_unlink(0, "/t/secret"), ==, EPERM);
        g_assert_cmpint(unlink("/t/secret"), ==, 0); /* as who is never denied */
        g_assert_cmpint(try_create(0, "/t/secret"), ==, EPERM);
        make_file("/t/secret");
        assert_open("/t/secret", EPERM);
}

static int act_tmpfile(const void *directory)
{
        return open(directory, O_TMPFILE | O_RDWR, 0644);
}

static int act_tmpfile_linked(const void *name)
{
        char path[64];
        int fd = open("/t", O_TMPFILE | O_RDWR, 0644);

        if (fd < 0)
                return 0; /* that would be no denial of the link */
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        return linkat(AT_FDCWD, path, AT_FDCWD, name, AT_SYMLINK_FOLLOW);
}

static void test_a_file_made_without_a_name(void)
{
        fresh_rules();
        g_assert_cmpint(unlink("/t/secret"), ==, 0);
        assert_act(act_tmpfile, "/t/vault", EPERM);
        assert_act(act_tmpfile_linked, "/t/secret", EPERM);
        assert_act(act_tmpfile_linked, "/t/vault/new", EPERM);
        assert_act(act_tmpfile_linked, "/t/new", 0);
}

/* ---- other views ---- */

static int act_bind_file(const void *argument)
{
        if (own_mounts() < 0 || mount("/t/secret", "/t/free", NULL, MS_BIND, NULL) < 0)
                return 0;
        return open("/t/free", O_RDONLY);
}

static int act_bind_tree(const void *argument)
{
        mkdir("/t/window", 0755);
        if (own_mounts() < 0 || mount("/t/vault", "/t/window", NULL, MS_BIND, NULL) < 0)
                return 0;
        return open("/t/window/file", O_RDONLY);
}

static int act_detached_mount(const void *argument)
{
        int tree = (int) syscall(SYS_open_tree, AT_FDCWD, "/t/vault", OPEN_TREE_CLONE);

        return tree < 0 ? 0 : openat(tree, "file", O_RDONLY);
}

static int act_chroot(const void *argument)
{
        if (chroot("/t/vault") < 0 || chdir("/") < 0)
                return 0;
        return open("/file", O_RDONLY);
}

/* The root of this machine cannot be put away: first there must be one that can. */
static int act_pivot_root(const void *argument)
{
        if (own_mounts() < 0 || mount("/t", "/t", NULL, MS_BIND, NULL) < 0 || chroot("/t") < 0 ||
            mount("/vault", "/vault", NULL, MS_BIND, NULL) < 0 || chdir("/vault") < 0 ||
            syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0)
                return 0;
        return open("/file", O_RDONLY);
}

static void test_bind_mounts_chroot_and_pivot_root(void)
{
        fresh_rules();
        assert_act(act_bind_file, NULL, EPERM);
        assert_act(act_bind_tree, NULL, EPERM);
        assert_act(act_detached_mount, NULL, EPERM);
        assert_act(act_chroot, NULL, EPERM);
        assert_act(act_pivot_root, NULL, EPERM);
}

static int act_user_namespace(const void *argument)
{
        if (become_user(1000) < 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
                return 0;
        if (mount("/t/vault", "/t/window", NULL, MS_BIND | MS_REC, NULL) < 0)
                return 0;
        return open("/t/window/file", O_RDONLY);
}

static void test_a_user_s_own_namespaces(void)
{
        fresh_rules();
        mkdir("/t/window", 0755);
        assert_act(act_user_namespace, NULL, EPERM);
}

/* ---- descriptors ---- */

static int act_reopen(const void *path)
{
        char again[64];
        int fd = open(path, O_PATH);

        if (fd < 0)
                return 0;
        snprintf(again, sizeof(again), "/proc/self/fd/%d", fd);
        return open(again, O_RDONLY);
}

static int act_by_proc_root(const void *path)
{
        char longer[128];

        snprintf(longer, sizeof(longer), "/proc/%d/root%s", getppid(), (const char *) path);
        return open(longer, O_RDONLY);
}

static int act_by_cwd(const void *directory)
{
        if (chdir(directory) < 0)
                return 0;
        return open("/proc/self/cwd/file", O_RDONLY);
}

static int act_openat2(const void *argument)
{
        struct open_how how = {.flags = O_RDONLY, .resolve = RESOLVE_IN_ROOT};
        int directory = open("/t/vault", O_PATH);

        return (int) syscall(SYS_openat2, directory, "/file", &how, sizeof(how));
}

static void test_descriptors_of_paths_and_links_of_proc(void)
{
        fresh_rules();
        assert_act(act_reopen, "/t/secret", EPERM);
        assert_act(act_reopen, "/t/vault/file", EPERM);
        assert_act(act_by_proc_root, "/t/secret", EPERM);
        assert_act(act_by_cwd, "/t/vault", EPERM);
        assert_act(act_openat2, NULL, EPERM);
}

typedef struct Handle {
        struct file_handle head;
        unsigned char room[MAX_HANDLE_SZ];
} Handle;

static Handle handle_of(const char *path)
{
        Handle handle = {.head.handle_bytes = MAX_HANDLE_SZ};
        int mount_id;

        g_assert_cmpint(name_to_handle_at(AT_FDCWD, path, &handle.head, &mount_id, 0), ==, 0);
        return handle;
}

static int open_handle(const char *mount_point, const void *handle)
{
        Handle copy = *(const Handle *) handle;
        int mount_fd = open(mount_point, O_RDONLY | O_DIRECTORY);

        return mount_fd < 0 ? 0 : open_by_handle_at(mount_fd, &copy.head, O_RDONLY);
}

static int act_handle_on_tmpfs(const void *handle)
{
        return open_handle("/t", handle);
}

static int act_handle_on_ext4(const void *handle)
{
        return open_handle("/mnt/ext4", handle);
}

static void test_a_file_handle(void)
{
        Handle secret, free;

        fresh_tree();
        secret = handle_of("/t/secret");
        free = handle_of("/t/free");
        apply(RULES);
        assert_act(act_handle_on_tmpfs, &secret, EPERM);
        assert_act(act_handle_on_tmpfs, &free, 0);
}

static void forget_names(void)
{
        int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

        sync();
        g_assert_cmpint(write(fd, "2", 1), ==, 1);
        close(fd);
}

static void test_a_file_handle_whose_name_the_kernel_has_forgotten(void)
{
        Handle secret, free;

        make_file("/mnt/ext4/vault/file");
        make_file("/mnt/ext4/elsewhere/file");
        secret = handle_of("/mnt/ext4/vault/file");
        free = handle_of("/mnt/ext4/elsewhere/file");
        apply("[deny_path]\n/mnt/ext4/vault/\n");
        forget_names();
        assert_act(act_handle_on_ext4, &secret, EPERM);
        assert_act(act_handle_on_ext4, &free, EPERM); /* in doubt */
        assert_open("/mnt/ext4/elsewhere/file", 0);
        assert_open("/mnt/ext4/vault/file", EPERM);
}

static int opened; /* by this process before a test's act, and so not denied */

static int act_read_opened(const void *argument)
{
        char byte;

        return pread(opened, &byte, 1, 0) < 0 ? -1 : 0;
}

static int act_map_opened(const void *argument)
{
        return mmap(NULL, 1, PROT_READ, MAP_SHARED, opened, 0) == MAP_FAILED ? -1 : 0;
}

static int act_chmod_opened(const void *argument)
{
        return fchmod(opened, 0600);
}

static int act_truncate_opened(const void *argument)
{
        return ftruncate(opened, 0);
}

static int act_reopen_opened(const void *argument)
{
        char again[64];

        snprintf(again, sizeof(again), "/proc/self/fd/%d", opened);
        return open(again, O_RDONLY);
}

static void test_a_descriptor_from_before_reads_and_maps_but_changes_nothing(void)
{
        fresh_tree();
        opened = open("/t/secret", O_RDWR | O_CLOEXEC);
        apply(RULES);
        assert_act(act_read_opened, NULL, 0);
        assert_act(act_map_opened, NULL, 0);
        assert_act(act_chmod_opened, NULL, EPERM);
        assert_act(act_truncate_opened, NULL, EPERM);
        assert_act(act_reopen_opened, NULL, EPERM);
        close(opened);
}

static int act_receive_and_read(const void *argument)
{
        char byte, room[CMSG_SPACE(sizeof(int))];
        struct iovec data = {&byte, 1};
        struct msghdr message = {.msg_iov = &data,
                                 .msg_iovlen = 1,
                                 .msg_control = room,
                                 .msg_controllen = sizeof(room)};
        int fd;

        if (recvmsg(*(const int *) argument, &message, 0) < 0 || !CMSG_FIRSTHDR(&message))
                return -1;
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
        return read(fd, &byte, 1) < 0 ? -1 : 0;
}

static void send_descriptor(int to, int fd)
{
        union {
                char room[CMSG_SPACE(sizeof(int))];
                struct cmsghdr head;
        } control = {.head = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
        struct iovec data = {(char[]){'x'}, 1};
        struct msghdr message = {.msg_iov = &data,
                                 .msg_iovlen = 1,
                                 .msg_control = control.room,
                                 .msg_controllen = sizeof(control.room)};

        memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
        g_assert_cmpint(sendmsg(to, &message, 0), ==, 1);
}

static void test_a_descriptor_passed_over_a_socket_is_open(void)
{
        int pair[2];

        fresh_rules();
        g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
        opened = open("/t/secret", O_RDONLY | O_CLOEXEC);
        send_descriptor(pair[0], opened);
        close(opened);
        assert_act(act_receive_and_read, &pair[1], 0);
        close(pair[0]);
        close(pair[1]);
}

/* ---- io_uring ---- */

static int act_uring(const void *sqe)
{
        int r = uring_do(sqe);

        errno = r < 0 ? -r : 0;
        return r < 0 ? -1 : 0;
}

static void test_io_uring(void)
{
        struct io_uring_sqe sqe = {
                .opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = (uintptr_t) "/t/free"};

        fresh_rules();
        if (child_errno(act_uring, &sqe) == ENOSYS) {
                g_test_skip("this kernel has no io_uring");
                return;
        }
        assert_act(act_uring, &sqe, 0);
        sqe.addr = (uintptr_t) "/t/secret";
        assert_act(act_uring, &sqe, EPERM);
        sqe.addr = (uintptr_t) "/t/vault/file";
        sqe.flags = IOSQE_ASYNC; /* by a worker */
        assert_act(act_uring, &sqe, EPERM);
        sqe.opcode = IORING_OP_UNLINKAT;
        assert_act(act_uring, &sqe, EPERM);
}

#define ADD(name) g_test_add_func("/ways-round/" #name, test_##name)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        backend = start_backend();
        ADD(a_symbolic_link_made_after_the_rule);
        ADD(a_hard_link);
        ADD(a_hard_link_from_below_a_ruled_directory_made_before_is_open);
        ADD(a_hard_link_made_while_a_policy_is_put_in_force_is_open);
        ADD(a_rename_of_the_file_its_parent_or_over_it);
        ADD(an_exchange_of_names_in_both_orders);
        ADD(an_exchange_ends_what_was_learnt);
        ADD(deleting_and_making_anew);
        ADD(a_file_made_without_a_name);
        ADD(bind_mounts_chroot_and_pivot_root);
        ADD(a_user_s_own_namespaces);
        ADD(descriptors_of_paths_and_links_of_proc);
        ADD(a_file_handle);
        ADD(a_file_handle_whose_name_the_kernel_has_forgotten);
        ADD(a_descriptor_from_before_reads_and_maps_but_changes_nothing);
        ADD(a_descriptor_passed_over_a_socket_is_open);
        ADD(io_uring);
        return g_test_run();
}
