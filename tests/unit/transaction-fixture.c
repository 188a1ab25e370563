/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of transactions stand on: see transaction-fixture.h. */
#include "transaction-fixture.h"

#include <glib/gstdio.h>
#include <string.h>

static void on_change(void *userdata, EnforcementChange change)
{
        Fixture *fixture = userdata;

        fixture->n_told++;
        fixture->told = change;
}

void start_backend(Fixture *fixture)
{
        BackendConfig backend = {.pin_directory = fixture->pins};

        g_assert_cmpint(backend_new(&fixture->backend, &backend), ==, 0);
}

int try_start_enforcement(Fixture *fixture)
{
        EnforcementConfig config = {.state_directory = fixture->state,
                                    .trust = fixture->trust,
                                    .marker_directory = fixture->marker,
                                    .baseline_file = fixture->baseline,
                                    .policy_directory = fixture->folder,
                                    .backend = fixture->backend,
                                    .on_change = on_change,
                                    .userdata = fixture};

        return enforcement_new(&fixture->enforcement, &config);
}

int try_start(Fixture *fixture)
{
        start_backend(fixture);
        return try_start_enforcement(fixture);
}

void start(Fixture *fixture)
{
        g_assert_cmpint(try_start(fixture), ==, 0);
}

void stop(Fixture *fixture)
{
        fixture->enforcement = enforcement_free(fixture->enforcement);
        fixture->backend = backend_free(fixture->backend);
}

void restart(Fixture *fixture)
{
        stop(fixture);
        start(fixture);
}

void reboot(Fixture *fixture)
{
        const TwinState nothing = {};

        stop(fixture);
        g_assert_cmpint(twin_state_write(fixture->pins, &nothing), ==, 0);
        start(fixture);
}

void set_places(Fixture *fixture, const char *root)
{
        fixture->root = g_strdup(root);
        fixture->state = g_build_filename(root, "state", NULL);
        fixture->pins = g_build_filename(root, "pins", NULL);
        fixture->marker = g_build_filename(root, "marker", NULL);
        fixture->baseline = g_build_filename(root, "baseline.policy", NULL);
        fixture->folder = g_build_filename(root, "policy.d", NULL);
}

void clear_places(Fixture *fixture)
{
        g_free(fixture->state);
        g_free(fixture->pins);
        g_free(fixture->marker);
        g_free(fixture->baseline);
        g_free(fixture->folder);
        g_free(fixture->root);
}

void set_up(Fixture *fixture, gconstpointer data)
{
        _cleanup_(freep) char *root = g_dir_make_tmp("aegis-XXXXXX", NULL);

        g_assert_nonnull(root);
        set_places(fixture, root);
        start(fixture);
}

void empty_folder(const char *path)
{
        GDir *dir = g_dir_open(path, 0, NULL);

        for (const char *name; dir && (name = g_dir_read_name(dir));) {
                char *file = g_build_filename(path, name, NULL);

                g_unlink(file);
                g_free(file);
        }
        if (dir)
                g_dir_close(dir);
        g_rmdir(path);
}

void tear_down(Fixture *fixture, gconstpointer data)
{
        _cleanup_(freep) char *generations = state_file(fixture, "generations");
        _cleanup_(freep) char *bundles = state_file(fixture, "bundles");

        stop(fixture);
        empty_folder(generations);
        empty_folder(bundles);
        empty_folder(fixture->state);
        empty_folder(fixture->pins);
        empty_folder(fixture->marker);
        empty_folder(fixture->folder);
        empty_folder(fixture->root);
        clear_places(fixture);
}

int apply_text(Fixture *fixture, const char *name, const char *text)
{
        _cleanup_(plan_freep) Plan *plan = NULL;
        uint64_t generation = 0;
        int r;

        r = enforcement_plan(fixture->enforcement, name, text, strlen(text), &plan);
        if (r != 0)
                return r;
        return enforcement_commit(fixture->enforcement, plan, EXPECT_ANY, &generation);
}

void apply(Fixture *fixture, const char *name, const char *text)
{
        g_assert_cmpint(apply_text(fixture, name, text), ==, 0);
}

void removes(Fixture *fixture, const char *name)
{
        _cleanup_(plan_freep) Plan *plan = NULL;
        uint64_t generation = 0;

        g_assert_cmpint(enforcement_plan_removal(fixture->enforcement, name, &plan), ==, 0);
        g_assert_cmpint(enforcement_commit(fixture->enforcement, plan, EXPECT_ANY, &generation), ==,
                        0);
}

SingleRule *rule_of(const char *section, const char *entry, uint64_t ttl_usec)
{
        _cleanup_(diagnostics_deinit) Diagnostics diagnostics = {};
        SingleRule *rule = NULL;

        g_assert_cmpint(single_rule_new(&rule, section, entry, ttl_usec, &diagnostics), ==, 0);
        return rule;
}

int change(Fixture *fixture, ChangeKind kind, const SingleRule *rule, Plan **ret_plan)
{
        _cleanup_(plan_freep) Plan *plan = NULL;
        uint64_t generation = 0;
        int r = enforcement_plan_rule(fixture->enforcement, rule, kind, &plan);

        if (r == 0)
                r = enforcement_commit(fixture->enforcement, plan, EXPECT_ANY, &generation);
        if (ret_plan)
                *ret_plan = TAKE_PTR(plan);
        return r;
}

/* As a request has it. */
static SingleRule *rule_for(Fixture *fixture, ChangeKind kind, const char *section,
                            const char *entry, uint64_t ttl_usec)
{
        _cleanup_(diagnostics_deinit) Diagnostics diagnostics = {};
        SingleRule *rule = NULL;

        g_assert_cmpint(enforcement_read_rule(fixture->enforcement, kind, section, entry, ttl_usec,
                                              &diagnostics, &rule),
                        ==, 0);
        return rule;
}

int try_add(Fixture *fixture, const char *section, const char *entry, uint64_t ttl_usec)
{
        _cleanup_(single_rule_freep) SingleRule *rule =
                rule_for(fixture, CHANGE_ADDED, section, entry, ttl_usec);

        return change(fixture, CHANGE_ADDED, rule, NULL);
}

int try_remove(Fixture *fixture, const char *section, const char *entry)
{
        _cleanup_(single_rule_freep) SingleRule *rule =
                rule_for(fixture, CHANGE_REMOVED, section, entry, 0);

        return change(fixture, CHANGE_REMOVED, rule, NULL);
}

void add(Fixture *fixture, const char *section, const char *entry)
{
        g_assert_cmpint(try_add(fixture, section, entry, 0), ==, 0);
}

void take(Fixture *fixture, const char *section, const char *entry)
{
        g_assert_cmpint(try_remove(fixture, section, entry), ==, 0);
}

uint64_t generation(Fixture *fixture)
{
        return enforcement_generation(fixture->enforcement);
}

TwinState kernel(Fixture *fixture)
{
        TwinState state;

        g_assert_cmpint(twin_state_read(fixture->pins, &state), ==, 0);
        return state;
}

void control(Fixture *fixture, const TwinControl *wanted)
{
        g_assert_cmpint(twin_control_write(fixture->pins, wanted), ==, 0);
}

TwinControl all_well(void)
{
        return (TwinControl){.tier = TIER_LSM, .deny_hooks = UINT64_MAX};
}

void assert_agreement(Fixture *fixture)
{
        TwinState state = kernel(fixture);

        g_assert_cmpuint(state.generation, ==, enforcement_generation(fixture->enforcement));
        g_assert_cmpuint(state.mode, ==, enforcement_mode(fixture->enforcement));
        g_assert_cmpmem(state.digest, DIGEST_SIZE, enforcement_digest(fixture->enforcement),
                        DIGEST_SIZE);
}

void assert_trouble(Fixture *fixture, const char *part)
{
        const char *const *trouble = enforcement_trouble(fixture->enforcement);

        for (; *trouble; trouble++)
                if (strstr(*trouble, part))
                        return;
        g_test_message("no trouble with \"%s\"", part);
        g_test_fail();
}

void assert_no_trouble(Fixture *fixture)
{
        g_assert_null(enforcement_trouble(fixture->enforcement)[0]);
}

void assert_text(Fixture *fixture, const char *name, const char *text)
{
        const Loaded *loaded = enforcement_find(fixture->enforcement, name);

        g_assert_nonnull(loaded);
        g_assert_cmpstr(loaded->document.text, ==, text);
}

char *state_file(Fixture *fixture, const char *name)
{
        return g_build_filename(fixture->state, name, NULL);
}

int has_file(Fixture *fixture, const char *name)
{
        _cleanup_(freep) char *file = state_file(fixture, name);

        return g_file_test(file, G_FILE_TEST_EXISTS);
}

void flip_byte(Fixture *fixture, const char *name, size_t offset)
{
        _cleanup_(freep) char *file = state_file(fixture, name), *data = NULL;
        size_t n = 0;

        g_assert_true(g_file_get_contents(file, &data, &n, NULL));
        g_assert_cmpuint(offset, <, n);
        data[offset] ^= 1;
        g_assert_true(g_file_set_contents(file, data, (gssize) n, NULL));
}

void damage_generations(Fixture *fixture)
{
        _cleanup_(freep) char *folder = state_file(fixture, "generations");
        GDir *dir = g_dir_open(folder, 0, NULL);

        for (const char *name; dir && (name = g_dir_read_name(dir));) {
                _cleanup_(freep) char *file = g_build_filename("generations", name, NULL);

                flip_byte(fixture, file, 40);
        }
        if (dir)
                g_dir_close(dir);
}

void assert_untouched(Fixture *fixture, const TwinState *before)
{
        TwinState now = kernel(fixture);

        g_assert_cmpuint(now.generation, ==, before->generation);
        g_assert_cmpuint(now.n_commits, ==, before->n_commits);
        g_assert_cmpuint(now.n_mode_changes, ==, before->n_mode_changes);
        g_assert_false(has_file(fixture, "state.next"));
        assert_agreement(fixture);
        restart(fixture);
        assert_text(fixture, "web", DENY_A);
        g_assert_cmpuint(enforcement_n_documents(fixture->enforcement), ==, 1);
        g_assert_cmpuint(enforcement_mode(fixture->enforcement), ==, MODE_ENFORCE);
        assert_no_trouble(fixture);
}

char *folder_file(Fixture *fixture, const char *file)
{
        return g_build_filename(fixture->folder, file, NULL);
}

void put_file(Fixture *fixture, const char *file, const char *text)
{
        g_autofree char *path = folder_file(fixture, file);

        g_mkdir(fixture->folder, 0755);
        g_assert_true(g_file_set_contents(path, text, -1, NULL));
        g_assert_cmpint(g_chmod(path, 0644), ==, 0);
}
