/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Deeds: see deeds.h. */
#include "deeds.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "signer.h"
#include "transaction/internal.h"
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

static int deed_declare_emergency(Fixture *fixture)
{
        return enforcement_emergency_start(fixture->enforcement, "no one can log in", HOUR, 0);
}

static int deed_end_emergency(Fixture *fixture)
{
        enforcement_emergency_stop(fixture->enforcement);
        return enforcement_trouble(fixture->enforcement)[0] ? -EIO : 0;
}

static int apply_signed(Fixture *fixture, unsigned seq, const char *text)
{
        g_autofree char *whole = g_strdup_printf("bundle=1\nname=web\nseq=%u\n"
                                                 "issued=2026-01-01T00:00:00Z\n"
                                                 "expires=2099-01-01T00:00:00Z\n%s",
                                                 seq, text);
        g_autoptr(Signed) what = signed_new(whole, "1");
        const SignatureText bytes = {what->text, what->n};
        _cleanup_(plan_freep) Plan *plan = NULL;
        int r = enforcement_plan_signed(fixture->enforcement, "web", &bytes, &what->all, &plan);

        return r == 0 ? commit(fixture, plan) : r;
}

static int deed_apply_signed(Fixture *fixture)
{
        return apply_signed(fixture, 8, DENY_AB);
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

static void before_emergency_ends(Fixture *fixture)
{
        before_one(fixture);
        g_assert_cmpint(deed_declare_emergency(fixture), ==, 0);
}

static void put(const char *folder, const char *name, const char *text)
{
        g_autofree char *path = g_build_filename(folder, name, NULL);

        g_mkdir(folder, 0755);
        g_assert_true(g_file_set_contents(path, text, -1, NULL));
        g_assert_cmpint(g_chmod(path, 0644), ==, 0);
}

/* Files that nobody has loaded yet. */
static void before_files(Fixture *fixture)
{
        before_one(fixture);
        put(fixture->folder, "db.policy", DENY_PORT);
}

static char *trust_folder(const char *root)
{
        return g_build_filename(root, "trust", NULL);
}

/* One that is signed is in force; whose signatures count has been said. */
static void before_signed(Fixture *fixture)
{
        static const char *const lines[] = {"key=0 root", "key=1 policy", NULL};
        g_autofree char *text = root_text(1, "110", lines), *folder = trust_folder(fixture->root);
        g_autofree char *signature = signer_sign(0, text, strlen(text));

        put(folder, "root.1", text);
        put(folder, "root.1.minisig", signature);
        stop(fixture);
        fixture->trust.directory = folder;
        start(fixture);
        g_assert_cmpint(apply_signed(fixture, 7, DENY_A), ==, 0);
        fixture->trust.directory = NULL;
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
        {"signed", before_signed, POWER_STAYS, deed_apply_signed, PACE_QUICK},
        {"emergency", before_one, POWER_STAYS, deed_declare_emergency, PACE_QUICK},
        {"emergency-ends", before_emergency_ends, POWER_STAYS, deed_end_emergency, PACE_QUICK},
        {"files", before_files, POWER_STAYS, NULL, PACE_QUICK},
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

/* What a real power cut leaves is not asked: a folder in memory will do. */
char *make_stage(void)
{
        const char *memory = "/dev/shm";
        g_autofree char *name = NULL;

        name = g_build_filename(g_file_test(memory, G_FILE_TEST_IS_DIR) ? memory : g_get_tmp_dir(),
                                "aegis-deeds-XXXXXX", NULL);
        g_assert_nonnull(g_mkdtemp(name));
        return g_steal_pointer(&name);
}

void set_scene(Fixture *fixture, const char *root)
{
        g_autofree char *folder = trust_folder(root);

        set_places(fixture, root);
        if (g_file_test(folder, G_FILE_TEST_IS_DIR))
                fixture->trust = (TrustConfig){.directory = g_steal_pointer(&folder),
                                               .requires_signature = 1};
}

void clear_scene(Fixture *fixture)
{
        g_free((char *) fixture->trust.directory);
        clear_places(fixture);
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
        EmergencyStatus emergency;

        now.is_emergency = enforcement_emergency(fixture->enforcement, &emergency);
        memcpy(now.digest, enforcement_digest(fixture->enforcement), DIGEST_SIZE);
        return now;
}

int is_old_or_new(const InForce *now, const InForce *before, const InForce *after, int must_be_new)
{
        if (is_same(now, after))
                return now->is_signed;
        return !must_be_new && is_same(now, before);
}

int is_same(const InForce *a, const InForce *b)
{
        return a->mode == b->mode && a->is_emergency == b->is_emergency &&
               memcmp(a->digest, b->digest, DIGEST_SIZE) == 0;
}

static void assert_has_generation(Fixture *fixture, uint64_t number)
{
        for (size_t i = 0; i < enforcement_n_kept(fixture->enforcement); i++)
                if (enforcement_kept(fixture->enforcement, i).generation == number)
                        return;
        g_assert_cmpuint(number, ==, 0);
}

/* Where signatures are required, what is in force without is told. */
static int is_signed(Fixture *fixture)
{
        const Loaded *web = enforcement_find(fixture->enforcement, "web");

        g_assert_nonnull(web);
        if (trust_is_signed(fixture->enforcement->trust, web) == 1)
                return 1;
        assert_trouble(fixture, "The policy web is in force and not signed");
        return 0;
}

InForce look(const char *root, Power power)
{
        Fixture fixture = {};
        TrialStatus trial;
        InForce now;

        set_scene(&fixture, root);
        g_free(g_steal_pointer(&fixture.folder)); /* it would be loaded by now */
        if (power == POWER_WAS_CUT)
                cut_power(&fixture);
        start(&fixture);
        now = what_is_in_force(&fixture);
        if (generation(&fixture) > 0)
                assert_agreement(&fixture);
        g_assert_cmpint(kernel(&fixture).emergency_until_ns > 0, ==, now.is_emergency);
        now.is_signed = !fixture.trust.directory || is_signed(&fixture);
        enforcement_trial(fixture.enforcement, &trial);
        assert_has_generation(&fixture, trial.from);
        stop(&fixture);
        clear_scene(&fixture);
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
