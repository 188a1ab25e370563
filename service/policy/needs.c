/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Needs: the table of what must not be denied if a machine is to be reached and mended. PID 1 and
 * the service itself are exempt from every rule; what they start is not. Each file stands in the
 * places where Debian, Fedora, Arch and SUSE have it. */
#include <netinet/in.h>

#include "policy/lint.h"
#include "util/array.h"

#define RUN (ACCESS_EXEC | ACCESS_MAP)
#define LIBRARY (ACCESS_READ | ACCESS_MAP)

#define NOTHING_STARTS "no program that is linked to libraries could start"
#define NO_LOGIN "nobody could log in on a console"
#define NO_SSH "nobody could log in over ssh"
#define NO_PASSWORD "no password could be checked"
#define NO_USERS "users would have no names, and nobody could log in"
#define NO_SHELL "nobody would have a shell"
#define NO_UNITS "systemd could start no unit"
#define NO_BUS "there would be no D-Bus, and no way to change the policy"
#define NO_POLKIT "polkit could authorize nobody to change the policy"
#define NO_SERVICE "the service could not be started again"
#define NO_CLIENT "the policy could not be changed with aegis-client"
#define NO_RESCUE "there would be no rescue shell"

#define SYSTEM "/system.slice/"
#define CONSOLE SYSTEM "system-getty.slice/getty@tty1.service"
#define SSH SYSTEM "ssh.service"

const Need needs[] = {
        {NOTHING_STARTS,
         LIBRARY,
         {"/lib64/ld-linux-x86-64.so.2", "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
          "/lib/ld-linux-aarch64.so.1", "/usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1"},
         NULL,
         NULL},
        {NOTHING_STARTS,
         LIBRARY,
         {"/usr/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib64/libc.so.6", "/usr/lib/libc.so.6",
          "/usr/lib/aarch64-linux-gnu/libc.so.6"},
         NULL,
         NULL},

        {NO_SERVICE, RUN, {"/usr/libexec/aegisd"}, NULL, SYSTEM "aegisd.service"},
        {NO_SERVICE,
         ACCESS_READ,
         {"/etc/aegis/aegisd.conf"},
         "/usr/libexec/aegisd",
         SYSTEM "aegisd.service"},
        {NO_SERVICE,
         ACCESS_READ,
         {"/var/lib/aegis/state"},
         "/usr/libexec/aegisd",
         SYSTEM "aegisd.service"},
        {NO_CLIENT, RUN, {"/usr/bin/aegis-client"}, NULL, NULL},

        {NO_BUS,
         RUN,
         {"/usr/bin/dbus-daemon", "/usr/bin/dbus-broker"},
         NULL,
         SYSTEM "dbus.service"},
        {NO_BUS, ACCESS_READ, {"/usr/share/dbus-1/system.conf"}, NULL, SYSTEM "dbus.service"},
        {NO_BUS, ACCESS_CREATE, {"/run/dbus/system_bus_socket"}, NULL, SYSTEM "dbus.service"},
        {NO_POLKIT,
         RUN,
         {"/usr/lib/polkit-1/polkitd", "/usr/libexec/polkitd"},
         NULL,
         SYSTEM "polkit.service"},
        {NO_POLKIT,
         ACCESS_READ,
         {"/usr/share/polkit-1/actions/org.aegis.Enforcer.policy"},
         NULL,
         SYSTEM "polkit.service"},

        {NO_UNITS, RUN, {"/usr/lib/systemd/systemd", "/usr/sbin/init"}, NULL, NULL},
        {NO_UNITS, RUN, {"/usr/lib/systemd/systemd-executor"}, NULL, NULL},
        {"nothing would be logged",
         RUN,
         {"/usr/lib/systemd/systemd-journald"},
         NULL,
         SYSTEM "systemd-journald.service"},
        {"there would be no devices",
         RUN,
         {"/usr/lib/systemd/systemd-udevd", "/usr/bin/udevadm"},
         NULL,
         SYSTEM "systemd-udevd.service"},
        {"nobody would have a session",
         RUN,
         {"/usr/lib/systemd/systemd-logind"},
         NULL,
         SYSTEM "systemd-logind.service"},
        {"no unit could be started by hand", RUN, {"/usr/bin/systemctl"}, NULL, NULL},

        {NO_LOGIN, RUN, {"/usr/sbin/agetty", "/usr/bin/agetty"}, NULL, CONSOLE},
        {NO_LOGIN, RUN, {"/usr/bin/login"}, NULL, CONSOLE},
        {NO_LOGIN, ACCESS_READ, {"/etc/pam.d/login"}, "/usr/bin/login", CONSOLE},
        {NO_SSH, RUN, {"/usr/sbin/sshd", "/usr/bin/sshd"}, NULL, SSH},
        {NO_SSH,
         RUN,
         {"/usr/lib/openssh/sshd-session", "/usr/libexec/openssh/sshd-session",
          "/usr/lib/ssh/sshd-session"},
         NULL,
         SSH},
        {NO_SSH, ACCESS_READ, {"/etc/ssh/sshd_config"}, "/usr/sbin/sshd", SSH},
        {NO_SSH, ACCESS_READ, {"/etc/pam.d/sshd"}, "/usr/sbin/sshd", SSH},
        {NO_PASSWORD,
         LIBRARY,
         {"/usr/lib/x86_64-linux-gnu/security/pam_unix.so", "/usr/lib64/security/pam_unix.so",
          "/usr/lib/security/pam_unix.so", "/usr/lib/aarch64-linux-gnu/security/pam_unix.so"},
         "/usr/bin/login",
         CONSOLE},
        {NO_PASSWORD, ACCESS_READ, {"/etc/shadow"}, "/usr/bin/login", CONSOLE},
        {NO_PASSWORD, ACCESS_READ, {"/etc/shadow"}, "/usr/sbin/sshd", SSH},
        {NO_PASSWORD, RUN, {"/usr/sbin/unix_chkpwd", "/usr/bin/unix_chkpwd"}, NULL, NULL},
        {NO_USERS, ACCESS_READ, {"/etc/passwd"}, NULL, NULL},
        {NO_USERS, ACCESS_READ, {"/etc/group"}, NULL, NULL},
        {NO_USERS, ACCESS_READ, {"/etc/nsswitch.conf", "/usr/etc/nsswitch.conf"}, NULL, NULL},
        {NO_SHELL, RUN, {"/usr/bin/bash"}, NULL, NULL},
        {NO_SHELL, RUN, {"/usr/bin/sh", "/usr/bin/dash"}, NULL, NULL},
        {"nobody could become root", RUN, {"/usr/bin/su", "/usr/bin/sudo"}, NULL, NULL},
        {NO_RESCUE, RUN, {"/usr/sbin/sulogin", "/usr/bin/sulogin"}, NULL, NULL},
};
const size_t n_needs = ELEMENTS_OF(needs);

#define V4(a, b, c, d)                                                                             \
        {                                                                                          \
                [10] = 0xff, [11] = 0xff, [12] = (a), [13] = (b), [14] = (c), [15] = (d)           \
        }

/* Port 1 is nobody's: who denies it, denies any. */
const NetNeed net_needs[] = {
        {"programs of this machine could not reach each other",
         {V4(127, 0, 0, 1), 1, IPPROTO_TCP, NET_CONNECT},
         NULL,
         NULL},
        {"programs of this machine could not reach each other",
         {{[15] = 1}, 1, IPPROTO_TCP, NET_CONNECT},
         NULL,
         NULL},
        {"no name could be looked up by systemd-resolved",
         {V4(127, 0, 0, 53), 53, IPPROTO_UDP, NET_SEND},
         NULL,
         NULL},
        {NO_SSH, {V4(0, 0, 0, 0), 22, IPPROTO_TCP, NET_BIND}, "/usr/sbin/sshd", SSH},
        {NO_SSH, {V4(0, 0, 0, 0), 22, IPPROTO_TCP, NET_LISTEN}, "/usr/sbin/sshd", SSH},
        /* TEST-NET-1 stands for whoever comes */
        {NO_SSH, {V4(192, 0, 2, 1), 22, IPPROTO_TCP, NET_ACCEPT}, "/usr/sbin/sshd", SSH},
};
const size_t n_net_needs = ELEMENTS_OF(net_needs);
