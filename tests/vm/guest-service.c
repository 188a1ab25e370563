/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The service in a machine: see guest-service.h. */
#include "guest-service.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "guest-acts.h"

#define AEGISD "/usr/libexec/aegisd"

static GPid service;

sd_bus *guest_bus(void)
{
        static sd_bus *bus;

        if (!bus)
                g_assert_cmpint(sd_bus_open_system(&bus), >=, 0);
        return bus;
}

GPid service_pid(void)
{
        return service;
}

static int on_owner_changed(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        const char *name, *old, *new;

        if (sd_bus_message_read(message, "sss", &name, &old, &new) >= 0)
                *(int *) userdata = *new != '\0';
        return 0;
}

/* A cgroup of its own: the service guards itself from signals, and this is the way to kill it. */
#define CGROUP "/sys/fs/cgroup/aegisd"

static void write_to_cgroup(const char *name, int number)
{
        g_autofree char *path = g_strdup_printf(CGROUP "/%s", name);
        FILE *file = fopen(path, "we");

        g_assert_nonnull(file);
        g_assert_cmpint(fprintf(file, "%d", number), >, 0);
        g_assert_cmpint(fclose(file), ==, 0);
}

void kill_service(void)
{
        g_assert_cmpint(kill(service, SIGKILL), ==, -1);
        g_assert_cmpint(errno, ==, EPERM);
        write_to_cgroup("cgroup.kill", 1);
        g_assert_cmpint(waitpid(service, NULL, 0), ==, service);
}

void start_service(void)
{
        const char *argv[] = {AEGISD, NULL};
        sd_bus_slot *slot = NULL;
        int owned = 0;

        g_assert_cmpint(sd_bus_match_signal(guest_bus(), &slot, "org.freedesktop.DBus", NULL,
                                            "org.freedesktop.DBus", "NameOwnerChanged",
                                            on_owner_changed, &owned),
                        >=, 0);
        g_assert_true(g_spawn_async(NULL, (char **) argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL,
                                    NULL, &service, NULL));
        g_mkdir_with_parents(CGROUP, 0755);
        write_to_cgroup("cgroup.procs", service);
        while (!owned)
                if (sd_bus_process(guest_bus(), NULL) == 0)
                        g_assert_cmpint(sd_bus_wait(guest_bus(), 300 * G_USEC_PER_SEC), >, 0);
        sd_bus_slot_unref(slot);
}

void result_clear(Result *result)
{
        g_free(result->out);
        g_free(result->err);
}
static void become(gpointer uid)
{
        if (become_user(GPOINTER_TO_UINT(uid)) < 0)
                _exit(126);
}

Result run_as(unsigned uid, const char *const *argv)
{
        Result result = {};
        int status;

        g_assert_true(g_spawn_sync("/", (char **) argv, NULL, G_SPAWN_SEARCH_PATH, become,
                                   GUINT_TO_POINTER(uid), &result.out, &result.err, &status, NULL));
        g_assert_true(WIFEXITED(status));
        result.status = WEXITSTATUS(status);
        return result;
}

char *property(const char *name, const char *type)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        char *text = NULL;

        g_assert_cmpint(sd_bus_get_property(guest_bus(), NAME, "/org/aegis/Enforcer",
                                            NAME ".Manager", name, &error, &reply, type),
                        >=, 0);
        if (*type == 's') {
                const char *value;

                g_assert_cmpint(sd_bus_message_read(reply, "s", &value), >=, 0);
                text = g_strdup(value);
        } else {
                uint64_t value;

                g_assert_cmpint(sd_bus_message_read(reply, "t", &value), >=, 0);
                text = g_strdup_printf("%" G_GUINT64_FORMAT, value);
        }
        sd_bus_message_unref(reply);
        sd_bus_error_free(&error);
        return text;
}

void assert_property(const char *name, const char *type, const char *expected)
{
        g_autofree char *value = property(name, type);

        g_assert_cmpstr(value, ==, expected);
}

void apply_by_root(const char *name, const char *text)
{
        g_autofree char *path = g_strdup_printf("/run/%s.policy", name);
        g_auto(Result) result = {};

        g_assert_true(g_file_set_contents(path, text, -1, NULL));
        result = client("apply", path);
        g_assert_cmpstr(result.err, ==, "");
        g_assert_cmpint(result.status, ==, 0);
}

void client_removes(const char *name)
{
        g_auto(Result) result = client("remove", name);

        g_assert_cmpint(result.status, ==, 0);
}
