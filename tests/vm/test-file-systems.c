/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules about files where the file system is btrfs, xfs, vfat, or an ext4 that folds names; each is
 * made here, and mounted at /mnt/NAME by a loop device. Runs in a virtual machine as root. */
#include <glib.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest-acts.h"
#include "guest-backend.h"
#include "guest-ways.h"

static void do_line(const char *line)
{
        g_autofree char *output = NULL, *errors = NULL;
        int status;

        g_assert_true(g_spawn_command_line_sync(line, &output, &errors, &status, NULL));
        if (!g_spawn_check_wait_status(status, NULL))
                g_error("%s: %s%s", line, output, errors);
}

/* name: of the mount. maker: its program and options. type: what the kernel calls it, and more
 * options. */
static void make_file_system(const char *name, const char *maker, const char *size,
                             const char *type)
{
        g_autofree char *image = g_strdup_printf("/tmp/%s.img", name);
        g_autofree char *empty = g_strdup_printf("truncate -s %s %s", size, image);
        g_autofree char *make = g_strdup_printf("%s %s", maker, image);
        g_autofree char *point = g_strdup_printf("/mnt/%s", name);
        g_autofree char *mount_it =
                g_strdup_printf("busybox mount -o loop -t %s %s %s", type, image, point);

        do_line(empty);
        do_line(make);
        g_assert_cmpint(g_mkdir_with_parents(point, 0755), ==, 0);
        do_line(mount_it);
}

static void apply_text(const char *text)
{
        g_test_message("%s", text);
        apply(text);
}

static char *in(const char *root, const char *path)
{
        return g_strconcat(root, path, NULL);
}

/* A path below root, in a buffer of its own for each line. */
#define AT(path) ((const char *) in(root, path)) /* few, and the process ends soon */

/* ---- all of them ---- */

static void assert_names_hold(const char *root)
{
        g_autofree char *rules = g_strdup_printf(
                "[deny_path]\n%s/a/secret\n%s/vault/\n%s/later/name\n", root, root, root);

        apply("");
        make_file(AT("/a/secret"));
        make_file(AT("/a/unruled"));
        make_file(AT("/vault/deep/er/file"));
        make_file(AT("/later/other one"));
        apply_text(rules);
        assert_open(AT("/a/secret"), EPERM);
        assert_open(AT("/a/unruled"), 0);
        assert_open(AT("/vault/deep/er/file"), EPERM);
        assert_open(AT("/later/other one"), 0);
        g_assert_cmpint(try_create(0, AT("/vault/deep/new")), ==, EPERM);
        g_assert_cmpint(try_create(0, AT("/later/name")), ==, EPERM);
        g_assert_cmpint(try_unlink(0, AT("/a/secret")), ==, EPERM);
        g_assert_cmpint(try_rename(0, AT("/a/secret"), AT("/a/x")), ==, EPERM);
        g_assert_cmpint(try_rename(0, AT("/a/unruled"), AT("/a/secret")), ==, EPERM);
        g_assert_cmpint(try_rename(0, AT("/vault/deep"), AT("/deep")), ==, EPERM);
        g_assert_cmpint(try_rename(0, AT("/a"), AT("/b")), ==, EPERM);
        g_assert_cmpint(truncate(AT("/a/unruled"), 0), ==, 0);
}

/* A directory that is learnt, and then another one in its place. */
static void assert_moves_are_noticed(const char *root)
{
        g_autofree char *rules = g_strdup_printf("[deny_path]\n%s/z/dir/\n", root);

        apply("");
        make_file(AT("/www/dir/f"));
        apply_text(rules);
        assert_open(AT("/www/dir/f"), 0);
        assert_open(AT("/www/dir/f"), 0);
        g_assert_cmpint(try_rename(0, AT("/www"), AT("/z")), ==, 0);
        assert_open(AT("/z/dir/f"), EPERM);
        assert_open(AT("/z/dir/f"), EPERM);
}

static void assert_hard_links_hold(const char *root)
{
        g_autofree char *rules = g_strdup_printf("[deny_path]\n%s/h/secret\n", root);

        apply("");
        make_file(AT("/h/secret"));
        g_assert_cmpint(link(AT("/h/secret"), AT("/h/before")), ==, 0);
        g_assert_cmpint(symlink("secret", AT("/h/link")), ==, 0);
        apply_text(rules);
        assert_open(AT("/h/before"), EPERM);
        assert_open(AT("/h/link"), EPERM);
        g_assert_cmpint(try_link(0, AT("/h/secret"), AT("/h/after")), ==, EPERM);
}

static void test_rules_hold_on_xfs(void)
{
        assert_names_hold("/mnt/xfs");
        assert_moves_are_noticed("/mnt/xfs");
        assert_hard_links_hold("/mnt/xfs");
}

static void test_rules_hold_on_btrfs(void)
{
        assert_names_hold("/mnt/btrfs");
        assert_moves_are_noticed("/mnt/btrfs");
        assert_hard_links_hold("/mnt/btrfs");
}

static void test_rules_hold_on_vfat(void)
{
        assert_names_hold("/mnt/vfat");
        assert_moves_are_noticed("/mnt/vfat");
}

/* ---- one number for several files ---- */

static void make_subvolume(const char *directory, const char *name, int snapshot_of)
{
        struct btrfs_ioctl_vol_args plain = {};
        struct btrfs_ioctl_vol_args_v2 copy = {.fd = snapshot_of};
        int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        g_strlcpy(plain.name, name, sizeof(plain.name));
        g_strlcpy(copy.name, name, sizeof(copy.name));
        if (snapshot_of >= 0)
                g_assert_cmpint(ioctl(fd, BTRFS_IOC_SNAP_CREATE_V2, &copy), ==, 0);
        else
                g_assert_cmpint(ioctl(fd, BTRFS_IOC_SUBVOL_CREATE, &plain), ==, 0);
        close(fd);
}

static ino_t number_of(const char *path)
{
        struct stat st;

        g_assert_cmpint(stat(path, &st), ==, 0);
        return st.st_ino;
}

/* Two trees, alike to their numbers. */
static void make_twins(const char *one, const char *other)
{
        const char *const both[] = {one, other};

        for (int i = 0; i < 2; i++) {
                g_autofree char *root = in("/mnt/btrfs/", both[i]);

                make_subvolume("/mnt/btrfs", both[i], -1);
                make_file(AT("/dir/secret"));
        }
}

static void test_subvolumes_of_btrfs_are_told_apart_by_names(void)
{
        apply("");
        make_twins("one", "two");
        g_assert_cmpuint(number_of("/mnt/btrfs/one/dir"), ==, number_of("/mnt/btrfs/two/dir"));
        apply("[deny_path]\n/mnt/btrfs/one/dir/\n");
        for (int i = 0; i < 2; i++) {
                assert_open("/mnt/btrfs/two/dir/secret", 0);
                assert_open("/mnt/btrfs/one/dir/secret", EPERM);
        }
}

static void make_origin_and_snapshot(const char *origin, const char *snapshot)
{
        g_autofree char *root = in("/mnt/btrfs/", origin);
        int fd;

        apply("");
        make_subvolume("/mnt/btrfs", origin, -1);
        make_file(AT("/vault/file"));
        g_assert_cmpint(link(AT("/vault/file"), AT("/vault/linked")), ==, 0);
        fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        make_subvolume("/mnt/btrfs", snapshot, fd);
        close(fd);
}

static void test_a_snapshot_of_what_is_ruled_is_open(void)
{
        make_origin_and_snapshot("origin", "snapshot");
        apply("[deny_path]\n/mnt/btrfs/origin/vault/\n");
        assert_open("/mnt/btrfs/origin/vault/file", EPERM);
        assert_open("/mnt/btrfs/snapshot/vault/file", 0);
}

static void test_pins_take_a_snapshot_s_files_for_those_of_its_origin(void)
{
        make_origin_and_snapshot("first", "second");
        apply("[deny_path]\n/mnt/btrfs/first/vault/file\n");
        assert_open("/mnt/btrfs/first/vault/linked", EPERM);
        assert_open("/mnt/btrfs/second/vault/linked", EPERM); /* another file */
}

/* ---- names that are spelt in several ways ---- */

/* "secret" and a long name are ruled in a directory that folds names. */
static void assert_spellings_are_denied(const char *root)
{
        g_autofree char *rules = g_strdup_printf(
                "[deny_path]\n%s/secret\n%s/A long name.text\n%s/Vault/\n", root, root, root);

        apply("");
        make_file(AT("/secret"));
        make_file(AT("/A long name.text"));
        make_file(AT("/Vault/file"));
        make_file(AT("/free"));
        make_file(AT("/public"));
        assert_open(AT("/SECRET"), 0); /* it does fold */
        apply_text(rules);
        assert_open(AT("/secret"), EPERM);
        assert_open(AT("/Secret"), EPERM);
        assert_open(AT("/SECRET"), EPERM);
        assert_open(AT("/a LONG name.TEXT"), EPERM);
        assert_open(AT("/vault/FILE"), EPERM);
        assert_open(AT("/VAULT"), EPERM);
        assert_open(AT("/free"), 0);
        assert_open(AT("/FREE"), 0);
        assert_open(AT("/public"), EPERM); /* in doubt, as declared */
        g_assert_cmpint(try_unlink(0, AT("/sEcret")), ==, EPERM);
        g_assert_cmpint(try_rename(0, AT("/SECRET"), AT("/x")), ==, EPERM);
        g_assert_cmpint(try_rename(0, AT("/free"), AT("/Secret")), ==, EPERM);
        g_assert_cmpint(try_rename(0, AT("/vault"), AT("/other")), ==, EPERM);
        g_assert_cmpint(unlink(AT("/secret")), ==, 0); /* as who is never denied */
        g_assert_cmpint(try_create(0, AT("/SeCrEt")), ==, EPERM);
        g_assert_cmpint(try_create(0, AT("/vAULT/new")), ==, EPERM);
}

static void test_other_spellings_on_vfat_are_denied(void)
{
        const char *root = "/mnt/vfat";

        assert_spellings_are_denied(root);
        assert_open(AT("/ALONGN~1.TEX"), EPERM);
        assert_open(AT("/a long name.text."), EPERM);
        assert_open(AT("/a long name.text.."), EPERM);
        assert_open(AT("/:0041 long name.text"), ENOENT); /* what has a letter of its own */
        assert_open(AT("/VAULT./file"), EPERM);
}

static void make_folding(const char *directory)
{
        int flags = FS_CASEFOLD_FL, fd;

        g_assert_cmpint(g_mkdir_with_parents(directory, 0755), ==, 0);
        fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        g_assert_cmpint(ioctl(fd, FS_IOC_SETFLAGS, &flags), ==, 0);
        close(fd);
}

static void test_other_spellings_on_a_folding_ext4_are_denied(void)
{
        make_folding("/mnt/folds/d");
        assert_spellings_are_denied("/mnt/folds/d");
        assert_names_hold("/mnt/folds"); /* where it does not fold */
        assert_hard_links_hold("/mnt/folds");
        make_file("/mnt/folds/a/SECRET");
        assert_open("/mnt/folds/a/SECRET", 0);
}

#define KELVIN "\xe2\x84\xaa" /* of three bytes, and the same as k */

static void test_spellings_of_other_lengths_are_denied(void)
{
        const char *root = "/mnt/folds/k";

        make_folding(root);
        apply("");
        make_file(AT("/key"));
        make_file(AT("/" KELVIN "ilo"));
        make_file(AT("/free"));
        assert_open(AT("/kilo"), 0);
        apply("[deny_path]\n/mnt/folds/k/key\n");
        assert_open(AT("/" KELVIN "ey"), EPERM);
        assert_open(AT("/free"), 0);
        apply("[deny_path]\n/mnt/folds/k/" KELVIN "ilo\n");
        assert_open(AT("/" KELVIN "ilo"), EPERM);
        assert_open(AT("/kilo"), EPERM);
        assert_open(AT("/KILO"), EPERM);
        assert_open(AT("/free"), EPERM); /* in doubt, as declared */
}

#define ADD(name) g_test_add_func("/file-systems/" #name, test_##name)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        make_file_system("xfs", "mkfs.xfs -q", "300M", "xfs");
        make_file_system("btrfs", "mkfs.btrfs -q", "128M", "btrfs");
        make_file_system("vfat", "mkfs.vfat", "16M", "vfat -o uni_xlate,utf8=0,iocharset=ascii");
        make_file_system("folds", "mkfs.ext4 -q -O casefold -E encoding=utf8", "16M", "ext4");
        backend = start_backend();
        ADD(rules_hold_on_xfs);
        ADD(rules_hold_on_btrfs);
        ADD(rules_hold_on_vfat);
        ADD(subvolumes_of_btrfs_are_told_apart_by_names);
        ADD(a_snapshot_of_what_is_ruled_is_open);
        ADD(pins_take_a_snapshot_s_files_for_those_of_its_origin);
        ADD(other_spellings_on_vfat_are_denied);
        ADD(other_spellings_on_a_folding_ext4_are_denied);
        ADD(spellings_of_other_lengths_are_denied);
        return g_test_run();
}
