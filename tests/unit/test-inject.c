/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The store, over the twin of the backend, when one system call fails or the power goes there: each
 * call about files of each deed, one after the other, by strace. A child is the service. What is in
 * force afterwards is what was before the deed or what the deed was for, whole, after a restart and
 * after a power cut; and what the child said was done is done. */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "deeds.h"
#include "util/array.h"
#include "util/log.h"

#define CALLS                                                                                      \
        "openat,openat2,read,write,fsync,fdatasync,ftruncate,renameat,renameat2,unlinkat,linkat,"  \
        "mkdir,mkdirat,newfstatat,fstat,faccessat,faccessat2,fchmod,flock,getdents64"
/* What the child asks for when its deed begins. */
#define BEGINNING "/the-deed-begins"
#define DONE "done\n"
#define DONE_IN_TROUBLE "done, in trouble\n"

static const char *own_program;

static const Scene *find_scene(const char *name)
{
        for (size_t i = 0; i < n_scenes; i++)
                if (strcmp(scenes[i].name, name) == 0)
                        return &scenes[i];
        g_assert_not_reached();
}

/* ---- the child ---- */

static void say(const char *text)
{
        g_assert_cmpint(write(STDOUT_FILENO, text, strlen(text)), ==, (ssize_t) strlen(text));
}

static int be_the_service(const char *name, const char *root)
{
        const Scene *scene = find_scene(name);
        Fixture fixture = {};
        int r;

        set_scene(&fixture, root);
        if (!scene->deed)
                g_assert_cmpint(access(BEGINNING, F_OK), ==, -1);
        if (try_start(&fixture) != 0)
                return 1;
        if (scene->deed) {
                g_assert_cmpint(access(BEGINNING, F_OK), ==, -1);
                r = scene->deed(&fixture);
                if (r == 0)
                        say(enforcement_trouble(fixture.enforcement)[0] ? DONE_IN_TROUBLE : DONE);
        }
        stop(&fixture);
        clear_scene(&fixture);
        return 0;
}

/* ---- the parent ---- */

static char *run(const char *const *argv, int *ret_status)
{
        char *output = NULL;

        g_assert_true(g_spawn_sync(NULL, (char **) argv, NULL,
                                   G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL,
                                   &output, NULL, ret_status, NULL));
        return output;
}

/* One scene, and the folders it is played in. */
typedef struct Stage {
        const Scene *scene;
        char *work, *root, *played, *other, *log;
        InForce before, after;
        unsigned n_points;
} Stage;

static void assert_old_or_new(const Stage *stage, const char *point, Power power, int must_be_new)
{
        InForce now = look(power == POWER_STAYS ? stage->played : stage->other, power);

        if (is_old_or_new(&now, &stage->before, &stage->after, must_be_new))
                return;
        g_test_message("%s: after %s it is %s", point,
                       power == POWER_STAYS ? "a restart" : "a power cut",
                       is_same(&now, &stage->before) ? "the old one" : "neither");
        g_test_fail();
}

static void set_stage(Stage *stage, const char *name)
{
        *stage = (Stage){.scene = find_scene(name)};
        stage->work = make_stage();
        stage->root = g_build_filename(stage->work, "root", NULL);
        stage->played = g_build_filename(stage->work, "played", NULL);
        stage->other = g_build_filename(stage->work, "other", NULL);
        stage->log = g_build_filename(stage->work, "log", NULL);
        g_assert_cmpint(g_mkdir(stage->root, 0700), ==, 0);
        stage->before = prepare(stage->scene, stage->root);
}

static void clear_stage(Stage *stage)
{
        remove_tree(stage->work);
        g_free(stage->work);
        g_free(stage->root);
        g_free(stage->played);
        g_free(stage->other);
        g_free(stage->log);
}

/* Plays the scene on a copy. inject: NULL for nothing. Returns what the child said. */
static char *play(Stage *stage, const char *inject)
{
        const char *const argv[] = {"strace",
                                    "-y",
                                    "-o",
                                    stage->log,
                                    "-e",
                                    "trace=access," CALLS,
                                    "-e",
                                    inject ? inject : "inject=vserver:error=ENOSYS",
                                    own_program,
                                    "--service",
                                    stage->scene->name,
                                    stage->played,
                                    NULL};
        int status = 0;

        remove_tree(stage->played);
        copy_tree(stage->root, stage->played);
        return run(argv, &status);
}

/* What one call came to. */
static void judge(Stage *stage, const char *point, const char *said)
{
        stage->n_points++;
        remove_tree(stage->other);
        copy_tree(stage->played, stage->other);
        assert_old_or_new(stage, point, POWER_STAYS, g_str_has_prefix(said, "done"));
        assert_old_or_new(stage, point, POWER_WAS_CUT, strcmp(said, DONE) == 0);
}

static void try_point(Stage *stage, const char *call, unsigned n)
{
        static const char *const faults[] = {"error=EIO", "error=ENOSPC", "signal=KILL"};

        for (size_t i = 0; i < ELEMENTS_OF(faults); i++) {
                /* What only reads is not short of room. */
                if (strstr(faults[i], "ENOSPC") &&
                    strstr(" read fstat newfstatat getdents64 flock ", call))
                        continue;
                g_autofree char *inject =
                        g_strdup_printf("inject=%s:%s:when=%u", call, faults[i], n);
                g_autofree char *said = play(stage, inject);

                judge(stage, inject, said);
        }
}

/* The calls about files since the deed began, but for those of the twin and of the child's words.
 */
static void try_each(Stage *stage, const char *trace)
{
        g_auto(GStrv) lines = g_strsplit(trace, "\n", -1);
        g_autoptr(GHashTable) counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        int has_begun = 0;

        for (char **line = lines; *line; line++) {
                char *bracket = strchr(*line, '(');
                g_autofree char *call = NULL;
                unsigned n;

                has_begun |= strstr(*line, BEGINNING) != NULL;
                if (!bracket)
                        continue;
                call = g_strndup(*line, (gsize) (bracket - *line));
                n = GPOINTER_TO_UINT(g_hash_table_lookup(counts, call)) + 1;
                g_hash_table_insert(counts, g_strdup(call), GUINT_TO_POINTER(n));
                if (has_begun && strcmp(call, "access") != 0 && !strstr(*line, "/pins") &&
                    !strstr(*line, "(1<") && !strstr(*line, "(2<"))
                        try_point(stage, call, n);
        }
}

static void test_old_or_new_whichever_call_fails(gconstpointer name)
{
        g_autofree char *trace = NULL, *said = NULL;
        Stage stage;

        log_set_max_level(LOG_EMERG);
        set_stage(&stage, name);
        said = play(&stage, NULL);
        g_assert_true(g_file_get_contents(stage.log, &trace, NULL, NULL));
        g_assert_nonnull(strstr(trace, BEGINNING));
        if (stage.scene->deed)
                g_assert_cmpstr(said, ==, DONE);
        stage.after = look(stage.played, POWER_STAYS);
        try_each(&stage, trace);
        g_test_message("%u points", stage.n_points);
        g_assert_cmpuint(stage.n_points, >, 3); /* the end of an emergency is short */
        clear_stage(&stage);
        log_set_max_level(LOG_INFO);
}

static int has_strace(void)
{
        const char *const argv[] = {"strace", "-e", "inject=getpid:error=ENOSYS", "true", NULL};
        int status = 1;

        return g_spawn_sync(NULL, (char **) argv, NULL,
                            G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL |
                                    G_SPAWN_STDOUT_TO_DEV_NULL,
                            NULL, NULL, NULL, NULL, &status, NULL) &&
               status == 0;
}

static void test_there_is_strace(void)
{
        g_test_skip("strace is not there, or may not be used");
}

static void add_scene(const Scene *scene)
{
        g_autofree char *path =
                g_strdup_printf("/inject/test_old_or_new_whichever_call_fails/%s", scene->name);

        g_test_add_data_func(path, scene->name, test_old_or_new_whichever_call_fails);
}

int main(int argc, char **argv)
{
        if (argc == 4 && strcmp(argv[1], "--service") == 0)
                _exit(be_the_service(argv[2],
                                     argv[3])); /* a build for coverage writes files at exit() */
        own_program = argv[0];
        g_test_init(&argc, &argv, NULL);
        if (!has_strace())
                g_test_add_func("/inject/test_there_is_strace", test_there_is_strace);
        for (size_t i = 0; has_strace() && i < n_scenes; i++)
                if (scenes[i].pace == PACE_QUICK || g_test_slow())
                        add_scene(&scenes[i]);
        return g_test_run();
}
