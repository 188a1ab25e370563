/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The compiler: where rules land in an image, case by case. */
#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <string.h>

#include "policy-reference.h"

#define FILE_HOOKS (HOOK_BIT(HOOK_SOCKET_BIND) - 1)

static const FakeMachine empty_machine;

static PolicyImage *compile(const char *text)
{
        Diagnostics diagnostics;
        PolicyImage *image = compile_text(text, &empty_machine, &diagnostics);

        g_assert_cmpuint(diagnostics.n_items, ==, 0);
        return image;
}

#define COMPILE_FILES(...)                                                                         \
        compile_files((const FakeFileRule[]){__VA_ARGS__},                                         \
                      G_N_ELEMENTS(((const FakeFileRule[]){__VA_ARGS__})), &empty_machine)

static void assert_rule(const PolicyImage *image, uint32_t device, const char *path, uint32_t rule)
{
        Verdict verdict;
        int holds;

        verdict = image_find_path(image, device, path, &holds);
        g_assert_cmpuint(verdict.rule, ==, rule);
        g_assert_cmpuint(verdict.access, ==, rule > 0 ? ACCESS_ALL : 0);
}

static int holds(const PolicyImage *image, const char *path)
{
        int found;

        image_find_path(image, 1, path, &found);
        return found;
}

static uint32_t net(const PolicyImage *image, const char *address, uint16_t port, uint8_t protocol,
                    enum net_operation operation)
{
        uint8_t bytes[16];

        g_assert_cmpint(inet_pton(AF_INET6, address, bytes), ==, 1);
        return image_find_net(image, bytes, port, protocol, operation);
}

/* ---- names ---- */

static void test_an_empty_set_needs_nothing(void)
{
        PolicyImage *image = compile("version=1\n");
        Resolver resolver = fake_resolver(&empty_machine);

        g_assert_cmpuint(image->hooks, ==, 0);
        g_assert_cmpuint(image->flags, ==, 0);
        g_assert_cmpuint(image->n_rules, ==, 1);
        g_assert_cmpuint(image->n_rulesets, ==, 1);
        policy_image_free(image);

        g_assert_cmpint(policy_image_compile(&image, NULL, 0, &resolver, NULL), ==, 0);
        image_check(image);
        policy_image_free(image);
        policy_image_free(NULL);
}

static void test_a_path_is_the_name_and_all_below(void)
{
        static const char *const texts[] = {"version=1\n[deny_path]\n/a/b\n",
                                            "version=1\n[deny_path]\n/a/b/\n"};

        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
                PolicyImage *image = compile(texts[i]);

                assert_rule(image, 1, "/a/b", 1);
                assert_rule(image, 1, "/a/b/c", 1);
                assert_rule(image, 1, "/a/b/c/d/e", 1);
                assert_rule(image, 1, "/a", 0);
                assert_rule(image, 1, "/a/bc", 0);
                assert_rule(image, 1, "/a/c", 0);
                assert_rule(image, 1, "/", 0);
                assert_rule(image, 2, "/a/b", 0);
                g_assert_true(holds(image, "/"));
                g_assert_true(holds(image, "/a"));
                g_assert_false(holds(image, "/a/b"));
                policy_image_free(image);
        }
}

static void test_a_rule_of_a_name_alone_is_that_very_name(void)
{
        PolicyImage *image = COMPILE_FILES({"/a/b", 0});

        assert_rule(image, 1, "/a/b", 1);
        assert_rule(image, 1, "/a/b/c", 0);
        assert_rule(image, 1, "/a", 0);
        assert_rule(image, 1, "/a/bc", 0);
        policy_image_free(image);
}

static void test_the_nearest_rule_is_the_one_that_is_named(void)
{
        PolicyImage *image = compile("version=1\n[deny_path]\n/a/\n/a/b/c/d/e\n/a/b\n");

        assert_rule(image, 1, "/a", 1);
        assert_rule(image, 1, "/a/x", 1);
        assert_rule(image, 1, "/a/b", 3);
        assert_rule(image, 1, "/a/b/x", 3);
        assert_rule(image, 1, "/a/b/c", 3);
        assert_rule(image, 1, "/a/b/c/d/x", 3);
        assert_rule(image, 1, "/a/b/c/d/e", 2);
        assert_rule(image, 1, "/a/b/c/d/e/x", 2);
        policy_image_free(image);
}

static void test_a_name_alone_interrupts_no_directory(void)
{
        PolicyImage *image = COMPILE_FILES({"/a", 1}, {"/a/b/c", 0}, {"/a/b/d", 1}, {"/a/b", 0});

        assert_rule(image, 1, "/a", 1);
        assert_rule(image, 1, "/a/x", 1);
        assert_rule(image, 1, "/a/b", 4);
        assert_rule(image, 1, "/a/b/x", 1);
        assert_rule(image, 1, "/a/b/c", 2);
        assert_rule(image, 1, "/a/b/c/x", 1);
        assert_rule(image, 1, "/a/b/d", 3);
        assert_rule(image, 1, "/a/b/d/x", 3);
        policy_image_free(image);
}

static void test_the_first_of_equal_rules_is_named(void)
{
        PolicyImage *image = compile("version=1\n[deny_path]\n/b\n/a\n/a/\n[deny_ip]\n::1\n");

        assert_rule(image, 1, "/a", 2);
        assert_rule(image, 1, "/a/x", 2);
        assert_rule(image, 1, "/b", 1);
        g_assert_cmpuint(net(image, "::1", 1, IPPROTO_TCP, NET_CONNECT), ==, 4);
        policy_image_free(image);
        image = COMPILE_FILES({"/b", 0}, {"/a", 0}, {"/a", 1}, {"/a", 1});
        assert_rule(image, 1, "/a", 2);
        assert_rule(image, 1, "/a/x", 3);
        policy_image_free(image);
}

static void test_the_root_of_a_file_system_can_be_named(void)
{
        PolicyImage *image = compile("version=1\n[deny_path]\n/\n/a\n");

        assert_rule(image, 1, "/", 1);
        assert_rule(image, 1, "/x/y", 1);
        assert_rule(image, 1, "/a", 2);
        assert_rule(image, 1, "/a/b", 2);
        policy_image_free(image);
        image = COMPILE_FILES({"/", 0}, {"/a", 0});
        assert_rule(image, 1, "/", 1);
        assert_rule(image, 1, "/x/y", 0);
        policy_image_free(image);
}

static void test_names_of_any_length_are_found(void)
{
        for (unsigned n = 1; n <= 255; n++) {
                g_autofree char *name = g_strnfill(n, 'n');
                g_autofree char *text = g_strdup_printf("version=1\n[deny_path]\n/%s/x\n", name);
                g_autofree char *path = g_strdup_printf("/%s/x", name);
                PolicyImage *image = compile(text);

                assert_rule(image, 1, path, 1);
                path[n] = 'm';
                assert_rule(image, 1, path, 0);
                g_assert_cmpuint(image->n_trie, ==, (n + NAME_CHUNK - 1) / NAME_CHUNK + 1);
                policy_image_free(image);
        }
}

static void test_long_names_of_one_length_share_their_chunks(void)
{
        g_autofree char *head = g_strnfill(2 * NAME_CHUNK, 'h');
        g_autofree char *text =
                g_strdup_printf("version=1\n[deny_path]\n/%sone\n/%stwo\n/%sfour\n/%sabc/x\n", head,
                                head, head, head);
        g_autofree char *one = g_strdup_printf("/%sone", head);
        g_autofree char *two = g_strdup_printf("/%stwo", head);
        g_autofree char *four = g_strdup_printf("/%sfour", head);
        g_autofree char *deep = g_strdup_printf("/%sabc/x", head);
        g_autofree char *none = g_strdup_printf("/%sten", head);
        PolicyImage *image = compile(text);

        assert_rule(image, 1, one, 1);
        assert_rule(image, 1, two, 2);
        assert_rule(image, 1, four, 3);
        assert_rule(image, 1, deep, 4);
        assert_rule(image, 1, none, 0);
        /* 2 shared and 3 last ones of 115 bytes, 3 of 116, and x */
        g_assert_cmpuint(image->n_trie, ==, 2 + 3 + 3 + 1);
        policy_image_free(image);
}

static void test_a_place_below_2000_directories_is_found(void)
{
        g_autoptr(GString) path = g_string_new("");
        g_autofree char *text = NULL;
        PolicyImage *image;

        while (path->len < 4094)
                g_string_append(path, "/d");
        text = g_strdup_printf("version=1\n[deny_path]\n%s\n/d/d/\n", path->str);
        image = compile(text);
        assert_rule(image, 1, path->str, 1);
        g_string_append(path, "/d");
        assert_rule(image, 1, path->str, 1);
        assert_rule(image, 1, "/d/d/d", 2);
        policy_image_free(image);
}

static void test_names_below_different_mounts_stay_apart(void)
{
        static const FakeMount mounts[] = {{"/m/n", 3}, {"/m", 2}, {}};
        static const FakeMachine machine = {.mounts = mounts};
        Diagnostics diagnostics;
        PolicyImage *image = compile_text("version=1\n[deny_path]\n/m/a\n/a/b\n/m/n/\n/m/c\n",
                                          &machine, &diagnostics);

        g_assert_cmpuint(image->n_roots, ==, 3);
        assert_rule(image, 2, "/a", 1);
        assert_rule(image, 1, "/a", 0);
        assert_rule(image, 1, "/a/b", 2);
        assert_rule(image, 3, "/", 3);
        assert_rule(image, 3, "/x/y", 3);
        assert_rule(image, 2, "/c", 4);
        assert_rule(image, 2, "/n", 0);
        policy_image_free(image);
}

static void test_equal_rulesets_are_shared(void)
{
        PolicyImage *image = compile("version=1\n[deny_path]\n/a/\n/b/c/d/e/f\n");

        /* none; /a; f */
        g_assert_cmpuint(image->n_rulesets, ==, 3);
        policy_image_free(image);

        image = compile("version=1\n[deny_path]\n/a/\n/a/b/c/d/e\n");
        /* none; /a and what inherits from it; e */
        g_assert_cmpuint(image->n_rulesets, ==, 3);
        policy_image_free(image);

        image = COMPILE_FILES({"/a", 1}, {"/a/b/c/d", 0}, {"/a/b/c/e", 0});
        /* none; /a and what inherits from it; d and e, each with what it inherits */
        g_assert_cmpuint(image->n_rulesets, ==, 4);
        policy_image_free(image);
}

/* ---- what is there ---- */

static void test_a_link_is_guarded_where_it_leads_too(void)
{
        static const FakeFile files[] = {
                {"/l", {.name = {1, (char *) "/x/l"}, .target = {2, (char *) "/t"}}}, {}};
        static const FakeMachine machine = {.files = files};
        Diagnostics diagnostics;
        PolicyImage *image = compile_text("version=1\n[deny_path]\n/l\n", &machine, &diagnostics);

        assert_rule(image, 1, "/x/l", 1);
        assert_rule(image, 2, "/t", 1);
        assert_rule(image, 2, "/t/x", 1);
        assert_rule(image, 1, "/l", 0);
        policy_image_free(image);
}

static void test_a_file_of_several_links_is_pinned(void)
{
        static const FakeFile files[] = {
                {"/one", {.exists = 1, .n_links = 1, .inode = 11, .device = 1}},
                {"/two",
                 {.exists = 1,
                  .n_links = 2,
                  .inode = 12,
                  .device = 1,
                  .inode_generation = 99,
                  .generation_known = 1}},
                {"/dir", {.exists = 1, .n_links = 5, .is_directory = 1, .inode = 13, .device = 1}},
                {"/none", {.n_links = 2, .inode = 14, .device = 1}},
                {"/unknown", {.exists = 1, .n_links = 3, .inode = 15, .device = 7}},
                {}};
        static const FakeMachine machine = {.files = files};
        Diagnostics diagnostics;
        PolicyImage *image =
                compile_text("version=1\n[deny_path]\n/one\n/two\n/dir\n/none\n/unknown\n",
                             &machine, &diagnostics);
        const PinEntry *pin = image_find_pin(image, 1, 12);

        g_assert_cmpuint(image->n_pins, ==, 2);
        g_assert_cmpuint(pin->value.checked, ==, 1);
        g_assert_cmpuint(pin->value.generation, ==, 99);
        g_assert_cmpuint(image->rulesets[pin->value.ruleset].own_rule, ==, 2);
        g_assert_cmpuint(image->rulesets[pin->value.ruleset].own_access, ==, ACCESS_ALL);
        g_assert_cmpuint(image_find_pin(image, 7, 15)->value.checked, ==, 0);
        g_assert_cmpuint(image->flags, ==, IMAGE_FILES | IMAGE_PIN_LINKS);
        policy_image_free(image);
}

static void test_an_inode_rule_pins_any_file(void)
{
        PolicyImage *image = compile("version=1\n[deny_inode]\n1:12\n2:12\n");
        const PinEntry *pin = image_find_pin(image, 2, 12);

        g_assert_cmpuint(image->n_pins, ==, 2);
        g_assert_cmpuint(pin->value.checked, ==, 0);
        g_assert_cmpuint(image->rulesets[pin->value.ruleset].own_rule, ==, 2);
        g_assert_cmpuint(image->flags, ==, IMAGE_PIN_ALL);
        policy_image_free(image);
}

static void test_two_rules_for_one_inode_pin_it_for_good(void)
{
        static const FakeFile files[] = {{"/two",
                                          {.exists = 1,
                                           .n_links = 2,
                                           .inode = 12,
                                           .device = 1,
                                           .inode_generation = 99,
                                           .generation_known = 1}},
                                         {}};
        static const FakeMachine machine = {.files = files};
        Diagnostics diagnostics;
        PolicyImage *image = compile_text("version=1\n[deny_path]\n/two\n[deny_inode]\n1:12\n",
                                          &machine, &diagnostics);

        g_assert_cmpuint(image->n_pins, ==, 1);
        g_assert_cmpuint(image->pins[0].value.checked, ==, 0);
        g_assert_cmpuint(image->rulesets[image->pins[0].value.ruleset].own_rule, ==, 1);
        g_assert_cmpuint(image->flags, ==, IMAGE_FILES | IMAGE_PIN_ALL | IMAGE_PIN_LINKS);
        policy_image_free(image);
}

static void test_a_directory_needs_no_slash(void)
{
        static const FakeFile files[] = {{"/dir", {.exists = 1, .is_directory = 1}}, {}};
        static const FakeMachine machine = {.files = files};
        Diagnostics diagnostics;
        PolicyImage *image = compile_text("version=1\n[deny_path]\n/dir\n", &machine, &diagnostics);

        g_assert_cmpuint(diagnostics.n_items, ==, 0);
        assert_rule(image, 1, "/dir/x", 1);
        policy_image_free(image);
}

static void test_a_file_needs_every_hook_about_files(void)
{
        PolicyImage *image = compile("version=1\n[deny_path]\n/a\n");

        g_assert_cmphex(image->hooks, ==, FILE_HOOKS);
        policy_image_free(image);
        image = compile("version=1\n[deny_inode]\n1:12\n");
        g_assert_cmphex(image->hooks, ==, FILE_HOOKS);
        g_assert_true(image->hooks & HOOK_BIT(HOOK_INODE_SET_ACL));
        g_assert_true(image->hooks & HOOK_BIT(HOOK_INODE_REMOVE_ACL));
        policy_image_free(image);
}

/* Deeper than any path that the kernel takes, as mounts below mounts can lie. */
static void test_a_place_of_a_megabyte_is_found(void)
{
        g_autoptr(GString) path = g_string_new("");
        FakeFile files[] = {{"/long", {}}, {}};
        const FakeMachine machine = {.files = files};
        Diagnostics diagnostics;
        PolicyImage *image;

        for (int i = 0; i < 4096; i++)
                g_string_append_printf(path, "/%0255d", i);
        files[0].location.name = (Place){1, path->str};
        image = compile_text("version=1\n[deny_path]\n/a\n/long\n/b\n/c\n", &machine, &diagnostics);
        assert_rule(image, 1, "/a", 1);
        assert_rule(image, 1, path->str, 2);
        assert_rule(image, 1, "/b", 3);
        assert_rule(image, 1, "/c", 4);
        policy_image_free(image);
}

static int compile_with(const FakeMachine *machine, Diagnostics *diagnostics)
{
        static const char text[] = "version=1\n[deny_path]\n/a\n[allow_cgroup]\n/c\n";
        Document document = {.name = "doc", .text = text, .n_text = strlen(text)};
        Resolver resolver = fake_resolver(machine);
        PolicyImage *image = NULL;
        int r;

        g_assert_cmpint(policy_parse(&document.policy, text, strlen(text), diagnostics), ==, 0);
        r = policy_image_compile(&image, &document, 1, &resolver, diagnostics);
        g_assert_true((r == 0) == (image != NULL));
        policy_image_free(image);
        policy_unref(document.policy);
        return r;
}

static void test_a_path_that_cannot_be_followed_refuses_the_set(void)
{
        FakeMachine machine = {.locate_error = -ELOOP};
        Diagnostics diagnostics = {};

        g_assert_cmpint(compile_with(&machine, &diagnostics), ==, -ELOOP);
        g_assert_cmpuint(diagnostics.n_faults, ==, 1);
        g_assert_cmpuint(diagnostics.items[0].line, ==, 3);
        diagnostics_deinit(&diagnostics);
}

static void test_a_resolver_that_answers_nonsense_refuses_the_set(void)
{
        static const char *const bad[] = {"", "relative", "//", "/a//b", "/a/"};

        for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
                FakeFile files[] = {{"/a", {.name = {1, (char *) bad[i]}}}, {}};
                FakeMachine machine = {.files = files};
                Diagnostics diagnostics = {};

                g_assert_cmpint(compile_with(&machine, &diagnostics), ==, -EINVAL);
                g_assert_cmpuint(diagnostics.n_faults, ==, 1);
                diagnostics_deinit(&diagnostics);
        }
}

static void test_cgroups_are_numbers_each_once(void)
{
        static const FakeCgroup cgroups[] = {{"/a", 77}, {"/b", 5}, {}};
        static const FakeMachine machine = {.cgroups = cgroups};
        Diagnostics diagnostics;
        PolicyImage *image = compile_text("version=1\n[allow_cgroup]\n/a\ncgid:9\n/b\ncgid:77\n",
                                          &machine, &diagnostics);

        g_assert_cmpuint(image->n_cgroups, ==, 3);
        g_assert_cmpuint(image->cgroups[0], ==, 5);
        g_assert_cmpuint(image->cgroups[1], ==, 9);
        g_assert_cmpuint(image->cgroups[2], ==, 77);
        g_assert_cmpuint(image->flags, ==, IMAGE_CGROUPS);
        g_assert_cmpuint(image->hooks, ==, 0);
        policy_image_free(image);
}

static void test_a_cgroup_that_is_not_there_is_a_warning(void)
{
        static const FakeCgroup cgroups[] = {{"/zero", 0}, {}};
        static const FakeMachine machine = {.cgroups = cgroups};
        Diagnostics diagnostics;
        PolicyImage *image =
                compile_text("version=1\n[allow_cgroup]\n/gone\n/zero\n", &machine, &diagnostics);

        g_assert_cmpuint(image->n_cgroups, ==, 0);
        g_assert_cmpuint(image->flags, ==, 0);
        g_assert_cmpuint(diagnostics.n_faults, ==, 0);
        g_assert_cmpuint(diagnostics.n_items, ==, 2);
        g_assert_cmpuint(diagnostics.items[0].line, ==, 3);
        diagnostics_deinit(&diagnostics);
        policy_image_free(image);
}

static void test_a_cgroup_that_cannot_be_asked_for_refuses_the_set(void)
{
        FakeMachine machine = {.cgroup_error = -EIO};
        Diagnostics diagnostics = {};

        g_assert_cmpint(compile_with(&machine, &diagnostics), ==, -EIO);
        g_assert_cmpuint(diagnostics.items[0].line, ==, 5);
        diagnostics_deinit(&diagnostics);
}

/* ---- addresses ---- */

static void test_net_rules_need_the_hooks_of_their_operations(void)
{
        PolicyImage *image = compile("version=1\n[deny_port]\n22:tcp:bind\n");

        g_assert_cmpuint(image->hooks, ==, HOOK_BIT(HOOK_SOCKET_BIND));
        g_assert_cmpuint(image->flags, ==, IMAGE_NET);
        policy_image_free(image);
        image = compile("version=1\n[deny_ip]\n192.0.2.1\n");
        g_assert_cmpuint(image->hooks, ==,
                         HOOK_BIT(HOOK_SOCKET_CONNECT) | HOOK_BIT(HOOK_SOCKET_SENDMSG));
        policy_image_free(image);
}

static void test_rules_of_one_key_are_merged_by_operation(void)
{
        PolicyImage *image =
                compile("version=1\n[deny_port]\n22:tcp:bind\n22:tcp:egress\n22:tcp\n");

        g_assert_cmpuint(image->n_nets, ==, 1);
        g_assert_cmpuint(image->nets[0].value.rule[NET_BIND], ==, 1);
        g_assert_cmpuint(image->nets[0].value.rule[NET_CONNECT], ==, 2);
        g_assert_cmpuint(image->nets[0].value.rule[NET_SEND], ==, 2);
        policy_image_free(image);
}

static void test_prefixes_stand_longest_first_with_their_shapes(void)
{
        PolicyImage *image = compile("version=1\n[deny_port]\n22:tcp\n23\n[deny_cidr]\n10.0.0.0/8\n"
                                     "[deny_ip]\n::1\n[deny_ip_port]\n192.0.2.1:1\n[::2]:2:udp\n");
        static const uint8_t mask[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                         0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

        g_assert_cmpuint(image->n_prefixes, ==, 3);
        g_assert_cmpuint(image->prefixes[0].length, ==, 128);
        g_assert_cmpuint(image->prefixes[0].shapes, ==,
                         SHAPE_ANY | SHAPE_PORT | SHAPE_PORT_PROTOCOL);
        g_assert_cmpuint(image->prefixes[1].length, ==, 104);
        g_assert_cmpuint(image->prefixes[1].shapes, ==, SHAPE_ANY);
        g_assert_cmpmem(image->prefixes[1].mask, 16, mask, 16);
        g_assert_cmpuint(image->prefixes[2].length, ==, 0);
        g_assert_cmpuint(image->prefixes[2].shapes, ==, SHAPE_PORT | SHAPE_PORT_PROTOCOL);
        policy_image_free(image);
}

static void test_a_range_holds_for_its_addresses(void)
{
        PolicyImage *image = compile("version=1\n[deny_cidr]\n0.0.0.0/0\n2001:db8::/33\n");

        g_assert_cmpuint(net(image, "::ffff:1.2.3.4", 1, IPPROTO_UDP, NET_SEND), ==, 1);
        g_assert_cmpuint(net(image, "::ffff:1.2.3.4", 1, IPPROTO_UDP, NET_BIND), ==, 0);
        g_assert_cmpuint(net(image, "2001:db8:7fff::1", 1, IPPROTO_TCP, NET_CONNECT), ==, 2);
        g_assert_cmpuint(net(image, "2001:db8:8000::1", 1, IPPROTO_TCP, NET_CONNECT), ==, 0);
        policy_image_free(image);
}

/* ---- documents together ---- */

static PolicyImage *compile_documents(const char *const *names, const char *const *texts, size_t n)
{
        Document documents[4] = {};
        Diagnostics diagnostics[4] = {};
        Resolver resolver = fake_resolver(&empty_machine);
        PolicyImage *image;

        for (size_t i = 0; i < n; i++) {
                documents[i] = (Document){names[i], texts[i], strlen(texts[i]), NULL};
                g_assert_cmpint(policy_parse(&documents[i].policy, texts[i], strlen(texts[i]),
                                             &diagnostics[i]),
                                ==, 0);
        }
        g_assert_cmpint(policy_image_compile(&image, documents, n, &resolver, diagnostics), ==, 0);
        for (size_t i = 0; i < n; i++) {
                policy_unref(documents[i].policy);
                diagnostics_deinit(&diagnostics[i]);
        }
        image_check(image);
        return image;
}

static void test_rules_are_numbered_through_the_documents(void)
{
        static const char *const names[] = {"a", "b", "c"};
        static const char *const texts[] = {"version=1\n[deny_path]\n/x\n[allow_cgroup]\ncgid:3\n",
                                            "version=1\n", "version=1\n\n[deny_path]\n/y\n/x\n"};
        PolicyImage *image = compile_documents(names, texts, 3);

        g_assert_cmpuint(image->n_rules, ==, 5);
        g_assert_cmpstr(image->rules[0].entry, ==, "");
        g_assert_cmpstr(image->rules[2].section, ==, "allow_cgroup");
        g_assert_cmpstr(image->rules[3].document, ==, "c");
        g_assert_cmpstr(image->rules[3].section, ==, "deny_path");
        g_assert_cmpstr(image->rules[3].entry, ==, "/y");
        g_assert_cmpuint(image->rules[3].line, ==, 4);
        assert_rule(image, 1, "/y", 3);
        assert_rule(image, 1, "/x", 1);
        policy_image_free(image);
}

static void test_the_digest_is_of_names_and_texts(void)
{
        static const char *const names[] = {"a", "b"}, *const other_names[] = {"a", "c"};
        static const char *const texts[] = {"version=1\n", "version=1\n\n"};
        PolicyImage *image = compile_documents(names, texts, 2);
        PolicyImage *same = compile_documents(names, texts, 2);
        PolicyImage *other = compile_documents(other_names, texts, 2);

        g_assert_cmpmem(image->digest, DIGEST_SIZE, same->digest, DIGEST_SIZE);
        g_assert_cmpint(memcmp(image->digest, other->digest, DIGEST_SIZE), !=, 0);
        policy_image_free(image);
        policy_image_free(same);
        policy_image_free(other);
}

#define ADD(test) g_test_add_func("/policy/compile/" #test, test)

static void add_name_tests(void)
{
        ADD(test_an_empty_set_needs_nothing);
        ADD(test_a_path_is_the_name_and_all_below);
        ADD(test_a_rule_of_a_name_alone_is_that_very_name);
        ADD(test_the_nearest_rule_is_the_one_that_is_named);
        ADD(test_a_name_alone_interrupts_no_directory);
        ADD(test_the_first_of_equal_rules_is_named);
        ADD(test_the_root_of_a_file_system_can_be_named);
        ADD(test_names_of_any_length_are_found);
        ADD(test_long_names_of_one_length_share_their_chunks);
        ADD(test_a_place_below_2000_directories_is_found);
        ADD(test_names_below_different_mounts_stay_apart);
        ADD(test_equal_rulesets_are_shared);
}

static void add_place_tests(void)
{
        ADD(test_a_link_is_guarded_where_it_leads_too);
        ADD(test_a_file_of_several_links_is_pinned);
        ADD(test_an_inode_rule_pins_any_file);
        ADD(test_two_rules_for_one_inode_pin_it_for_good);
        ADD(test_a_directory_needs_no_slash);
        ADD(test_a_file_needs_every_hook_about_files);
        ADD(test_a_place_of_a_megabyte_is_found);
        ADD(test_a_path_that_cannot_be_followed_refuses_the_set);
        ADD(test_a_resolver_that_answers_nonsense_refuses_the_set);
        ADD(test_cgroups_are_numbers_each_once);
        ADD(test_a_cgroup_that_is_not_there_is_a_warning);
        ADD(test_a_cgroup_that_cannot_be_asked_for_refuses_the_set);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        add_name_tests();
        add_place_tests();
        ADD(test_net_rules_need_the_hooks_of_their_operations);
        ADD(test_rules_of_one_key_are_merged_by_operation);
        ADD(test_prefixes_stand_longest_first_with_their_shapes);
        ADD(test_a_range_holds_for_its_addresses);
        ADD(test_rules_are_numbered_through_the_documents);
        ADD(test_the_digest_is_of_names_and_texts);
        return g_test_run();
}
