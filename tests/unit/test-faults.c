/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* As test-inject, but within one process: each call to the C library that the store makes fails
 * once, as a disk, a full one, an interruption or want of memory would have it, in each deed and
 * each start. What the twin of the backend does for itself is left alone. */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>

#include "deeds.h"
#include "fault.h"
#include "util/log.h"

/* ---- one after the other ---- */

typedef struct Stage {
        const Scene *scene;
        char *work, *root, *played, *other;
        InForce before, after;
} Stage;

/* Allocations are many: with `-m slow` they fail, too. */
static unsigned kinds(void)
{
        return g_test_slow() ? FAULT_FILE | FAULT_MEMORY : FAULT_FILE;
}

/* Returns 0, 1 if it was done in trouble, or what went wrong: the start or the deed, only one of
 * which meets the fault. ret_n: how many calls there were. */
static int play(const Stage *stage, unsigned failing, int error, unsigned *ret_n)
{
        Fixture fixture = {};
        int r;

        remove_tree(stage->played);
        copy_tree(stage->root, stage->played);
        set_scene(&fixture, stage->played);
        start_backend(&fixture);
        fail_nth(failing, kinds(), error);
        r = try_start_enforcement(&fixture);
        if (r == 0 && stage->scene->deed)
                r = stage->scene->deed(&fixture);
        if (r == 0)
                enforcement_check(fixture.enforcement);
        *ret_n = fail_no_more();
        if (r == 0 && enforcement_trouble(fixture.enforcement)[0])
                r = 1;
        stop(&fixture);
        clear_scene(&fixture);
        return r;
}

static void judge(const Stage *stage, const char *point, Power power, int must_be_new)
{
        InForce now = look(power == POWER_STAYS ? stage->played : stage->other, power);

        if (is_old_or_new(&now, &stage->before, &stage->after, must_be_new))
                return;
        g_test_message("%s: %s after %s", point,
                       is_same(&now, &stage->before) ? "the old one" : "neither",
                       power == POWER_STAYS ? "a restart" : "a power cut");
        g_test_fail();
}

static void try_call(const Stage *stage, unsigned call, int error)
{
        unsigned n;
        int r = play(stage, call, error, &n);
        g_autofree char *point = g_strdup_printf("%s, call %u, %s, %s", stage->scene->name, call,
                                                 fail_met(), g_strerror(error));

        remove_tree(stage->other);
        copy_tree(stage->played, stage->other);
        judge(stage, point, POWER_STAYS, r == 0);
        judge(stage, point, POWER_WAS_CUT, r == 0);
}

static void test_old_or_new_whatever_fails(gconstpointer data)
{
        Stage stage = {.scene = data};
        unsigned n = 0;

        log_set_max_level(LOG_EMERG);
        stage.work = make_stage();
        stage.root = g_build_filename(stage.work, "root", NULL);
        stage.played = g_build_filename(stage.work, "played", NULL);
        stage.other = g_build_filename(stage.work, "other", NULL);
        g_assert_cmpint(g_mkdir(stage.root, 0700), ==, 0);
        stage.before = prepare(stage.scene, stage.root);
        play(&stage, 0, EIO, &n);
        stage.after = look(stage.played, POWER_STAYS);
        for (unsigned call = 1; call <= n; call++)
                for (size_t i = 0; i < 2; i++)
                        try_call(&stage, call, i == 0 ? EIO : EINTR);
        g_test_message("%u points", n);
        g_assert_cmpuint(n, >, 20);
        remove_tree(stage.work);
        g_free(stage.work);
        g_free(stage.root);
        g_free(stage.played);
        g_free(stage.other);
        log_set_max_level(LOG_INFO);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        for (size_t i = 0; i < n_scenes; i++) {
                g_autofree char *path = g_strdup_printf("/faults/test_old_or_new_whatever_fails/%s",
                                                        scenes[i].name);

                g_test_add_data_func(path, &scenes[i], test_old_or_new_whatever_fails);
        }
        return g_test_run();
}
