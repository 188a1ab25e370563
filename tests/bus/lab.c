/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lab: see lab.h. /run is a fresh tmpfs there, so that nothing of it is left behind. */
#include "lab.h"
#include "lab-bus.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Sanitizers take their time, on a busy machine more so. */
#ifdef __SANITIZE_ADDRESS__
#define DEADLINE_USEC (120 * 1000 * 1000ull)
#else
#define DEADLINE_USEC (20 * 1000 * 1000ull)
#endif

/* The first rule stands for a person at the machine, whose session is active. */
static const char polkit_rules[] =
        "polkit.addRule(function(action, subject) {\n"
        "  if (action.id == 'org.aegis.enforcer.read-policy') {\n"
        "    if (action.lookup('name') == '" LAB_REFUSED "')\n"
        "      return polkit.Result.NO;\n"
        "    if (action.lookup('name') == '" LAB_ASKED "')\n"
        "      return polkit.Result.NOT_HANDLED;\n"
        "  }\n"
        "  if (action.id == 'org.aegis.enforcer.manage-rules' ||\n"
        "      action.id == 'org.aegis.enforcer.weaken') {\n"
        "    if (action.lookup('entry') == 'file:/srv/" LAB_GRANTED "')\n"
        "      return polkit.Result.YES;\n"
        "    if (action.lookup('entry') == 'file:/srv/" LAB_REFUSED "')\n"
        "      return polkit.Result.NO;\n"
        "  }\n"
        "  if (action.id == 'org.aegis.enforcer.plan' ||\n"
        "      action.id == 'org.aegis.enforcer.read-policy' ||\n"
        "      action.id == 'org.aegis.enforcer.read-events')\n"
        "    return polkit.Result.YES;\n"
        "  if (action.id != 'org.aegis.enforcer.apply-policy')\n"
        "    return polkit.Result.NOT_HANDLED;\n"
        "  if (action.lookup('name') == '" LAB_GRANTED "')\n"
        "    return polkit.Result.YES;\n"
        "  if (action.lookup('name') == '" LAB_REFUSED "')\n"
        "    return polkit.Result.NO;\n"
        "  return polkit.Result.NOT_HANDLED;\n"
        "});\n"
        "polkit.addRule(function(action, subject) {\n"
        "  if (action.id == 'org.aegis.enforcer.rollback' && !action.lookup('to'))\n"
        "    return polkit.Result.NO;\n"
        "  return polkit.Result.NOT_HANDLED;\n"
        "});\n"
        "polkit.addAdminRule(function(action, subject) { return ['unix-user:0']; });\n";

/* ---- processes ---- */

static int reap(pid_t *pid, int signal)
{
        int status;

        kill(*pid, signal);
        g_assert_cmpint(waitpid(*pid, &status, 0), ==, *pid);
        *pid = 0;
        return status;
}

static void put(const char *path, const char *text)
{
        GError *error = NULL;

        g_file_set_contents(path, text, -1, &error);
        g_assert_no_error(error);
        g_assert_cmpint(chmod(path, 0644), ==, 0);
}

static void put_copy(const char *path, const char *from)
{
        GError *error = NULL;
        char *text;

        g_file_get_contents(from, &text, NULL, &error);
        g_assert_no_error(error);
        put(path, text);
        g_free(text);
}

static int cover(const char *with, const char *what)
{
        if (g_mkdir_with_parents(with, 0755) < 0 || chmod(with, 0755) < 0)
                return -errno;
        if (access(what, F_OK) < 0)
                return 0;
        return mount(with, what, NULL, MS_BIND, NULL) < 0 ? -errno : 0;
}

/* A bus refuses whom the machine does not know. */
static int make_users(void)
{
        GString *text = g_string_new(NULL);
        char *passwd = NULL;

        g_assert_true(g_file_get_contents("/etc/passwd", &passwd, NULL, NULL));
        g_string_append(text, passwd);
        for (unsigned i = 0; i < LAB_USERS; i++)
                g_string_append_printf(text, "lab-%u:x:%u:%u::/:/bin/false\n", i, LAB_USER + i,
                                       LAB_USER + i);
        put("/run/lab/passwd", text->str);
        g_string_free(text, TRUE);
        g_free(passwd);
        return mount("/run/lab/passwd", "/etc/passwd", NULL, MS_BIND, NULL) < 0 ? -errno : 0;
}

static int make_room(void)
{
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") < 0)
                return -errno;
        if (mkdir("/run/dbus", 0755) < 0 || mkdir("/run/lab", 0755) < 0)
                return -errno;
        if (cover("/run/lab/actions", "/usr/share/polkit-1/actions") < 0 ||
            cover("/run/lab/rules", "/etc/polkit-1/rules.d") < 0 ||
            cover("/run/lab/no-rules", "/usr/share/polkit-1/rules.d") < 0 || make_users() < 0)
                return -errno;
        return 0;
}

/* ---- the loop ---- */

void lab_until(Lab *lab, const int *flag)
{
        uint64_t end = (uint64_t) g_get_monotonic_time() + DEADLINE_USEC;

        while (!*flag) {
                g_assert_cmpuint((uint64_t) g_get_monotonic_time(), <, end);
                g_assert_cmpint(sd_event_run(lab->loop, 100 * 1000), >=, 0);
        }
}

void lab_settle(Lab *lab)
{
        for (unsigned i = 0; i < 2; i++)
                lab_generation(lab);
        while (sd_event_run(lab->loop, 0) > 0)
                ;
}

typedef struct Owner {
        int has, want, as_wanted;
} Owner;

static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        Owner *owner = userdata;
        const char *name, *old, *new;

        g_assert_cmpint(sd_bus_message_read(m, "sss", &name, &old, &new), >=, 0);
        owner->has = new[0] != '\0';
        owner->as_wanted = owner->has == owner->want;
        return 0;
}

static int has_owner(Lab *lab, const char *name)
{
        sd_bus_message *reply = NULL;
        int has;

        g_assert_cmpint(sd_bus_call_method(lab->root, "org.freedesktop.DBus", "/",
                                           "org.freedesktop.DBus", "NameHasOwner", NULL, &reply,
                                           "s", name),
                        >=, 0);
        g_assert_cmpint(sd_bus_message_read(reply, "b", &has), >=, 0);
        sd_bus_message_unref(reply);
        return has;
}

static void wait_for_name(Lab *lab, const char *name, int want)
{
        Owner owner = {.want = want};
        sd_bus_slot *slot = NULL;
        char *match = g_strdup_printf("type='signal',sender='org.freedesktop.DBus',"
                                      "member='NameOwnerChanged',arg0='%s'",
                                      name);

        g_assert_cmpint(sd_bus_add_match(lab->root, &slot, match, on_owner, &owner), >=, 0);
        owner.as_wanted = has_owner(lab, name) == want;
        lab_until(lab, &owner.as_wanted);
        sd_bus_slot_unref(slot);
        g_free(match);
}

sd_bus *lab_connect(Lab *lab, uid_t uid)
{
        sd_bus *bus = NULL;
        const char *name;

        g_assert_cmpint(seteuid(uid), ==, 0); /* the bus looks at who connects */
        g_assert_cmpint(sd_bus_new(&bus), >=, 0);
        g_assert_cmpint(sd_bus_set_address(bus, LAB_ADDRESS), >=, 0);
        g_assert_cmpint(sd_bus_set_bus_client(bus, 1), >=, 0);
        g_assert_cmpint(sd_bus_start(bus), >=, 0);
        g_assert_cmpint(sd_bus_get_unique_name(bus, &name), >=, 0);
        g_assert_cmpint(seteuid(0), ==, 0);
        g_assert_cmpint(sd_bus_attach_event(bus, lab->loop, 0), >=, 0);
        return bus;
}

void lab_disconnect(sd_bus *bus)
{
        sd_bus_flush_close_unref(bus);
}

/* ---- life ---- */

void lab_start_polkit(Lab *lab)
{
        char *argv[] = {(char *) "/usr/lib/polkit-1/polkitd", NULL};

        lab->polkitd = lab_spawn(argv, "/run/lab/polkit.log");
        wait_for_name(lab, "org.freedesktop.PolicyKit1", 1);
}

void lab_stop_polkit(Lab *lab)
{
        reap(&lab->polkitd, SIGTERM);
        wait_for_name(lab, "org.freedesktop.PolicyKit1", 0);
}

static void spawn_aegisd(Lab *lab)
{
        static const char *const service[] = {
                AEGISD_TWIN,
                "--config=/run/lab/aegisd.conf",
                "--state-directory=/run/lab/state",
                "--runtime-directory=/run/lab/runtime",
                ("--pin-directory=" LAB_PINS),
                "--marker-directory=/run/lab/marker",
                "--policy-directory=/run/lab/policy.d",
                "--baseline-policy=/run/lab/baseline.policy",
                "--journal-rate=0", /* that of this machine is none of ours */
        };
        char *timeout = g_strdup_printf("--polkit-timeout=%u", lab->polkit_timeout);
        GPtrArray *argv = g_ptr_array_new();

        for (char **word = lab->tracer; word && *word; word++)
                g_ptr_array_add(argv, *word);
        for (size_t i = 0; i < G_N_ELEMENTS(service); i++)
                g_ptr_array_add(argv, (char *) service[i]);
        g_ptr_array_add(argv, timeout);
        g_ptr_array_add(argv, NULL);
        lab->aegisd = lab_spawn((char **) argv->pdata, "/run/lab/aegisd.log");
        g_ptr_array_unref(argv);
        g_free(timeout);
}

void lab_start_again(Lab *lab)
{
        spawn_aegisd(lab);
        wait_for_name(lab, LAB_NAME, 1);
}

static int has_ended(pid_t pid)
{
        siginfo_t info = {};

        g_assert_cmpint(waitid(P_PID, (id_t) pid, &info, WEXITED | WNOHANG | WNOWAIT), ==, 0);
        return info.si_pid == pid;
}

int lab_try_start(Lab *lab)
{
        uint64_t end = (uint64_t) g_get_monotonic_time() + DEADLINE_USEC;

        spawn_aegisd(lab);
        while (!has_owner(lab, LAB_NAME)) {
                if (has_ended(lab->aegisd))
                        return 0;
                g_assert_cmpuint((uint64_t) g_get_monotonic_time(), <, end);
                g_assert_cmpint(sd_event_run(lab->loop, 2000), >=, 0);
        }
        return 1;
}

int lab_await_end(Lab *lab)
{
        int status;

        g_assert_cmpint(waitpid(lab->aegisd, &status, 0), ==, lab->aegisd);
        lab->aegisd = 0;
        wait_for_name(lab, LAB_NAME, 0);
        return status;
}

static void remove_all(const char *directory)
{
        char *argv[] = {(char *) "/bin/rm", (char *) "-rf", (char *) directory, NULL};
        pid_t pid = lab_spawn(argv, NULL);

        g_assert_cmpint(waitpid(pid, NULL, 0), ==, pid);
}

void lab_start(Lab *lab)
{
        static const char *const directories[] = {"/run/lab/state", "/run/lab/runtime", LAB_PINS,
                                                  "/run/lab/marker", "/run/lab/policy.d"};

        for (size_t i = 0; i < G_N_ELEMENTS(directories); i++) {
                remove_all(directories[i]);
                g_assert_cmpint(mkdir(directories[i], 0755), ==, 0);
        }
        unlink("/run/lab/aegisd.log");
        lab_start_again(lab);
}

static void show_log(void)
{
        char *text = NULL;

        if (g_file_get_contents("/run/lab/aegisd.log", &text, NULL, NULL))
                g_printerr("%s\n", text);
        g_free(text);
}

void lab_stop(Lab *lab)
{
        int status = reap(&lab->aegisd, SIGTERM);

        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                show_log();
        g_assert_true(WIFEXITED(status));
        g_assert_cmpint(WEXITSTATUS(status), ==, 0);
        wait_for_name(lab, LAB_NAME, 0);
}

void lab_kill(Lab *lab)
{
        int status = reap(&lab->aegisd, SIGKILL);

        g_assert_true(WIFSIGNALED(status));
        wait_for_name(lab, LAB_NAME, 0);
}

static const char *why_no_lab(LabBus kind)
{
        const char *const needed[] = {lab_bus_program(kind), "/usr/lib/polkit-1/polkitd",
                                      AEGISD_TWIN};

        if (geteuid() != 0)
                return "root is needed for a mount namespace and callers of other uids";
        for (size_t i = 0; i < G_N_ELEMENTS(needed); i++)
                if (access(needed[i], X_OK) < 0)
                        return needed[i];
        if (make_room() < 0)
                return "no mount namespace is to be had here";
        return NULL;
}

Lab *lab_new(LabBus kind, const char **ret_why_not)
{
        Lab *lab;

        *ret_why_not = why_no_lab(kind);
        if (*ret_why_not)
                return NULL;
        lab = g_new0(Lab, 1);
        lab->kind = kind;
        lab->listening = lab->journal = -1;
        lab->polkit_timeout = 60;
        put("/run/lab/aegisd.conf", "");
        put("/run/lab/rules/10-lab.rules", polkit_rules);
        put_copy("/run/lab/actions/org.aegis.Enforcer.policy", POLKIT_POLICY);
        g_assert_cmpint(sd_event_new(&lab->loop), >=, 0);
        lab->bus_daemon = lab_bus_start(lab);
        lab->root = lab_connect(lab, 0);
        lab_start_polkit(lab);
        return lab;
}

void lab_restart_bus(Lab *lab)
{
        lab_disconnect(lab->root);
        reap(&lab->polkitd, SIGTERM);
        reap(&lab->bus_daemon, SIGKILL);
        lab->bus_daemon = lab_bus_start(lab);
        lab->root = lab_connect(lab, 0);
        lab_start_polkit(lab);
        wait_for_name(lab, LAB_NAME, 1);
}

void lab_free(Lab *lab)
{
        lab_disconnect(lab->root);
        if (lab->polkitd > 0)
                reap(&lab->polkitd, SIGTERM);
        reap(&lab->bus_daemon, SIGTERM);
        lab_bus_close(lab);
        sd_event_unref(lab->loop);
        g_free(lab);
}
