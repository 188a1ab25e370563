/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fill: policies that follow each other go into the maps that are there, record by record, and
 * decide like any other; where that does not succeed the one in force stays whole. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "guest-acts.h"
#include "guest-backend.h"

#define PINS "/run/aegis-test/bpf"
#define N_CHANGES 60
#define N_NAMES 24

/* The number of the map that stands in a slot. */
static uint32_t map_in_slot(const char *table, uint32_t slot)
{
        g_autofree char *path = g_strdup_printf(PINS "/abi%u/%s", AEGIS_ABI, table);
        int fd = bpf_obj_get(path);
        uint32_t id = 0;

        g_assert_cmpint(fd, >=, 0);
        g_assert_cmpint(bpf_map_lookup_elem(fd, &slot, &id), ==, 0);
        close(fd);
        return id;
}

static char *name_of(unsigned i)
{
        return g_strdup_printf("/t/fill/%u", i);
}

static void make_files(void)
{
        for (unsigned i = 0; i < N_NAMES; i++) {
                g_autofree char *name = name_of(i);

                make_file(name);
        }
}

/* Bit i: name i is denied. */
static char *policy_of(uint32_t ruled)
{
        GString *text = g_string_new("[deny_path]\n");

        for (unsigned i = 0; i < N_NAMES; i++)
                if (ruled & 1u << i)
                        g_string_append_printf(text, "/t/fill/%u\n", i);
        return g_string_free(text, FALSE);
}

static void put(uint32_t ruled)
{
        g_autofree char *text = policy_of(ruled);

        apply(text);
}

static void assert_ruled(uint32_t ruled)
{
        for (unsigned i = 0; i < N_NAMES; i++) {
                g_autofree char *name = name_of(i);

                g_assert_cmpint(try_open(0, name), ==, ruled & 1u << i ? EPERM : 0);
        }
}

static void test_a_small_change_goes_into_the_maps_that_are_there(void)
{
        uint32_t maps[2];

        make_files();
        put(0xff);
        put(0x1ff);
        for (uint32_t slot = 0; slot < 2; slot++)
                maps[slot] = map_in_slot("trie", slot);
        for (unsigned i = 0; i < 8; i++) {
                put(0xff ^ 1u << i);
                assert_ruled(0xff ^ 1u << i);
                put(0xff | 0x100u << i);
                assert_ruled(0xff | 0x100u << i);
        }
        for (uint32_t slot = 0; slot < 2; slot++)
                g_assert_cmpuint(map_in_slot("trie", slot), ==, maps[slot]);
}

static void test_a_chain_of_changes_decides_as_each_policy_says(void)
{
        uint32_t ruled = 0xff;

        make_files();
        for (unsigned i = 0; i < N_CHANGES; i++) {
                ruled ^= 1u << g_test_rand_int_range(0, N_NAMES);
                ruled |= !ruled;
                put(ruled);
                assert_ruled(ruled);
        }
}

static void test_a_policy_that_outgrows_its_maps_gets_others(void)
{
        GString *text = g_string_new("[deny_path]\n/t/fill/1\n");
        uint32_t before[2];

        make_files();
        put(1);
        put(3);
        for (uint32_t slot = 0; slot < 2; slot++)
                before[slot] = map_in_slot("trie", slot);
        for (unsigned i = 0; i < 200; i++)
                g_string_append_printf(text, "/t/grown/%u/leaf\n", i);
        apply(text->str);
        assert_ruled(2);
        apply(text->str);
        assert_ruled(2);
        for (uint32_t slot = 0; slot < 2; slot++)
                g_assert_cmpuint(map_in_slot("trie", slot), !=, before[slot]);
        put(5);
        assert_ruled(5);
        g_string_free(text, TRUE);
}

/* The first tables of the slot take what is new before the third is found to have no room in the
 * kernel. */
static void test_a_fill_that_fails_leaves_the_old_policy_and_the_next_works(void)
{
        g_autofree char *text = policy_of(0xf0);
        PolicyImage *image, broken;

        make_files();
        put(0xf);
        put(0xff);
        image = compile(text);
        broken = *image;
        broken.n_pins = 1u << 31;
        g_assert_cmpint(backend_prepare(backend, &broken, MODE_ENFORCE, 0, generation + 1), <, 0);
        assert_ruled(0xff);
        g_assert_cmpint(backend_prepare(backend, image, MODE_ENFORCE, 0, ++generation), ==, 0);
        assert_ruled(0xff);
        backend_commit(backend);
        assert_ruled(0xf0);
        policy_image_free(image);
        put(0x5);
        assert_ruled(0x5);
}

static void test_what_was_prepared_and_aborted_is_known_to_be_there(void)
{
        g_autofree char *text = policy_of(0xf0);
        PolicyImage *image = compile(text);

        make_files();
        put(0xf);
        put(0xff);
        g_assert_cmpint(backend_prepare(backend, image, MODE_ENFORCE, 0, generation + 1), ==, 0);
        policy_image_free(image);
        backend_abort(backend);
        assert_ruled(0xff);
        put(0x3);
        assert_ruled(0x3);
}

static void test_after_a_restart_nothing_is_taken_for_known(void)
{
        make_files();
        put(0xf);
        put(0xff);
        backend_free(backend);
        backend = start_backend();
        assert_ruled(0xff);
        put(0xf00);
        assert_ruled(0xf00);
        put(0xf0);
        assert_ruled(0xf0);
        put(0xf);
        assert_ruled(0xf);
}

static uint32_t map_size(uint32_t id)
{
        struct bpf_map_info info = {};
        uint32_t n = sizeof(info);
        int fd = bpf_map_get_fd_by_id(id);

        g_assert_cmpint(fd, >=, 0);
        g_assert_cmpint(bpf_obj_get_info_by_fd(fd, &info, &n), ==, 0);
        close(fd);
        return info.max_entries;
}

static void test_at_rest_a_small_policy_keeps_its_maps(void)
{
        uint32_t maps[2];

        make_files();
        put(0xff);
        put(0x1ff);
        for (uint32_t slot = 0; slot < 2; slot++)
                maps[slot] = map_in_slot("trie", slot);
        backend_rest(backend);
        put(0x2ff);
        put(0x3ff);
        for (uint32_t slot = 0; slot < 2; slot++)
                g_assert_cmpuint(map_in_slot("trie", slot), ==, maps[slot]);
        assert_ruled(0x3ff);
}

#define N_LARGE 17000u

static void assert_n_large(const char *table, unsigned expected)
{
        unsigned n = 0;

        for (uint32_t slot = 0; slot < 2; slot++)
                n += map_size(map_in_slot(table, slot)) > N_LARGE;
        g_assert_cmpuint(n, ==, expected);
}

static void test_at_rest_a_large_policy_is_held_once_and_changes_go_on(void)
{
        static const char *const tables[] = {"trie", "clauses", "rulesets"};
        g_autoptr(GString) text = g_string_new("[deny_path]\n");
        GString *ruled = g_string_new(NULL);

        make_files();
        for (unsigned i = 0; i < N_LARGE; i++)
                g_string_append_printf(text, "/t/none/%u\n", i);
        for (unsigned i = 0; i < 2; i++) {
                g_string_printf(ruled, "%s/t/fill/%u\n", text->str, i);
                apply(ruled->str);
        }
        for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
                assert_n_large(tables[i], 2);
        backend_rest(backend);
        for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
                assert_n_large(tables[i], 1);
        assert_ruled(2);
        for (unsigned i = 2; i < 5; i++) {
                g_string_printf(ruled, "%s/t/fill/%u\n", text->str, i);
                apply(ruled->str);
                assert_ruled(1u << i);
        }
        g_string_free(ruled, TRUE);
}

/* Rules about addresses and ports come and go, and with them tables that hold nothing meanwhile. */
static void test_a_table_that_was_not_needed_meanwhile_is_filled_anew(void)
{
        static const char *const texts[] = {
                "version=7\n[deny]\nnet:connect:127.0.0.9\nfile:/t/fill/0\n",
                "version=7\n[deny]\nnet:connect:127.0.0.9:7000-7001\nfile:/t/fill/0 uid=0\n",
                "version=7\n[deny]\nfile:/t/fill/0\n",
                "version=7\n[deny]\nfile:/t/fill/1\n",
                "version=7\n[deny]\nnet:connect:127.0.0.8:7000-7001\n",
                "version=7\n[deny]\nnet:connect:127.0.0.8:7001-7002\nfile:/t/fill/0 uid=1000\n",
        };
        static const int of_8[] = {0, 0, 0, 0, EPERM, 0}, of_9[] = {EPERM, EPERM, 0, 0, 0, 0},
                         of_0[] = {EPERM, EPERM, EPERM, 0, 0, 0};

        make_files();
        for (size_t i = 0; i < 2 * G_N_ELEMENTS(texts); i++) {
                size_t j = i % G_N_ELEMENTS(texts);

                apply(texts[j]);
                g_assert_cmpint(try_socket(AF_INET, UDP, 'c', "127.0.0.8", 7000), ==, of_8[j]);
                g_assert_cmpint(try_socket(AF_INET, UDP, 'c', "127.0.0.9", 7000), ==, of_9[j]);
                g_assert_cmpint(try_open(0, "/t/fill/0"), ==, of_0[j]);
        }
}

static void test_cgroups_made_meanwhile_keep_their_numbers(void)
{
        static const char *const texts[] = {
                "version=7\n[deny]\nfile:/t/fill/0 cgroup=/fill-a\nfile:/t/fill/1\n",
                "version=7\n[deny]\nfile:/t/fill/0 cgroup=/fill-a\nfile:/t/fill/2\n",
                "version=7\n[deny]\nfile:/t/fill/0 cgroup=/fill-a\nfile:/t/fill/3\n",
        };
        static const char cgroup[] = "/sys/fs/cgroup/fill-a";

        make_files();
        apply(texts[0]);
        apply(texts[1]);
        for (unsigned i = 0; i < 2; i++) {
                uint32_t numbers = map_in_slot("cgroups", i);

                g_assert_cmpint(mkdir(cgroup, 0755), ==, 0);
                g_assert_cmpint(try_open_in_cgroup(cgroup, "/t/fill/0"), ==, EPERM);
                for (size_t j = 0; j < G_N_ELEMENTS(texts); j++) {
                        apply(texts[j]);
                        g_assert_cmpint(try_open_in_cgroup(cgroup, "/t/fill/0"), ==, EPERM);
                        g_assert_cmpint(try_open(0, "/t/fill/0"), ==, 0);
                }
                g_assert_cmpuint(map_in_slot("cgroups", i), ==, numbers);
                g_assert_cmpint(rmdir(cgroup), ==, 0);
                /* made while no program numbers cgroups */
                put(1);
                g_assert_cmpint(mkdir(cgroup, 0755), ==, 0);
                apply(texts[2]);
                g_assert_cmpint(try_open_in_cgroup(cgroup, "/t/fill/0"), ==, EPERM);
                apply(texts[0]);
                g_assert_cmpint(try_open_in_cgroup(cgroup, "/t/fill/0"), ==, EPERM);
                g_assert_cmpint(rmdir(cgroup), ==, 0);
        }
}

/* What was released is attached again, and proven again. */
static void test_hooks_that_come_and_go_deny_each_time(void)
{
        static const char *const texts[] = {
                "version=7\n[deny]\nfile:/t/fill/0\n",
                "version=7\n[deny]\nnet:bind:127.0.0.1:7000\n",
                "version=7\n[deny]\nnet:connect:127.0.0.9\n",
                "version=7\n[deny]\nkernel:ptrace\nexec:/t/nothing\n",
        };

        make_files();
        for (size_t i = 0; i < 4 * G_N_ELEMENTS(texts); i++) {
                size_t j = i % G_N_ELEMENTS(texts);

                apply(texts[j]);
                g_assert_cmpint(try_open(0, "/t/fill/0"), ==, j == 0 ? EPERM : 0);
                g_assert_cmpint(try_socket(AF_INET, TCP, 'b', "127.0.0.1", 7000), ==,
                                j == 1 ? EPERM : 0);
                g_assert_cmpint(try_socket(AF_INET, UDP, 'c', "127.0.0.9", 7000), ==,
                                j == 2 ? EPERM : 0);
        }
}

static void test_small_changes_leave_no_gap(void)
{
        Prober prober = {};
        ProberCounts counts;

        make_files();
        put(1);
        prober_start(&prober, "/t/fill/0", "/t/fill/23");
        for (unsigned i = 0; i < N_CHANGES; i++)
                put(1 | (0x5555u ^ 1u << i % 16));
        counts = prober_stop(&prober);
        g_test_message("denied %" G_GUINT64_FORMAT ", allowed %" G_GUINT64_FORMAT, counts.denied,
                       counts.allowed);
        g_assert_cmpuint(counts.denied, >, N_CHANGES);
        g_assert_cmpuint(counts.leaked, ==, 0);
        g_assert_cmpuint(counts.wrongly_denied, ==, 0);
}

/* ---- what rules counted ---- */

static void open_often(const char *path, guint n)
{
        for (guint i = 0; i < n; i++)
                g_assert_cmpint(try_open(0, path), ==, EPERM);
}

static void assert_hits(const uint64_t *expected, uint32_t n)
{
        g_autofree uint64_t *all = NULL;

        g_assert_cmpint(backend_all_hits(backend, n + 1, &all), ==, 0);
        for (uint32_t i = 0; i < n; i++) {
                g_assert_cmpuint(backend_rule_hits(backend, i + 1), ==, expected[i]);
                g_assert_cmpuint(all[i + 1], ==, expected[i]);
        }
}

static void test_hits_of_many_rules_are_read_together(void)
{
        g_autoptr(GString) text = g_string_new("[deny_path]\n/t/early\n");
        g_autofree uint64_t *all = NULL;
        uint64_t sum = 0;

        make_file("/t/early");
        make_file("/t/late");
        for (unsigned i = 0; i < 9000; i++)
                g_string_append_printf(text, "/t/%u\n", i);
        g_string_append(text, "/t/late\n");
        apply(text->str);
        open_often("/t/early", 2);
        open_often("/t/late", 3);
        g_assert_cmpint(backend_all_hits(backend, 9003, &all), ==, 0);
        for (uint32_t i = 0; i < 9003; i++) {
                g_assert_cmpuint(all[i], ==, backend_rule_hits(backend, i));
                sum += all[i];
        }
        g_assert_cmpuint(sum, ==, 5);
}

static void test_hits_of_rules_that_stay_go_on_when_others_come_or_go(void)
{
        PolicyImage *image;

        make_file("/t/secret");
        make_file("/t/other");
        apply("");
        apply("[deny_path]\n/t/secret\n/t/other\n");
        open_often("/t/secret", 2);
        open_often("/t/other", 1);
        for (int i = 0; i < 3; i++) { /* numbers stay, and maps grow */
                static const char *const more[] = {"", "/t/x\n", "/t/x\n/t/y\n"};
                g_autofree char *text =
                        g_strconcat("[deny_path]\n/t/secret\n/t/other\n", more[i], NULL);

                apply(text);
                assert_hits((const uint64_t[]){2 + i, 1, 0}, 3);
                open_often("/t/secret", 1);
        }
        /* all have other numbers */
        apply("[deny_path]\n/t/first\n/t/other\n/t/secret\n");
        assert_hits((const uint64_t[]){0, 1, 5}, 3);
        open_often("/t/secret", 1);
        image = compile("[deny_path]\n/t/secret\n");
        g_assert_cmpint(backend_prepare(backend, image, MODE_ENFORCE, 0, generation + 1), ==, 0);
        backend_abort(backend);
        policy_image_free(image);
        assert_hits((const uint64_t[]){0, 1, 6}, 3);
        apply("[deny_path]\n/t/other\n");
        assert_hits((const uint64_t[]){1}, 1);
        apply("[deny_path]\n/t/other\n/t/secret\n");
        assert_hits((const uint64_t[]){1, 0}, 2);
}

static void test_hits_go_on_after_a_restart(void)
{
        static const char text[] = "[deny_path]\n/t/secret\n/t/other\n";
        PolicyImage *image;

        make_file("/t/secret");
        apply("");
        apply("[deny_path]\n/t/secret\n");
        open_often("/t/secret", 2);
        apply(text);
        open_often("/t/secret", 1);
        backend = backend_free(backend);
        backend = start_backend();
        assert_hits((const uint64_t[]){3, 0}, 2);
        image = compile(text);
        backend_recognize(backend, image);
        policy_image_free(image);
        apply("[deny_path]\n/t/first\n/t/secret\n");
        assert_hits((const uint64_t[]){0, 3}, 2);
}

/* The one who opens counts too. */
static void test_no_hit_is_lost_while_policies_are_switched(void)
{
        g_autoptr(GString) text = g_string_new("[deny_path]\n/t/a/secret\n");
        Prober prober = {};
        ProberCounts counts;

        make_file("/t/a/secret");
        make_file("/t/a/public");
        apply("");
        apply(text->str);
        prober_start(&prober, "/t/a/secret", "/t/a/public");
        for (int i = 0; i < 60; i++) {
                g_string_append_printf(text, "/t/b%d/\n", i);
                apply(text->str);
        }
        counts = prober_stop(&prober);
        g_assert_cmpuint(counts.denied, >, 100);
        g_assert_cmpuint(backend_rule_hits(backend, 1), ==, counts.denied);
}

static void test_no_hit_is_lost_where_numbers_are_given_anew(void)
{
        Prober prober = {};
        ProberCounts counts;

        apply("");
        apply("[deny_path]\n/t/a/secret\n");
        prober_start(&prober, "/t/a/secret", "/t/a/public");
        for (int i = 0; i < 60; i++) {
                g_autofree char *text =
                        i % 2 ? g_strdup_printf("[deny_path]\n/t/a/secret\n/t/c%d/\n", i)
                              : g_strdup_printf("[deny_path]\n/t/c%d/\n/t/a/secret\n", i);

                apply(text);
        }
        counts = prober_stop(&prober);
        g_assert_cmpuint(counts.denied, >, 100);
        g_assert_cmpuint(backend_rule_hits(backend, 1), ==, counts.denied);
}

/* As if there had been no try: what both slots count goes on. */
static void test_no_hit_is_lost_where_numbers_were_to_be_given_anew(void)
{
        PolicyImage *other = compile("[deny_path]\n/t/first\n/t/a/secret\n");

        apply("");
        apply("[deny_path]\n/t/a/secret\n");
        open_often("/t/a/secret", 3);
        apply("[deny_path]\n/t/a/secret\n/t/b/\n");
        open_often("/t/a/secret", 2);
        g_assert_cmpint(backend_prepare(backend, other, MODE_ENFORCE, 0, generation + 1), ==, 0);
        open_often("/t/a/secret", 1);
        backend_abort(backend);
        assert_hits((const uint64_t[]){6, 0}, 2);
        apply("[deny_path]\n/t/first\n/t/a/secret\n");
        assert_hits((const uint64_t[]){0, 6}, 2);
        policy_image_free(other);
}

/* Of a policy of that many rules, the first and the last one about files that are opened. */
static char *many_rules(const char *first, unsigned n)
{
        GString *text = g_string_new("[deny_path]\n");

        g_string_append_printf(text, "%s\n", first);
        for (unsigned i = 2; i < n; i++)
                g_string_append_printf(text, "/t/m%u/\n", i);
        g_string_append(text, "/t/a/secret\n");
        return g_string_free(text, FALSE);
}

/* What was put back is smaller than what was tried. */
static void test_a_map_of_hits_that_is_put_back_has_its_own_room(void)
{
        g_autofree char *tried = many_rules("/t/other-first", 200);
        g_autofree char *next = many_rules("/t/first", 150);
        PolicyImage *other = compile(tried);

        apply("");
        apply("[deny_path]\n/t/first\n");
        apply("[deny_path]\n/t/first\n/t/m2/\n"); /* both slots count now */
        g_assert_cmpint(backend_prepare(backend, other, MODE_ENFORCE, 0, generation + 1), ==, 0);
        backend_abort(backend);
        apply(next);
        open_often("/t/a/secret", 3);
        g_assert_cmpuint(backend_rule_hits(backend, 150), ==, 3);
        policy_image_free(other);
}

#define ADD(test) g_test_add_func("/fill/" #test, test)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        backend = start_backend();
        ADD(test_hooks_that_come_and_go_deny_each_time);
        ADD(test_a_small_change_goes_into_the_maps_that_are_there);
        ADD(test_a_chain_of_changes_decides_as_each_policy_says);
        ADD(test_a_policy_that_outgrows_its_maps_gets_others);
        ADD(test_a_fill_that_fails_leaves_the_old_policy_and_the_next_works);
        ADD(test_what_was_prepared_and_aborted_is_known_to_be_there);
        ADD(test_after_a_restart_nothing_is_taken_for_known);
        ADD(test_a_table_that_was_not_needed_meanwhile_is_filled_anew);
        ADD(test_at_rest_a_small_policy_keeps_its_maps);
        ADD(test_at_rest_a_large_policy_is_held_once_and_changes_go_on);
        ADD(test_cgroups_made_meanwhile_keep_their_numbers);
        ADD(test_small_changes_leave_no_gap);
        ADD(test_hits_of_rules_that_stay_go_on_when_others_come_or_go);
        ADD(test_hits_go_on_after_a_restart);
        ADD(test_hits_of_many_rules_are_read_together);
        ADD(test_no_hit_is_lost_while_policies_are_switched);
        ADD(test_no_hit_is_lost_where_numbers_are_given_anew);
        ADD(test_no_hit_is_lost_where_numbers_were_to_be_given_anew);
        ADD(test_a_map_of_hits_that_is_put_back_has_its_own_room);
        return g_test_run();
}
