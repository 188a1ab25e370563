/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random policies: what the kernel will see in an image is what the rules say, for names and for
 * addresses. GLib prints the seed; run with --seed to see the same again. */
#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "policy-reference.h"

#define N_POLICIES 1500
#define N_PROBES 100
#define N_RULES 24
#define DEPTH 5

/* ---- names ---- */

/* A rule as it was written. */
typedef struct Written {
        char *entry; /* in the document, no slash at its end */
        uint32_t device;
        const char *path; /* on the device; a part of entry, or "/" */
        uint32_t below;
} Written;

static GPtrArray *names;

static void add_name(unsigned n, unsigned n_head, char tail)
{
        char *name = g_strnfill(n, tail);

        memset(name, 'h', n_head);
        g_ptr_array_add(names, name);
}

/* Short ones, ones whose lengths share a bit of the mask, and long ones that begin alike. */
static void make_names(void)
{
        names = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(names, g_strdup("a"));
        g_ptr_array_add(names, g_strdup("b"));
        g_ptr_array_add(names, g_strdup("m"));
        g_ptr_array_add(names, g_strdup("ab"));
        g_ptr_array_add(names, g_strdup("a b.c"));
        add_name(17, 0, 'a');
        add_name(NAME_CHUNK, NAME_CHUNK - 1, 'x');
        add_name(NAME_CHUNK, NAME_CHUNK - 1, 'y');
        add_name(NAME_CHUNK + 1, NAME_CHUNK, 'x');
        add_name(NAME_CHUNK + 1, NAME_CHUNK, 'y');
        add_name(2 * NAME_CHUNK, NAME_CHUNK, 'x');
        add_name(2 * NAME_CHUNK, NAME_CHUNK, 'y');
        add_name(2 * NAME_CHUNK, 2 * NAME_CHUNK, 'h');
        add_name(255, 200, 'x');
        add_name(255, 254, 'x');
        add_name(255, 254, 'y');
}

static char *random_path(void)
{
        GString *path = g_string_new("");
        int depth = g_test_rand_int_range(0, DEPTH);

        for (int i = 0; i < depth; i++) {
                /* Mostly the first few, so that ways meet. */
                guint n = g_test_rand_bit() ? 3 : names->len;

                g_string_append_printf(path, "/%s",
                                       (char *) names->pdata[g_test_rand_int_range(0, (gint) n)]);
        }
        if (path->len == 0)
                g_string_append(path, "/");
        return g_string_free(path, FALSE);
}

static Written random_rule(void)
{
        Written written = {.entry = random_path(), .device = 1, .below = 1};

        written.path = written.entry;
        if (g_str_has_prefix(written.entry, "/m/") || strcmp(written.entry, "/m") == 0) {
                written.device = 2;
                written.path = written.entry[2] ? written.entry + 2 : "/";
        }
        return written;
}

static int is_below(const char *path, const char *directory)
{
        size_t n = strlen(directory);

        if (strcmp(directory, "/") == 0)
                return strcmp(path, "/") != 0;
        return strncmp(path, directory, n) == 0 && path[n] == '/';
}

/* The first rule of that very name; else the first of the nearest directory. */
static uint32_t expected_rule(const Written *written, size_t n, uint32_t device, const char *path)
{
        size_t longest = 0;
        uint32_t rule = 0;

        for (size_t i = 0; i < n; i++)
                if (written[i].device == device && strcmp(written[i].path, path) == 0)
                        return (uint32_t) i + 1;
        for (size_t i = 0; i < n; i++) {
                if (written[i].device != device || !written[i].below ||
                    !is_below(path, written[i].path) || strlen(written[i].path) <= longest)
                        continue;
                longest = strlen(written[i].path);
                rule = (uint32_t) i + 1;
        }
        return rule;
}

static int expected_holds(const Written *written, size_t n, uint32_t device, const char *path)
{
        for (size_t i = 0; i < n; i++)
                if (written[i].device == device && is_below(written[i].path, path))
                        return 1;
        return 0;
}

static void probe_path(const PolicyImage *image, const Written *written, size_t n)
{
        g_autofree char *path = random_path();
        uint32_t device = g_test_rand_bit() ? 1 : 2;
        Verdict verdict;
        int holds;

        verdict = image_find_path(image, device, path, &holds);
        g_assert_cmpuint(verdict.rule, ==, expected_rule(written, n, device, path));
        g_assert_cmpuint(verdict.access, ==, verdict.rule > 0 ? ACCESS_ALL : 0);
        g_assert_cmpint(holds, ==, expected_holds(written, n, device, path));
}

static const FakeMount mounts[] = {{"/m", 2}, {}};
static const FakeMachine mounted_machine = {.mounts = mounts};

static PolicyImage *compile_written(const Written *written, size_t n)
{
        g_autoptr(GString) text = g_string_new("version=1\n[deny_path]\n");
        Diagnostics diagnostics;

        for (size_t i = 0; i < n; i++)
                g_string_append_printf(text, "%s%s\n", written[i].entry,
                                       g_test_rand_bit() ? "/" : "");
        return compile_text(text->str, &mounted_machine, &diagnostics);
}

/* Some rules are about a name alone. */
static PolicyImage *compile_by_hand(Written *written, size_t n)
{
        FakeFileRule rules[N_RULES];

        for (size_t i = 0; i < n; i++) {
                written[i].below = (uint32_t) g_test_rand_bit();
                rules[i] = (FakeFileRule){written[i].entry, written[i].below};
        }
        return compile_files(rules, n, &mounted_machine);
}

static void try_policy(int by_hand)
{
        size_t n = (size_t) g_test_rand_int_range(0, N_RULES);
        Written written[N_RULES];
        PolicyImage *image;

        for (size_t i = 0; i < n; i++)
                written[i] = random_rule();
        image = by_hand ? compile_by_hand(written, n) : compile_written(written, n);
        for (int i = 0; i < N_PROBES; i++)
                probe_path(image, written, n);
        policy_image_free(image);
        for (size_t i = 0; i < n; i++)
                g_free(written[i].entry);
}

static void test_150000_random_paths_are_decided_as_written(void)
{
        make_names();
        for (int i = 0; i < N_POLICIES; i++)
                try_policy(0);
        g_ptr_array_unref(names);
}

static void test_150000_random_paths_are_decided_by_names_alone_too(void)
{
        make_names();
        for (int i = 0; i < N_POLICIES; i++)
                try_policy(1);
        g_ptr_array_unref(names);
}

/* ---- addresses ---- */

static const char *const addresses[] = {
        "10.0.0.0",          "10.0.0.1",    "10.0.128.0",         "10.1.2.3",  "11.0.0.1",
        "138.0.0.1",         "0.0.0.0",     "255.255.255.255",    "::",        "::1",
        "2001:db8::",        "2001:db8::1", "2001:db8:0:8000::1", "fd00::1",   "fe80::1",
        "2001:db8:ffff::ff", "::fffe:1:2",  "::ffff:10.0.0.1",    "ff02::1:2", "64:ff9b::a00:1",
};
static const char *const protocols[] = {"", ":tcp", ":udp", ":any"};
static const char *const directions[] = {"", ":egress", ":connect", ":bind", ":both"};

#define PICK(array) ((array)[g_test_rand_int_range(0, G_N_ELEMENTS(array))])

static void write_net(GString *text)
{
        const char *address = PICK(addresses);
        int is_v6 = strchr(address, ':') != NULL, kind = g_test_rand_int_range(0, 4);
        int port = g_test_rand_int_range(1, 4);
        const char *protocol = PICK(protocols);

        if (kind == 0)
                g_string_append_printf(text, "[deny_ip]\n%s\n", address);
        else if (kind == 1)
                g_string_append_printf(text, "[deny_cidr]\n%s/%d\n", address,
                                       g_test_rand_int_range(0, is_v6 ? 129 : 33));
        else if (kind == 2)
                g_string_append_printf(text, "[deny_port]\n%d%s%s\n", port, protocol,
                                       *protocol ? PICK(directions) : "");
        else
                g_string_append_printf(text, "[deny_ip_port]\n%s%s%s:%d%s\n", is_v6 ? "[" : "",
                                       address, is_v6 ? "]" : "", port, protocol);
}

typedef struct Probe {
        uint8_t address[16];
        uint16_t port;
        uint8_t protocol;
        enum net_operation operation;
} Probe;

static int bits_match(const uint8_t *a, const uint8_t *b, unsigned n)
{
        for (unsigned i = 0; i < n; i++)
                if ((a[i / 8] ^ b[i / 8]) & (0x80 >> i % 8))
                        return 0;
        return 1;
}

static int rule_matches(const Rule *rule, const Probe *probe)
{
        return rule->net.operations & (1u << probe->operation) &&
               (rule->net.port == 0 || rule->net.port == probe->port) &&
               (rule->net.protocol == 0 || rule->net.protocol == probe->protocol) &&
               bits_match(rule->net.address, probe->address, rule->net.prefix);
}

static Probe random_probe(void)
{
        const char *address = PICK(addresses);
        Probe probe = {
                .port = (uint16_t) g_test_rand_int_range(0, 5),
                .protocol = g_test_rand_bit() ? IPPROTO_TCP : IPPROTO_UDP,
                .operation = (enum net_operation) g_test_rand_int_range(0, N_NET_OPERATIONS),
                .address = {[10] = 0xff, [11] = 0xff},
        };

        if (strchr(address, ':'))
                g_assert_cmpint(inet_pton(AF_INET6, address, probe.address), ==, 1);
        else
                g_assert_cmpint(inet_pton(AF_INET, address, probe.address + 12), ==, 1);
        if (g_test_rand_int_range(0, 4) == 0)
                probe.address[g_test_rand_int_range(0, 16)] ^=
                        (uint8_t) (1 << g_test_rand_int_range(0, 8));
        return probe;
}

static void probe_net(const PolicyImage *image, const Policy *policy)
{
        Probe probe = random_probe();
        uint32_t found;
        int matches = 0;

        found = image_find_net(image, probe.address, probe.port, probe.protocol, probe.operation);
        for (size_t i = 0; i < policy_n_rules(policy); i++)
                matches |= rule_matches(policy_rule(policy, i), &probe);
        g_assert_cmpint(found > 0, ==, matches);
        if (found > 0)
                g_assert_true(rule_matches(policy_rule(policy, found - 1), &probe));
}

static void test_150000_random_addresses_are_decided_as_written(void)
{
        static const FakeMachine machine;

        for (int i = 0; i < N_POLICIES; i++) {
                g_autoptr(GString) text = g_string_new("version=1\n");
                int n = g_test_rand_int_range(0, N_RULES);
                Diagnostics diagnostics = {};
                PolicyImage *image;
                Policy *policy;

                for (int j = 0; j < n; j++)
                        write_net(text);
                g_assert_cmpint(policy_parse(&policy, text->str, text->len, &diagnostics), ==, 0);
                diagnostics_deinit(&diagnostics);
                image = compile_text(text->str, &machine, &diagnostics);
                for (int j = 0; j < N_PROBES; j++)
                        probe_net(image, policy);
                policy_image_free(image);
                policy_unref(policy);
        }
}

/* ---- size ---- */

static char *path_of_many(int i)
{
        return g_strdup_printf("/srv/data/%03d/%d/file-%d", i % 997, i % 31, i);
}

static void test_100000_rules_are_compiled(void)
{
        static const FakeMachine machine;
        g_autoptr(GString) text = g_string_new("version=1\n[deny_path]\n");
        Diagnostics diagnostics;
        PolicyImage *image;
        gint64 begin;
        Verdict verdict;
        int holds;

        for (int i = 0; i < 100000; i++) {
                g_autofree char *path = path_of_many(i);

                g_string_append_printf(text, "%s%s\n", path, i % 2 ? "/" : "");
        }
        begin = g_get_monotonic_time();
        image = compile_text(text->str, &machine, &diagnostics);
        g_test_message("%zu entries in %.0f ms", image->n_trie,
                       (double) (g_get_monotonic_time() - begin) / 1000);
        for (int i = 0; i < 100000; i++) {
                g_autofree char *path = path_of_many(i);
                g_autofree char *below = g_strconcat(path, "/x", NULL);

                verdict = image_find_path(image, 1, path, &holds);
                g_assert_cmpuint(verdict.rule, ==, (uint32_t) i + 1);
                verdict = image_find_path(image, 1, below, &holds);
                g_assert_cmpuint(verdict.rule, ==, (uint32_t) i + 1);
        }
        policy_image_free(image);
}

static int compile_deep(int n_paths)
{
        static const FakeMachine machine;
        g_autoptr(GString) text = g_string_new("version=1\n[deny_path]\n");
        Document document = {.name = "deep"};
        Resolver resolver = fake_resolver(&machine);
        Diagnostics diagnostics = {};
        PolicyImage *image = NULL;
        int r;

        for (int i = 0; i < n_paths; i++) {
                g_string_append_printf(text, "/%d", 1000 + i);
                for (int j = 0; j < 1999; j++)
                        g_string_append(text, "/d");
                g_string_append_c(text, '\n');
        }
        g_assert_cmpint(policy_parse(&document.policy, text->str, text->len, &diagnostics), ==, 0);
        r = policy_image_compile(&image, &document, 1, &resolver, &diagnostics);
        policy_image_free(image);
        policy_unref(document.policy);
        return r;
}

static void test_more_names_than_an_image_may_hold_are_refused(void)
{
        g_assert_cmpint(compile_deep(TRIE_ENTRIES_MAX / 2000), ==, 0);
        g_assert_cmpint(compile_deep(TRIE_ENTRIES_MAX / 2000 + 1), ==, -E2BIG);
}

#define ADD(test) g_test_add_func("/policy/random/" #test, test)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_150000_random_paths_are_decided_as_written);
        ADD(test_150000_random_paths_are_decided_by_names_alone_too);
        ADD(test_150000_random_addresses_are_decided_as_written);
        ADD(test_100000_rules_are_compiled);
        ADD(test_more_names_than_an_image_may_hold_are_refused);
        return g_test_run();
}
