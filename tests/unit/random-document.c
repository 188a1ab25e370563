/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random document: see random-document.h. */
#include "random-document.h"

#include <glib.h>
#include <string.h>

#define PICK(array) ((array)[g_test_rand_int_range(0, (gint) G_N_ELEMENTS(array))])
#define ONE_IN(n) (g_test_rand_int_range(0, (n)) == 0)

static const char *const paths[] = {
        "/",         "/etc/shadow", "/etc/",         "/srv//a/", "/srv/a b",      "/srv/a#b",
        "/home/*/x", "/srv/\"q\"",  "/srv/\xc3\xa4", "/bin/sh",  "/usr/lib/x/y/z"};
static const char *const cgroups[] = {"/system.slice/a.service", "/sys/fs/cgroup/user.slice",
                                      "cgid:77", "/b/"};
static const char *const ips[] = {"10.1.2.3", "::1", "2001:DB8:0::5", "::ffff:10.1.2.3",
                                  "203.0.113.7"};
static const char *const cidrs[] = {"10.0.0.0/8",    "10.1.2.3/16", "::/0",
                                    "2001:db8::/32", "0.0.0.0/0",   "::ffff:10.0.0.0/104"};
static const char *const ports[] = {"22",     "22:tcp",      "53:udp:egress", "53:udp:connect",
                                    "80:any", "80:any:both", "25:tcp:bind",   "65535:any:bind"};
static const char *const comms[] = {"miner", "xmrig", "a.b-c", "kworker"};
static const char *const digests[] = {
        "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "sha256:ABCDEF6789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"};
static const char *const inodes[] = {"8388609:12", "0:1", "265289728:18446744073709551615"};

static const char *const comments[] = {"# a comment", "#", "#  [deny_path]", "# /etc/x",
                                       "\t# indented\t"};

static void put_noise(GString *text)
{
        while (ONE_IN(3))
                g_string_append_printf(text, "%s\n", ONE_IN(2) ? "" : PICK(comments));
}

static void put_line(GString *text, const char *line)
{
        put_noise(text);
        g_string_append_printf(text, "%s%s%s\n", ONE_IN(4) ? "  " : "", line,
                               ONE_IN(4) ? " \t" : "");
}

/* ---- versions 1 to 6 ---- */

static void put_path(GString *entry)
{
        g_string_append(entry, PICK(paths));
}

static void put_inode(GString *entry)
{
        g_string_append(entry, PICK(inodes));
}

static void put_cgroup(GString *entry)
{
        g_string_append(entry, PICK(cgroups));
}

static void put_ip(GString *entry)
{
        g_string_append(entry, PICK(ips));
}

static void put_cidr(GString *entry)
{
        g_string_append(entry, PICK(cidrs));
}

static void put_port(GString *entry)
{
        g_string_append(entry, PICK(ports));
}

static void put_ip_port(GString *entry)
{
        const char *ip = PICK(ips);

        g_string_append_printf(entry, strchr(ip, ':') ? "[%s]:%d%s" : "%s:%d%s", ip,
                               g_test_rand_int_range(1, 65536),
                               ONE_IN(2)   ? ""
                               : ONE_IN(2) ? ":tcp"
                                           : ":any");
}

static void put_comm(GString *entry)
{
        g_string_append(entry, PICK(comms));
}

static void put_digest(GString *entry)
{
        g_string_append(entry, PICK(digests));
}

static void put_cgroup_inode(GString *entry)
{
        g_string_append_printf(entry, "%s  %s", PICK(cgroups), PICK(inodes));
}

static void put_cgroup_ip(GString *entry)
{
        g_string_append_printf(entry, "%s\t%s", PICK(cgroups), ONE_IN(2) ? PICK(ips) : PICK(cidrs));
}

static void put_cgroup_port(GString *entry)
{
        g_string_append_printf(entry, "%s %s", PICK(cgroups), PICK(ports));
}

/* put is NULL for a flag. */
static const struct {
        const char *name;
        unsigned since;
        void (*put)(GString *entry);
} old_sections[] = {
        {"deny_path", 1, put_path},
        {"deny_inode", 1, put_inode},
        {"allow_cgroup", 1, put_cgroup},
        {"deny_ip", 1, put_ip},
        {"deny_cidr", 1, put_cidr},
        {"deny_port", 1, put_port},
        {"deny_ip_port", 1, put_ip_port},
        {"deny_comm", 1, put_comm},
        {"deny_ptrace", 1, NULL},
        {"deny_module_load", 1, NULL},
        {"deny_bpf", 1, NULL},
        {"scan_paths", 3, put_path},
        {"deny_binary_hash", 3, put_digest},
        {"allow_binary_hash", 3, put_digest},
        {"protect_path", 4, put_path},
        {"protect_connect", 4, NULL},
        {"protect_runtime_deps", 4, NULL},
        {"require_ima_appraisal", 5, NULL},
        {"trusted_exec_hash", 5, put_digest},
        {"ima_fail_closed", 5, NULL},
        {"cgroup_deny_inode", 6, put_cgroup_inode},
        {"cgroup_deny_ip", 6, put_cgroup_ip},
        {"cgroup_deny_port", 6, put_cgroup_port},
};

static void put_old_section(GString *text, unsigned version)
{
        size_t i = (size_t) g_test_rand_int_range(0, (gint) G_N_ELEMENTS(old_sections));
        g_autofree char *name = g_strdup_printf("[%s]", old_sections[i].name);

        if (old_sections[i].since > version)
                return;
        put_line(text, name);
        for (int n = g_test_rand_int_range(0, 5); n > 0 && old_sections[i].put; n--) {
                g_autoptr(GString) entry = g_string_new("");

                old_sections[i].put(entry);
                put_line(text, entry->str);
        }
}

/* ---- version 7 ---- */

static const char *const objects[] = {"file:/etc/shadow",
                                      "file:/srv/",
                                      "file:\"/srv/a b\"",
                                      "file:\"/srv/\\x09\\\"\"",
                                      "file:/home/*/.ssh/",
                                      "file:\"/home/\\*/x\"",
                                      "file:/",
                                      "exec:/usr/bin/gcc",
                                      "exec:/usr/bin/",
                                      "exec:sha256:0123456789abcdef0123456789ABCDEF"
                                      "0123456789abcdef0123456789abcdef",
                                      "exec:fsverity:ffffffffffffffffffffffffffffffff"
                                      "ffffffffffffffffffffffffffffffff",
                                      "net:connect:203.0.113.0/24:443/tcp",
                                      "net:bind:*:22/tcp",
                                      "net:connect,send:[2001:db8::]/32",
                                      "net:*",
                                      "net:accept:10.0.0.0/8:1024-65535",
                                      "kernel:ptrace",
                                      "kernel:module",
                                      "comm:miner",
                                      "inode:8388609:12"};
static const char *const options[] = {"exe=/usr/bin/curl",
                                      "exe=\"/opt/a b/\"",
                                      "uid=33",
                                      "gid=0",
                                      "cgroup=/system.slice/a.service",
                                      "cgroup=a.service",
                                      "identity=verified",
                                      "ttl=30m",
                                      "ttl=3600s",
                                      "why=\"do not # touch\"",
                                      "id=x-1"};

static void put_new_entry(GString *text)
{
        g_autoptr(GString) entry = g_string_new(PICK(objects));

        while (ONE_IN(2))
                g_string_append_printf(entry, "%s%s", ONE_IN(2) ? " " : "\t  ", PICK(options));
        if (ONE_IN(4))
                g_string_append(entry, " #behind it");
        put_line(text, entry->str);
}

static void put_new_section(GString *text)
{
        static const char *const sections[] = {"[deny]",  "[ deny ]",      "[allow]",
                                               "[audit]", "[deny] # more", "[default]"};
        static const char *const defaults[] = {"exec=deny", "map=deny  uid=33",
                                               "exec=deny map=deny", "exec=audit # only"};
        const char *section = PICK(sections);

        put_line(text, section);
        for (int n = g_test_rand_int_range(0, 6); n > 0; n--) {
                if (g_str_equal(section, "[default]"))
                        put_line(text, PICK(defaults));
                else
                        put_new_entry(text);
        }
}

static void put_new_header(GString *text)
{
        static const char *const keys[] = {"name=web", "on-missing-guarantee = accept # or refuse",
                                           "ima-appraisal=required", "version=7"};
        size_t first = (size_t) g_test_rand_int_range(0, (gint) G_N_ELEMENTS(keys));

        for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
                const char *key = keys[(first + i) % G_N_ELEMENTS(keys)];

                if (g_str_equal(key, "version=7") || ONE_IN(2))
                        put_line(text, key);
        }
}

char *random_document(unsigned version)
{
        GString *text = g_string_new("");
        int n = g_test_rand_int_range(0, 8);

        if (version == 7) {
                put_new_header(text);
        } else {
                g_autofree char *key =
                        g_strdup_printf("version%s=%u", ONE_IN(4) ? " " : "", version);

                put_line(text, key);
        }
        for (; n > 0; n--) {
                if (version == 7)
                        put_new_section(text);
                else
                        put_old_section(text, version);
        }
        put_noise(text);
        if (ONE_IN(4) && text->len > 0)
                g_string_truncate(text, text->len - 1); /* no line feed at the end */
        return g_string_free(text, FALSE);
}
