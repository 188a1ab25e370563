/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The compiler: an image as a whole: what it needs, how its rules are named, what it is equal to.
 */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "image-reader.h"
#include "policy-fixture.h"
#include "policy/parse.h"

#define BIT(hook) HOOK_BIT(HOOK_##hook)
#define INODE_HOOKS                                                                                \
        (BIT(INODE_COPY_UP) | BIT(INODE_CREATE) | BIT(INODE_LINK) | BIT(INODE_MKDIR) |             \
         BIT(INODE_MKNOD) | BIT(INODE_REMOVE_ACL) | BIT(INODE_REMOVEXATTR) | BIT(INODE_RENAME) |   \
         BIT(INODE_RMDIR) | BIT(INODE_SET_ACL) | BIT(INODE_SETATTR) | BIT(INODE_SETXATTR) |        \
         BIT(INODE_SYMLINK) | BIT(INODE_UNLINK))
#define MAP_HOOKS (BIT(MMAP_FILE) | BIT(FILE_MPROTECT))

static const FakeMachine machine;
static const RuleOptions enforced = {.mode = RULE_MODE_ENFORCE};

static Rule file_rule(RuleVerdict verdict, uint32_t access)
{
        return (Rule){
                .kind = RULE_FILE, .verdict = verdict, .file = {.path = "/a", .access = access}};
}

static Rule of_kernel(enum kernel_object object)
{
        return (Rule){.kind = RULE_KERNEL, .kernel = object};
}

static Rule by_default(RuleVerdict verdict, uint32_t access)
{
        return (Rule){.kind = RULE_DEFAULT, .verdict = verdict, .def.access = access};
}

static Rule of_comm(const char *comm)
{
        return (Rule){.kind = RULE_COMM, .comm = comm};
}

static Rule of_digest(uint32_t algorithm, uint8_t first)
{
        return (Rule){.kind = RULE_DIGEST, .digest = {.algorithm = algorithm, .digest = {first}}};
}

static void assert_hooks(Rule rule, uint64_t hooks)
{
        PolicyImage *image = compile_rules(&rule, 1, &machine);

        g_assert_cmphex(image->hooks, ==, hooks);
        g_assert_cmphex(image->hooks_accepted, ==, 0);
        g_assert_cmphex(image->hooks_in_audit, ==, 0);
        policy_image_free(image);
}

/* ---- what is needed ---- */

static void test_an_empty_set_needs_nothing(void)
{
        Resolver resolver = fake_resolver(&machine);
        PolicyImage *image = compile_rules(NULL, 0, &machine);

        g_assert_cmpuint(image->hooks, ==, 0);
        g_assert_cmpuint(image->flags, ==, 0);
        g_assert_cmpuint(image->n_rules, ==, 1);
        g_assert_cmpuint(image->n_rulesets, ==, 1);
        g_assert_cmpuint(image->n_clauses, ==, 1);
        g_assert_cmpuint(image->n_subjects, ==, 1);
        policy_image_free(image);
        g_assert_cmpint(policy_image_compile(&image, NULL, 0, &resolver, NULL), ==, 0);
        image_check(image);
        policy_image_free(image);
        policy_image_free(NULL);
}

static void test_a_file_needs_every_hook_about_names(void)
{
        Rule inode = {.kind = RULE_INODE, .inode = {1, ACCESS_READ, 12}};

        assert_hooks(file_rule(RULE_DENY, ACCESS_READ), INODE_HOOKS | BIT(FILE_OPEN));
        assert_hooks(file_rule(RULE_AUDIT, ACCESS_READ), INODE_HOOKS | BIT(FILE_OPEN));
        assert_hooks(inode, INODE_HOOKS | BIT(FILE_OPEN));
        assert_hooks(file_rule(RULE_DENY, ACCESS_ALL),
                     INODE_HOOKS | BIT(FILE_OPEN) | BIT(BPRM_CHECK_SECURITY) | MAP_HOOKS);
}

static void test_what_is_run_needs_the_hooks_of_running(void)
{
        assert_hooks(of_comm("sh"), BIT(BPRM_CHECK_SECURITY));
        assert_hooks(of_digest(DIGEST_SHA256, 1),
                     BIT(BPRM_CHECK_SECURITY) | BIT(BPRM_CREDS_FOR_EXEC));
        assert_hooks(of_digest(DIGEST_VERITY_SHA256, 1), BIT(BPRM_CHECK_SECURITY));
        assert_hooks(by_default(RULE_DENY, ACCESS_EXEC), BIT(BPRM_CHECK_SECURITY));
        assert_hooks(by_default(RULE_DENY, ACCESS_MAP), BIT(FILE_OPEN) | MAP_HOOKS);
}

static void test_each_part_of_the_kernel_needs_its_hooks(void)
{
        assert_hooks(of_kernel(KERNEL_PTRACE), BIT(PTRACE_ACCESS_CHECK) | BIT(PTRACE_TRACEME));
        assert_hooks(of_kernel(KERNEL_MODULE), BIT(KERNEL_READ_FILE) | BIT(KERNEL_LOAD_DATA));
        assert_hooks(of_kernel(KERNEL_KEXEC), BIT(KERNEL_READ_FILE) | BIT(KERNEL_LOAD_DATA));
        assert_hooks(of_kernel(KERNEL_BPF), BIT(BPF));
        assert_hooks(of_kernel(KERNEL_MOUNT),
                     BIT(SB_MOUNT) | BIT(MOVE_MOUNT) | BIT(SB_UMOUNT) | BIT(SB_PIVOTROOT));
}

static void test_what_is_only_allowed_needs_no_hook(void)
{
        Rule comm = of_comm("sh");

        comm.verdict = RULE_ALLOW;
        assert_hooks(file_rule(RULE_ALLOW, ACCESS_ALL), 0);
        assert_hooks(comm, 0);
}

/* A list of what may run is no good if nobody reads the digests. */
static void test_what_is_found_out_needs_its_hooks_if_it_only_allows(void)
{
        static const RuleOptions verified = {.subject = SUBJECT_VERIFIED};
        Rule digest = of_digest(DIGEST_SHA256, 1), file = file_rule(RULE_ALLOW, ACCESS_READ);
        PolicyImage *image;

        digest.verdict = RULE_ALLOW;
        file.options = &verified;
        assert_hooks(digest, BIT(BPRM_CHECK_SECURITY) | BIT(BPRM_CREDS_FOR_EXEC));
        image = compile_rules(&file, 1, &machine);
        g_assert_true(image->hooks & BIT(BPRM_CHECK_SECURITY));
        g_assert_false(image->hooks & BIT(FILE_OPEN));
        policy_image_free(image);
}

static void test_mode_enforce_needs_its_hooks_in_audit_too(void)
{
        Rule ptrace = of_kernel(KERNEL_PTRACE);
        PolicyImage *image;

        ptrace.options = &enforced;
        image = COMPILE_ON(&machine, ptrace, of_kernel(KERNEL_BPF));
        g_assert_cmphex(image->hooks_in_audit, ==, BIT(PTRACE_ACCESS_CHECK) | BIT(PTRACE_TRACEME));
        g_assert_cmphex(image->hooks, ==, image->hooks_in_audit | BIT(BPF));
        policy_image_free(image);
        ptrace.verdict = RULE_ALLOW;
        image = COMPILE_ON(&machine, ptrace);
        g_assert_cmphex(image->hooks_in_audit, ==, 0);
        policy_image_free(image);
}

static void test_rules_that_have_expired_need_nothing(void)
{
        static const RuleOptions options = {.ttl = 1, .subject = SUBJECT_EXE, .exe = "/x"};
        Rule rules[] = {of_comm("sh")};
        Resolver resolver = fake_resolver(&machine);
        Diagnostics diagnostics = {};
        PolicyImage *image = NULL;
        Document document;

        rules[0].options = &options;
        document = document_of_rules("doc", rules, 1);
        document.applied = -1;
        g_assert_cmpint(policy_image_compile(&image, &document, 1, &resolver, &diagnostics), ==, 0);
        g_assert_cmpuint(image->n_comms, ==, 0);
        g_assert_cmpuint(image->flags, ==, 0);
        g_assert_cmphex(image->hooks, ==, 0);
        policy_unref(document.policy);
        policy_image_free(image);
}

/* ---- documents together ---- */

static PolicyImage *compile_two(Document *documents)
{
        Diagnostics diagnostics[2] = {};
        Resolver resolver = fake_resolver(&machine);
        PolicyImage *image = NULL;

        g_assert_cmpint(policy_image_compile(&image, documents, 2, &resolver, diagnostics), ==, 0);
        image_check(image);
        for (size_t i = 0; i < 2; i++)
                policy_unref(documents[i].policy);
        return image;
}

static void test_a_document_that_takes_less_makes_no_hook_a_must(void)
{
        Rule first[] = {of_kernel(KERNEL_PTRACE), of_kernel(KERNEL_BPF)};
        Rule second[] = {of_kernel(KERNEL_BPF), of_kernel(KERNEL_MODULE)};
        Document documents[] = {document_of_rules("a", first, 2),
                                document_of_rules("b", second, 2)};
        PolicyImage *image;

        documents[0].policy->accepts_missing = 1;
        image = compile_two(documents);
        g_assert_cmphex(image->hooks_accepted, ==, BIT(PTRACE_ACCESS_CHECK) | BIT(PTRACE_TRACEME));
        policy_image_free(image);
}

static void test_rules_are_numbered_through_the_documents(void)
{
        Rule first[] = {file_rule(RULE_DENY, ACCESS_READ), of_comm("sh")};
        Rule second[] = {file_rule(RULE_DENY, ACCESS_ALL)};
        Document documents[] = {document_of_rules("a", first, 2),
                                document_of_rules("b", second, 1)};
        PolicyImage *image = compile_two(documents);
        const Who who = {};

        g_assert_cmpuint(image->n_rules, ==, 4);
        g_assert_cmpstr(policy_image_rule(image, 0).rule->entry, ==, "");
        g_assert_cmpstr(policy_image_rule(image, 2).document, ==, "a");
        g_assert_cmpstr(policy_image_rule(image, 3).document, ==, "b");
        g_assert_cmpuint(
                image_decide(image, &who,
                             &(What){.access = ACCESS_WRITE, .file.name = {1, (char *) "/a"}})
                        .rule,
                ==, 3);
        policy_image_free(image);
}

static void test_rules_are_named_as_they_say_or_by_their_line(void)
{
        static const RuleOptions named = {.id = "no-shell", .why = "ask Joe"};
        Rule first[] = {of_comm("sh"), of_comm("bash")};
        Rule second[] = {of_comm("zsh")};
        char id[IMAGE_RULE_ID_SIZE];
        Document documents[2];
        PolicyImage *image;
        ImageRule rules[4];

        first[0].line = 7;
        first[0].section = "deny";
        first[0].entry = "comm:sh id=no-shell";
        first[0].options = &named;
        second[0].line = 4000000000;
        documents[0] = document_of_rules("a", first, 2);
        documents[1] = document_of_rules("b", second, 1);
        image = compile_two(documents);
        for (uint32_t i = 1; i < 4; i++)
                rules[i] = policy_image_rule(image, i);
        g_assert_cmpstr(rules[1].rule->section, ==, "deny");
        g_assert_cmpstr(rules[1].rule->entry, ==, "comm:sh id=no-shell");
        g_assert_cmpuint(rules[1].rule->line, ==, 7);
        g_assert_cmpstr(image_rule_id(&rules[1], id), ==, "no-shell");
        g_assert_cmpstr(image_rule_why(&rules[1]), ==, "ask Joe");
        g_assert_cmpstr(image_rule_id(&rules[2], id), ==, "a:2");
        g_assert_cmpstr(image_rule_why(&rules[2]), ==, "");
        g_assert_cmpstr(image_rule_id(&rules[3], id), ==, "b:4000000000");
        policy_image_free(image);
}

static PolicyImage *compile_texts(const char *name, const char *text)
{
        Document documents[] = {document_of_rules("a", NULL, 0), document_of_rules(name, NULL, 0)};

        documents[1].text = text;
        documents[1].n_text = strlen(text);
        return compile_two(documents);
}

static void test_the_digest_is_of_names_and_texts(void)
{
        PolicyImage *image = compile_texts("b", "version=1\n"),
                    *same = compile_texts("b", "version=1\n"),
                    *other_name = compile_texts("c", "version=1\n"),
                    *other_text = compile_texts("b", "version=1\n\n");

        g_assert_cmpmem(image->digest, DIGEST_SIZE, same->digest, DIGEST_SIZE);
        g_assert_cmpint(memcmp(image->digest, other_name->digest, DIGEST_SIZE), !=, 0);
        g_assert_cmpint(memcmp(image->digest, other_text->digest, DIGEST_SIZE), !=, 0);
        policy_image_free(image);
        policy_image_free(same);
        policy_image_free(other_name);
        policy_image_free(other_text);
}

/* ---- keys ---- */

static void test_all_rules_of_one_key_are_one_list(void)
{
        Rule allow = of_comm("sh");
        PolicyImage *image;

        allow.verdict = RULE_ALLOW;
        image = COMPILE_ON(&machine, of_comm("sh"), of_comm("a name of 15 by"), allow,
                           of_digest(DIGEST_VERITY_SHA256, 1), of_digest(DIGEST_SHA256, 2),
                           of_digest(DIGEST_SHA256, 1));
        g_assert_cmpuint(image->n_comms, ==, 2);
        g_assert_cmpmem(image->comms[0].key.name, 16, "a name of 15 by", 16);
        g_assert_cmpstr(image->comms[1].key.name, ==, "sh");
        g_assert_cmpuint(image->clauses[image->comms[1].value].rule, ==, 3);
        g_assert_cmpuint(image->n_digests, ==, 3);
        g_assert_cmpuint(image->clauses[image->digests[0].value].rule, ==, 6);
        g_assert_cmpuint(image->clauses[image->digests[2].value].rule, ==, 4);
        g_assert_cmpuint(image->clauses[image->digests[2].value].access, ==, ACCESS_EXEC);
        g_assert_cmpuint(image->flags, ==, IMAGE_COMMS | IMAGE_SHA256 | IMAGE_VERITY);
        policy_image_free(image);
}

static void test_the_kernel_and_the_defaults_have_lists(void)
{
        PolicyImage *image =
                COMPILE_ON(&machine, of_kernel(KERNEL_MOUNT), by_default(RULE_DENY, ACCESS_EXEC),
                           by_default(RULE_DENY, ACCESS_MAP));
        const struct clause *clauses = image->clauses;

        g_assert_cmpuint(clauses[image->kernel_lists[KERNEL_MOUNT]].rule, ==, 1);
        g_assert_cmphex(clauses[image->kernel_lists[KERNEL_MOUNT]].access, ==, ACCESS_ANY);
        g_assert_cmpuint(image->kernel_lists[KERNEL_BPF], ==, 0);
        g_assert_cmpuint(clauses[image->default_list].access, ==, ACCESS_EXEC);
        g_assert_cmpuint(clauses[image->default_list + 1].access, ==, ACCESS_MAP);
        g_assert_cmpuint(image->flags, ==, IMAGE_DEFAULT);
        policy_image_free(image);
}

/* ---- equal images ---- */

static void test_images_that_decide_alike_are_equal_whatever_their_words(void)
{
        static const RuleOptions named = {.id = "x", .why = "y"};
        Rule rules[] = {file_rule(RULE_DENY, ACCESS_ALL), of_comm("sh")};
        PolicyImage *image = compile_rules(rules, 2, &machine), *other;

        rules[0].entry = "another";
        rules[0].options = &named;
        rules[1].line = 12;
        other = compile_rules(rules, 2, &machine);
        g_assert_true(policy_image_decides_as(image, other));
        policy_image_free(other);
        policy_image_free(image);
}

static void test_images_that_decide_otherwise_are_not_equal(void)
{
        static const RuleOptions by_root = {.subject = SUBJECT_UID};
        Rule net = {.kind = RULE_NET, .net = {.operations = 1, .first_port = 1, .last_port = 1}};
        Rule range = {.kind = RULE_NET, .net = {.operations = 1, .first_port = 1, .last_port = 9}};
        Rule ranges[] = {range, range}, other_ranges[] = {range, range};
        Rule rules[] = {
                file_rule(RULE_DENY, ACCESS_ALL),
                file_rule(RULE_DENY, ACCESS_READ),
                file_rule(RULE_AUDIT, ACCESS_ALL),
                of_comm("sh"),
                of_comm("bash"),
                of_digest(DIGEST_SHA256, 1),
                of_digest(DIGEST_SHA256, 2),
                of_kernel(KERNEL_BPF),
                of_kernel(KERNEL_MODULE),
                of_kernel(KERNEL_KEXEC),
                by_default(RULE_DENY, ACCESS_EXEC),
                net,
                range,
                file_rule(RULE_DENY, ACCESS_ALL),
                {.kind = RULE_ALLOW_CGROUP, .cgroup.path = "/a"},
                {.kind = RULE_ALLOW_CGROUP, .cgroup.path = "/b"},
                {.kind = RULE_ALLOW_CGROUP, .cgroup.id = 7},
                {.kind = RULE_INODE, .inode = {1, ACCESS_ALL, 7}},
        };
        PolicyImage *images[G_N_ELEMENTS(rules) + 2];

        rules[13].options = &by_root;
        other_ranges[1].net.last_port = 8;
        for (size_t i = 0; i < G_N_ELEMENTS(rules); i++)
                images[i] = compile_rules(&rules[i], 1, &machine);
        images[G_N_ELEMENTS(rules)] = compile_rules(ranges, 2, &machine);
        images[G_N_ELEMENTS(rules) + 1] = compile_rules(other_ranges, 2, &machine);
        for (size_t i = 0; i < G_N_ELEMENTS(images); i++)
                for (size_t j = 0; j < G_N_ELEMENTS(images); j++)
                        g_assert_cmpint(policy_image_decides_as(images[i], images[j]), ==, i == j);
        for (size_t i = 0; i < G_N_ELEMENTS(images); i++)
                policy_image_free(images[i]);
}

static void test_an_image_goes_with_its_last_holder(void)
{
        Rule rule = of_comm("a");
        PolicyImage *image = compile_rules(&rule, 1, &machine);

        g_assert_true(policy_image_ref(image) == image);
        g_assert_null(policy_image_free(image));
        image_check(image);
        policy_image_free(image);
        g_assert_null(policy_image_ref(NULL));
}

#define ADD(test) g_test_add_func("/policy/image/" #test, test)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_an_empty_set_needs_nothing);
        ADD(test_a_file_needs_every_hook_about_names);
        ADD(test_what_is_run_needs_the_hooks_of_running);
        ADD(test_each_part_of_the_kernel_needs_its_hooks);
        ADD(test_what_is_only_allowed_needs_no_hook);
        ADD(test_what_is_found_out_needs_its_hooks_if_it_only_allows);
        ADD(test_mode_enforce_needs_its_hooks_in_audit_too);
        ADD(test_rules_that_have_expired_need_nothing);
        ADD(test_a_document_that_takes_less_makes_no_hook_a_must);
        ADD(test_rules_are_numbered_through_the_documents);
        ADD(test_rules_are_named_as_they_say_or_by_their_line);
        ADD(test_the_digest_is_of_names_and_texts);
        ADD(test_all_rules_of_one_key_are_one_list);
        ADD(test_the_kernel_and_the_defaults_have_lists);
        ADD(test_images_that_decide_alike_are_equal_whatever_their_words);
        ADD(test_images_that_decide_otherwise_are_not_equal);
        ADD(test_an_image_goes_with_its_last_holder);
        return g_test_run();
}
