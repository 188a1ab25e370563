/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Deeds: see deeds.h. */
#include "deeds.h"

#include <glib.h>
#include <string.h>

#include "util/array.h"

#define HOUR (3600u * 1000000ul)

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

const Scene scenes[] = {
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
const size_t n_scenes = ELEMENTS_OF(scenes);

/* ---- folders ---- */

static void run(const char *const *argv)
{
        int status = 1;

        g_assert_true(g_spawn_sync(NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                                   NULL, NULL, &status, NULL));
        g_assert_cmpint(status, ==, 0);
}

void copy_tree(const char *from, const char *to)
{
        run((const char *const[]){"cp", "-a", from, to, NULL});
}

void remove_tree(const char *path)
{
        run((const char *const[]){"rm", "-rf", path, NULL});
}

void cut_power(Fixture *fixture)
{
        const TwinState nothing = {};

        g_assert_cmpint(twin_state_write(fixture->pins, &nothing), ==, 0);
}

/* ---- what is in force ---- */

InForce what_is_in_force(const Fixture *fixture)
{
        InForce now = {.mode = enforcement_mode(fixture->enforcement)};

        memcpy(now.digest, enforcement_digest(fixture->enforcement), DIGEST_SIZE);
        return now;
}

int is_same(const InForce *a, const InForce *b)
{
        return a->mode == b->mode && memcmp(a->digest, b->digest, DIGEST_SIZE) == 0;
}

static void assert_has_generation(Fixture *fixture, uint64_t number)
{
        for (size_t i = 0; i < enforcement_n_kept(fixture->enforcement); i++)
                if (enforcement_kept(fixture->enforcement, i).generation == number)
                        return;
        g_assert_cmpuint(number, ==, 0);
}

InForce look(const char *root, Power power)
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

InForce prepare(const Scene *scene, const char *root)
{
        Fixture fixture = {};
        InForce before;

        set_places(&fixture, root);
        g_assert_true(g_file_set_contents(fixture.baseline, DENY_BC, -1, NULL));
        start(&fixture);
        scene->before(&fixture);
        before = what_is_in_force(&fixture);
        stop(&fixture);
        if (scene->power == POWER_WAS_CUT)
                cut_power(&fixture);
        clear_places(&fixture);
        return before;
}
