/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lab: calls to the service, and the frame around a program's tests. */
#include "lab.h"

#include <stdlib.h>
#include <string.h>

sd_bus_message *lab_message(sd_bus *bus, const char *path, const char *interface,
                            const char *member)
{
        sd_bus_message *m = NULL;

        g_assert_cmpint(sd_bus_message_new_method_call(bus, &m, LAB_NAME, path, interface, member),
                        >=, 0);
        return m;
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        Pending *pending = userdata;

        pending->reply = sd_bus_message_ref(reply);
        pending->done = 1;
        return 0;
}

Pending *lab_send(sd_bus_message *message, Interaction interaction)
{
        Pending *pending = g_new0(Pending, 1);

        if (interaction == INTERACTIVE)
                g_assert_cmpint(sd_bus_message_set_allow_interactive_authorization(message, 1), >=,
                                0);
        g_assert_cmpint(sd_bus_call_async(sd_bus_message_get_bus(message), &pending->slot, message,
                                          on_reply, pending, UINT64_MAX),
                        >=, 0);
        sd_bus_message_unref(message);
        return pending;
}

void pending_free(Pending *pending)
{
        sd_bus_slot_unref(pending->slot);
        sd_bus_message_unref(pending->reply);
        g_free(pending);
}

sd_bus_message *lab_wait(Lab *lab, Pending *pending)
{
        sd_bus_message *reply;

        lab_until(lab, &pending->done);
        reply = sd_bus_message_ref(pending->reply);
        pending_free(pending);
        return reply;
}

const char *lab_error(sd_bus_message *reply)
{
        const sd_bus_error *error = sd_bus_message_get_error(reply);

        return error ? error->name : "";
}

char *lab_expect(Lab *lab, Pending *pending, const char *error)
{
        sd_bus_message *reply = lab_wait(lab, pending);
        const sd_bus_error *got = sd_bus_message_get_error(reply);
        char *message = g_strdup(got ? got->message : "");

        if (got && !error)
                g_printerr("%s: %s\n", got->name, got->message);
        g_assert_cmpstr(lab_error(reply), ==, error ? error : "");
        sd_bus_message_unref(reply);
        return message;
}

static Pending *apply(sd_bus *bus, const char *name, const char *document, uint64_t expect,
                      Interaction interaction)
{
        sd_bus_message *m = lab_message(bus, LAB_ROOT, LAB_MANAGER, "Apply");

        g_assert_cmpint(sd_bus_message_append(m, "ssasta{sv}", name, document, 0, expect, 0), >=,
                        0);
        return lab_send(m, interaction);
}

Pending *lab_apply(sd_bus *bus, const char *name, const char *document, Interaction interaction)
{
        return apply(bus, name, document, LAB_ANY, interaction);
}

Pending *lab_apply_expect(sd_bus *bus, const char *name, const char *document, uint64_t expect)
{
        return apply(bus, name, document, expect, SILENT);
}

Pending *lab_apply_on_trial(sd_bus *bus, const char *name, const char *document, unsigned seconds)
{
        sd_bus_message *m = lab_message(bus, LAB_ROOT, LAB_MANAGER, "Apply");

        g_assert_cmpint(sd_bus_message_append(m, "ssasta{sv}", name, document, 0, LAB_ANY, 1,
                                              "confirm-timeout-usec", "t", seconds * 1000000ull),
                        >=, 0);
        return lab_send(m, SILENT);
}

uint64_t lab_must_apply(Lab *lab, const char *name, const char *document)
{
        g_free(lab_expect(lab, lab_apply(lab->root, name, document, SILENT), NULL));
        return lab_generation(lab);
}

Pending *lab_rule(sd_bus *bus, const char *member, const char *section, const char *entry,
                  Interaction interaction)
{
        sd_bus_message *m = lab_message(bus, LAB_ROOT, LAB_MANAGER, member);

        g_assert_cmpint(sd_bus_message_append(m, "ssa{sv}", section, entry, 0), >=, 0);
        return lab_send(m, interaction);
}

Pending *lab_list_rules(sd_bus *bus, const char *policy, uint32_t offset, uint32_t limit)
{
        sd_bus_message *m = lab_message(bus, LAB_ROOT, LAB_MANAGER, "ListRules");

        g_assert_cmpint(sd_bus_message_append(m, "suu", policy, offset, limit), >=, 0);
        return lab_send(m, SILENT);
}

Pending *lab_set_mode(sd_bus *bus, const char *mode, Interaction interaction)
{
        sd_bus_message *m = lab_message(bus, LAB_ROOT, LAB_MANAGER, "SetMode");

        g_assert_cmpint(sd_bus_message_append(m, "sa{sv}", mode, 0), >=, 0);
        return lab_send(m, interaction);
}

static sd_bus_message *get(Lab *lab, const char *path, const char *interface, const char *property)
{
        sd_bus_message *m = lab_message(lab->root, path, "org.freedesktop.DBus.Properties", "Get");
        sd_bus_message *reply;

        g_assert_cmpint(sd_bus_message_append(m, "ss", interface, property), >=, 0);
        reply = lab_wait(lab, lab_send(m, SILENT));
        g_assert_cmpstr(lab_error(reply), ==, "");
        return reply;
}

uint64_t lab_get_number(Lab *lab, const char *property)
{
        sd_bus_message *reply = get(lab, LAB_ROOT, LAB_MANAGER, property);
        uint64_t number;

        g_assert_cmpint(sd_bus_message_read(reply, "v", "t", &number), >=, 0);
        sd_bus_message_unref(reply);
        return number;
}

uint64_t lab_generation(Lab *lab)
{
        return lab_get_number(lab, "Generation");
}

char *lab_get_string(Lab *lab, const char *path, const char *interface, const char *property)
{
        sd_bus_message *reply = get(lab, path, interface, property);
        const char *text;
        char *copy;

        g_assert_cmpint(sd_bus_message_read(reply, "v", "s", &text), >=, 0);
        copy = g_strdup(text);
        sd_bus_message_unref(reply);
        return copy;
}

char *lab_last_change(Lab *lab)
{
        sd_bus_message *m = lab_message(lab->root, LAB_ROOT, LAB_MANAGER, "History"), *reply;
        const char *origin, *what, *name, *authorization;
        char *line = g_strdup("");
        uint64_t usec, generation;
        uint32_t uid;

        g_assert_cmpint(sd_bus_message_append(m, "tu", (uint64_t) 0, 1), >=, 0);
        reply = lab_wait(lab, lab_send(m, SILENT));
        g_assert_cmpint(sd_bus_message_enter_container(reply, 'a', "(ttussss)"), >, 0);
        while (sd_bus_message_read(reply, "(ttussss)", &usec, &generation, &uid, &origin, &what,
                                   &name, &authorization) > 0) {
                g_free(line);
                line = g_strdup_printf("%lu %s %s %s", (unsigned long) generation, what, name,
                                       authorization);
        }
        sd_bus_message_unref(reply);
        return line;
}

static char *dump(Lab *lab, sd_bus_message *m)
{
        sd_bus_message *reply = lab_wait(lab, lab_send(m, SILENT));
        char *text = NULL;
        size_t n;
        FILE *out = open_memstream(&text, &n);

        g_assert_cmpstr(lab_error(reply), ==, "");
        g_assert_cmpint(sd_bus_message_dump(reply, out, 0), >=, 0);
        fclose(out);
        sd_bus_message_unref(reply);
        return text;
}

/* What runs down by itself is no change. */
static char *without_time_left(const char *text)
{
        GRegex *left = g_regex_new("(\"RemainingUSec\";[^0-9]*UINT64 )[0-9]+", 0, 0, NULL);
        char *steady = g_regex_replace(left, text, -1, 0, "\\1", 0, NULL);

        g_regex_unref(left);
        return steady;
}

char *lab_state(Lab *lab)
{
        sd_bus_message *m =
                lab_message(lab->root, LAB_ROOT, "org.freedesktop.DBus.Properties", "GetAll");
        char *manager, *objects, *both, *steady;

        g_assert_cmpint(sd_bus_message_append(m, "s", LAB_MANAGER), >=, 0);
        manager = dump(lab, m);
        objects = dump(lab, lab_message(lab->root, LAB_ROOT, "org.freedesktop.DBus.ObjectManager",
                                        "GetManagedObjects"));
        both = g_strconcat(manager, objects, NULL);
        steady = without_time_left(both);
        free(manager);
        free(objects);
        g_free(both);
        return steady;
}

unsigned lab_descriptors(Lab *lab)
{
        char *path = g_strdup_printf("/proc/%d/fd", (int) lab->aegisd);
        GDir *directory = g_dir_open(path, 0, NULL);
        unsigned n = 0;

        g_assert_nonnull(directory);
        while (g_dir_read_name(directory))
                n++;
        g_dir_close(directory);
        g_free(path);
        return n;
}

unsigned long lab_resident_kb(Lab *lab)
{
        char *path = g_strdup_printf("/proc/%d/status", (int) lab->aegisd), *text = NULL;
        unsigned long kb;

        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        kb = strtoul(strstr(text, "VmRSS:") + 6, NULL, 10);
        g_free(text);
        g_free(path);
        return kb;
}

GDBusNodeInfo *lab_introspect(Lab *lab, const char *path)
{
        sd_bus_message *reply = lab_wait(
                lab, lab_send(lab_message(lab->root, path, "org.freedesktop.DBus.Introspectable",
                                          "Introspect"),
                              SILENT));
        GError *error = NULL;
        GDBusNodeInfo *node;
        const char *xml;

        g_assert_cmpint(sd_bus_message_read(reply, "s", &xml), >=, 0);
        node = g_dbus_node_info_new_for_xml(xml, &error);
        g_assert_no_error(error);
        sd_bus_message_unref(reply);
        return node;
}

/* ---- the frame ---- */

typedef struct Case {
        Lab *lab;
        const char *why_not;
        const LabTest *test;
} Case;

static void run_case(gconstpointer data)
{
        const Case *one = data;

        if (!one->lab) {
                g_test_skip(one->why_not);
                return;
        }
        lab_start(one->lab);
        one->test->run(one->lab);
        lab_stop(one->lab);
}

int lab_main(int argc, char **argv, const LabTest *tests, size_t n_tests)
{
        const char *why_not = NULL;
        Lab *lab = NULL;
        Case *cases = g_new0(Case, n_tests);
        int r;

        g_test_init(&argc, &argv, NULL);
        lab = lab_new(argc > 1 && strcmp(argv[1], "--broker") == 0 ? LAB_DBUS_BROKER
                                                                   : LAB_DBUS_DAEMON,
                      &why_not);
        for (size_t i = 0; i < n_tests; i++) {
                char *path = g_strdup_printf("/bus/%s", tests[i].name);

                cases[i] = (Case){.lab = lab, .why_not = why_not, .test = &tests[i]};
                g_test_add_data_func(path, &cases[i], run_case);
                g_free(path);
        }
        r = g_test_run();
        if (lab)
                lab_free(lab);
        g_free(cases);
        return r;
}
