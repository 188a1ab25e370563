/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Explain and History over the bus: what is no question, what cannot be answered, and how much of
 * the history is told. */
#include <string.h>

#include "backend-twin.h"
#include "lab.h"

#define DOCUMENT "version=1\n[deny_path]\n/srv/one\n"
#define OTHER "version=1\n[deny_path]\n/srv/two\n"

static void expect(Lab *lab, Pending *pending, const char *error)
{
        g_free(lab_expect(lab, pending, error));
}

static Pending *explain(sd_bus *bus, const char *entry)
{
        sd_bus_message *m = lab_message(bus, LAB_ROOT, LAB_MANAGER, "Explain");

        g_assert_cmpint(sd_bus_message_append(m, "a{sv}", 1, "entry", "s", entry), >=, 0);
        return lab_send(m, SILENT);
}

static void test_what_is_no_question_is_refused(Lab *lab)
{
        static const char invalid[] = "org.aegis.Enforcer.Error.InvalidPolicy";
        sd_bus_message *m = lab_message(lab->root, LAB_ROOT, LAB_MANAGER, "Explain");
        char *longer = g_strnfill(9000, 'x');

        g_assert_cmpint(sd_bus_message_append(m, "a{sv}", 0), >=, 0);
        expect(lab, lab_send(m, SILENT), SD_BUS_ERROR_INVALID_ARGS);
        m = lab_message(lab->root, LAB_ROOT, LAB_MANAGER, "Explain");
        g_assert_cmpint(sd_bus_message_append(m, "a{sv}", 1, "path", "s", "/srv/one"), >=, 0);
        expect(lab, lab_send(m, SILENT), SD_BUS_ERROR_INVALID_ARGS);
        m = lab_message(lab->root, LAB_ROOT, LAB_MANAGER, "Explain");
        g_assert_cmpint(sd_bus_message_append(m, "a{sv}", 2, "entry", "s", "file:/a", "entry", "s",
                                              "file:/b"),
                        >=, 0);
        expect(lab, lab_send(m, SILENT), SD_BUS_ERROR_INVALID_ARGS);
        expect(lab, explain(lab->root, longer), SD_BUS_ERROR_INVALID_ARGS);
        expect(lab, explain(lab->root, "/srv/one"), invalid);
        expect(lab, explain(lab->root, "file:/srv/one ttl=1h"), invalid);
        expect(lab, explain(lab->root, "file:/srv/one"), NULL);
        g_free(longer);
}

static void test_nothing_is_explained_of_what_is_not_known(Lab *lab)
{
        TwinState state;

        lab_must_apply(lab, "web", DOCUMENT);
        expect(lab, explain(lab->root, "file:/srv/one"), NULL);
        g_assert_cmpint(twin_state_read(LAB_PINS, &state), ==, 0);
        state.digest[0] ^= 1;
        g_assert_cmpint(twin_state_write(LAB_PINS, &state), ==, 0);
        expect(lab, explain(lab->root, "file:/srv/one"), SD_BUS_ERROR_FAILED);
}

/* The generations that are told, as "1 2 ". */
static char *history(Lab *lab, uint64_t since, uint32_t limit)
{
        sd_bus_message *m = lab_message(lab->root, LAB_ROOT, LAB_MANAGER, "History"), *reply;
        GString *text = g_string_new(NULL);
        uint64_t generation;

        g_assert_cmpint(sd_bus_message_append(m, "tu", since, limit), >=, 0);
        reply = lab_wait(lab, lab_send(m, SILENT));
        g_assert_cmpstr(lab_error(reply), ==, "");
        g_assert_cmpint(sd_bus_message_enter_container(reply, 'a', "(ttussss)"), >=, 0);
        while (sd_bus_message_enter_container(reply, 'r', "ttussss") > 0) {
                g_assert_cmpint(sd_bus_message_skip(reply, "t"), >=, 0);
                g_assert_cmpint(sd_bus_message_read(reply, "t", &generation), >=, 0);
                g_assert_cmpint(sd_bus_message_skip(reply, "ussss"), >=, 0);
                g_assert_cmpint(sd_bus_message_exit_container(reply), >=, 0);
                g_string_append_printf(text, "%" G_GUINT64_FORMAT " ", generation);
        }
        sd_bus_message_unref(reply);
        return g_string_free(text, FALSE);
}

static void check_history(Lab *lab, uint64_t since, uint32_t limit, const char *expected)
{
        char *text = history(lab, since, limit);

        g_assert_cmpstr(text, ==, expected);
        g_free(text);
}

static void test_as_much_of_the_history_is_told_as_is_wanted(Lab *lab)
{
        gint64 before = g_get_real_time();

        check_history(lab, 0, 0, "");
        lab_must_apply(lab, "web", DOCUMENT);
        lab_must_apply(lab, "web", OTHER);
        lab_must_apply(lab, "web", DOCUMENT);
        check_history(lab, 0, 0, "1 2 3 ");
        check_history(lab, 0, 2, "2 3 ");
        check_history(lab, (uint64_t) before, 0, "1 2 3 ");
        check_history(lab, (uint64_t) g_get_real_time() + 1, 0, "");
}

#define TEST(name)                                                                                 \
        {                                                                                          \
#name, test_##name                                                                 \
        }

int main(int argc, char **argv)
{
        static const LabTest tests[] = {
                TEST(what_is_no_question_is_refused),
                TEST(nothing_is_explained_of_what_is_not_known),
                TEST(as_much_of_the_history_is_told_as_is_wanted),
        };

        return lab_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
