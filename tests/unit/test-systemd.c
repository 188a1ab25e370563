/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The unit files: systemd understands them whole, and the service has what it needs under them. */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

static char *read_unit(const char *path)
{
        char *text = NULL;

        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        return text;
}

/* Writes the unit to folder, with a program that is there in place of one that is not installed. */
static char *put_unit(const char *folder, const char *path)
{
        char *name = g_path_get_basename(path), *copy = g_build_filename(folder, name, NULL);
        char *text = read_unit(path);
        GRegex *program = g_regex_new("^(ExecStart(Pre)?=\\+?)/\\S+", G_REGEX_MULTILINE, 0, NULL);
        char *changed = g_regex_replace(program, text, -1, 0, "\\1/bin/true", 0, NULL);

        g_assert_true(g_file_set_contents(copy, changed, -1, NULL));
        g_regex_unref(program);
        g_free(changed);
        g_free(text);
        g_free(name);
        return copy;
}

static void test_systemd_understands_the_units(void)
{
        char *folder = g_dir_make_tmp("aegis-XXXXXX", NULL), *out = NULL, *err = NULL;
        char *service = put_unit(folder, SERVICE_UNIT), *mount = put_unit(folder, MOUNT_UNIT);
        const char *argv[] = {"systemd-analyze", "verify", "--man=no", service, mount, NULL};
        int status = -1;

        g_assert_true(g_spawn_sync(NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                                   &out, &err, &status, NULL));
        g_assert_cmpstr(err, ==, "");
        g_assert_cmpstr(out, ==, "");
        g_assert_true(g_spawn_check_wait_status(status, NULL));
        g_unlink(service);
        g_unlink(mount);
        g_rmdir(folder);
        g_free(service);
        g_free(mount);
        g_free(folder);
        g_free(out);
        g_free(err);
}

static int sets(const char *unit, const char *key)
{
        char *line = g_strconcat("\n", key, "=", NULL);
        int found = strstr(unit, line) != NULL;

        g_free(line);
        return found;
}

/* Each of these was tried: the service could not do what it is for, or paths would have to be
 * looked for in another root than that of all. */
static void test_nothing_takes_away_what_the_service_needs(void)
{
        static const char *const keys[] = {"PrivateUsers", "DynamicUser",   "ProcSubset",
                                           "RootImage",    "RootDirectory", "PrivatePIDs"};
        char *unit = read_unit(SERVICE_UNIT);

        for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
                if (sets(unit, keys[i]))
                        g_error("%s= takes away what the service needs", keys[i]);
        g_free(unit);
}

/* The unit hides paths from the service; where rules are about they are followed from the root that
 * was handed over, which takes these three. */
static void test_paths_that_are_hidden_are_followed_from_another_root(void)
{
        char *unit = read_unit(SERVICE_UNIT);

        g_assert_true(sets(unit, "PrivateTmp"));
        g_assert_nonnull(strstr(unit, "\nNotifyAccess=exec\n"));
        g_assert_true(sets(unit, "FileDescriptorStoreMax"));
        g_assert_nonnull(strstr(unit, "\nUser=aegis\n"));
        g_assert_nonnull(strstr(unit, "/aegisd --hand-over=aegis\n"));
        g_free(unit);
}

static void test_the_pins_outlive_the_service(void)
{
        char *service = read_unit(SERVICE_UNIT), *mount = read_unit(MOUNT_UNIT);

        g_assert_nonnull(strstr(service, "\nRequires=run-aegis-bpf.mount\n"));
        g_assert_nonnull(strstr(service, "\nRuntimeDirectoryPreserve=yes\n"));
        g_assert_false(sets(mount, "PartOf"));
        g_assert_false(sets(mount, "BindsTo"));
        g_assert_nonnull(strstr(mount, "\nDefaultDependencies=no\n"));
        g_free(service);
        g_free(mount);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/systemd/test_systemd_understands_the_units",
                        test_systemd_understands_the_units);
        g_test_add_func("/systemd/test_nothing_takes_away_what_the_service_needs",
                        test_nothing_takes_away_what_the_service_needs);
        g_test_add_func("/systemd/test_paths_that_are_hidden_are_followed_from_another_root",
                        test_paths_that_are_hidden_are_followed_from_another_root);
        g_test_add_func("/systemd/test_the_pins_outlive_the_service",
                        test_the_pins_outlive_the_service);
        return g_test_run();
}
