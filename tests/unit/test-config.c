/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Configuration: what is taken, from where, in which order, and what ends the start. */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <syslog.h>

#include "build-config.h"
#include "abi.h"
#include "config.h"

typedef struct Fixture {
        char *root, *file, *drop_ins;
        Config *config;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data)
{
        fixture->root = g_dir_make_tmp("aegis-XXXXXX", NULL);
        fixture->file = g_build_filename(fixture->root, "aegisd.conf", NULL);
        fixture->drop_ins = g_strconcat(fixture->file, ".d", NULL);
        fixture->config = NULL;
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
        GDir *dir = g_dir_open(fixture->drop_ins, 0, NULL);

        for (const char *name; dir && (name = g_dir_read_name(dir));) {
                char *file = g_build_filename(fixture->drop_ins, name, NULL);

                g_unlink(file);
                g_free(file);
        }
        if (dir)
                g_dir_close(dir);
        g_rmdir(fixture->drop_ins);
        g_unlink(fixture->file);
        g_rmdir(fixture->root);
        g_free(fixture->drop_ins);
        g_free(fixture->file);
        g_free(fixture->root);
        config_free(fixture->config);
}

static void write_file(Fixture *fixture, const char *text)
{
        g_assert_true(g_file_set_contents(fixture->file, text, -1, NULL));
}

static void write_drop_in(Fixture *fixture, const char *name, const char *text)
{
        char *file = g_build_filename(fixture->drop_ins, name, NULL);

        g_mkdir_with_parents(fixture->drop_ins, 0755);
        g_assert_true(g_file_set_contents(file, text, -1, NULL));
        g_free(file);
}

/* Reads the file of the fixture, with up to two more options. */
static int load(Fixture *fixture, const char *first, const char *second)
{
        char *argv[] = {(char *) "aegisd", (char *) "--config", fixture->file,
                        (char *) first,    (char *) second,     NULL};
        int argc = 3 + (first != NULL) + (first && second);

        fixture->config = config_free(fixture->config);
        return config_new(&fixture->config, argc, argv);
}

static void assert_refused(Fixture *fixture, const char *text)
{
        write_file(fixture, text);
        g_assert_cmpint(load(fixture, NULL, NULL), ==, -EINVAL);
        g_assert_null(fixture->config);
}

/* Runs the named test's inside in a child, whose words are looked at. */
static void assert_says(const char *words)
{
        g_test_trap_subprocess(NULL, 0, 0);
        g_test_trap_assert_stderr(words);
}

static void test_an_empty_file_gives_what_is_built_in(Fixture *fixture, gconstpointer data)
{
        write_file(fixture, "");
        g_assert_cmpint(load(fixture, NULL, NULL), ==, 0);
        g_assert_cmpstr(fixture->config->state_directory, ==, AEGIS_STATEDIR);
        g_assert_cmpstr(fixture->config->runtime_directory, ==, "/run/aegis");
        g_assert_cmpstr(fixture->config->pin_directory, ==, "/run/aegis/bpf");
        g_assert_cmpint(fixture->config->log_level, ==, LOG_INFO);
        g_assert_cmpuint(fixture->config->polkit_timeout_usec, ==, 120000000);
        g_assert_true(fixture->config->protects_self);
}

static void test_a_file_sets_every_setting(Fixture *fixture, gconstpointer data)
{
        write_file(fixture, "# a comment\n"
                            "; another\n"
                            "\n"
                            "[Enforcer]\n"
                            "StateDirectory=/a\n"
                            "  RuntimeDirectory = /b \r\n"
                            "PinDirectory=/c=d\n"
                            "LogLevel=debug\n"
                            "PolkitTimeoutSec=5\n"
                            "ProtectSelf=no\n"
                            "LogFormat=json\n"
                            "JournalRate=0\n"
                            "HookTimes=yes");
        g_assert_cmpint(load(fixture, NULL, NULL), ==, 0);
        g_assert_cmpstr(fixture->config->state_directory, ==, "/a");
        g_assert_cmpstr(fixture->config->runtime_directory, ==, "/b");
        g_assert_cmpstr(fixture->config->pin_directory, ==, "/c=d");
        g_assert_cmpint(fixture->config->log_level, ==, LOG_DEBUG);
        g_assert_cmpuint(fixture->config->polkit_timeout_usec, ==, 5000000);
        g_assert_false(fixture->config->protects_self);
        g_assert_cmpint(fixture->config->log_format, ==, LOG_FORMAT_JSON);
        g_assert_cmpuint(fixture->config->journal_rate, ==, 0);
        g_assert_true(fixture->config->takes_times);
}

static void test_drop_ins_win_in_the_order_of_their_names(Fixture *fixture, gconstpointer data)
{
        write_file(fixture, "[Enforcer]\nLogLevel=error\nStateDirectory=/file\n");
        write_drop_in(fixture, "20-b.conf", "[Enforcer]\nLogLevel=debug\n");
        write_drop_in(fixture, "10-a.conf", "[Enforcer]\nLogLevel=notice\nPinDirectory=/ten\n");
        write_drop_in(fixture, "30-c.conf~", "[Enforcer]\nLogLevel=warning\n");
        write_drop_in(fixture, ".40-d.conf", "[Enforcer]\nLogLevel=warning\n");
        g_assert_cmpint(load(fixture, NULL, NULL), ==, 0);
        g_assert_cmpint(fixture->config->log_level, ==, LOG_DEBUG);
        g_assert_cmpstr(fixture->config->pin_directory, ==, "/ten");
        g_assert_cmpstr(fixture->config->state_directory, ==, "/file");
}

static void test_the_command_line_wins(Fixture *fixture, gconstpointer data)
{
        write_file(fixture, "[Enforcer]\nLogLevel=error\nStateDirectory=/file\n");
        write_drop_in(fixture, "10.conf", "[Enforcer]\nLogLevel=notice\n");
        g_assert_cmpint(load(fixture, "--log-level=warning", "--state-directory=/line"), ==, 0);
        g_assert_cmpint(fixture->config->log_level, ==, LOG_WARNING);
        g_assert_cmpstr(fixture->config->state_directory, ==, "/line");
}

static void test_every_setting_has_an_option(Fixture *fixture, gconstpointer data)
{
        write_file(fixture, "");
        g_assert_cmpint(load(fixture, "--runtime-directory=/r", "--pin-directory=/p"), ==, 0);
        g_assert_cmpstr(fixture->config->runtime_directory, ==, "/r");
        g_assert_cmpstr(fixture->config->pin_directory, ==, "/p");
        g_assert_cmpint(load(fixture, "--polkit-timeout=9", "--protect-self=no"), ==, 0);
        g_assert_false(fixture->config->protects_self);
        g_assert_cmpuint(fixture->config->polkit_timeout_usec, ==, 9000000);
}

static void test_a_signal_is_sent_only_where_it_is_asked_for(Fixture *fixture, gconstpointer data)
{
        write_file(fixture, "");
        g_assert_cmpint(load(fixture, NULL, NULL), ==, 0);
        g_assert_cmpuint(fixture->config->signal, ==, SIGNAL_NONE);
        g_assert_cmpint(load(fixture, "--signal=kill", NULL), ==, 0);
        g_assert_cmpuint(fixture->config->signal, ==, SIGNAL_KILL);
        write_file(fixture, "[Enforcer]\nSignal=term\n");
        g_assert_cmpint(load(fixture, NULL, NULL), ==, 0);
        g_assert_cmpuint(fixture->config->signal, ==, SIGNAL_TERM);
}

static void test_a_faulty_line_is_named_with_its_place(Fixture *fixture, gconstpointer data)
{
        if (g_test_subprocess()) {
                write_file(fixture, "[Enforcer]\n\nLogLevel=loud\n");
                load(fixture, NULL, NULL);
                return;
        }
        assert_says("*aegisd.conf:3: \"loud\" is not one of error, warning, notice, info, debug*");
}

static void test_a_faulty_option_is_named(Fixture *fixture, gconstpointer data)
{
        if (g_test_subprocess()) {
                write_file(fixture, "");
                load(fixture, "--pin-directory=bpf", NULL);
                return;
        }
        assert_says("*--pin-directory: \"bpf\" is not an absolute path*");
}

static void test_faults_end_the_start(Fixture *fixture, gconstpointer data)
{
        assert_refused(fixture, "[Enforcer]\nStateDirectroy=/a\n");
        assert_refused(fixture, "[Enforcer]\nstatedirectory=/a\n");
        assert_refused(fixture, "[Enforcer]\nStateDirectory=a\n");
        assert_refused(fixture, "[Enforcer]\nLogFormat=xml\n");
        assert_refused(fixture, "[Enforcer]\nHookTimes=1\n");
        assert_refused(fixture, "[Enforcer]\nJournalRate=\n");
        assert_refused(fixture, "[Enforcer]\nJournalRate=10001\n");
        assert_refused(fixture, "[Enforcer]\nJournalRate=-1\n");
        assert_refused(fixture, "[Enforcer]\nStateDirectory=\n");
        assert_refused(fixture, "[Enforcer]\nStateDirectory\n");
        assert_refused(fixture, "StateDirectory=/a\n[Enforcer]\n");
        assert_refused(fixture, "[Service]\n");
        assert_refused(fixture, "[Enforcer\n");
        assert_refused(fixture, "[Enforcer]\nPolkitTimeoutSec=0\n");
        assert_refused(fixture, "[Enforcer]\nPolkitTimeoutSec=3601\n");
        assert_refused(fixture, "[Enforcer]\nPolkitTimeoutSec=-1\n");
        assert_refused(fixture, "[Enforcer]\nPolkitTimeoutSec=99999999999999999999\n");
        assert_refused(fixture, "[Enforcer]\nPolkitTimeoutSec=5s\n");
        assert_refused(fixture, "[Enforcer]\nProtectSelf=maybe\n");
}

static void test_a_faulty_drop_in_ends_the_start(Fixture *fixture, gconstpointer data)
{
        write_file(fixture, "");
        write_drop_in(fixture, "10.conf", "[Enforcer]\nNoSuchKey=1\n");
        g_assert_cmpint(load(fixture, NULL, NULL), ==, -EINVAL);
}

static void test_a_file_with_a_nul_or_too_large_is_refused(Fixture *fixture, gconstpointer data)
{
        char *large = g_malloc(100 * 1024);

        g_assert_true(
                g_file_set_contents(fixture->file, "[Enforcer]\n\0LogLevel=error\n", 27, NULL));
        g_assert_cmpint(load(fixture, NULL, NULL), ==, -EINVAL);
        memset(large, '\n', 100 * 1024);
        g_assert_true(g_file_set_contents(fixture->file, large, 100 * 1024, NULL));
        g_assert_cmpint(load(fixture, NULL, NULL), ==, -EFBIG);
        g_free(large);
}

static void test_a_named_file_must_be_there(Fixture *fixture, gconstpointer data)
{
        g_assert_cmpint(load(fixture, NULL, NULL), ==, -ENOENT);
}

static void test_an_unknown_option_or_argument_is_refused(Fixture *fixture, gconstpointer data)
{
        write_file(fixture, "");
        g_assert_cmpint(load(fixture, "--loud", NULL), ==, -EINVAL);
        g_assert_cmpint(load(fixture, "start", NULL), ==, -EINVAL);
}

static void test_help_and_version_end_it_well(Fixture *fixture, gconstpointer data)
{
        if (g_test_subprocess()) {
                g_assert_cmpint(load(fixture, "--help", NULL), ==, CONFIG_DONE);
                g_assert_cmpint(load(fixture, "--version", NULL), ==, CONFIG_DONE);
                return;
        }
        g_test_trap_subprocess(NULL, 0, 0);
        g_test_trap_assert_passed();
        g_test_trap_assert_stdout("*--state-directory=DIR*aegisd " AEGIS_VERSION "\n*");
}

#define ADD(function) g_test_add("/config/" #function, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_an_empty_file_gives_what_is_built_in);
        ADD(test_a_file_sets_every_setting);
        ADD(test_drop_ins_win_in_the_order_of_their_names);
        ADD(test_the_command_line_wins);
        ADD(test_every_setting_has_an_option);
        ADD(test_a_signal_is_sent_only_where_it_is_asked_for);
        ADD(test_a_faulty_line_is_named_with_its_place);
        ADD(test_a_faulty_option_is_named);
        ADD(test_faults_end_the_start);
        ADD(test_a_faulty_drop_in_ends_the_start);
        ADD(test_a_file_with_a_nul_or_too_large_is_refused);
        ADD(test_a_named_file_must_be_there);
        ADD(test_an_unknown_option_or_argument_is_refused);
        ADD(test_help_and_version_end_it_well);
        return g_test_run();
}
