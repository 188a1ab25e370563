/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The surface: the XML, what is served, the bus policy and polkit's actions say the same, and what
 * is not said there cannot be reached. */
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>

#include "abi.h"
#include "auth/action.h"
#include "blocked.h"
#include "lab.h"

#define DOCUMENT "version=1\n[deny_path]\n/srv/one\n"
#define PROPERTIES "org.freedesktop.DBus.Properties"
#define LOG_CONTROL "org.freedesktop.LogControl1"
#define LOG_CONTROL_PATH "/org/freedesktop/LogControl1"

static const struct {
        const char *interface, *path;
} served[] = {
        {LAB_MANAGER, LAB_ROOT},
        {LAB_POLICY, LAB_ROOT "/policy/web"},
        {LAB_HOOK, LAB_ROOT "/hook/file_open"},
        {LAB_EVENTS, LAB_ROOT "/events"},
        {LAB_EXCEPTION, NULL}, /* as long as there is one */
        {LOG_CONTROL, LOG_CONTROL_PATH},
};

static void expect(Lab *lab, Pending *pending, const char *error)
{
        g_free(lab_expect(lab, pending, error));
}

static char *file_text(const char *path)
{
        GError *error = NULL;
        char *text;

        g_file_get_contents(path, &text, NULL, &error);
        g_assert_no_error(error);
        return text;
}

static GDBusNodeInfo *parse(const char *xml)
{
        GError *error = NULL;
        GDBusNodeInfo *node = g_dbus_node_info_new_for_xml(xml, &error);

        g_assert_no_error(error);
        return node;
}

static GDBusNodeInfo *documented(const char *interface)
{
        char *path = g_strdup_printf("%s/dbus-interfaces/%s.xml", SOURCE_ROOT, interface);
        char *text = file_text(path);
        GDBusNodeInfo *node = parse(text);

        g_free(path);
        g_free(text);
        return node;
}

static char *normal(GDBusNodeInfo *node, const char *interface)
{
        GDBusInterfaceInfo *info = g_dbus_node_info_lookup_interface(node, interface);
        GString *text = g_string_new(NULL);

        g_assert_nonnull(info);
        g_dbus_interface_info_generate_xml(info, 0, text);
        return g_string_free(text, FALSE);
}

static void test_what_is_served_is_what_the_xml_says(Lab *lab)
{
        g_autofree char *exception = NULL;

        lab_must_apply(lab, "web", DOCUMENT);
        blocked_inject(blocked_event());
        exception = blocked_must_allow(lab, 1);
        for (size_t i = 0; i < G_N_ELEMENTS(served); i++) {
                GDBusNodeInfo *live =
                        lab_introspect(lab, served[i].path ? served[i].path : exception);
                GDBusNodeInfo *said = documented(served[i].interface);
                char *live_text = normal(live, served[i].interface);
                char *said_text = normal(said, served[i].interface);

                g_assert_cmpstr(live_text, ==, said_text);
                g_free(live_text);
                g_free(said_text);
                g_dbus_node_info_unref(live);
                g_dbus_node_info_unref(said);
        }
}

static void test_the_tree_leads_to_every_object(Lab *lab)
{
        static const char *const nodes[] = {"policy", "hook", "events"};
        GDBusNodeInfo *root, *policies;

        lab_must_apply(lab, "web", DOCUMENT);
        lab_must_apply(lab, "mail", DOCUMENT);
        root = lab_introspect(lab, LAB_ROOT);
        policies = lab_introspect(lab, LAB_ROOT "/policy");
        for (size_t i = 0; i < G_N_ELEMENTS(nodes); i++) {
                gboolean found = FALSE;

                for (GDBusNodeInfo **node = root->nodes; node && *node; node++)
                        found = found || strcmp((*node)->path, nodes[i]) == 0;
                g_assert_true(found);
        }
        g_assert_cmpstr(policies->nodes[0]->path, ==, "mail");
        g_assert_cmpstr(policies->nodes[1]->path, ==, "web");
        g_assert_null(policies->nodes[2]);
        g_dbus_node_info_unref(root);
        g_dbus_node_info_unref(policies);
}

static void test_managed_objects_are_the_policies_the_hooks_and_the_events(Lab *lab)
{
        sd_bus *user = lab_connect(lab, LAB_USER);
        unsigned n_policies = 0, n_hooks = 0, n_events = 0;
        sd_bus_message *reply;
        const char *path;

        lab_must_apply(lab, "web", DOCUMENT);
        reply = lab_wait(lab,
                         lab_send(lab_message(user, LAB_ROOT, "org.freedesktop.DBus.ObjectManager",
                                              "GetManagedObjects"),
                                  SILENT));
        g_assert_cmpstr(lab_error(reply), ==, "");
        g_assert_cmpint(sd_bus_message_enter_container(reply, 'a', "{oa{sa{sv}}}"), >, 0);
        while (sd_bus_message_enter_container(reply, 'e', "oa{sa{sv}}") > 0) {
                g_assert_cmpint(sd_bus_message_read(reply, "o", &path), >=, 0);
                n_policies += g_str_has_prefix(path, LAB_ROOT "/policy/");
                n_hooks += g_str_has_prefix(path, LAB_ROOT "/hook/");
                n_events += strcmp(path, LAB_ROOT "/events") == 0;
                g_assert_cmpint(sd_bus_message_skip(reply, "a{sa{sv}}"), >=, 0);
                g_assert_cmpint(sd_bus_message_exit_container(reply), >=, 0);
        }
        g_assert_cmpint(n_policies, ==, 1);
        g_assert_cmpint(n_hooks, ==, N_HOOKS);
        g_assert_cmpint(n_events, ==, 1);
        sd_bus_message_unref(reply);
        lab_disconnect(user);
}

/* ---- files ---- */

typedef struct Collector {
        GHashTable *found;
} Collector;

static const char *attribute(const char **names, const char **values, const char *name)
{
        for (; *names; names++, values++)
                if (strcmp(*names, name) == 0)
                        return *values;
        return NULL;
}

static void collect_allowed(GMarkupParseContext *context, const char *element, const char **names,
                            const char **values, gpointer data, GError **error)
{
        Collector *collector = data;
        const char *interface = attribute(names, values, "send_interface");
        const char *member = attribute(names, values, "send_member");

        if (strcmp(element, "allow") == 0 && interface &&
            g_str_has_prefix(interface, "org.aegis.")) {
                g_assert_nonnull(member);
                g_assert_cmpstr(attribute(names, values, "send_destination"), ==, LAB_NAME);
                g_hash_table_add(collector->found, g_strdup_printf("%s.%s", interface, member));
        }
}

static void collect_actions(GMarkupParseContext *context, const char *element, const char **names,
                            const char **values, gpointer data, GError **error)
{
        Collector *collector = data;

        if (strcmp(element, "action") == 0)
                g_hash_table_add(collector->found, g_strdup(attribute(names, values, "id")));
        /* One that implies another would let a kept answer stand for one that must not be kept. */
        if (attribute(names, values, "key"))
                g_assert_cmpstr(attribute(names, values, "key"), ==,
                                "org.freedesktop.policykit.owner");
}

static GHashTable *collect(const char *path,
                           void (*start)(GMarkupParseContext *context, const char *element,
                                         const char **names, const char **values, gpointer data,
                                         GError **error))
{
        const GMarkupParser parser = {.start_element = start};
        Collector collector = {
                .found = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
        GMarkupParseContext *context = g_markup_parse_context_new(&parser, 0, &collector, NULL);
        GError *error = NULL;
        char *text = file_text(path);

        g_markup_parse_context_parse(context, text, -1, &error);
        g_assert_no_error(error);
        g_markup_parse_context_free(context);
        g_free(text);
        return collector.found;
}

static void test_the_bus_lets_through_every_method_of_the_xml_and_no_other(Lab *lab)
{
        GHashTable *allowed =
                collect(SOURCE_ROOT "/dbus-interfaces/org.aegis.Enforcer.conf", collect_allowed);
        unsigned n = 0;

        for (size_t i = 0; i < G_N_ELEMENTS(served); i++) {
                GDBusNodeInfo *node = documented(served[i].interface);
                GDBusMethodInfo **method = node->interfaces[0]->methods;

                for (; method && *method; method++, n++) {
                        char *name = g_strdup_printf("%s.%s", served[i].interface, (*method)->name);

                        if (!g_hash_table_contains(allowed, name))
                                g_error("the bus policy does not allow %s", name);
                        g_free(name);
                }
                g_dbus_node_info_unref(node);
        }
        g_assert_cmpint(n, >, 0);
        g_assert_cmpint(g_hash_table_size(allowed), ==, n);
        g_hash_table_destroy(allowed);
}

static void test_polkit_knows_every_action_of_the_table_and_no_other(Lab *lab)
{
        GHashTable *actions = collect(POLKIT_POLICY, collect_actions);

        for (Action action = ACTION_NONE + 1; action < N_ACTIONS; action++)
                if (!g_hash_table_contains(actions, action_id(action)))
                        g_error("polkit does not know %s", action_id(action));
        g_assert_cmpint(g_hash_table_size(actions), ==, N_ACTIONS - 1);
        g_hash_table_destroy(actions);
}

typedef struct Defaults {
        Action action;
        const char *any_and_inactive, *active;
} Defaults;

static void check_defaults(const char *text, const Defaults *defaults)
{
        char *head = g_strdup_printf("<action id=\"%s\">", action_id(defaults->action));
        const char *from = strstr(text, head);
        char *action, *expected;

        g_assert_nonnull(from);
        action = g_strndup(from, (gsize) (strstr(from, "</action>") - from));
        expected = g_strdup_printf("      <allow_any>%s</allow_any>\n"
                                   "      <allow_inactive>%s</allow_inactive>\n"
                                   "      <allow_active>%s</allow_active>\n",
                                   defaults->any_and_inactive, defaults->any_and_inactive,
                                   defaults->active);
        if (!strstr(action, expected))
                g_error("%s has other defaults", head);
        g_free(head);
        g_free(action);
        g_free(expected);
}

/* What can loosen a policy is asked for each time: a kept grant does not look at the details. */
static void test_what_may_loosen_is_never_kept(Lab *lab)
{
        static const Defaults table[] = {
                {ACTION_PLAN, "auth_admin_keep", "yes"},
                {ACTION_READ_POLICY, "auth_admin_keep", "yes"},
                {ACTION_READ_EVENTS, "auth_admin_keep", "yes"},
                {ACTION_STRENGTHEN, "auth_admin_keep", "auth_admin_keep"},
                {ACTION_MANAGE_RULES, "auth_admin_keep", "auth_admin_keep"},
                {ACTION_APPLY_POLICY, "auth_admin", "auth_admin"},
                {ACTION_REMOVE_POLICY, "auth_admin", "auth_admin"},
                {ACTION_ROLLBACK, "auth_admin", "auth_admin"},
                {ACTION_WEAKEN, "auth_admin", "auth_admin"},
                {ACTION_EMERGENCY, "auth_admin", "auth_admin"},
                {ACTION_ALLOW_TEMPORARILY, "auth_admin", "auth_admin"},
                {ACTION_RELOAD, "auth_admin", "auth_admin"},
        };
        char *text = file_text(POLKIT_POLICY);

        g_assert_cmpint(G_N_ELEMENTS(table), ==, N_ACTIONS - 1);
        for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
                check_defaults(text, &table[i]);
        g_free(text);
}

/* ---- what cannot be reached ---- */

static void test_what_is_not_in_the_xml_does_not_get_past_the_bus(Lab *lab)
{
        sd_bus *user = lab_connect(lab, LAB_USER);
        sd_bus_message *m = lab_message(user, LAB_ROOT, LAB_MANAGER, "Detach");

        expect(lab, lab_send(m, SILENT), SD_BUS_ERROR_ACCESS_DENIED);
        m = lab_message(lab->root, LAB_ROOT, LAB_MANAGER, "Detach");
        expect(lab, lab_send(m, SILENT), SD_BUS_ERROR_UNKNOWN_METHOD);
        lab_disconnect(user);
}

/* An interface may be left out of a message: that must not be a way round the names. */
static void test_a_call_without_an_interface_does_not_get_past_the_bus(Lab *lab)
{
        sd_bus *user = lab_connect(lab, LAB_USER);
        sd_bus_message *m = lab_message(user, LAB_ROOT, NULL, "SetMode");

        g_assert_cmpint(sd_bus_message_append(m, "sa{sv}", "audit", 0), >=, 0);
        expect(lab, lab_send(m, SILENT), SD_BUS_ERROR_ACCESS_DENIED);
        lab_disconnect(user);
}

static void send_descriptor(Lab *lab, sd_bus *bus)
{
        sd_bus_message *m = lab_message(bus, LAB_ROOT, LAB_MANAGER, "Can");
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        g_assert_cmpint(sd_bus_message_append(m, "h", fd), >=, 0);
        close(fd);
        expect(lab, lab_send(m, SILENT), SD_BUS_ERROR_ACCESS_DENIED);
}

static void test_descriptors_are_turned_away_whoever_sends_them(Lab *lab)
{
        sd_bus *user = lab_connect(lab, LAB_USER);

        send_descriptor(lab, user);
        send_descriptor(lab, lab->root);
        g_assert_cmpint(lab_generation(lab), ==, 0); /* and the service still answers */
        lab_disconnect(user);
}

static void test_options_that_nobody_knows_are_refused_by_name(Lab *lab)
{
        sd_bus_message *m = lab_message(lab->root, LAB_ROOT, LAB_MANAGER, "Apply");
        char *message;

        g_assert_cmpint(sd_bus_message_append(m, "ssasta{sv}", "web", DOCUMENT, 0, LAB_ANY, 1,
                                              "force\u202e", "b", 1),
                        >=, 0);
        message = lab_expect(lab, lab_send(m, SILENT), SD_BUS_ERROR_INVALID_ARGS);
        g_assert_cmpstr(message, ==, "unknown option \"force\"");
        g_assert_cmpint(lab_generation(lab), ==, 0);
        g_free(message);
}

static void test_what_is_no_signature_is_refused(Lab *lab)
{
        sd_bus_message *m = lab_message(lab->root, LAB_ROOT, LAB_MANAGER, "Apply");

        g_assert_cmpint(
                sd_bus_message_append(m, "ssasta{sv}", "web", DOCUMENT, 1, "signature", LAB_ANY, 0),
                >=, 0);
        expect(lab, lab_send(m, SILENT), "org.aegis.Enforcer.Error.SignatureInvalid");
}

static void test_arguments_of_other_types_are_refused(Lab *lab)
{
        sd_bus_message *m = lab_message(lab->root, LAB_ROOT, LAB_MANAGER, "Apply");

        g_assert_cmpint(sd_bus_message_append(m, "ss", "web", DOCUMENT), >=, 0);
        expect(lab, lab_send(m, SILENT), SD_BUS_ERROR_INVALID_ARGS);
        g_assert_cmpint(lab_generation(lab), ==, 0);
}

static void test_everybody_may_read_the_state(Lab *lab)
{
        sd_bus *user = lab_connect(lab, LAB_USER);
        sd_bus_message *m = lab_message(user, LAB_ROOT, PROPERTIES, "GetAll");

        g_assert_cmpint(sd_bus_message_append(m, "s", LAB_MANAGER), >=, 0);
        expect(lab, lab_send(m, SILENT), NULL);
        m = lab_message(user, LAB_ROOT, LAB_MANAGER, "GetCapabilities");
        expect(lab, lab_send(m, SILENT), NULL);
        lab_disconnect(user);
}

static void set_log(Lab *lab, const char *property, const char *value, const char *error)
{
        sd_bus_message *m = lab_message(lab->root, LOG_CONTROL_PATH, PROPERTIES, "Set");

        g_assert_cmpint(sd_bus_message_append(m, "ssv", LOG_CONTROL, property, "s", value), >=, 0);
        expect(lab, lab_send(m, SILENT), error);
}

static void expect_log(Lab *lab, const char *property, const char *value)
{
        sd_bus *user = lab_connect(lab, LAB_USER);
        sd_bus_message *m = lab_message(user, LOG_CONTROL_PATH, PROPERTIES, "Get"), *reply;
        const char *found;

        g_assert_cmpint(sd_bus_message_append(m, "ss", LOG_CONTROL, property), >=, 0);
        reply = lab_wait(lab, lab_send(m, SILENT));
        g_assert_cmpint(sd_bus_message_read(reply, "v", "s", &found), >=, 0);
        g_assert_cmpstr(found, ==, value);
        sd_bus_message_unref(reply);
        lab_disconnect(user);
}

static void test_root_sets_what_is_logged(Lab *lab)
{
        expect_log(lab, "SyslogIdentifier", "aegisd");
        set_log(lab, "LogLevel", "warning", NULL);
        expect_log(lab, "LogLevel", "warning");
        set_log(lab, "LogLevel", "loud", SD_BUS_ERROR_INVALID_ARGS);
        expect_log(lab, "LogLevel", "warning");
        set_log(lab, "LogLevel", "debug", NULL);
        expect_log(lab, "LogLevel", "debug");
        set_log(lab, "LogTarget", "console", NULL);
        expect_log(lab, "LogTarget", "console");
        set_log(lab, "LogTarget", "kmsg", SD_BUS_ERROR_INVALID_ARGS);
        set_log(lab, "LogTarget", "auto", NULL);
        expect_log(lab, "LogTarget", "journal"); /* the lab reads what is logged */
        set_log(lab, "SyslogIdentifier", "other", SD_BUS_ERROR_PROPERTY_READ_ONLY);
}

static void test_the_service_itself_lets_nobody_else_set_it(Lab *lab)
{
        sd_bus *user = lab_connect(lab, LAB_TRUSTED);
        sd_bus_message *m = lab_message(user, LOG_CONTROL_PATH, PROPERTIES, "Set");
        char *message;

        g_assert_cmpint(sd_bus_message_append(m, "ssv", LOG_CONTROL, "LogLevel", "s", "debug"), >=,
                        0);
        message = lab_expect(lab, lab_send(m, SILENT), SD_BUS_ERROR_ACCESS_DENIED);
        g_assert_cmpstr(message, ==, "only root sets what is logged"); /* not the bus's words */
        expect_log(lab, "LogLevel", "info");
        g_free(message);
        lab_disconnect(user);
}

#define TEST(name)                                                                                 \
        {                                                                                          \
#name, test_##name                                                                 \
        }

int main(int argc, char **argv)
{
        static const LabTest tests[] = {
                TEST(what_is_served_is_what_the_xml_says),
                TEST(the_tree_leads_to_every_object),
                TEST(managed_objects_are_the_policies_the_hooks_and_the_events),
                TEST(the_bus_lets_through_every_method_of_the_xml_and_no_other),
                TEST(polkit_knows_every_action_of_the_table_and_no_other),
                TEST(what_may_loosen_is_never_kept),
                TEST(what_is_not_in_the_xml_does_not_get_past_the_bus),
                TEST(a_call_without_an_interface_does_not_get_past_the_bus),
                TEST(descriptors_are_turned_away_whoever_sends_them),
                TEST(options_that_nobody_knows_are_refused_by_name),
                TEST(what_is_no_signature_is_refused),
                TEST(arguments_of_other_types_are_refused),
                TEST(everybody_may_read_the_state),
                TEST(root_sets_what_is_logged),
                TEST(the_service_itself_lets_nobody_else_set_it),
        };

        return lab_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
