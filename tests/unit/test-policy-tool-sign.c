/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* aegis-policy keygen, sign and verify as a program, beside the real minisign. POLICY_PROGRAM is
 * the program. A key without a password takes no time; one test is about a key with one. */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "scene.h"

#define DOCUMENT "version=1\n[deny_path]\n/srv/x\n"

/* aegis-policy is $A. */
static void run(Scene *scene, const char *line, int expected)
{
        g_autofree char *command = g_strconcat("A='", POLICY_PROGRAM, "'; ", line, NULL);
        char *arguments[] = {(char *) "/bin/sh", (char *) "-c", command, NULL};
        int status;

        g_clear_pointer(&scene->out, g_free);
        g_clear_pointer(&scene->err, g_free);
        g_assert_true(g_spawn_sync(scene->folder, arguments, NULL, 0, NULL, NULL, &scene->out,
                                   &scene->err, &status, NULL));
        if (!WIFEXITED(status) || WEXITSTATUS(status) != expected)
                g_error("%s: status %x\n%s\n%s", line, (unsigned) status, scene->out, scene->err);
}

static void put_document(const Scene *scene)
{
        g_autofree char *path = g_build_filename(scene->folder, "web.policy", NULL);

        g_assert_true(g_file_set_contents(path, DOCUMENT, -1, NULL));
}

static int without_minisign(void)
{
        g_autofree char *path = g_find_program_in_path("minisign");

        if (!path)
                g_test_skip("minisign is not installed");
        return !path;
}

static void test_what_is_signed_is_verified_and_what_is_changed_is_not(Scene *scene,
                                                                       const void *unused)
{
        put_document(scene);
        run(scene, "$A keygen -W -s key", 0);
        run(scene, "$A sign -s key -t 'for the web' web.policy", 0);
        run(scene, "$A verify -p key.pub web.policy", 0);
        g_assert_nonnull(strstr(scene->out, ": for the web\n"));
        run(scene, "$A verify --json -p key.pub web.policy", 0);
        g_assert_nonnull(strstr(scene->out, "\"verified\":true"));
        run(scene, "echo '#' >>web.policy; $A verify -p key.pub web.policy", 1);
        g_assert_nonnull(strstr(scene->out, "NOT verified"));
        run(scene, "$A keygen -W -s other && $A sign -s other web.policy", 0);
        run(scene, "$A verify -p key.pub web.policy", 1);
        run(scene, "rm web.policy.minisig; $A verify -p key.pub web.policy", 2);
}

static void test_a_secret_key_is_its_owners_alone_and_never_overwritten(Scene *scene,
                                                                        const void *unused)
{
        g_autofree char *path = g_build_filename(scene->folder, "key", NULL);
        struct stat st;

        run(scene, "umask 0; $A keygen -W -s key", 0);
        g_assert_cmpint(stat(path, &st), ==, 0);
        g_assert_cmpuint(st.st_mode & 07777, ==, 0600);
        run(scene, "cp key copy; $A keygen -W -s key; test $? = 2 && cmp key copy", 0);
        run(scene, "$A keygen -W -s new -p key.pub", 2);
}

static void test_a_comment_cannot_be_what_a_terminal_acts_on(Scene *scene, const void *unused)
{
        put_document(scene);
        run(scene, "$A keygen -W -s key", 0);
        run(scene, "$A sign -s key -t \"$(printf 'a\\033[2Jb')\" web.policy", 2);
        run(scene, "$A sign -s key -t \"$(printf 'a\\nb')\" web.policy", 2);
        run(scene, "test ! -e web.policy.minisig", 0);
}

static void test_minisign_verifies_what_is_signed(Scene *scene, const void *unused)
{
        if (without_minisign())
                return;
        put_document(scene);
        run(scene, "$A keygen -W -s key && $A sign -s key web.policy", 0);
        run(scene, "minisign -V -p key.pub -m web.policy", 0);
        run(scene, "rm web.policy.minisig; minisign -S -s key -m web.policy", 0);
        run(scene, "$A verify -p key.pub web.policy", 0);
}

static void test_what_minisign_signs_is_verified(Scene *scene, const void *unused)
{
        if (without_minisign())
                return;
        put_document(scene);
        run(scene, "minisign -G -W -p m.pub -s m.key && minisign -S -s m.key -m web.policy", 0);
        run(scene, "$A verify -p m.pub web.policy", 0);
        run(scene, "rm web.policy.minisig; $A sign -s m.key web.policy", 0);
        run(scene, "minisign -V -p m.pub -m web.policy", 0);
        run(scene, "minisign -S -l -s m.key -m web.policy; $A verify -p m.pub web.policy", 1);
        g_assert_nonnull(strstr(scene->out, "old kind"));
}

static void test_a_key_opens_with_its_password_alone(Scene *scene, const void *unused)
{
        put_document(scene);
        run(scene, "echo secret | $A keygen -s key", 0);
        run(scene, "head -n 1 key | grep -q encrypted", 0);
        run(scene, "echo wrong | $A sign -s key web.policy", 2);
        run(scene, "test ! -e web.policy.minisig", 0);
        run(scene, "echo secret | $A sign -s key web.policy && $A verify -p key.pub web.policy", 0);
        if (!without_minisign())
                run(scene, "echo secret | minisign -S -s key -m web.policy", 0);
        run(scene, "$A keygen -s another </dev/null", 2);
}

/* ---- bundles ---- */

static void test_a_bundle_has_its_header_before_it_is_signed(Scene *scene, const void *unused)
{
        put_document(scene);
        run(scene, "$A keygen -W -s key && $A sign --bundle -s key web.policy", 0);
        run(scene, "$A verify -p key.pub web.policy", 0);
        run(scene, "head -n 3 web.policy | tr '\\n' ' '", 0);
        g_assert_cmpstr(scene->out, ==, "bundle=1 name=web seq=1 ");
        run(scene,
            "tail -n 3 web.policy >rest; printf 'version=1\\n[deny_path]\\n/srv/x\\n' | cmp - rest",
            0);
        run(scene,
            "$A sign --bundle -n db --scope=0123456789abcdef0123456789abcdef "
            "--expires=2099-01-01T00:00:00Z -s key web.policy",
            0);
        run(scene, "sed -n '2,3p;5,6p' web.policy | tr '\\n' ' '", 0);
        g_assert_cmpstr(scene->out, ==,
                        "name=db seq=2 expires=2099-01-01T00:00:00Z "
                        "scope=0123456789abcdef0123456789abcdef ");
        run(scene, "$A sign --bundle --seq=9 --expires=90d -s key web.policy", 0);
        run(scene, "$A verify -p key.pub web.policy && grep -cx -e name=db -e seq=9 web.policy", 0);
        g_assert_true(g_str_has_suffix(scene->out, "\n2\n"));
}

static void test_what_is_no_header_is_not_written(Scene *scene, const void *unused)
{
        static const char *const wrong[] = {
                "--bundle --name=a/b",
                "--bundle --seq=0",
                "--bundle --seq=x",
                "--bundle --scope=ab",
                "--bundle --expires=never",
                "--bundle --expires=0d",
                "--seq=1",
                "--name=db",
                "--bundle --expires=2001-01-01T00:00:00Z",
        };

        put_document(scene);
        run(scene, "$A keygen -W -s key; cp web.policy before", 0);
        for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
                g_autofree char *line = g_strdup_printf("$A sign %s -s key web.policy", wrong[i]);

                run(scene, line, 2);
        }
        run(scene, "cmp web.policy before && test ! -e web.policy.minisig", 0);
}

/* ---- roots ---- */

static void test_a_chain_of_roots_is_made_and_verified(Scene *scene, const void *unused)
{
        run(scene, "for k in a b p; do $A keygen -W -s $k || exit; done", 0);
        run(scene,
            "$A root new --thresholds=2,1,0 -o root.1 root=a.pub root=b.pub policy=p.pub && "
            "$A sign -s a root.1",
            0);
        run(scene, "$A root verify root.1", 1);
        run(scene, "$A sign -s b -o root.1.bob.minisig root.1 && $A root verify root.1", 0);
        run(scene, "$A keygen -W -s c", 0);
        run(scene,
            "$A root new --after=root.1 -o root.2 root,policy=c.pub revoked=p.pub && "
            "for k in a b c; do $A sign -s $k -o root.2.$k.minisig root.2 || exit; done",
            0);
        run(scene, "$A root verify root.1 root.2", 0);
        run(scene, "$A root verify root.2 root.1", 1);
        run(scene, "$A root verify --json root.1 root.2", 0);
        g_assert_nonnull(strstr(scene->out, "\"verified\":true"));
        run(scene, "$A root new --after=root.2 root,policy=c.pub | grep -c ^revoked=", 0);
        run(scene, "rm root.2.b.minisig; $A root verify root.1 root.2", 1);
        g_assert_nonnull(strstr(scene->out, "fewer of the keys of the root before"));
        run(scene, "$A root show root.2", 0);
        g_assert_nonnull(strstr(scene->out, ": root,policy\n"));
        g_assert_nonnull(strstr(scene->out, ": revoked\n"));
        run(scene, "$A root show --json root.2", 0);
        g_assert_nonnull(strstr(scene->out, "\"revoked\":true"));
}

static void test_minisign_signs_a_root(Scene *scene, const void *unused)
{
        if (without_minisign())
                return;
        run(scene, "minisign -G -W -p m.pub -s m.key && $A root new -o root.1 root,policy=m.pub",
            0);
        run(scene, "minisign -S -s m.key -m root.1 && $A root verify root.1", 0);
        run(scene, "minisign -S -s m.key -m root.1 -l && $A root verify root.1", 1);
}

static void test_a_root_that_could_not_be_believed_is_not_made(Scene *scene, const void *unused)
{
        static const char *const wrong[] = {
                "root=a.pub",
                "policy=a.pub",
                "root,policy=a.pub root=a.pub",
                "policy,root=a.pub",
                "--thresholds=2,1,0 root,policy=a.pub",
                "--thresholds=1,1 root,policy=a.pub",
                "--thresholds=1,1,1 root,policy=a.pub",
                "root,policy=a.pub revoked=a.pub",
                "root,policy=a",
                "root,policy",
                "root,policy=a.pub --expires=2001-01-01T00:00:00Z",
        };

        run(scene, "$A keygen -W -s a", 0);
        for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
                g_autofree char *line = g_strdup_printf("$A root new -o root.1 %s", wrong[i]);

                run(scene, line, 2);
        }
        run(scene, "test ! -e root.1; $A root other x", 2);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
#define ADD(name)                                                                                  \
        g_test_add("/policy-tool/" #name, Scene, NULL, scene_set_up, test_##name, scene_tear_down)
        ADD(what_is_signed_is_verified_and_what_is_changed_is_not);
        ADD(a_secret_key_is_its_owners_alone_and_never_overwritten);
        ADD(a_comment_cannot_be_what_a_terminal_acts_on);
        ADD(minisign_verifies_what_is_signed);
        ADD(what_minisign_signs_is_verified);
        ADD(a_key_opens_with_its_password_alone);
        ADD(a_bundle_has_its_header_before_it_is_signed);
        ADD(what_is_no_header_is_not_written);
        ADD(a_chain_of_roots_is_made_and_verified);
        ADD(minisign_signs_a_root);
        ADD(a_root_that_could_not_be_believed_is_not_made);
        return g_test_run();
}
