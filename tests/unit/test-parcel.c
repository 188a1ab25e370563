/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parser gives arrives whole from the child, and nothing that a parser would not give. The
 * parser here may be one that was led astray: it is wrapped. */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "policy/apart.h"
#include "policy/parcel.h"
#include "policy/parse.h"
#include "policy/sound.h"
#include "random-document.h"
#include "rule-equal.h"
#include "util/array.h"

#define N_DOCUMENTS 200
#define N_TAMPERED 20000

/* ---- the parser, as it is or worse ---- */

int __real_policy_parse(Policy **ret_policy, const char *text, size_t n_text,
                        Diagnostics *diagnostics);
int __wrap_policy_parse(Policy **ret_policy, const char *text, size_t n_text,
                        Diagnostics *diagnostics);
int __real_parcel_fill(void *room, size_t n_room, int result, const Policy *policy,
                       const Diagnostics *diagnostics);
int __wrap_parcel_fill(void *room, size_t n_room, int result, const Policy *policy,
                       const Diagnostics *diagnostics);

static enum { HONEST, CRASHES, LIES, IS_SHORT_OF_MEMORY } parser;

int __wrap_policy_parse(Policy **ret_policy, const char *text, size_t n_text,
                        Diagnostics *diagnostics)
{
        if (parser == CRASHES)
                __builtin_trap();
        if (parser == IS_SHORT_OF_MEMORY)
                return -ENOMEM;
        return __real_policy_parse(ret_policy, text, n_text, diagnostics);
}

int __wrap_parcel_fill(void *room, size_t n_room, int result, const Policy *policy,
                       const Diagnostics *diagnostics)
{
        if (parser == LIES) {
                memset(room, 0xff, n_room);
                return 0;
        }
        return __real_parcel_fill(room, n_room, result, policy, diagnostics);
}

/* ---- what arrives ---- */

static void assert_same_rule(const Rule *a, const Rule *b)
{
        g_assert_true(rule_equal(a, b));
        g_assert_cmpuint(a->line, ==, b->line);
        g_assert_cmpuint(a->column, ==, b->column);
        g_assert_cmpstr(a->section, ==, b->section);
        g_assert_cmpstr(a->entry, ==, b->entry);
        g_assert_cmpuint(a->options->ttl, ==, b->options->ttl);
        g_assert_cmpstr(a->options->id, ==, b->options->id);
        g_assert_cmpstr(a->options->why, ==, b->options->why);
}

static void assert_same_policy(const Policy *a, const Policy *b)
{
        g_assert_cmpuint(policy_n_rules(a), ==, policy_n_rules(b));
        g_assert_cmpuint(policy_version(a), ==, policy_version(b));
        g_assert_cmpstr(policy_header_name(a), ==, policy_header_name(b));
        g_assert_cmpint(policy_accepts_missing(a), ==, policy_accepts_missing(b));
        g_assert_cmpint(policy_runtime_deps(a), ==, policy_runtime_deps(b));
        g_assert_cmpint(policy_wants_ima_appraisal(a), ==, policy_wants_ima_appraisal(b));
        for (size_t i = 0; i < policy_n_rules(a); i++)
                assert_same_rule(policy_rule(a, i), policy_rule(b, i));
}

static void assert_same_findings(const Diagnostics *a, const Diagnostics *b)
{
        _cleanup_(freep) char *text_a = diagnostics_format(a, "doc"),
                              *text_b = diagnostics_format(b, "doc");

        g_assert_cmpstr(text_a, ==, text_b);
        g_assert_cmpuint(a->n_faults, ==, b->n_faults);
}

/* Returns the result of both. */
static int assert_arrives(const char *text, size_t n)
{
        _cleanup_(diagnostics_deinit) Diagnostics here = {}, there = {};
        _cleanup_(policy_unrefp) Policy *a = NULL, *b = NULL;
        int r = policy_parse(&a, text, n, &here);

        g_assert_cmpint(policy_parse_apart(&b, text, n, &there), ==, r);
        assert_same_findings(&here, &there);
        if (r == 0)
                assert_same_policy(a, b);
        return r;
}

static void test_random_documents_arrive(void)
{
        unsigned n_taken = 0;

        for (unsigned i = 0; i < N_DOCUMENTS; i++) {
                char *text = random_document(1 + i % POLICY_VERSION_MAX);

                n_taken += assert_arrives(text, strlen(text)) == 0 ? 1 : 0;
                g_free(text);
        }
        g_assert_cmpuint(n_taken, >, N_DOCUMENTS / 2);
}

static void test_headers_arrive(void)
{
        static const char *const texts[] = {
                "version=7\nname=web\non-missing-guarantee=accept\nruntime-deps=verified\n"
                "ima-appraisal=required\n[deny]\nfile:/a id=x why=\"so\" ttl=3s\nfile:/b "
                "identity=verified\n",
                "version=4\n[protect_connect]\n[protect_path]\n/a\n/b\n[protect_runtime_deps]\n",
                "version=7\n[deny]\nfile:/a uid=1\nfile:/b uid=1\nfile:/c\nfile:/d gid=2\n",
                "version=1\n",
        };

        for (size_t i = 0; i < ELEMENTS_OF(texts); i++)
                g_assert_cmpint(assert_arrives(texts[i], strlen(texts[i])), ==, 0);
}

/* As it is seen in the file system, the root of cgroups is one byte of the path. */
static void test_the_root_of_cgroups_arrives(void)
{
        static const char *const texts[] = {
                "version=1\n[allow_cgroup]\n/sys/fs/cgroup\n",
                "version=1\n[allow_cgroup]\n//sys/fs/cgroup/",
                "version=6\n[cgroup_deny_ip]\n/sys/fs/cgroup 192.0.2.1",
                "version=6\n[cgroup_deny_port]\n/sys/fs/cgroup/ 22\n/sys/fs/cgroup/a 22\n",
                "version=7\n[deny]\nfile:/a cgroup=/sys/fs/cgroup",
                "version=7\n[deny]\nfile:/b cgroup=\"/sys/fs/cgroup\" why=\"so\"",
        };

        for (size_t i = 0; i < ELEMENTS_OF(texts); i++)
                g_assert_cmpint(assert_arrives(texts[i], strlen(texts[i])), ==, 0);
}

static void test_faults_arrive(void)
{
        GString *text = g_string_new("version=7\n[deny]\n");

        g_assert_cmpint(assert_arrives("", 0), ==, POLICY_E_SYNTAX);
        g_assert_cmpint(assert_arrives("\0\xff", 2), ==, POLICY_E_SYNTAX);
        for (unsigned i = 0; i < 2 * DIAGNOSTICS_MAX; i++)
                g_string_append(text, i % 2 ? "file:/a\n" : "file:a \xff\n");
        g_assert_cmpint(assert_arrives(text->str, text->len), ==, POLICY_E_SYNTAX);
        g_string_free(text, TRUE);
}

static void test_lines_of_one_byte_arrive(void)
{
        GString *text = g_string_new("version=1\n[deny_path]\n");

        for (unsigned i = 0; i < 50000; i++)
                g_string_append(text, "/\n");
        g_assert_cmpint(assert_arrives(text->str, text->len), ==, 0);
        g_string_free(text, TRUE);
}

static void test_too_large_is_not_read(void)
{
        _cleanup_(diagnostics_deinit) Diagnostics diagnostics = {};
        char *text = g_malloc0(POLICY_SIZE_MAX + 1);
        Policy *policy = NULL;

        g_assert_cmpint(policy_parse_apart(&policy, text, POLICY_SIZE_MAX + 1, &diagnostics), ==,
                        POLICY_E_TOO_LARGE);
        g_free(text);
}

/* ---- a parser that was led astray ---- */

static void assert_refused(const char *why)
{
        _cleanup_(diagnostics_deinit) Diagnostics diagnostics = {};
        static const char text[] = "version=1\n[deny_path]\n/a\n";
        Policy *policy = NULL;

        g_assert_cmpint(policy_parse_apart(&policy, text, strlen(text), &diagnostics), ==,
                        POLICY_E_SYNTAX);
        g_assert_null(policy);
        g_assert_cmpuint(diagnostics.n_faults, ==, 1);
        g_assert_nonnull(strstr(diagnostics.items[0].message, why));
}

static void test_a_parser_that_crashes_refuses_the_document(void)
{
        parser = CRASHES;
        assert_refused("ended the parser");
        parser = HONEST;
}

static void test_a_parser_that_lies_is_not_believed(void)
{
        parser = LIES;
        assert_refused("led the parser astray");
        parser = HONEST;
}

static void test_memory_that_is_short_is_told(void)
{
        Diagnostics diagnostics = {};
        Policy *policy = NULL;

        parser = IS_SHORT_OF_MEMORY;
        g_assert_cmpint(policy_parse_apart(&policy, "version=1\n", 10, &diagnostics), ==, -ENOMEM);
        parser = HONEST;
}

/* ---- parcels that were tampered with ---- */

typedef struct Sample {
        char *text;
        size_t n_room;
        uint64_t *room;
} Sample;

static Sample sample_new(unsigned version)
{
        _cleanup_(diagnostics_deinit) Diagnostics diagnostics = {};
        _cleanup_(policy_unrefp) Policy *policy = NULL;
        Sample sample = {.text = random_document(version)};
        int r = policy_parse(&policy, sample.text, strlen(sample.text), &diagnostics);

        sample.n_room = parcel_size_max(sample.text, strlen(sample.text));
        sample.room = g_malloc0(sample.n_room + sizeof(uint64_t));
        g_assert_cmpint(parcel_fill(sample.room, sample.n_room, r, policy, &diagnostics), ==, 0);
        while (((char *) sample.room)[sample.n_room - 1] == '\0')
                sample.n_room--;
        sample.n_room++; /* the string there ends */
        return sample;
}

static void sample_free(Sample *sample)
{
        g_free(sample->text);
        g_free(sample->room);
}

static int open_any(const void *room, size_t n_room)
{
        _cleanup_(diagnostics_deinit) Diagnostics diagnostics = {};
        _cleanup_(policy_unrefp) Policy *policy = NULL;
        int r = parcel_open(room, n_room, &policy, &diagnostics);

        g_assert_true(r == 0 || r == -EBADMSG || r == POLICY_E_SYNTAX);
        g_assert_true((r == 0) == (policy != NULL));
        for (size_t i = 0; policy && i < policy_n_rules(policy); i++)
                g_assert_true(rule_is_sound(policy_rule(policy, i)));
        return r;
}

/* Where there is something. */
static void tamper(uint8_t *bytes, size_t n)
{
        size_t at = (size_t) g_test_rand_int_range(0, (gint32) n);

        for (size_t i = 0; i < n && bytes[at] == 0; i++)
                at = (at + 1) % n;
        bytes[at] = (uint8_t) g_test_rand_int_range(0, 256);
        if (g_test_rand_int_range(0, 4) == 0)
                memset(bytes + at / 4 * 4, g_test_rand_int_range(0, 2) ? 0xff : 0,
                       MIN(4, n - at / 4 * 4));
}

static void test_tampered_parcels_do_no_harm(void)
{
        unsigned n_refused = 0;

        for (unsigned i = 0; i < N_TAMPERED / 200; i++) {
                Sample sample = sample_new(1 + i % POLICY_VERSION_MAX);
                uint8_t *bytes = g_malloc(sample.n_room);

                for (unsigned k = 0; k < 200; k++) {
                        memcpy(bytes, sample.room, sample.n_room);
                        for (unsigned n = 0; n <= k % 3; n++)
                                tamper(bytes, sample.n_room);
                        n_refused += open_any(bytes, sample.n_room) == -EBADMSG ? 1 : 0;
                }
                g_free(bytes);
                sample_free(&sample);
        }
        g_assert_cmpuint(n_refused, >, N_TAMPERED / 20);
}

static void test_parcels_that_are_cut_do_no_harm(void)
{
        Sample sample = sample_new(7);

        for (size_t n = 0; n < sample.n_room; n += 1 + sample.n_room / 500) {
                void *cut = g_memdup2(sample.room, n ? n : 1);

                open_any(cut, n);
                g_free(cut);
        }
        sample_free(&sample);
}

static void test_a_room_that_is_too_small_is_told(void)
{
        static const char text[] = "version=1\n[deny_path]\n/a\n/b\n/c\n";
        _cleanup_(diagnostics_deinit) Diagnostics diagnostics = {};
        _cleanup_(policy_unrefp) Policy *policy = NULL;
        uint64_t room[128] = {};

        g_assert_cmpint(policy_parse(&policy, text, strlen(text), &diagnostics), ==, 0);
        for (size_t n = 0; n < sizeof(room); n += 8) {
                int r = parcel_fill(room, n, 0, policy, &diagnostics);

                g_assert_true(r == 0 || r == -E2BIG);
                if (r == 0)
                        return;
        }
        g_assert_cmpint(parcel_fill(room, sizeof(room), 0, policy, &diagnostics), ==, 0);
}

/* ---- soundness, one by one ---- */

static const RuleOptions none = {};

#define FILE_RULE(...)                                                                             \
        {                                                                                          \
                .kind = RULE_FILE, .file = { __VA_ARGS__ }                                         \
        }
#define NET_RULE(...)                                                                              \
        {                                                                                          \
                .kind = RULE_NET, .net = { __VA_ARGS__ }                                           \
        }
#define OPTIONS_RULE(...)                                                                          \
        {                                                                                          \
                .kind = RULE_KERNEL, .options = &(const RuleOptions)                               \
                {                                                                                  \
                        __VA_ARGS__                                                                \
                }                                                                                  \
        }

static const char long_why[] = "123456789012345678901234567890123456789012345678901234567890123456"
                               "123456789012345678901234567890123456789012345678901234567890123456"
                               "123456789012345678901234567890123456789012345678901234567890123456"
                               "123456789012345678901234567890123456789012345678901234567890123456";

static const Rule sound[] = {
        FILE_RULE(.path = "/a", .access = ACCESS_READ, .below = 1),
        FILE_RULE(.path = "/a/*", .access = ACCESS_READ, .has_wildcard = 1),
        FILE_RULE(.path = "/", .access = ACCESS_READ),
        {.kind = RULE_INODE, .inode = {.access = ACCESS_ALL}},
        NET_RULE(.operations = 1u << NET_CONNECT, .prefix = 128, .address = {[15] = 1}),
        NET_RULE(.operations = 1u << NET_CONNECT, .first_port = 1, .last_port = 65535,
                 .protocol = NET_PROTOCOL_RAW),
        {.kind = RULE_KERNEL, .kernel = KERNEL_KEXEC, .verdict = RULE_AUDIT},
        {.kind = RULE_COMM, .comm = "123456789012345"},
        {.kind = RULE_DIGEST, .digest = {.algorithm = DIGEST_SHA256}},
        {.kind = RULE_DEFAULT, .def = {.access = ACCESS_MAP}},
        {.kind = RULE_ALLOW_CGROUP, .verdict = RULE_ALLOW, .cgroup = {.path = "x.service"}},
        {.kind = RULE_ALLOW_CGROUP, .verdict = RULE_ALLOW, .cgroup = {.id = 7}},
        OPTIONS_RULE(.subject = SUBJECT_EXE, .exe = "/bin/*", .exe_below = 1),
        OPTIONS_RULE(.subject = SUBJECT_CGROUP | SUBJECT_UID, .cgroup = "/a"),
        OPTIONS_RULE(.mode = RULE_MODE_ENFORCE, .signal = SIGNAL_KILL, .ttl = 1),
        OPTIONS_RULE(.id = "x", .why = "so it is"),
};

static const Rule unsound[] = {
        {.kind = (RuleKind) (RULE_ALLOW_CGROUP + 1)},
        {.kind = RULE_KERNEL, .verdict = (RuleVerdict) (RULE_AUDIT + 1)},
        {.kind = RULE_KERNEL, .line = POLICY_LINES_MAX + 1},
        {.kind = RULE_KERNEL, .entry = "\x01"},
        {.kind = RULE_KERNEL, .kernel = N_KERNEL_OBJECTS},
        FILE_RULE(.path = NULL, .access = ACCESS_READ),
        FILE_RULE(.path = "", .access = ACCESS_READ),
        FILE_RULE(.path = "a", .access = ACCESS_READ),
        FILE_RULE(.path = "/a/", .access = ACCESS_READ),
        FILE_RULE(.path = "/a//b", .access = ACCESS_READ),
        FILE_RULE(.path = "/a/./b", .access = ACCESS_READ),
        FILE_RULE(.path = "/..", .access = ACCESS_READ),
        FILE_RULE(.path = "/a", .access = 0),
        FILE_RULE(.path = "/a", .access = ACCESS_ALL + 1),
        FILE_RULE(.path = "/a", .access = ACCESS_READ, .below = 2),
        FILE_RULE(.path = "/a", .access = ACCESS_READ, .has_wildcard = 1),
        FILE_RULE(.path = "/a*/*b", .access = ACCESS_READ, .has_wildcard = 1),
        FILE_RULE(.path = "/*", .access = ACCESS_READ, .has_wildcard = 2),
        {.kind = RULE_INODE},
        {.kind = RULE_INODE, .inode = {.access = 256}},
        NET_RULE(.operations = 1u << NET_CONNECT, .prefix = 129),
        NET_RULE(.operations = 1u << NET_CONNECT, .prefix = 127, .address = {[15] = 1}),
        NET_RULE(.operations = 0),
        NET_RULE(.operations = 1u << N_NET_OPERATIONS),
        NET_RULE(.operations = 1u << NET_CONNECT, .first_port = 2, .last_port = 1),
        NET_RULE(.operations = 1u << NET_CONNECT, .last_port = 1),
        NET_RULE(.operations = 1u << NET_CONNECT, .protocol = 258),
        {.kind = RULE_COMM},
        {.kind = RULE_COMM, .comm = ""},
        {.kind = RULE_COMM, .comm = "1234567890123456"},
        {.kind = RULE_COMM, .comm = "a/b"},
        {.kind = RULE_DIGEST},
        {.kind = RULE_DIGEST, .digest = {.algorithm = 3}},
        {.kind = RULE_DEFAULT},
        {.kind = RULE_DEFAULT, .def = {.access = ACCESS_READ}},
        {.kind = RULE_ALLOW_CGROUP, .verdict = RULE_DENY, .cgroup = {.path = "/a"}},
        {.kind = RULE_ALLOW_CGROUP, .verdict = RULE_ALLOW},
        {.kind = RULE_ALLOW_CGROUP, .verdict = RULE_ALLOW, .cgroup = {.path = "/a", .id = 1}},
        {.kind = RULE_ALLOW_CGROUP, .verdict = RULE_ALLOW, .cgroup = {.path = "x"}},
        OPTIONS_RULE(.subject = SUBJECT_VERIFIED << 1),
        OPTIONS_RULE(.subject = SUBJECT_EXE),
        OPTIONS_RULE(.subject = SUBJECT_EXE, .exe = "bin"),
        OPTIONS_RULE(.exe = "/bin"),
        OPTIONS_RULE(.exe_below = 1),
        OPTIONS_RULE(.subject = SUBJECT_EXE, .exe = "/bin", .exe_below = 2),
        OPTIONS_RULE(.subject = SUBJECT_CGROUP),
        OPTIONS_RULE(.cgroup = "/a"),
        OPTIONS_RULE(.cgroup_id = 1),
        OPTIONS_RULE(.uid = UINT32_MAX),
        OPTIONS_RULE(.gid = UINT32_MAX),
        OPTIONS_RULE(.mode = (RuleMode) (RULE_MODE_ENFORCE + 1)),
        OPTIONS_RULE(.signal = SIGNAL_KILL + 1),
        OPTIONS_RULE(.ttl = UINT64_MAX),
        OPTIONS_RULE(.id = "-"),
        OPTIONS_RULE(.why = ""),
        OPTIONS_RULE(.why = "a\tb"),
        OPTIONS_RULE(.why = "\xff"),
        OPTIONS_RULE(.why = long_why),
};

static int is_sound(const Rule *given)
{
        Rule rule = *given;

        rule.line = rule.line ? rule.line : 1;
        rule.entry = rule.entry ? rule.entry : "entry";
        rule.options = rule.options ? rule.options : &none;
        return rule_is_sound(&rule);
}

static void test_soundness(void)
{
        Rule rule = {.kind = RULE_KERNEL, .entry = "entry", .options = &none};

        for (size_t i = 0; i < ELEMENTS_OF(sound); i++) {
                g_test_message("sound %zu", i);
                g_assert_true(is_sound(&sound[i]));
        }
        for (size_t i = 0; i < ELEMENTS_OF(unsound); i++) {
                g_test_message("unsound %zu", i);
                g_assert_false(is_sound(&unsound[i]));
        }
        g_assert_false(rule_is_sound(&rule)); /* no line */
        rule.line = 1;
        g_assert_true(rule_is_sound(&rule));
        rule.entry = NULL;
        g_assert_false(rule_is_sound(&rule));
}

static void test_long_names_are_unsound(void)
{
        char *path = g_strnfill(5000, 'x'), *entry = g_strnfill(POLICY_LINE_MAX + 1, 'x');
        Rule rule = FILE_RULE(.path = path, .access = ACCESS_READ);

        path[0] = '/';
        g_assert_false(is_sound(&rule)); /* the path */
        path[300] = '\0';
        g_assert_false(is_sound(&rule)); /* the name */
        path[200] = '\0';
        g_assert_true(is_sound(&rule));
        rule.entry = entry;
        g_assert_false(is_sound(&rule));
        entry[POLICY_LINE_MAX] = '\0';
        g_assert_true(is_sound(&rule));
        g_free(path);
        g_free(entry);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/parcel/random-documents-arrive", test_random_documents_arrive);
        g_test_add_func("/parcel/headers-arrive", test_headers_arrive);
        g_test_add_func("/parcel/the-root-of-cgroups-arrives", test_the_root_of_cgroups_arrives);
        g_test_add_func("/parcel/faults-arrive", test_faults_arrive);
        g_test_add_func("/parcel/lines-of-one-byte-arrive", test_lines_of_one_byte_arrive);
        g_test_add_func("/parcel/too-large-is-not-read", test_too_large_is_not_read);
        g_test_add_func("/parcel/a-parser-that-crashes",
                        test_a_parser_that_crashes_refuses_the_document);
        g_test_add_func("/parcel/a-parser-that-lies", test_a_parser_that_lies_is_not_believed);
        g_test_add_func("/parcel/memory-that-is-short", test_memory_that_is_short_is_told);
        g_test_add_func("/parcel/tampered-parcels", test_tampered_parcels_do_no_harm);
        g_test_add_func("/parcel/parcels-that-are-cut", test_parcels_that_are_cut_do_no_harm);
        g_test_add_func("/parcel/a-room-that-is-too-small", test_a_room_that_is_too_small_is_told);
        g_test_add_func("/parcel/soundness", test_soundness);
        g_test_add_func("/parcel/long-names", test_long_names_are_unsound);
        return g_test_run();
}
