/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The backend against a real kernel: policies go in through its header, verdicts come out of system
 * calls made by a child, since the process that holds the backend is never denied. Runs in a
 * virtual machine as root. */
#include <glib.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "guest-acts.h"
#include "guest-backend.h"

static int act_open(const void *path)
{
        return open(path, O_RDONLY);
}

static int act_open_write(const void *path)
{
        return open(path, O_WRONLY);
}

static int act_create(const void *path)
{
        return open(path, O_WRONLY | O_CREAT, 0644);
}

static int act_mkdir(const void *path)
{
        return mkdir(path, 0755);
}

static int act_mknod(const void *path)
{
        return mknod(path, S_IFIFO | 0644, 0);
}

static int act_symlink(const void *path)
{
        return symlink("/t/free", path);
}

static int act_unlink(const void *path)
{
        return unlink(path);
}

static int act_rmdir(const void *path)
{
        return rmdir(path);
}

static int act_chmod(const void *path)
{
        return chmod(path, 0644);
}

static int act_truncate(const void *path)
{
        return truncate(path, 0);
}

static int act_setxattr(const void *path)
{
        return setxattr(path, "user.x", "1", 1, 0);
}

static int act_removexattr(const void *path)
{
        return removexattr(path, "user.x");
}

#define assert_open(path, error) g_assert_cmpint(child_errno(act_open, path), ==, error)

/* A file system of its own for each test, so that no test sees another's names. */
static void fresh_tree(void)
{
        umount2("/t", MNT_DETACH);
        mkdir("/t", 0755);
        g_assert_cmpint(mount("tmpfs", "/t", "tmpfs", 0, NULL), ==, 0);
        make_file("/t/free");
}

/* Kernels before 6.2 do through xattr hooks what the two ACL hooks do later. */
static int is_there(const HookStatus *status)
{
        return *status->symbol || !g_str_has_suffix(status->name, "_acl");
}

/* Where only programs that may not sleep run, one hook has none. */
static int can_be_there(const HookStatus *status)
{
        return is_there(status) && (backend_tier(backend) == TIER_LSM ||
                                    !g_str_equal(status->name, "bprm_creds_for_exec"));
}

/* What a link would hang by. Returns how many hang there. */
static unsigned count_links(void)
{
        g_autofree char *folder = g_strdup_printf("/run/aegis-test/bpf/abi%u", AEGIS_ABI);
        g_autoptr(GDir) directory = g_dir_open(folder, 0, NULL);
        unsigned n = 0;

        g_assert_nonnull(directory);
        for (const char *name = g_dir_read_name(directory); name; name = g_dir_read_name(directory))
                n += g_str_has_prefix(name, "link_");
        return n;
}

static void test_the_tier_is_proven_and_nothing_is_attached_without_rules(void)
{
        HookStatus status;

        g_assert_cmpint(backend_tier(backend), !=, TIER_NONE);
        g_assert_cmpuint(count_links(), ==, 0);
        apply("");
        for (enum hook hook = 0; hook < N_HOOKS; hook++) {
                backend_hook(backend, hook, &status);
                g_test_message("%s: %s", status.name, status.reason);
                g_assert_false(status.attached);
                if (can_be_there(&status))
                        g_assert_cmpstr(status.reason, ==, "no rule needs it");
        }
}

/* Needs every hook that rules can need. */
static const char needs_all[] =
        "version=7\n"
        "[deny]\n"
        "file:/t/secret exe=/usr/bin/true\n"
        "net:connect:203.0.113.1/32\n"
        "net:bind:*:81/tcp\n"
        "net:listen:*:81/tcp\n"
        "net:accept:*:82/tcp\n"
        "net:send:203.0.113.1/32\n"
        "net:recv:203.0.113.1/32\n"
        "kernel:ptrace\n"
        "kernel:module\n"
        "kernel:bpf   uid=4242\n"
        "kernel:mount uid=4242\n"
        "kernel:kexec\n"
        "exec:sha256:0000000000000000000000000000000000000000000000000000000000000001\n";

static void test_every_hook_a_rule_needs_is_attached_and_guarantees_denial(void)
{
        PolicyImage *image = compile(needs_all);
        Mode mode = backend_tier(backend) == TIER_LSM ? MODE_ENFORCE : MODE_AUDIT;
        HookStatus status;

        fresh_tree();
        g_assert_cmpint(backend_prepare(backend, image, mode, 0, ++generation), ==, 0);
        backend_commit(backend);
        policy_image_free(image);
        for (enum hook hook = 0; hook < N_HOOKS; hook++) {
                backend_hook(backend, hook, &status);
                if (!can_be_there(&status))
                        continue;
                g_test_message("%s: %s", status.name, status.reason);
                g_assert_true(status.attached && status.required);
                g_assert_cmpint(status.guarantee, ==, GUARANTEE_DENY);
                g_assert_cmpstr(status.reason, ==, "");
        }
        apply("[deny_port]\n81:tcp:bind\n");
        backend_hook(backend, HOOK_SOCKET_BIND, &status);
        g_assert_true(status.attached);
        backend_hook(backend, HOOK_FILE_OPEN, &status);
        g_assert_false(status.attached);
}

static void test_a_ruled_file_is_denied_and_its_neighbour_is_not(void)
{
        fresh_tree();
        make_file("/t/a/secret");
        make_file("/t/a/public");
        apply("[deny_path]\n/t/a/secret\n");
        assert_open("/t/a/secret", EPERM);
        assert_open("/t/a/public", 0);
        assert_open("/t/a", 0);
        g_assert_cmpint(child_errno(act_open_write, "/t/a/secret"), ==, EPERM);
        apply("");
        assert_open("/t/a/secret", 0);
}

static void test_a_rule_for_a_missing_file_holds_once_it_appears(void)
{
        fresh_tree();
        apply("[deny_path]\n/t/not/there/yet\n");
        assert_open("/t/not/there/yet", ENOENT);
        make_file("/t/not/there/other");
        make_file("/t/not/there/yet"); /* this process is the service: it may */
        assert_open("/t/not/there/yet", EPERM);
        assert_open("/t/not/there/other", 0);
        g_assert_cmpint(child_errno(act_unlink, "/t/not/there/yet"), ==, EPERM);
}

static void test_a_ruled_name_cannot_be_made_in_any_way(void)
{
        fresh_tree();
        make_file("/t/source");
        apply("[deny_path]\n/t/name\n");
        g_assert_cmpint(child_errno(act_create, "/t/name"), ==, EPERM);
        g_assert_cmpint(child_errno(act_mkdir, "/t/name"), ==, EPERM);
        g_assert_cmpint(child_errno(act_mknod, "/t/name"), ==, EPERM);
        g_assert_cmpint(child_errno(act_symlink, "/t/name"), ==, EPERM);
        g_assert_cmpint(try_link(0, "/t/source", "/t/name"), ==, EPERM);
        g_assert_cmpint(try_rename(0, "/t/source", "/t/name"), ==, EPERM);
        g_assert_cmpint(child_errno(act_create, "/t/namf"), ==, 0);
}

static void test_a_ruled_file_cannot_be_moved_linked_or_changed(void)
{
        fresh_tree();
        make_file("/t/secret");
        apply("[deny_path]\n/t/secret\n");
        g_assert_cmpint(try_rename(0, "/t/secret", "/t/elsewhere"), ==, EPERM);
        g_assert_cmpint(try_rename(0, "/t/free", "/t/secret"), ==, EPERM);
        g_assert_cmpint(try_link(0, "/t/secret", "/t/second"), ==, EPERM);
        g_assert_cmpint(child_errno(act_unlink, "/t/secret"), ==, EPERM);
        g_assert_cmpint(child_errno(act_chmod, "/t/secret"), ==, EPERM);
        g_assert_cmpint(child_errno(act_truncate, "/t/secret"), ==, EPERM);
        g_assert_cmpint(child_errno(act_setxattr, "/t/secret"), ==, EPERM);
        g_assert_cmpint(child_errno(act_removexattr, "/t/secret"), ==, EPERM);
        g_assert_cmpint(child_errno(act_chmod, "/t/free"), ==, 0);
}

static void test_a_directory_rule_holds_for_all_that_is_below(void)
{
        fresh_tree();
        make_file("/t/vault/deep/er/file");
        make_file("/t/vault-not/file");
        apply("[deny_path]\n/t/vault/\n");
        assert_open("/t/vault", EPERM);
        assert_open("/t/vault/deep", EPERM);
        assert_open("/t/vault/deep/er/file", EPERM);
        assert_open("/t/vault-not/file", 0);
        g_assert_cmpint(child_errno(act_create, "/t/vault/deep/new"), ==, EPERM);
        g_assert_cmpint(child_errno(act_rmdir, "/t/vault/deep/er"), ==, EPERM);
}

static void test_a_directory_rule_needs_no_slash(void)
{
        fresh_tree();
        make_file("/t/dir/sub/file");
        make_file("/t/dirt/file");
        apply("[deny_path]\n/t/dir\n");
        assert_open("/t/dir", EPERM);
        assert_open("/t/dir/sub/file", EPERM);
        assert_open("/t/dirt/file", 0);
}

static void test_an_ancestor_of_a_ruled_name_cannot_be_moved_away(void)
{
        fresh_tree();
        make_file("/t/a/b/c/secret");
        apply("[deny_path]\n/t/a/b/c/secret\n");
        g_assert_cmpint(try_rename(0, "/t/a", "/t/z"), ==, EPERM);
        g_assert_cmpint(try_rename(0, "/t/a/b/c", "/t/c"), ==, EPERM);
        mkdir("/t/other", 0755);
        g_assert_cmpint(try_rename(0, "/t/other", "/t/another"), ==, 0);
}

static void test_a_directory_moved_to_a_ruled_place_is_ruled_there(void)
{
        fresh_tree();
        make_file("/t/w/dir/f");
        apply("[deny_path]\n/t/z/dir/\n");
        assert_open("/t/w/dir/f", 0); /* learnt as free */
        g_assert_cmpint(try_rename(0, "/t/w", "/t/z"), ==, 0);
        assert_open("/t/z/dir/f", EPERM);
}

static void test_a_hard_link_made_before_the_rule_is_denied(void)
{
        fresh_tree();
        make_file("/t/secret");
        g_assert_cmpint(link("/t/secret", "/t/second"), ==, 0);
        apply("[deny_path]\n/t/secret\n");
        assert_open("/t/second", EPERM);
        assert_open("/t/free", 0);
}

static void test_an_inode_rule_holds_by_any_name(void)
{
        g_autofree char *text = NULL;
        struct stat st;

        fresh_tree();
        make_file("/t/some");
        g_assert_cmpint(stat("/t/some", &st), ==, 0);
        text = g_strdup_printf("[deny_inode]\n%u:%lu\n",
                               (unsigned) (major(st.st_dev) << 20 | minor(st.st_dev)), st.st_ino);
        apply(text);
        assert_open("/t/some", EPERM);
        assert_open("/t/free", 0);
        g_assert_cmpint(try_rename(0, "/t/some", "/t/else"), ==, EPERM);
}

static void test_symbolic_links_are_followed_to_what_is_ruled(void)
{
        fresh_tree();
        make_file("/t/real/secret");
        g_assert_cmpint(symlink("/t/real", "/t/alias"), ==, 0);
        g_assert_cmpint(symlink("/t/real/secret", "/t/link"), ==, 0);
        apply("[deny_path]\n/t/alias/secret\n");
        assert_open("/t/real/secret", EPERM);
        assert_open("/t/link", EPERM);
        apply("[deny_path]\n/t/link\n");
        assert_open("/t/real/secret", EPERM);
        g_assert_cmpint(child_errno(act_unlink, "/t/link"), ==, EPERM);
}

static int act_open_in_bind_mount(const void *argument)
{
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("/t/vault", "/t/window", NULL, MS_BIND, NULL) < 0)
                return -1;
        return open("/t/window/file", O_RDONLY);
}

static int act_open_in_chroot(const void *argument)
{
        if (chroot("/t") < 0 || chdir("/") < 0)
                return -1;
        return open("/vault/file", O_RDONLY);
}

static int act_open_by_descriptor(const void *argument)
{
        int directory = open("/t/vault", O_PATH | O_DIRECTORY);

        return openat(directory, "file", O_RDONLY);
}

static void test_no_other_view_of_the_file_system_leads_around_a_rule(void)
{
        fresh_tree();
        make_file("/t/vault/file");
        mkdir("/t/window", 0755);
        apply("[deny_path]\n/t/vault/\n");
        g_assert_cmpint(child_errno(act_open_in_bind_mount, NULL), ==, EPERM);
        g_assert_cmpint(child_errno(act_open_in_chroot, NULL), ==, EPERM);
        g_assert_cmpint(child_errno(act_open_by_descriptor, NULL), ==, EPERM);
}

static void test_names_of_every_length_are_told_apart(void)
{
        fresh_tree();
        for (size_t n = 1; n <= 255; n += n < 50 || n > 200 ? 1 : 7) {
                g_autofree char *name = g_strnfill(n, 'a');
                g_autofree char *ruled = g_strconcat("/t/", name, NULL);
                g_autofree char *near = g_strdup(ruled);
                g_autofree char *text = g_strdup_printf("[deny_path]\n%s\n", ruled);

                near[strlen(near) - 1] = 'b';
                make_file(ruled);
                make_file(near);
                apply(text);
                assert_open(ruled, EPERM);
                assert_open(near, 0);
                unlink(ruled);
                unlink(near);
        }
}

static void test_a_tree_of_two_hundred_levels_is_followed(void)
{
        g_autoptr(GString) path = g_string_new("/t");
        g_autofree char *text = NULL;

        fresh_tree();
        for (int i = 0; i < 200; i++)
                g_string_append(path, "/d");
        g_assert_cmpint(g_mkdir_with_parents(path->str, 0755), ==, 0);
        g_string_append(path, "/f");
        make_file(path->str);
        text = g_strdup_printf("[deny_path]\n%s\n/t/none/\n", path->str);
        apply(text);
        assert_open(path->str, EPERM);
        apply("[deny_path]\n/t/none/\n");
        assert_open(path->str, 0);
        apply("[deny_path]\n/t/d/\n");
        assert_open(path->str, EPERM);
}

static void test_audit_mode_records_and_allows(void)
{
        const struct event *event;

        fresh_tree();
        make_file("/t/a/secret");
        take_events();
        apply_in_mode("[deny_path]\n/t/a/secret\n", MODE_AUDIT);
        assert_open("/t/a/secret", 0);
        take_events();
        g_assert_cmpuint(events->len, ==, 1);
        event = &g_array_index(events, struct event, 0);
        g_assert_cmpint(event->verdict, ==, VERDICT_AUDITED);
        g_assert_cmpint(event->rule, ==, 1);
        g_assert_cmpint(backend_set_mode(backend, MODE_ENFORCE, 0, ++generation), ==, 0);
        assert_open("/t/a/secret", EPERM);
}

static void test_a_hook_in_audit_mode_records_while_others_deny(void)
{
        const uint64_t open = HOOK_BIT(HOOK_FILE_OPEN);
        BackendState state;
        HookStatus status;

        fresh_tree();
        make_file("/t/a/secret");
        make_file("/t/b/secret");
        apply("version=7\n[deny]\nfile:/t/a/secret\nfile:/t/b/secret mode=enforce\n");
        assert_open("/t/a/secret", EPERM);
        g_assert_cmpint(backend_set_mode(backend, MODE_ENFORCE, open, ++generation), ==, 0);
        take_events();
        g_array_set_size(events, 0);
        assert_open("/t/a/secret", 0);
        take_events();
        g_assert_cmpuint(events->len, ==, 1);
        g_assert_cmpint(g_array_index(events, struct event, 0).verdict, ==, VERDICT_AUDITED);
        assert_open("/t/b/secret", EPERM);
        g_assert_cmpint(child_errno(act_unlink, "/t/a/secret"), ==, EPERM);
        /* The next service finds it so, and a policy is switched to with it. */
        backend = backend_free(backend);
        backend = start_backend();
        backend_state(backend, &state);
        g_assert_cmpuint(state.audited, ==, open);
        backend_hook(backend, HOOK_FILE_OPEN, &status);
        g_assert_cmpint(status.mode, ==, MODE_AUDIT);
        assert_open("/t/a/secret", 0);
        apply("[deny_path]\n/t/a/secret\n");
        assert_open("/t/a/secret", EPERM);
}

static void test_a_denial_says_who_and_what(void)
{
        const struct event *event;

        fresh_tree();
        make_file("/t/a/secret");
        apply("[deny_path]\n/t/a/\n");
        take_events();
        assert_open("/t/a/secret", EPERM);
        take_events();
        g_assert_cmpuint(events->len, ==, 1);
        event = &g_array_index(events, struct event, 0);
        g_assert_cmpint(event->verdict, ==, VERDICT_DENIED);
        g_assert_cmpint(event->hook, ==, HOOK_FILE_OPEN);
        g_assert_cmpint(event->access, ==, ACCESS_READ);
        g_assert_cmpuint(event->generation, ==, generation);
        g_assert_cmpuint(event->ppid, ==, getpid());
        g_assert_cmpmem(event->path, event->path_length, "secret\0a\0", 9);
        g_assert_cmpuint(backend_rule_hits(backend, 1), ==, 1);
}

static void test_a_cgroup_that_is_allowed_frees_its_whole_subtree(void)
{
        fresh_tree();
        make_file("/t/secret");
        g_assert_cmpint(g_mkdir_with_parents("/sys/fs/cgroup/aegis-test/inner", 0755), ==, 0);
        apply("[deny_path]\n/t/secret\n[allow_cgroup]\n/aegis-test\n");
        assert_open("/t/secret", EPERM);
        g_assert_cmpint(try_open_in_cgroup("/sys/fs/cgroup/aegis-test/inner", "/t/secret"), ==, 0);
        apply("[deny_path]\n/t/secret\n");
        g_assert_cmpint(try_open_in_cgroup("/sys/fs/cgroup/aegis-test/inner", "/t/secret"), ==,
                        EPERM);
}

static void test_what_is_prepared_and_aborted_changes_nothing(void)
{
        PolicyImage *image;

        fresh_tree();
        make_file("/t/one");
        make_file("/t/two");
        apply("[deny_path]\n/t/one\n");
        image = compile("[deny_path]\n/t/two\n");
        g_assert_cmpint(backend_prepare(backend, image, MODE_ENFORCE, 0, generation + 1), ==, 0);
        assert_open("/t/one", EPERM);
        assert_open("/t/two", 0);
        backend_abort(backend);
        assert_open("/t/one", EPERM);
        assert_open("/t/two", 0);
        policy_image_free(image);
}

static void test_hits_go_on_while_the_same_documents_are_in_force(void)
{
        static const char text[] = "[deny_path]\n/t/secret\n";
        PolicyImage *other;

        fresh_tree();
        make_file("/t/secret");
        apply(text);
        assert_open("/t/secret", EPERM);
        for (uint64_t i = 1; i < 4; i++) {
                g_assert_cmpuint(backend_rule_hits(backend, 1), ==, i);
                apply(text);
                g_assert_cmpuint(backend_rule_hits(backend, 1), ==, i);
                assert_open("/t/secret", EPERM);
        }
        other = compile("[deny_path]\n/t/other\n");
        g_assert_cmpint(backend_prepare(backend, other, MODE_ENFORCE, 0, generation + 1), ==, 0);
        backend_abort(backend);
        policy_image_free(other);
        g_assert_cmpuint(backend_rule_hits(backend, 1), ==, 4);
}

static void test_a_swap_leaves_no_gap(void)
{
        Prober prober = {};
        ProberCounts counts;
        gint64 begun;

        fresh_tree();
        make_file("/t/a/secret");
        make_file("/t/a/public");
        apply("[deny_path]\n/t/a/secret\n");
        prober_start(&prober, "/t/a/secret", "/t/a/public");
        begun = g_get_monotonic_time();
        for (int i = 0; i < 60; i++)
                apply(i & 1 ? "[deny_path]\n/t/a/secret\n" : "[deny_path]\n/t/a/secret\n/t/b/\n");
        g_test_message("%" G_GINT64_FORMAT " microseconds an apply",
                       (g_get_monotonic_time() - begun) / 60);
        counts = prober_stop(&prober);
        g_test_message("denied %" G_GUINT64_FORMAT, counts.denied);
        g_assert_cmpuint(counts.denied, >, 100);
        g_assert_cmpuint(counts.leaked, ==, 0);
        g_assert_cmpuint(counts.wrongly_denied, ==, 0);
}

#define ADD(name) g_test_add_func("/backend/" #name, test_##name)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        backend = start_backend();
        ADD(the_tier_is_proven_and_nothing_is_attached_without_rules);
        ADD(every_hook_a_rule_needs_is_attached_and_guarantees_denial);
        ADD(a_ruled_file_is_denied_and_its_neighbour_is_not);
        ADD(a_rule_for_a_missing_file_holds_once_it_appears);
        ADD(a_ruled_name_cannot_be_made_in_any_way);
        ADD(a_ruled_file_cannot_be_moved_linked_or_changed);
        ADD(a_directory_rule_holds_for_all_that_is_below);
        ADD(a_directory_rule_needs_no_slash);
        ADD(an_ancestor_of_a_ruled_name_cannot_be_moved_away);
        ADD(a_directory_moved_to_a_ruled_place_is_ruled_there);
        ADD(a_hard_link_made_before_the_rule_is_denied);
        ADD(an_inode_rule_holds_by_any_name);
        ADD(symbolic_links_are_followed_to_what_is_ruled);
        ADD(no_other_view_of_the_file_system_leads_around_a_rule);
        ADD(names_of_every_length_are_told_apart);
        ADD(a_tree_of_two_hundred_levels_is_followed);
        ADD(audit_mode_records_and_allows);
        ADD(a_hook_in_audit_mode_records_while_others_deny);
        ADD(a_denial_says_who_and_what);
        ADD(a_cgroup_that_is_allowed_frees_its_whole_subtree);
        ADD(what_is_prepared_and_aborted_changes_nothing);
        ADD(hits_go_on_while_the_same_documents_are_in_force);
        ADD(a_swap_leaves_no_gap);
        return g_test_run();
}
