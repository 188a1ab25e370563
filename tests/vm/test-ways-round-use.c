/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ways round rules about files, second half: changing, running, mounting over and below, cgroups;
 * and what is left of a flood of denials. See test-ways-round.c. */
#include <glib.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "guest-acts.h"
#include "guest-backend.h"
#include "guest-ways.h"

#define LOADER "/lib64/ld-linux-x86-64.so.2"
#define DISK "/dev/vda"
#define RAN 77 /* what a program that runs exits with */

/* ---- changing ---- */

static int act_open_truncating(const void *path)
{
        return open(path, O_RDONLY | O_TRUNC);
}

static int act_creat(const void *path)
{
        return creat(path, 0644);
}

static int act_truncate(const void *path)
{
        return truncate(path, 0);
}

static int act_chmod(const void *path)
{
        return chmod(path, 0666);
}

static int act_chown(const void *path)
{
        return lchown(path, 1000, 1000);
}

static int act_set_times(const void *path)
{
        return utimensat(AT_FDCWD, path, NULL, 0);
}

static int act_setxattr(const void *path)
{
        return setxattr(path, "trusted.x", "1", 1, 0);
}

/* The ACL of mode 0600: version 2, owner, group, others. */
static const uint32_t acl[] = {2, 6u << 16 | 1, UINT32_MAX, 4, UINT32_MAX, 32, UINT32_MAX};

static int act_set_acl(const void *path)
{
        return setxattr(path, "system.posix_acl_access", acl, sizeof(acl), 0);
}

static int act_remove_acl(const void *path)
{
        return removexattr(path, "system.posix_acl_access");
}

static void assert_unchangeable(const char *path)
{
        assert_act(act_open_truncating, path, EPERM);
        assert_act(act_creat, path, EPERM);
        assert_act(act_truncate, path, EPERM);
        assert_act(act_chmod, path, EPERM);
        assert_act(act_chown, path, EPERM);
        assert_act(act_set_times, path, EPERM);
        assert_act(act_setxattr, path, EPERM);
        assert_act(act_set_acl, path, EPERM);
        assert_act(act_remove_acl, path, EPERM);
}

static void test_changing_a_file_without_reading_it(void)
{
        struct stat st;

        fresh_rules();
        assert_unchangeable("/t/secret");
        assert_unchangeable("/t/vault/file");
        g_assert_cmpint(stat("/t/secret", &st), ==, 0);
        g_assert_cmpint(st.st_size, ==, 1);
        g_assert_cmpuint(st.st_mode & 0777, ==, 0644);
        assert_act(act_set_acl, "/t/free", 0);
        assert_act(act_remove_acl, "/t/free", 0);
}

static int act_look(const void *path)
{
        struct stat st;
        char value[8];

        if (stat(path, &st) < 0 || access(path, R_OK) < 0)
                return -1;
        return getxattr(path, "trusted.x", value, sizeof(value)) < 0 && errno == EPERM ? -1 : 0;
}

static int act_enter(const void *directory)
{
        return chdir(directory);
}

static void test_looking_at_attributes_is_open(void)
{
        fresh_rules();
        assert_act(act_look, "/t/secret", 0);
        assert_act(act_enter, "/t/vault", 0);
}

static int act_bind_name(const void *path)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);

        g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
        if (bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0 || listen(fd, 1) < 0)
                return -1;
        return fd;
}

static int act_connect_name(const void *path)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);

        g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
        return connect(fd, (struct sockaddr *) &address, sizeof(address));
}

static void test_a_ruled_socket_cannot_be_made_and_connecting_is_open(void)
{
        int fd;

        fresh_rules();
        assert_act(act_bind_name, "/t/vault/socket", EPERM);
        fd = act_bind_name("/t/vault/socket"); /* as who is never denied */
        g_assert_cmpint(fd, >=, 0);
        assert_act(act_connect_name, "/t/vault/socket", 0);
        close(fd);
}

/* ---- running ---- */

static void make_script(const char *path)
{
        g_autofree char *text = g_strdup_printf("#!/bin/sh\nexit %d\n", RAN);

        g_assert_true(
                g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
        g_assert_cmpint(chmod(path, 0755), ==, 0);
}

static int act_exec(const void *path)
{
        return execl(path, path, NULL);
}

static int act_execveat(const void *path)
{
        int fd = open(path, O_PATH);

        return execveat(fd, "", (char *[]){"x", NULL}, NULL, AT_EMPTY_PATH);
}

static int act_interpret(const void *path)
{
        return execl("/bin/sh", "sh", path, NULL);
}

static int act_load(const void *path)
{
        return execl(LOADER, LOADER, path, "-c", "exit 77", NULL);
}

static void copy_file(const char *from, const char *to)
{
        g_autofree char *content = NULL;
        gsize n;

        g_assert_true(g_file_get_contents(from, &content, &n, NULL));
        g_assert_true(g_file_set_contents(to, content, (gssize) n, NULL));
        g_assert_cmpint(chmod(to, 0755), ==, 0);
}

static void test_running_a_ruled_file(void)
{
        fresh_tree();
        make_script("/t/vault/script");
        copy_file("/bin/sh", "/t/vault/sh");
        assert_act(act_exec, "/t/vault/script", RAN);
        assert_act(act_interpret, "/t/vault/script", RAN);
        assert_act(act_load, "/t/vault/sh", RAN);
        apply(RULES);
        assert_act(act_exec, "/t/vault/script", EPERM);
        assert_act(act_execveat, "/t/vault/script", EPERM);
        assert_act(act_exec, "/t/vault/sh", EPERM);
        g_assert_cmpint(child_errno(act_interpret, "/t/vault/script"), !=, RAN);
        g_assert_cmpint(child_errno(act_load, "/t/vault/sh"), !=, RAN);
}

/* ---- overlays ---- */

/* Mounts an overlay at /t/merged with these options and opens /t/merged/NAME in it. */
typedef struct Overlay {
        const char *options, *name;
        int flags;
} Overlay;

static int act_overlay(const void *argument)
{
        const Overlay *overlay = argument;
        g_autofree char *path = g_strconcat("/t/merged/", overlay->name, NULL);

        if (own_mounts() < 0 || mount("overlay", "/t/merged", "overlay", 0, overlay->options) < 0)
                return (errno = ENODEV, -1);
        return open(path, overlay->flags);
}

#define UPPER "upperdir=/t/upper,workdir=/t/work"

static void make_layers(void)
{
        mkdir("/t/merged", 0755);
        mkdir("/t/lower", 0755);
        mkdir("/t/upper", 0755);
        mkdir("/t/work", 0755);
        make_file("/t/lower/file");
        make_file("/t/upper/other");
}

static void test_an_overlay_over_what_is_ruled(void)
{
        const char *over_vault = "lowerdir=/t/vault," UPPER;

        fresh_tree();
        make_layers();
        make_file("/t/vault/below/file");
        apply(RULES "/t/lower/file\n/t/upper/other\n");
        assert_act(act_overlay, (&(Overlay){over_vault, "file", O_RDONLY}), EPERM);
        assert_act(act_overlay, (&(Overlay){over_vault, "file", O_RDWR}), EPERM);
        assert_act(act_overlay, (&(Overlay){over_vault, "below/file", O_RDONLY}), EPERM);
        assert_act(act_overlay, (&(Overlay){"lowerdir=/t/lower:/t/work", "file", O_RDONLY}), EPERM);
        assert_act(act_overlay, (&(Overlay){"lowerdir=/t/lower," UPPER, "other", O_RDONLY}), EPERM);
}

static void test_an_overlay_over_what_is_free(void)
{
        fresh_tree();
        make_layers();
        apply(RULES);
        assert_act(act_overlay, (&(Overlay){"lowerdir=/t/lower," UPPER, "file", O_RDONLY}), 0);
        assert_act(act_overlay, (&(Overlay){"lowerdir=/t/lower," UPPER, "file", O_RDWR}), 0);
}

static void test_the_layers_of_a_ruled_overlay_are_open(void)
{
        fresh_tree();
        make_layers();
        g_assert_cmpint(mount("overlay", "/t/merged", "overlay", 0, "lowerdir=/t/lower," UPPER), ==,
                        0);
        apply("[deny_path]\n/t/merged/file\n");
        assert_open("/t/merged/file", EPERM);
        assert_open("/t/lower/file", 0);
        g_assert_cmpint(umount("/t/merged"), ==, 0);
}

/* ---- mounts over and below ---- */

static int act_mount_over(const void *argument)
{
        if (own_mounts() < 0 || mount("/t/free", "/t/secret", NULL, MS_BIND, NULL) < 0)
                return -1;
        return open("/t/secret", O_RDONLY);
}

static int act_mount_below(const void *argument)
{
        if (own_mounts() < 0 || mount("tmpfs", "/t/vault", "tmpfs", 0, NULL) < 0)
                return -1;
        return open("/t/vault/new", O_RDWR | O_CREAT, 0644);
}

static void test_a_mount_over_a_ruled_name_hides_the_rule(void)
{
        fresh_rules();
        assert_act(act_mount_over, NULL, 0);
        assert_act(act_mount_below, NULL, 0);
        assert_open("/t/secret", EPERM);
}

static int act_mount_disk(const void *argument)
{
        if (own_mounts() < 0)
                return -1;
        return mount(DISK, "/t/window", "ext4", 0, NULL);
}

static int act_open_node(const void *device)
{
        if (mknod("/t/node", S_IFBLK | 0600, *(const dev_t *) device) < 0)
                return -1;
        return open("/t/node", O_RDONLY);
}

static void test_mounting_a_ruled_device_and_another_node_of_it_are_open(void)
{
        struct stat st;

        fresh_tree();
        mkdir("/t/window", 0755);
        g_assert_cmpint(stat(DISK, &st), ==, 0);
        apply("[deny_path]\n" DISK "\n");
        assert_open(DISK, EPERM);
        assert_act(act_mount_disk, NULL, 0);
        assert_act(act_open_node, &st.st_rdev, 0);
}

/* ---- cgroups ---- */

#define CGROUPS "/sys/fs/cgroup/"

static int enter_cgroup(const char *cgroup)
{
        g_autofree char *procs = g_strconcat(CGROUPS, cgroup, "/cgroup.procs", NULL);
        FILE *file = fopen(procs, "we");

        if (!file || fprintf(file, "%d\n", getpid()) < 0 || fclose(file) != 0)
                return -1;
        return 0;
}

/* One after the other, up to "". */
static int act_enter_and_open(const void *argument)
{
        const char *const *cgroups = argument;

        for (size_t i = 0; cgroups[i]; i++)
                if (enter_cgroup(cgroups[i]) < 0)
                        return -1;
        return open("/t/secret", O_RDONLY);
}

#define try_cgroups(...) child_errno(act_enter_and_open, (const char *[]){__VA_ARGS__, NULL})

static int act_namespace_and_open(const void *argument)
{
        if (enter_cgroup("beside") < 0 || unshare(CLONE_NEWCGROUP) < 0)
                return -1;
        return open("/t/secret", O_RDONLY);
}

static void test_a_cgroup_frees_who_is_in_it_and_nobody_else(void)
{
        fresh_tree();
        g_assert_cmpint(g_mkdir_with_parents(CGROUPS "allowed/inner", 0755), ==, 0);
        g_assert_cmpint(g_mkdir_with_parents(CGROUPS "beside/allowed", 0755), ==, 0);
        apply(RULES "[allow_cgroup]\n/allowed\n");
        g_assert_cmpint(try_cgroups("allowed"), ==, 0);
        g_assert_cmpint(try_cgroups("allowed/inner"), ==, 0);
        g_assert_cmpint(try_cgroups("allowed", "beside"), ==, EPERM); /* has left it */
        g_assert_cmpint(try_cgroups("beside/allowed"), ==, EPERM);    /* another of that name */
        assert_act(act_namespace_and_open, NULL, EPERM);
}

static void test_a_cgroup_made_anew_frees_as_before(void)
{
        fresh_tree();
        g_assert_cmpint(g_mkdir_with_parents(CGROUPS "again", 0755), ==, 0);
        apply(RULES "[allow_cgroup]\n/again\n");
        g_assert_cmpint(try_cgroups("again"), ==, 0);
        g_assert_cmpint(rmdir(CGROUPS "again"), ==, 0);
        g_assert_cmpint(mkdir(CGROUPS "again", 0755), ==, 0);
        g_assert_cmpint(try_cgroups("again"), ==, 0);
}

/* ---- a flood ---- */

#define FLOOD 5000u

/* None is like the one before, so that each is told by itself. */
static int act_flood(const void *path)
{
        for (unsigned i = 0; i < FLOOD; i++)
                if (open(path, i % 2 ? O_RDONLY : O_WRONLY) >= 0 || errno != EPERM)
                        return (errno = EBADE, -1);
        return 0;
}

/* How many numbers are missing between first and the last event, in their order. */
static uint64_t count_gaps(uint64_t last)
{
        uint64_t missing = 0;

        for (guint i = 0; i < events->len; i++) {
                uint64_t seq = g_array_index(events, struct event, i).seq;

                g_assert_cmpuint(seq, >, last);
                missing += seq - last - 1;
                last = seq;
        }
        return missing;
}

static void test_of_a_flood_nobody_reads_each_denial_is_seen_or_counted_lost(void)
{
        EventCounters before, after;
        uint64_t seen, missing;

        fresh_rules();
        take_events();
        backend_event_counters(backend, &before);
        assert_act(act_flood, "/t/secret", 0);
        backend_event_counters(backend, &after);
        take_events();
        seen = events->len;
        missing = count_gaps(before.emitted);
        g_assert_cmpuint(after.emitted - before.emitted, ==, FLOOD);
        g_assert_cmpuint(after.lost - before.lost + seen, ==, FLOOD);
        g_assert_cmpuint(seen, >, 100);
        g_assert_cmpuint(missing, ==, 0); /* what came first is what is there */
        assert_open("/t/secret", EPERM);
        take_events();
        g_assert_cmpuint(events->len, ==, 1);
        g_assert_cmpuint(count_gaps(before.emitted + seen), ==, after.lost - before.lost);
        g_assert_cmpuint(backend_rule_hits(backend, 1), ==, FLOOD + 1);
}

#define ADD(name) g_test_add_func("/ways-round-use/" #name, test_##name)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        backend = start_backend();
        ADD(changing_a_file_without_reading_it);
        ADD(looking_at_attributes_is_open);
        ADD(a_ruled_socket_cannot_be_made_and_connecting_is_open);
        ADD(running_a_ruled_file);
        ADD(an_overlay_over_what_is_ruled);
        ADD(an_overlay_over_what_is_free);
        ADD(the_layers_of_a_ruled_overlay_are_open);
        ADD(a_mount_over_a_ruled_name_hides_the_rule);
        ADD(mounting_a_ruled_device_and_another_node_of_it_are_open);
        ADD(a_cgroup_frees_who_is_in_it_and_nobody_else);
        ADD(a_cgroup_made_anew_frees_as_before);
        ADD(of_a_flood_nobody_reads_each_denial_is_seen_or_counted_lost);
        return g_test_run();
}
