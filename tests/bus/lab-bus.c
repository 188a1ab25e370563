/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lab: see lab-bus.h. */
#include "lab-bus.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CONFIG "/run/lab/bus.conf"
#define LISTEN_FD 3 /* sd_listen_fds(3) */

static const char bus_config[] =
        "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\"\n"
        " \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
        "<busconfig>\n"
        "  <type>system</type>\n"
        "  <listen>" LAB_ADDRESS "</listen>\n"
        "  <auth>EXTERNAL</auth>\n"
        "  <policy context=\"default\">\n" /* as in the system.conf that distributions ship */
        "    <allow user=\"*\"/>\n"
        "    <deny own=\"*\"/>\n"
        "    <deny send_type=\"method_call\"/>\n"
        "    <allow send_type=\"signal\"/>\n"
        "    <allow send_requested_reply=\"true\" send_type=\"method_return\"/>\n"
        "    <allow send_requested_reply=\"true\" send_type=\"error\"/>\n"
        "    <allow receive_type=\"method_call\"/>\n"
        "    <allow receive_type=\"method_return\"/>\n"
        "    <allow receive_type=\"error\"/>\n"
        "    <allow receive_type=\"signal\"/>\n"
        "    <allow send_destination=\"org.freedesktop.DBus\"/>\n"
        "  </policy>\n"
        "  <include>/usr/share/dbus-1/system.d/org.freedesktop.PolicyKit1.conf</include>\n"
        "  <include>" SOURCE_ROOT "/dbus-interfaces/org.aegis.Enforcer.conf</include>\n"
        "  <policy user=\"" LAB_TRUSTED_TEXT "\">\n" /* as a careless administrator might */
        "    <allow send_destination=\"org.aegis.Enforcer\"/>\n"
        "  </policy>\n"
        "</busconfig>\n";

/* listening: handed on as systemd does it, or -1. */
static void become(char *const argv[], const char *log, int listening)
{
        int fd = log ? open(log, O_WRONLY | O_CREAT | O_APPEND, 0600) : dup(STDERR_FILENO);
        char pid[16];

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(fd, STDOUT_FILENO); /* standard output is TAP's */
        if (log)
                dup2(fd, STDERR_FILENO);
        if (listening >= 0) {
                dup2(listening, LISTEN_FD);
                snprintf(pid, sizeof(pid), "%d", (int) getpid());
                setenv("LISTEN_PID", pid, 1);
                setenv("LISTEN_FDS", "1", 1);
        }
        execv(argv[0], argv);
        _exit(127);
}

static pid_t spawn(char *const argv[], const char *log, int listening)
{
        pid_t pid = fork();

        g_assert_cmpint(pid, >=, 0);
        if (pid == 0)
                become(argv, log, listening);
        return pid;
}

pid_t lab_spawn(char *const argv[], const char *log)
{
        return spawn(argv, log, -1);
}

const char *lab_bus_program(LabBus kind)
{
        switch (kind) {
        case LAB_DBUS_DAEMON:
                return "/usr/bin/dbus-daemon";
        case LAB_DBUS_BROKER:
                return "/usr/bin/dbus-broker-launch";
        }
        return NULL;
}

static pid_t start_daemon(void)
{
        char *argv[] = {(char *) lab_bus_program(LAB_DBUS_DAEMON),
                        (char *) "--config-file=" CONFIG,
                        (char *) "--nofork",
                        (char *) "--nopidfile",
                        NULL,
                        NULL};
        int ready[2];
        char byte;
        pid_t pid;

        g_assert_cmpint(pipe(ready), ==, 0);
        argv[4] = g_strdup_printf("--print-address=%d", ready[1]);
        unlink(LAB_SOCKET);
        pid = lab_spawn(argv, "/run/lab/bus.log");
        close(ready[1]);
        g_assert_cmpint(read(ready[0], &byte, 1), ==, 1); /* it listens */
        close(ready[0]);
        g_free(argv[4]);
        return pid;
}

static int bind_to(const char *path, int type)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

        g_assert_cmpint(fd, >, LISTEN_FD);
        strcpy(address.sun_path, path);
        unlink(path);
        g_assert_cmpint(bind(fd, (struct sockaddr *) &address, sizeof(address)), ==, 0);
        g_assert_cmpint(chmod(path, 0666), ==, 0);
        return fd;
}

static int on_journal(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
        char line[4096];

        recv(fd, line, sizeof(line), MSG_DONTWAIT);
        return 0;
}

/* dbus-broker's launcher does not begin without a journal, nor without a socket of systemd's. Who
 * connects early waits in the socket's queue. */
static pid_t start_broker(Lab *lab)
{
        char *argv[] = {(char *) lab_bus_program(LAB_DBUS_BROKER),
                        (char *) "--scope",
                        (char *) "system",
                        (char *) "--config-file",
                        (char *) CONFIG,
                        NULL};

        g_assert_cmpint(g_mkdir_with_parents("/run/systemd/journal", 0755), ==, 0);
        lab_bus_close(lab);
        lab->journal = bind_to("/run/systemd/journal/socket", SOCK_DGRAM);
        g_assert_cmpint(sd_event_add_io(lab->loop, NULL, lab->journal, EPOLLIN, on_journal, NULL),
                        >=, 0);
        lab->listening = bind_to(LAB_SOCKET, SOCK_STREAM);
        g_assert_cmpint(listen(lab->listening, 64), ==, 0);
        return spawn(argv, "/run/lab/bus.log", lab->listening);
}

pid_t lab_bus_start(Lab *lab)
{
        g_assert_true(g_file_set_contents(CONFIG, bus_config, -1, NULL));
        switch (lab->kind) {
        case LAB_DBUS_DAEMON:
                return start_daemon();
        case LAB_DBUS_BROKER:
                return start_broker(lab);
        }
        return -1;
}

void lab_bus_close(Lab *lab)
{
        if (lab->journal >= 0)
                close(lab->journal);
        if (lab->listening >= 0)
                close(lab->listening);
        lab->journal = lab->listening = -1;
}
