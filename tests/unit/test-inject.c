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

#include "transaction-fixture.h"
#include "util/array.h"
#include "util/log.h"

#define CALLS                                                                                      \
        "openat,openat2,read,write,fsync,fdatasync,ftruncate,renameat,renameat2,unlinkat,linkat,"  \
        "mkdir,mkdirat,newfstatat,fstat,faccessat,faccessat2,fchmod,flock,getdents64"
/* What the child asks for when its deed begins. */
#define BEGINNING "/the-deed-begins"
#define DONE "done\n"
#define DONE_IN_TROUBLE "done, in trouble\n"
#define HOUR (3600u * 1000000ul)

static const char *own_program;

/* ---- the deeds ---- */

static int commit(Fixture *fixture, Plan *plan)
{
        uint64_t number = 0;

        return enforcement_commit(fixture->enforcement, plan, EXPECT_ANY, &number);
}

static int deed_apply(Fixture *fixture)
{
        return apply_text(fixture, "db", DENY_PORT);
}

static int deed_apply_on_trial(Fixture *fixture)
{
        _cleanup_(plan_freep) Plan *plan = NULL;
        int r = enforcement_plan(fixture->enforcement, "db", DENY_PORT, strlen(DENY_PORT), &plan);

        if (r != 0)
                return r;
        plan->confirm_usec = HOUR;
        return commit(fixture, plan);
}

static int deed_remove(Fixture *fixture)
{
        _cleanup_(plan_freep) Plan *plan = NULL;
        int r = enforcement_plan_removal(fixture->enforcement, "web", &plan);

        return r == 0 ? commit(fixture, plan) : r;
}

static int deed_go_back(Fixture *fixture)
{
        _cleanup_(plan_freep) Plan *plan = NULL;
        int r = enforcement_plan_rollback(fixture->enforcement, 1, &plan);

        return r == 0 ? commit(fixture, plan) : r;
}

static int deed_set_mode(Fixture *fixture)
{
        uint64_t number = 0;
        int changed = 0;

        return enforcement_set_mode(fixture->enforcement, MODE_AUDIT, &changed, &number);
}

/* ---- what there is before ---- */

static void before_first(Fixture *fixture)
{
}

static void before_one(Fixture *fixture)
{
        apply(fixture, "web", DENY_A);
}

static void before_two(Fixture *fixture)
{
        apply(fixture, "web", DENY_A);
        apply(fixture, "web", DENY_AB);
}

/* As many generations as are kept: with the next one the first goes. */
static void before_rotation(Fixture *fixture)
{
        for (unsigned i = 0; i < 16; i++)
                apply(fixture, "web", i % 2 == 0 ? DENY_AB : DENY_A);
}

static void before_damage(Fixture *fixture)
{
        before_two(fixture);
        flip_byte(fixture, "state", 40);
}

static void before_loss(Fixture *fixture)
{
        before_two(fixture);
        flip_byte(fixture, "state", 40);
        flip_byte(fixture, "state.previous", 40);
}

static void before_all_is_lost(Fixture *fixture)
{
        before_loss(fixture);
        damage_generations(fixture);
}

typedef enum Power {
        POWER_STAYS, /* the kernel has what it had */
        POWER_WAS_CUT,
} Power;

/* Slow ones are played with `-m slow` alone. */
typedef enum Pace {
        PACE_QUICK,
        PACE_SLOW,
} Pace;

static const struct scene {
        const char *name;
        void (*before)(Fixture *fixture);
        Power power;
        int (*deed)(Fixture *fixture); /* NULL: it is the start that is tried */
        Pace pace;
} scenes[] = {
        {"apply", before_one, POWER_STAYS, deed_apply, PACE_QUICK},
        {"trial", before_one, POWER_STAYS, deed_apply_on_trial, PACE_QUICK},
        {"rotation", before_rotation, POWER_STAYS, deed_apply, PACE_QUICK},
        {"boot", before_two, POWER_WAS_CUT, NULL, PACE_QUICK},
        {"first", before_first, POWER_STAYS, deed_apply, PACE_SLOW},
        {"remove", before_one, POWER_STAYS, deed_remove, PACE_SLOW},
        {"back", before_two, POWER_STAYS, deed_go_back, PACE_SLOW},
        {"mode", before_one, POWER_STAYS, deed_set_mode, PACE_SLOW},
        {"restart", before_two, POWER_STAYS, NULL, PACE_SLOW},
        {"damaged", before_damage, POWER_WAS_CUT, NULL, PACE_SLOW},
        {"lost", before_loss, POWER_WAS_CUT, NULL, PACE_SLOW},
        {"all-lost", before_all_is_lost, POWER_WAS_CUT, NULL, PACE_SLOW},
};

static const struct scene *find_scene(const char *name)
{
        for (size_t i = 0; i < ELEMENTS_OF(scenes); i++)
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
        const struct scene *scene = find_scene(name);
        Fixture fixture = {};
        int r;

        set_places(&fixture, root);
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
        clear_places(&fixture);
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

static void copy(const char *from, const char *to)
{
        const char *const argv[] = {"cp", "-a", from, to, NULL};
        int status = 0;

        g_free(run(argv, &status));
        g_assert_cmpint(status, ==, 0);
}

static void remove_tree(const char *path)
{
        const char *const argv[] = {"rm", "-rf", path, NULL};
        int status = 0;

        g_free(run(argv, &status));
}

static void cut_power(Fixture *fixture)
{
        const TwinState nothing = {};

        g_assert_cmpint(twin_state_write(fixture->pins, &nothing), ==, 0);
}

/* What is in force, in short: the digest of the documents, and the mode. */
typedef struct InForce {
        uint8_t digest[DIGEST_SIZE];
        Mode mode;
} InForce;

static InForce what_is_in_force(const Fixture *fixture)
{
        InForce now = {.mode = enforcement_mode(fixture->enforcement)};

        memcpy(now.digest, enforcement_digest(fixture->enforcement), DIGEST_SIZE);
        return now;
}

static int is_same(const InForce *a, const InForce *b)
{
        return a->mode == b->mode && memcmp(a->digest, b->digest, DIGEST_SIZE) == 0;
}

/* One scene, and the folders it is played in. */
typedef struct Stage {
        const struct scene *scene;
        char *work, *root, *played, *other, *log;
        InForce before, after;
        unsigned n_points;
} Stage;

static void assert_has_generation(Fixture *fixture, uint64_t number)
{
        for (size_t i = 0; i < enforcement_n_kept(fixture->enforcement); i++)
                if (enforcement_kept(fixture->enforcement, i).generation == number)
                        return;
        g_assert_cmpuint(number, ==, 0);
}

/* Starts what lies at root and looks. */
static InForce look(const char *root, Power power)
{
        Fixture fixture = {};
        TrialStatus trial;
        InForce now;

        set_places(&fixture, root);
        if (power == POWER_WAS_CUT)
                cut_power(&fixture);
        start(&fixture);
        now = what_is_in_force(&fixture);
        if (generation(&fixture) > 0)
                assert_agreement(&fixture);
        enforcement_trial(fixture.enforcement, &trial);
        assert_has_generation(&fixture, trial.from);
        stop(&fixture);
        clear_places(&fixture);
        return now;
}

static void assert_old_or_new(const Stage *stage, const char *point, Power power, int must_be_new)
{
        InForce now = look(power == POWER_STAYS ? stage->played : stage->other, power);

        if (is_same(&now, &stage->after) || (!must_be_new && is_same(&now, &stage->before)))
                return;
        g_test_message("%s: after %s it is %s", point,
                       power == POWER_STAYS ? "a restart" : "a power cut",
                       is_same(&now, &stage->before) ? "the old one" : "neither");
        g_test_fail();
}

static void set_stage(Stage *stage, const char *name)
{
        Fixture fixture = {};

        *stage = (Stage){.scene = find_scene(name)};
        stage->work = g_dir_make_tmp("aegis-inject-XXXXXX", NULL);
        stage->root = g_build_filename(stage->work, "root", NULL);
        stage->played = g_build_filename(stage->work, "played", NULL);
        stage->other = g_build_filename(stage->work, "other", NULL);
        stage->log = g_build_filename(stage->work, "log", NULL);
        g_assert_cmpint(g_mkdir(stage->root, 0700), ==, 0);
        set_places(&fixture, stage->root);
        g_assert_true(g_file_set_contents(fixture.baseline, DENY_BC, -1, NULL));
        start(&fixture);
        stage->scene->before(&fixture);
        stage->before = what_is_in_force(&fixture);
        stop(&fixture);
        if (stage->scene->power == POWER_WAS_CUT)
                cut_power(&fixture);
        clear_places(&fixture);
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
        copy(stage->root, stage->played);
        return run(argv, &status);
}

/* What one call came to. */
static void judge(Stage *stage, const char *point, const char *said)
{
        stage->n_points++;
        remove_tree(stage->other);
        copy(stage->played, stage->other);
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
        g_assert_cmpuint(stage.n_points, >, 20);
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

static void add_scene(const struct scene *scene)
{
        g_autofree char *path =
                g_strdup_printf("/inject/test_old_or_new_whichever_call_fails/%s", scene->name);

        g_test_add_data_func(path, scene->name, test_old_or_new_whichever_call_fails);
}

int main(int argc, char **argv)
{
        if (argc == 4 && strcmp(argv[1], "--service") == 0)
                return be_the_service(argv[2], argv[3]);
        own_program = argv[0];
        g_test_init(&argc, &argv, NULL);
        if (!has_strace())
                g_test_add_func("/inject/test_there_is_strace", test_there_is_strace);
        for (size_t i = 0; has_strace() && i < ELEMENTS_OF(scenes); i++)
                if (scenes[i].pace == PACE_QUICK || g_test_slow())
                        add_scene(&scenes[i]);
        return g_test_run();
}
