/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signed documents through the service: from the file and its signatures, by the client and by
 * messages, to what is in force, and each refusal by its name. Keys: see unit/signer.h. */
#include <string.h>
#include <sys/stat.h>

#include "agent.h"
#include "backend-twin.h"
#include "blocked.h"
#include "client-lab.h"
#include "client.h"
#include "ear.h"
#include "policy/digest.h"
#include "policy/fields.h"
#include "signer.h"

#define TRUST "/run/lab/trust"
#define ERROR(name) "org.aegis.Enforcer.Error." name
#define HOUR 3600

/* seconds: from now */
static char *bundle(const char *name, unsigned seq, int expires, const char *text)
{
        int64_t now = g_get_real_time() / G_USEC_PER_SEC;
        char from[FIELD_TIME_SIZE], to[FIELD_TIME_SIZE];

        field_time_format((uint64_t) (now - 10 * HOUR), from);
        field_time_format((uint64_t) (now + expires), to);
        return g_strdup_printf("bundle=1\nname=%s\nseq=%u\nissued=%s\nexpires=%s\n%s", name, seq,
                               from, to, text);
}

/* 0 is root's, 1 and 2 the policies'. */
static void configure(Lab *lab, const char *settings)
{
        static const char *const lines[] = {"key=0 root", "key=1 policy", "key=2 policy", NULL};
        g_autofree char *root = root_text(1, "110", lines);
        g_autofree char *signature = signer_sign(0, root, strlen(root));
        g_autofree char *text =
                g_strdup_printf("[Enforcer]\nTrustDirectory=" TRUST "\n%s", settings);

        mkdir(TRUST, 0755);
        put(TRUST "/root.1", root);
        put(TRUST "/root.1.minisig", signature);
        put("/run/lab/aegisd.conf", text);
        lab_stop(lab);
        lab_start_again(lab);
}

static void require(Lab *lab)
{
        configure(lab, "SignatureRequired=yes\n");
}

static Pending *send_texts(sd_bus *bus, const char *member, const char *name, const char *text,
                           const char *const *signatures)
{
        sd_bus_message *m = lab_message(bus, LAB_ROOT, LAB_MANAGER, member);

        g_assert_cmpint(sd_bus_message_append(m, "ss", name, text), >=, 0);
        g_assert_cmpint(sd_bus_message_append_strv(m, (char **) signatures), >=, 0);
        g_assert_cmpint(sd_bus_message_append(m, "ta{sv}", LAB_ANY, 0), >=, 0);
        return lab_send(m, INTERACTIVE);
}

static Pending *send_signed(sd_bus *bus, const char *name, const char *text, unsigned signer)
{
        g_autofree char *signature = signer_sign(signer, text, strlen(text));
        const char *const signatures[] = {signature, NULL};

        return send_texts(bus, "Apply", name, text, signatures);
}

/* Returns what the error says. */
static char *refused(Lab *lab, const char *name, const char *text, unsigned signer,
                     const char *error)
{
        uint64_t before = lab_generation(lab);
        char *message = lab_expect(lab, send_signed(lab->root, name, text, signer), error);

        g_assert_cmpuint(lab_generation(lab), ==, before);
        return message;
}

static void must_apply(Lab *lab, const char *name, const char *text)
{
        g_free(lab_expect(lab, send_signed(lab->root, name, text, 1), NULL));
}

static void test_each_way_in_which_it_is_not_right_has_its_error(Lab *lab)
{
        g_autofree char *fine = bundle("web", 7, HOUR, DOCUMENT);
        g_autofree char *old = bundle("web", 6, HOUR, DOCUMENT);
        g_autofree char *late = bundle("web", 8, -HOUR, DOCUMENT);
        g_autofree char *faulty = bundle("web", 8, HOUR, FAULTY);
        g_autofree char *a = NULL, *b = NULL, *c = NULL, *d = NULL, *e = NULL;

        configure(lab, "");
        a = refused(lab, "web", fine, 0, ERROR("SignatureInvalid"));
        g_assert_nonnull(strstr(a, "fewer of the root's keys for policies"));
        must_apply(lab, "web", fine);
        b = refused(lab, "web", old, 1, ERROR("PolicyRollback"));
        g_assert_nonnull(strstr(b, "its seq is 6, the highest so far 7"));
        c = refused(lab, "web", late, 1, ERROR("PolicyExpired"));
        d = refused(lab, "db", fine, 1, ERROR("SignatureInvalid"));
        e = refused(lab, "web", faulty, 1, ERROR("InvalidPolicy"));
        g_assert_nonnull(strstr(e, "web:8:1: ")); /* as the file has it */
}

static void test_a_plan_is_verified_as_well(Lab *lab)
{
        g_autofree char *text = bundle("web", 7, HOUR, DOCUMENT);
        g_autofree char *wrong = signer_sign(0, text, strlen(text));
        g_autofree char *right = signer_sign(1, text, strlen(text));

        configure(lab, "");
        g_free(lab_expect(
                lab, send_texts(lab->root, "Plan", "web", text, (const char *const[]){wrong, NULL}),
                ERROR("SignatureInvalid")));
        g_free(lab_expect(lab,
                          send_texts(lab->root, "Plan", "web", text,
                                     (const char *const[]){wrong, right, NULL}),
                          NULL));
        g_assert_cmpuint(lab_generation(lab), ==, 0);
}

static Pending *simulate(sd_bus *bus, const char *name, const char *text,
                         const char *const *signatures)
{
        sd_bus_message *m = lab_message(bus, LAB_ROOT "/events", LAB_EVENTS, "Simulate");

        g_assert_cmpint(sd_bus_message_append(m, "sstu", name, text, (uint64_t) 0, 0), >=, 0);
        g_assert_cmpint(sd_bus_message_open_container(m, 'a', "{sv}"), >=, 0);
        g_assert_cmpint(sd_bus_message_open_container(m, 'e', "sv"), >=, 0);
        g_assert_cmpint(sd_bus_message_append(m, "s", "signatures"), >=, 0);
        g_assert_cmpint(sd_bus_message_open_container(m, 'v', "as"), >=, 0);
        g_assert_cmpint(sd_bus_message_append_strv(m, (char **) signatures), >=, 0);
        for (unsigned i = 0; i < 3; i++)
                g_assert_cmpint(sd_bus_message_close_container(m), >=, 0);
        return lab_send(m, SILENT);
}

static void test_a_simulation_is_verified_as_a_plan_is(Lab *lab)
{
        static const char *const none[] = {NULL};
        g_autofree char *text = bundle("web", 7, HOUR, DOCUMENT);
        g_autofree char *wrong = signer_sign(0, text, strlen(text));
        g_autofree char *right = signer_sign(1, text, strlen(text));
        const char *many[18] = {};

        require(lab);
        for (size_t i = 0; i < 17; i++)
                many[i] = right;
        g_free(lab_expect(lab, simulate(lab->root, "web", text, (const char *const[]){wrong, NULL}),
                          ERROR("SignatureInvalid")));
        g_free(lab_expect(lab, simulate(lab->root, "web", text, none), ERROR("SignatureRequired")));
        g_free(lab_expect(lab, simulate(lab->root, "db", text, many),
                          SD_BUS_ERROR_LIMITS_EXCEEDED));
        many[1] = NULL;
        g_free(lab_expect(lab, simulate(lab->root, "db", text, many), ERROR("SignatureInvalid")));
        g_free(lab_expect(lab, simulate(lab->root, "web", text, many), NULL));
        g_assert_cmpuint(lab_generation(lab), ==, 0);
}

/* With the numbers that lines have in the file. */
static void test_the_client_tries_a_signed_policy_on_what_happened(Lab *lab)
{
        g_autofree char *text = bundle("web", 7, HOUR, "version=7\n[audit]\nfile:/srv/\n");
        g_autofree char *signature = signer_sign(1, text, strlen(text));
        g_auto(Outcome) outcome = {0};

        configure(lab, "");
        blocked_inject(blocked_event());
        client_wait_emitted("1");
        put(WEB, text);
        put("/run/lab/theirs", signature);
        run("simulate --signature=/run/lab/theirs " WEB, STATUS_DONE, &outcome);
        expect_in(outcome.out, "would be audited by web:8: audit file:/srv/\n");
        put(WEB ".minisig", signature);
        run("simulate --json " WEB, STATUS_DONE, &outcome);
        expect_in(outcome.out, "\"would_line\":8,");
        put(WEB ".minisig", "no signature\n");
        run("simulate " WEB, STATUS_INVALID, &outcome);
        unlink(WEB ".minisig");
}

static void test_signatures_are_bounded(Lab *lab)
{
        g_autofree char *text = bundle("web", 7, HOUR, DOCUMENT);
        g_autofree char *right = signer_sign(1, text, strlen(text));
        g_autofree char *huge = g_strnfill(1024 * 1024, 'x');
        const char *many[18] = {};

        configure(lab, "");
        for (size_t i = 0; i < 17; i++)
                many[i] = right;
        g_free(lab_expect(lab, send_texts(lab->root, "Apply", "web", text, many),
                          SD_BUS_ERROR_LIMITS_EXCEEDED));
        g_free(lab_expect(lab,
                          send_texts(lab->root, "Apply", "web", text,
                                     (const char *const[]){right, huge, NULL}),
                          ERROR("SignatureInvalid")));
        many[16] = NULL;
        g_free(lab_expect(lab, send_texts(lab->root, "Apply", "web", text, many), NULL));
}

static Pending *roll_back(sd_bus *bus, uint64_t to)
{
        sd_bus_message *m = lab_message(bus, LAB_ROOT, LAB_MANAGER, "Rollback");

        g_assert_cmpint(sd_bus_message_append(m, "tta{sv}", to, LAB_ANY, 0), >=, 0);
        return lab_send(m, SILENT);
}

static Pending *remove_policy(sd_bus *bus, const char *name)
{
        sd_bus_message *m = lab_message(bus, LAB_ROOT, LAB_MANAGER, "Remove");

        g_assert_cmpint(sd_bus_message_append(m, "sta{sv}", name, LAB_ANY, 0), >=, 0);
        return lab_send(m, SILENT);
}

static void test_what_is_not_signed_is_refused_where_that_is_required(Lab *lab)
{
        static const char error[] = ERROR("SignatureRequired");
        g_autofree char *text = bundle("web", 7, HOUR, DOCUMENT), *posture = NULL;

        lab_must_apply(lab, "db", DOCUMENT);
        require(lab);
        must_apply(lab, "web", text);
        g_free(lab_expect(lab, lab_apply(lab->root, "new", DOCUMENT, SILENT), error));
        g_free(lab_expect(lab, lab_apply(lab->root, "web", LONGER, SILENT), error));
        g_free(lab_expect(lab, lab_rule(lab->root, "AddRule", "deny", "file:/srv/x", SILENT),
                          error));
        g_free(lab_expect(lab, roll_back(lab->root, 1), error));
        g_free(lab_expect(lab, remove_policy(lab->root, "web"), error));
        blocked_inject(blocked_event());
        g_free(lab_expect(lab, blocked_allow(lab->root, 1, 60000000, SILENT), error));
        posture = lab_get_string(lab, LAB_ROOT, LAB_MANAGER, "Posture");
        g_assert_cmpstr(posture, ==, "degraded"); /* of db */
        g_free(lab_expect(lab, remove_policy(lab->root, "db"), NULL));
        g_free(posture);
        posture = lab_get_string(lab, LAB_ROOT, LAB_MANAGER, "Posture");
        g_assert_cmpstr(posture, ==, "enforcing");
}

static void test_whether_it_is_enforced_is_not_the_signers_word(Lab *lab)
{
        g_autofree char *text = bundle("web", 7, HOUR, DOCUMENT);
        g_auto(Outcome) outcome = {0};

        require(lab);
        must_apply(lab, "web", text);
        run("mode audit", STATUS_DONE, &outcome);
        run("mode enforce", STATUS_DONE, &outcome);
        run("mode --hook=file_open audit", STATUS_DONE, &outcome);
        run("mode --hook=file_open enforce", STATUS_DONE, &outcome);
        run("emergency start --for=1h --reason=test", STATUS_DONE, &outcome);
        run("emergency stop", STATUS_DONE, &outcome);
        run("release", STATUS_DONE, &outcome);
        run("mode enforce", STATUS_DONE, &outcome);
        run("policies --json", STATUS_DONE, &outcome);
        expect_in(outcome.out, "\"signed\":true,");
        run("status --json", STATUS_DONE, &outcome);
        expect_in(outcome.out, "\"posture\":\"enforcing\"");
}

static void test_the_question_names_who_signed(Lab *lab)
{
        g_autofree char *text = bundle("web", 7, HOUR, DOCUMENT);
        sd_bus *user;
        Agent *agent;

        configure(lab, "");
        agent = agent_new(lab, AGENT_YES);
        user = lab_connect(lab, LAB_USER);
        g_free(lab_expect(lab, send_signed(user, "web", text, 1), NULL));
        g_assert_nonnull(strstr(agent_message(agent),
                                "security policy “web”, signed by 0706050403020101 (seq 7, "
                                "expires 20"));
        g_assert_cmpuint(lab_generation(lab), ==, 1);
        lab_disconnect(user);
        agent_free(agent);
}

/* What was signed for 7 comes while 8 is asked for: the older one is not let in by its answer. */
static void test_an_answer_does_not_bring_back_an_older_one(Lab *lab)
{
        g_autofree char *old = bundle("web", 7, HOUR, DOCUMENT);
        g_autofree char *new_one = bundle("web", 8, HOUR, LONGER);
        Pending *pending;
        sd_bus *user;
        Agent *agent;

        configure(lab, "");
        agent = agent_new(lab, AGENT_HOLD);
        user = lab_connect(lab, LAB_USER);
        pending = send_signed(user, "web", old, 1);
        agent_wait(agent, 1);
        must_apply(lab, "web", new_one);
        agent_release(agent, AGENT_YES);
        g_free(lab_expect(lab, pending, ERROR("PolicyRollback")));
        g_assert_cmpuint(lab_generation(lab), ==, 1);
        lab_disconnect(user);
        agent_free(agent);
}

static void test_the_client_takes_the_signatures_that_lie_beside(Lab *lab)
{
        g_autofree char *text = bundle("web", 7, HOUR, DOCUMENT);
        g_autofree char *next = bundle("web", 8, HOUR, LONGER);
        g_autofree char *by_one = signer_sign(1, text, strlen(text));
        g_autofree char *by_two = signer_sign(2, next, strlen(next));
        g_auto(Outcome) outcome = {0};

        require(lab);
        put(WEB, text);
        run("apply " WEB, STATUS_REFUSED, &outcome);
        expect_in(outcome.err, "SignatureRequired=");
        put(WEB ".minisig", by_one);
        run("apply " WEB, STATUS_DONE, &outcome);
        run("apply --check " WEB, STATUS_DONE, &outcome);
        put(WEB, next);
        run("apply " WEB, STATUS_INVALID, &outcome);
        expect_in(outcome.err, "not what was signed");
        put("/run/lab/theirs", by_two);
        run("apply --signature=/run/lab/theirs " WEB, STATUS_DONE, &outcome);
        run("apply --signature=/run/lab/none " WEB, STATUS_FAILED, &outcome);
        unlink(WEB ".minisig");
        put(WEB ".two.minisig", by_two);
        run("apply --check --json " WEB, STATUS_DONE, &outcome);
        expect_in(outcome.out, "\"changed\":false");
        put(WEB, text);
        put(WEB ".two.minisig", by_one);
        run("apply --json " WEB, STATUS_INVALID, &outcome);
        expect_in(outcome.out, ERROR("PolicyRollback"));
        unlink(WEB ".two.minisig");
}

/* A second root, which puts key 3 in place of key 1. */
static void follow_root(void)
{
        static const char *const lines[] = {"key=0 root", "key=2 policy", "key=3 policy",
                                            "revoked=1", NULL};
        g_autofree char *root = root_text(2, "110", lines);
        g_autofree char *signature = signer_sign(0, root, strlen(root));

        put(TRUST "/root.2.minisig", signature);
        put(TRUST "/root.2", root);
}

static void expect_policies(const char *part)
{
        g_auto(Outcome) outcome = {0};

        run("policies --json", STATUS_DONE, &outcome);
        expect_in(outcome.out, part);
}

static void test_an_object_tells_who_signed(Lab *lab)
{
        g_autofree char *text = bundle("web", 7, HOUR, DOCUMENT);
        g_auto(Outcome) outcome = {0};
        Ear ear;

        configure(lab, "");
        lab_must_apply(lab, "web", LONGER);
        expect_policies("\"signed\":false,\"signers\":[],\"seq\":0,\"root_seq\":0,"
                        "\"issued_usec\":0,\"expires_usec\":0");
        ear = ear_open(lab);
        ear_listen(&ear);
        must_apply(lab, "web", text);
        ear_settle(lab, &ear);
        expect_in(ear.heard->str, " Signed Signers Seq RootSeq IssuedUSec ExpiresUSec\n");
        expect_policies("\"signed\":true,\"signers\":[\"0706050403020101\"],\"seq\":7,"
                        "\"root_seq\":1,\"issued_usec\":1");
        run("policies", STATUS_DONE, &outcome);
        expect_in(outcome.out, "  0706050403020101  ");
        follow_root();
        lab_must_apply(lab, "db", DOCUMENT); /* the roots are looked at */
        ear_settle(lab, &ear);
        expect_in(ear.heard->str, LAB_ROOT "/policy/web PropertiesChanged " LAB_POLICY
                                           " Signed Signers Seq RootSeq IssuedUSec ExpiresUSec\n");
        expect_policies("\"signed\":false,\"signers\":[],\"seq\":0");
        ear_close(&ear);
        unlink(TRUST "/root.2"); /* the next service begins with what is there */
}

static void test_an_object_tells_by_which_root_its_keys_count(Lab *lab)
{
        g_autofree char *text = bundle("web", 7, HOUR, DOCUMENT);
        Ear ear;

        configure(lab, "");
        g_free(lab_expect(lab, send_signed(lab->root, "web", text, 2), NULL));
        ear = ear_open(lab);
        ear_listen(&ear);
        follow_root();
        lab_must_apply(lab, "db", DOCUMENT);
        ear_settle(lab, &ear);
        expect_in(ear.heard->str,
                  LAB_ROOT "/policy/web PropertiesChanged " LAB_POLICY " RootSeq\n");
        expect_policies("\"signed\":true,\"signers\":[\"0706050403020102\"],\"seq\":7,"
                        "\"root_seq\":2,");
        ear_close(&ear);
        unlink(TRUST "/root.2"); /* the next service begins with what is there */
}

static void expect_metric(const char *line)
{
        g_autofree char *whole = g_strdup_printf("\n%s\n", line);
        g_auto(Outcome) outcome = {0};

        run("metrics", STATUS_DONE, &outcome);
        expect_in(outcome.out, whole);
}

/* What was the time once, it is later now. */
static void go_on_in(Lab *lab, unsigned seconds)
{
        TwinState state;

        lab_stop(lab);
        g_assert_cmpint(twin_state_read(LAB_PINS, &state), ==, 0);
        for (size_t i = 0; i < state.n_floors; i++)
                if (strcmp(state.floors[i].name, ".time") == 0)
                        state.floors[i].number =
                                (uint64_t) (g_get_real_time() / G_USEC_PER_SEC) + seconds;
        g_assert_cmpint(twin_state_write(LAB_PINS, &state), ==, 0);
        lab_start_again(lab);
}

static void test_metrics_tell_whose_word_it_is(Lab *lab)
{
        g_autofree char *text = bundle("web", 7, HOUR, DOCUMENT);

        require(lab);
        must_apply(lab, "web", text);
        expect_metric("aegis_signature_required 1");
        expect_metric("aegis_root_seq 1");
        expect_metric("aegis_policies_signed 1");
        expect_metric("aegis_policies_expired 0");
        expect_metric("aegis_policy_seq{policy=\"web\"} 7");
        expect_metric("aegis_policy_floor{policy=\"web\"} 7");
        go_on_in(lab, 2 * HOUR);
        expect_metric("aegis_policies_signed 1");
        expect_metric("aegis_policies_expired 1");
}

static const LabTest tests[] = {
#define TEST(name)                                                                                 \
        {                                                                                          \
#name, test_##name                                                                 \
        }
        TEST(each_way_in_which_it_is_not_right_has_its_error),
        TEST(a_plan_is_verified_as_well),
        TEST(a_simulation_is_verified_as_a_plan_is),
        TEST(the_client_tries_a_signed_policy_on_what_happened),
        TEST(signatures_are_bounded),
        TEST(what_is_not_signed_is_refused_where_that_is_required),
        TEST(whether_it_is_enforced_is_not_the_signers_word),
        TEST(the_question_names_who_signed),
        TEST(metrics_tell_whose_word_it_is),
        TEST(an_object_tells_who_signed),
        TEST(an_object_tells_by_which_root_its_keys_count),
        TEST(an_answer_does_not_bring_back_an_older_one),
        TEST(the_client_takes_the_signatures_that_lie_beside),
};

int main(int argc, char **argv)
{
        g_assert_cmpint(digest_init(), ==, 0);
        return lab_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
