/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The matrix: each member that is served, before each kind of caller. What is served is read from
 * dbus-interfaces/ and from the service itself: a member without a row below fails, and so does a
 * row without a member. */
#include <glib/gstdio.h>
#include <string.h>

#include "blocked.h"
#include "stand-in.h"
#include "surface.h"
#include "value.h"

#define DOCUMENT "version=1\n[deny_path]\n/srv/one\n"
#define PROPERTIES "org.freedesktop.DBus.Properties"
#define ACCESS_DENIED SD_BUS_ERROR_ACCESS_DENIED
#define MUST_ASK SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED
#define UNAVAILABLE "org.aegis.Enforcer.Error.AuthorizationUnavailable"

typedef enum Kind {
        OPEN,      /* for anybody, and polkit is not asked */
        READS,     /* polkit's to say; nothing in force is another afterwards */
        CHANGES,   /* polkit's to say; something is */
        PROBE,     /* says what polkit says */
        ROOT_ONLY, /* the bus lets nobody else through */
        SETS,      /* nobody's: see the tests of properties */
} Kind;

typedef struct Row {
        const char *member;
        Kind kind;
        const char *action;
        const char *arguments; /* as GVariant's text */
        void (*before)(Lab *lab);
} Row;

/* ---- what must be there before a call ---- */

static void policy(Lab *lab)
{
        lab_must_apply(lab, "web", DOCUMENT);
}

static void two_policies(Lab *lab)
{
        lab_must_apply(lab, "web", DOCUMENT);
        lab_must_apply(lab, "db", DOCUMENT);
}

static void emergency(Lab *lab)
{
        sd_bus_message *m = lab_message(lab->root, LAB_ROOT, LAB_MANAGER, "EmergencyStart");

        g_assert_cmpint(sd_bus_message_append(m, "st", "a test", (uint64_t) 3600000000), >=, 0);
        g_free(lab_expect(lab, lab_send(m, SILENT), NULL));
}

static void trial(Lab *lab)
{
        g_free(lab_expect(lab, lab_apply_on_trial(lab->root, "trial", DOCUMENT, 3600), NULL));
}

static void rules(Lab *lab)
{
        lab_must_apply(lab, "runtime",
                       "version=7\n[deny]\nfile:/srv/one\n[allow]\nfile:/srv/two\n");
}

static void block(Lab *lab)
{
        policy(lab);
        blocked_inject(blocked_event());
}

static void except(Lab *lab)
{
        block(lab);
        g_free(blocked_must_allow(lab, 1));
}

static void file(Lab *lab)
{
        static const char path[] = "/run/lab/policy.d/web.policy";

        g_assert_true(g_file_set_contents(path, "version=1\n[deny_path]\n/srv/one\n", -1, NULL));
        g_assert_cmpint(g_chmod(path, 0644), ==, 0);
}

static void audit(Lab *lab)
{
        g_free(lab_expect(lab, lab_set_mode(lab->root, "audit", SILENT), NULL));
}

static void hook_audit(Lab *lab); /* needs to find the hook */

/* One line for each member at least, and for each action that it may ask for. A new member wants a
 * line here; with kind CHANGES what can be seen of the service must be another afterwards. */
static const Row rows[] = {
        {"Manager.Plan", READS, "plan", "('web', 'version=1', [], 0xffffffffffffffff, {})", NULL},
        {"Manager.Apply", CHANGES, "apply-policy",
         "('web', 'version=1\\n[deny_path]\\n/srv/one\\n', [], 0xffffffffffffffff, {})", NULL},
        {"Manager.Remove", CHANGES, "remove-policy", "('web', 0xffffffffffffffff, {})", policy},
        {"Manager.PlanRollback", READS, "plan", "(1, 0xffffffffffffffff, {})", two_policies},
        {"Manager.Rollback", CHANGES, "rollback", "(1, 0xffffffffffffffff, {})", two_policies},
        {"Manager.AddRule", CHANGES, "manage-rules", "('deny', 'file:/srv/one', {})", NULL},
        {"Manager.AddRule", CHANGES, "weaken", "('allow', 'file:/srv/one', {})", NULL},
        {"Manager.RemoveRule", CHANGES, "weaken", "('deny', 'file:/srv/one', {})", rules},
        {"Manager.RemoveRule", CHANGES, "manage-rules", "('allow', 'file:/srv/two', {})", rules},
        {"Manager.ListRules", READS, "read-policy", "('web', 0, 10)", policy},
        {"Manager.SetMode", CHANGES, "weaken", "('audit', {})", NULL},
        {"Manager.SetMode", CHANGES, "strengthen", "('enforce', {})", audit},
        {"Manager.EmergencyStart", CHANGES, "emergency", "('the disk is full', 60000000)", NULL},
        {"Manager.EmergencyStop", CHANGES, "emergency", "()", emergency},
        {"Manager.Release", CHANGES, "weaken", "({},)", policy},
        {"Manager.Explain", READS, "read-policy", "({'entry': <'file:/srv/one'>},)", policy},
        {"Manager.History", READS, "read-policy", "(0, 0)", NULL},
        {"Manager.Can", PROBE, "weaken", "('weaken',)", NULL},
        {"Manager.GetMetrics", OPEN, NULL, "()", NULL},
        {"Manager.ListHooks", OPEN, NULL, "()", NULL},
        {"Manager.GetCapabilities", OPEN, NULL, "()", NULL},
        {"Hook.SetMode", CHANGES, "weaken", "('audit', {})", NULL},
        {"Hook.SetMode", CHANGES, "strengthen", "('enforce', {})", hook_audit},
        {"Policy.GetDocument", READS, "read-policy", "()", policy},
        {"Events.Open", READS, "read-events", "({},)", NULL},
        {"Events.Query", READS, "read-events", "(0, 0xffffffffffffffff, {}, 0)", NULL},
        {"Events.Simulate", READS, "read-events", "('db', 'version=1', 0, 0, {})", NULL},
        {"Events.Subscribe", READS, "read-events", "()", NULL},
        {"Events.Unsubscribe", READS, "read-events", "()", NULL},
        {"Events.AllowFor", CHANGES, "allow-temporarily", "(1, 60000000, {})", block},
        {"Exception.Revoke", CHANGES, "strengthen", "({},)", except},
        {"Manager.Reload", READS, "plan", "({'check': <true>},)", NULL},
        {"Manager.Reload", CHANGES, "reload", "({},)", file},
        /* After all that changes documents: that must wait for the end of a trial. */
        {"Manager.Confirm", CHANGES, "apply-policy", "(0xffffffffffffffff,)", trial},
        /* What sd-bus serves of itself. */
        {"Peer.Ping", OPEN, NULL, "()", NULL},
        {"Peer.GetMachineId", OPEN, NULL, "()", NULL},
        {"Introspectable.Introspect", OPEN, NULL, "()", NULL},
        {"ObjectManager.GetManagedObjects", OPEN, NULL, "()", NULL},
        {"Properties.Get", OPEN, NULL, "('org.aegis.Enforcer.Manager', 'Mode')", NULL},
        {"Properties.GetAll", OPEN, NULL, "('org.aegis.Enforcer.Manager',)", NULL},
        {"Properties.Set", SETS, NULL, "('org.aegis.Enforcer.Manager', 'Mode', <'audit'>)", NULL},
};

typedef struct Caller {
        const char *name;
        uid_t uid;
        Interaction interaction;
        StandInAnswer answer;
        const char *error; /* of what is polkit's to say; NULL: it is done */
        const char *probe; /* what Can() says, or its error */
} Caller;

/* Once there is something of everything. */
static Surface *whole_surface(Lab *lab)
{
        except(lab);
        return surface_new_whole(lab);
}

/* The hook that is called, the first one. */
static void hook_audit(Lab *lab)
{
        Surface *hooks = surface_new(lab, LAB_ROOT "/hook");
        const Member *member = g_hash_table_lookup(hooks->methods, "Hook.SetMode");
        sd_bus_message *m = lab_message(lab->root, member->path, LAB_HOOK, "SetMode");

        g_assert_cmpint(sd_bus_message_append(m, "sa{sv}", "audit", 0), >=, 0);
        g_free(lab_expect(lab, lab_send(m, SILENT), NULL));
        surface_free(hooks);
}

static void test_each_member_has_a_row_and_each_row_a_member(Lab *lab)
{
        Surface *surface = whole_surface(lab);
        GHashTableIter all;
        gpointer key, value;
        unsigned n_missing = 0;

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                Member *member = g_hash_table_lookup(surface->methods, rows[i].member);

                if (member)
                        member->is_found = 1;
                else
                        g_printerr("%s has a row, and nobody serves it\n", rows[i].member);
                n_missing += !member;
        }
        g_hash_table_iter_init(&all, surface->methods);
        while (g_hash_table_iter_next(&all, &key, &value)) {
                const Member *member = value;

                if (!member->is_found)
                        g_printerr("%s has no row in the matrix\n", (char *) key);
                if (!member->path[0])
                        g_printerr("%s is not served\n", (char *) key);
                n_missing += !member->is_found || !member->path[0];
        }
        g_assert_cmpuint(n_missing, ==, 0);
        surface_free(surface);
}

/* ---- a cell ---- */

typedef struct Matrix {
        Lab *lab;
        Surface *surface;
        const Caller *caller;
        StandIn *polkit; /* NULL: there is none */
        int is_used;     /* the service is not as it was after its start */
} Matrix;

static void begin_anew(Matrix *matrix)
{
        if (matrix->is_used) {
                lab_stop(matrix->lab);
                lab_start(matrix->lab);
        }
        matrix->is_used = 0;
}

/* The first object of its kind, which may have come with what was before. */
static char *path_of(Lab *lab, const Member *member)
{
        char *key, *folder, *path;
        const Member *found;
        Surface *now;

        if (!g_str_has_prefix(member->path, LAB_ROOT "/"))
                return g_strdup(member->path);
        key = surface_key(member->interface, member->name);
        folder = g_path_get_dirname(member->path);
        now = surface_new(lab, folder);
        found = g_hash_table_lookup(now->methods, key);
        path = g_strdup(found ? found->path : member->path);
        surface_free(now);
        g_free(key);
        g_free(folder);
        return path;
}

static Pending *send_row(Lab *lab, sd_bus *bus, const Row *row, const Member *member,
                         Interaction interaction)
{
        GVariant *arguments = value_parse(member->type, row->arguments);
        char *path = path_of(lab, member);
        sd_bus_message *m = lab_message(bus, path, member->interface, member->name);

        g_assert_cmpint(value_append(m, arguments), >=, 0);
        g_variant_unref(arguments);
        g_free(path);
        return lab_send(m, interaction);
}

static const char *expected_error(const Row *row, const Caller *caller)
{
        switch (row->kind) {
        case OPEN:
                return "";
        case READS:
        case CHANGES:
                return caller->error ? caller->error : "";
        case PROBE:
                return strchr(caller->probe, '.') ? caller->probe : "";
        case ROOT_ONLY:
                return caller->uid == 0 ? "" : ACCESS_DENIED;
        case SETS:
                return caller->uid == 0 ? SD_BUS_ERROR_PROPERTY_READ_ONLY : ACCESS_DENIED;
        }
        return NULL;
}

static int is_polkits(const Row *row)
{
        return row->kind == READS || row->kind == CHANGES || row->kind == PROBE;
}

static void check_reply(const Row *row, const Caller *caller, sd_bus_message *reply)
{
        const char *said;

        g_assert_cmpstr(lab_error(reply), ==, expected_error(row, caller));
        if (row->kind != PROBE || lab_error(reply)[0])
                return;
        g_assert_cmpint(sd_bus_message_read(reply, "s", &said), >=, 0);
        g_assert_cmpstr(said, ==, caller->probe);
}

static void check_question(const Matrix *matrix, const Row *row, unsigned n_before)
{
        unsigned expected = is_polkits(row) && matrix->caller->uid != 0;
        char *action = g_strconcat("org.aegis.enforcer.", row->action, NULL);

        if (matrix->polkit)
                g_assert_cmpuint(matrix->polkit->n_asked - n_before, ==, expected);
        if (matrix->polkit && expected) {
                g_assert_cmpstr(stand_in_action(matrix->polkit), ==, action);
                g_assert_cmpuint(stand_in_flags(matrix->polkit), ==,
                                 row->kind != PROBE && matrix->caller->interaction == INTERACTIVE);
        }
        g_free(action);
}

static void check_row(Matrix *matrix, const Row *row)
{
        const Member *member = g_hash_table_lookup(matrix->surface->methods, row->member);
        unsigned n_before = matrix->polkit ? matrix->polkit->n_asked : 0;
        sd_bus *bus = lab_connect(matrix->lab, matrix->caller->uid);
        char *before, *after;
        sd_bus_message *reply;
        int is_done;

        if (row->before) {
                begin_anew(matrix);
                row->before(matrix->lab);
        }
        before = lab_state(matrix->lab);
        reply = lab_wait(matrix->lab,
                         send_row(matrix->lab, bus, row, member, matrix->caller->interaction));
        g_test_message("%s, %s: %s", matrix->caller->name, row->member, lab_error(reply));
        check_reply(row, matrix->caller, reply);
        check_question(matrix, row, n_before);
        is_done = row->kind == CHANGES && lab_error(reply)[0] == '\0';
        lab_settle(matrix->lab);
        after = lab_state(matrix->lab);
        g_assert_cmpint(strcmp(before, after) != 0, ==, is_done);
        matrix->is_used = is_done || row->before;
        if (matrix->is_used)
                begin_anew(matrix);
        sd_bus_message_unref(reply);
        lab_disconnect(bus);
        free(before);
        free(after);
}

static void check_caller(Lab *lab, const Caller *caller, StandIn *polkit)
{
        Matrix matrix = {.lab = lab, .surface = whole_surface(lab), .caller = caller, .is_used = 1};

        matrix.polkit = polkit;
        begin_anew(&matrix);
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
                check_row(&matrix, &rows[i]);
        surface_free(matrix.surface);
}

static void check_with(Lab *lab, const Caller *caller)
{
        StandIn *polkit = stand_in_new(lab, caller->answer);

        check_caller(lab, caller, polkit);
        stand_in_free(polkit);
}

static void test_root_passes_and_polkit_is_not_asked(Lab *lab)
{
        check_with(lab, &(Caller){"root", 0, SILENT, STAND_IN_NO, NULL, "yes"});
}

static void test_whom_polkit_allows_is_served(Lab *lab)
{
        check_with(lab, &(Caller){"allowed", LAB_USER, SILENT, STAND_IN_YES, NULL, "yes"});
}

static void test_whom_polkit_does_not_allow_is_denied(Lab *lab)
{
        check_with(lab, &(Caller){"not allowed", LAB_USER, INTERACTIVE, STAND_IN_NO, ACCESS_DENIED,
                                  "no"});
}

static void test_a_call_that_does_not_let_ask_is_told_to(Lab *lab)
{
        check_with(lab, &(Caller){"challenged, silent", LAB_USER, SILENT, STAND_IN_CHALLENGE,
                                  MUST_ASK, "challenge"});
}

static void test_a_challenge_that_nobody_took_is_told(Lab *lab)
{
        check_with(lab, &(Caller){"challenged, interactive", LAB_USER, INTERACTIVE,
                                  STAND_IN_CHALLENGE, MUST_ASK, "challenge"});
}

static void test_an_answer_of_another_type_is_a_no(Lab *lab)
{
        check_with(lab, &(Caller){"garbage", LAB_USER, INTERACTIVE, STAND_IN_GARBAGE, ACCESS_DENIED,
                                  "no"});
}

static void test_an_error_for_an_answer_is_a_no(Lab *lab)
{
        check_with(lab,
                   &(Caller){"error", LAB_USER, INTERACTIVE, STAND_IN_ERROR, ACCESS_DENIED, "no"});
}

static void test_without_polkit_only_root_is_let_in(Lab *lab)
{
        lab_stop_polkit(lab);
        check_caller(lab,
                     &(Caller){"without polkit", LAB_USER, INTERACTIVE, STAND_IN_HOLD, UNAVAILABLE,
                               UNAVAILABLE},
                     NULL);
        check_caller(lab, &(Caller){"root without polkit", 0, SILENT, STAND_IN_HOLD, NULL, "yes"},
                     NULL);
        lab_start_polkit(lab);
}

/* All at once, since each takes as long as a question is waited for. */
static void test_a_polkit_that_hangs_is_a_no(Lab *lab)
{
        static const Caller caller = {"hanging",     LAB_USER,      SILENT,
                                      STAND_IN_HOLD, ACCESS_DENIED, "no"};
        StandIn *polkit = stand_in_new(lab, caller.answer);
        Pending *pending[G_N_ELEMENTS(rows)] = {NULL};
        sd_bus *users[G_N_ELEMENTS(rows)];
        Surface *surface;
        char *before, *after;

        lab_stop(lab);
        lab->polkit_timeout = 2;
        lab_start(lab);
        lab->polkit_timeout = 60;
        surface = whole_surface(lab);
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                users[i] = lab_connect(lab, LAB_USER + (uid_t) i % LAB_USERS);
                if (!is_polkits(&rows[i]))
                        continue;
                if (rows[i].before)
                        rows[i].before(lab);
                pending[i] =
                        send_row(lab, users[i], &rows[i],
                                 g_hash_table_lookup(surface->methods, rows[i].member), SILENT);
                stand_in_wait(polkit);
        }
        before = lab_state(lab);
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                sd_bus_message *reply = pending[i] ? lab_wait(lab, pending[i]) : NULL;

                if (reply)
                        check_reply(&rows[i], &caller, reply);
                sd_bus_message_unref(reply);
                lab_disconnect(users[i]);
        }
        lab_settle(lab);
        after = lab_state(lab);
        g_assert_cmpstr(before, ==, after);
        g_assert_cmpuint(polkit->n_cancelled, ==, polkit->n_asked);
        free(before);
        free(after);
        surface_free(surface);
        stand_in_free(polkit);
}

/* ---- properties ---- */

static void check_get(Lab *lab, const Member *member, sd_bus *bus)
{
        sd_bus_message *m = lab_message(bus, member->path, PROPERTIES, "Get"), *reply;
        const char *contents;
        char type;

        g_assert_cmpint(sd_bus_message_append(m, "ss", member->interface, member->name), >=, 0);
        reply = lab_wait(lab, lab_send(m, SILENT));
        g_assert_cmpstr(lab_error(reply), ==, "");
        g_assert_cmpint(sd_bus_message_peek_type(reply, &type, &contents), >, 0);
        g_assert_cmpstr(contents, ==, member->type);
        sd_bus_message_unref(reply);
}

static void check_set(Lab *lab, const Member *member, sd_bus *bus, const char *error)
{
        sd_bus_message *m = lab_message(bus, member->path, PROPERTIES, "Set");

        g_assert_cmpint(
                sd_bus_message_append(m, "ssv", member->interface, member->name, "s", "audit"), >=,
                0);
        g_free(lab_expect(lab, lab_send(m, INTERACTIVE), error));
}

static void test_each_property_can_be_read_by_anybody_and_set_by_nobody(Lab *lab)
{
        Surface *surface = whole_surface(lab);
        StandIn *polkit = stand_in_new(lab, STAND_IN_YES);
        sd_bus *user = lab_connect(lab, LAB_USER);
        char *before = lab_state(lab), *after;
        GHashTableIter all;
        gpointer value;

        g_hash_table_iter_init(&all, surface->properties);
        while (g_hash_table_iter_next(&all, NULL, &value)) {
                const Member *member = value;

                g_test_message("%s", member->name);
                g_assert_cmpstr(member->path, !=, ""); /* served */
                check_get(lab, member, lab->root);
                check_get(lab, member, user);
                check_set(lab, member, user, ACCESS_DENIED);
                check_set(lab, member, lab->root,
                          surface_is_writable(member->interface, member->name)
                                  ? SD_BUS_ERROR_INVALID_ARGS /* no such level or target */
                                  : SD_BUS_ERROR_PROPERTY_READ_ONLY);
        }
        after = lab_state(lab);
        g_assert_cmpstr(before, ==, after);
        g_assert_cmpuint(polkit->n_asked, ==, 0);
        free(before);
        free(after);
        lab_disconnect(user);
        stand_in_free(polkit);
        surface_free(surface);
}

#define TEST(name)                                                                                 \
        {                                                                                          \
#name, test_##name                                                                 \
        }

int main(int argc, char **argv)
{
        static const LabTest tests[] = {
                TEST(each_member_has_a_row_and_each_row_a_member),
                TEST(each_property_can_be_read_by_anybody_and_set_by_nobody),
                TEST(root_passes_and_polkit_is_not_asked),
                TEST(whom_polkit_allows_is_served),
                TEST(whom_polkit_does_not_allow_is_denied),
                TEST(a_call_that_does_not_let_ask_is_told_to),
                TEST(a_challenge_that_nobody_took_is_told),
                TEST(an_answer_of_another_type_is_a_no),
                TEST(an_error_for_an_answer_is_a_no),
                TEST(a_polkit_that_hangs_is_a_no),
                TEST(without_polkit_only_root_is_let_in),
        };

        return lab_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
