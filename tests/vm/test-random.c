/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random: what the kernel does is what the rules say. Policies, most of them a small change of the
 * one before, and accesses by chance, the answer of the system call against a naive reading of the
 * documents. GLib prints the seed. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../unit/policy-reference.h"
#include "guest-acts.h"
#include "guest-backend.h"

#define N_POLICIES 60
#define N_QUESTIONS 50
#define TREE "/t/random"
#define CGROUPS "/sys/fs/cgroup"

static const char *const names[] = {"a", "b", "c"};
static const char *const cgroups[] = {"", "/random-x", "/random-x/y", "/random-z"};
static const uint32_t uids[] = {0, 1000, 1001};

static const char *one_of(const char *const *items, size_t n)
{
        return items[g_test_rand_int_range(0, (gint32) n)];
}

static int chance(int n)
{
        return g_test_rand_int_range(0, n) == 0;
}

/* ---- a policy ---- */

static void add_path(GString *text, const char *star)
{
        int depth = g_test_rand_int_range(1, 4);

        g_string_append(text, TREE);
        for (int i = 0; i < depth; i++)
                g_string_append_printf(
                        text, "/%s", star && chance(4) ? star : one_of(names, G_N_ELEMENTS(names)));
}

static void add_file_rule(GString *text)
{
        static const char *const kinds[] = {"read", "write", "create", "delete", "attr"};

        g_string_append(text, "file:");
        add_path(text, "*");
        if (chance(2))
                g_string_append_c(text, '/');
        if (chance(2))
                g_string_append_printf(text, " access=%s", one_of(kinds, G_N_ELEMENTS(kinds)));
}

static void add_net_rule(GString *text)
{
        static const char *const operations[] = {"connect", "bind", "send", "connect,send", "*"};
        static const char *const addresses[] = {"*", "127.0.0.1", "127.0.0.2", "127.0.0.0/30",
                                                "127.0.0.0/8"};
        static const char *const ports[] = {"",           ":7001",  ":7000-7001",
                                            ":7001-7002", ":*/tcp", ":7001/udp"};

        g_string_append_printf(text, "net:%s:%s%s", one_of(operations, G_N_ELEMENTS(operations)),
                               one_of(addresses, G_N_ELEMENTS(addresses)),
                               one_of(ports, G_N_ELEMENTS(ports)));
}

static void add_subject(GString *text)
{
        if (chance(3))
                g_string_append_printf(text, " uid=%u", uids[g_test_rand_int_range(0, 3)]);
        if (chance(6))
                g_string_append_printf(text, " gid=%u", uids[g_test_rand_int_range(0, 3)]);
        if (chance(4))
                g_string_append_printf(text, " cgroup=%s",
                                       cgroups[g_test_rand_int_range(1, G_N_ELEMENTS(cgroups))]);
}

/* Operations that only some kernels deny everywhere (what comes in) are left out. */
static char *random_rule(void)
{
        static const char *const sections[] = {"[deny]\n", "[deny]\n", "[allow]\n", "[audit]\n"};
        const char *section = one_of(sections, G_N_ELEMENTS(sections));
        GString *text = g_string_new(section);

        if (chance(3))
                add_net_rule(text);
        else
                add_file_rule(text);
        add_subject(text);
        if (section == sections[0] && chance(5))
                g_string_append(text, " mode=audit");
        g_string_append_c(text, '\n');
        return g_string_free(text, FALSE);
}

/* A policy of its own, or one that differs in a rule or two from the one before: those go into the
 * kernel by their difference. */
static void change_rules(GPtrArray *rules)
{
        if (chance(4) || rules->len == 0) {
                g_ptr_array_set_size(rules, 0);
                for (int n = g_test_rand_int_range(1, 25); n > 0; n--)
                        g_ptr_array_add(rules, random_rule());
                return;
        }
        if (rules->len > 1 && chance(2))
                g_ptr_array_remove_index(rules,
                                         (guint) g_test_rand_int_range(0, (gint32) rules->len));
        else
                g_ptr_array_insert(rules, g_test_rand_int_range(0, (gint32) rules->len + 1),
                                   random_rule());
}

static char *random_text(void)
{
        static GPtrArray *rules;
        GString *text = g_string_new("version=7\n");

        if (!rules)
                rules = g_ptr_array_new_with_free_func(g_free);
        change_rules(rules);
        for (guint i = 0; i < rules->len; i++)
                g_string_append(text, g_ptr_array_index(rules, i));
        return g_string_free(text, FALSE);
}

/* ---- an access ---- */

typedef struct Question {
        What what;
        uint32_t uid;
        const char *cgroup;
        char path[128];
        struct sockaddr_in address;
        int type;
} Question;

static void random_file(Question *question)
{
        static const uint32_t accesses[] = {ACCESS_READ, ACCESS_WRITE, ACCESS_CREATE, ACCESS_DELETE,
                                            ACCESS_ATTR};
        GString *path = g_string_new(NULL);

        question->what.kind = WHAT_FILE;
        question->what.access = accesses[g_test_rand_int_range(0, G_N_ELEMENTS(accesses))];
        if (question->what.access == ACCESS_ATTR)
                question->uid = 0; /* others may not, whatever the policy says */
        add_path(path, NULL);
        if (question->what.access == ACCESS_CREATE)
                g_string_append(path, "/new");
        else
                g_string_append(path, "/file");
        /* a directory's own name is asked about as well */
        if (question->what.access == ACCESS_READ && chance(3))
                g_string_truncate(path, path->len - strlen("/file"));
        g_strlcpy(question->path, path->str, sizeof(question->path));
        g_string_free(path, TRUE);
}

static void random_net(Question *question)
{
        static const enum net_operation operations[] = {NET_CONNECT, NET_BIND, NET_SEND};
        enum net_operation operation = operations[g_test_rand_int_range(0, 3)];
        uint16_t port = (uint16_t) g_test_rand_int_range(7000, 7004);
        uint32_t address = INADDR_LOOPBACK + (uint32_t) g_test_rand_int_range(0, 5);

        question->type = operation == NET_SEND || chance(2) ? SOCK_DGRAM : SOCK_STREAM;
        question->address = (struct sockaddr_in){
                .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
        question->what = (What){.kind = WHAT_NET, .access = 1u << operation};
        question->what.net.address[10] = question->what.net.address[11] = 0xff;
        memcpy(question->what.net.address + 12, &question->address.sin_addr, 4);
        question->what.net.port = port;
        question->what.net.protocol = question->type == SOCK_DGRAM ? IPPROTO_UDP : IPPROTO_TCP;
}

static Question random_question(void)
{
        Question question = {.uid = uids[g_test_rand_int_range(0, 3)],
                             .cgroup = one_of(cgroups, G_N_ELEMENTS(cgroups))};

        if (chance(3))
                random_net(&question);
        else
                random_file(&question);
        return question;
}

/* ---- what the kernel says ---- */

static int join_cgroup(const char *cgroup)
{
        g_autofree char *path = g_strconcat(CGROUPS, cgroup, "/cgroup.procs", NULL);
        int fd = open(path, O_WRONLY | O_CLOEXEC);

        return fd < 0 || write(fd, "0", 1) < 0 ? -1 : close(fd);
}

static int open_and_close(const char *path, int flags)
{
        int fd = open(path, flags | O_CLOEXEC);

        return fd < 0 ? -1 : close(fd);
}

static int act_on_file(const Question *question)
{
        switch (question->what.access) {
        case ACCESS_READ:
                return open_and_close(question->path, O_RDONLY);
        case ACCESS_WRITE:
                return open_and_close(question->path, O_WRONLY);
        case ACCESS_CREATE:
                return mkdir(question->path, 0777);
        case ACCESS_DELETE:
                return unlink(question->path);
        }
        return chmod(question->path, 0666);
}

/* What is not denied may still be refused: nobody listens, or the address is in use. */
static int act_on_net(const Question *question)
{
        const struct sockaddr *address = (const struct sockaddr *) &question->address;
        int fd = socket(AF_INET, question->type | SOCK_CLOEXEC, 0), r;

        if (question->what.access == 1u << NET_CONNECT)
                r = connect(fd, address, sizeof(question->address));
        else if (question->what.access == 1u << NET_BIND)
                r = bind(fd, address, sizeof(question->address));
        else
                r = sendto(fd, "", 0, 0, address, sizeof(question->address)) < 0 ? -1 : 0;
        return r < 0 && errno == ECONNREFUSED ? 0 : r;
}

static int act(const void *argument)
{
        const Question *question = argument;

        if (join_cgroup(question->cgroup) < 0)
                return -1;
        if (question->uid != 0 && become_user(question->uid) < 0)
                return -1;
        return question->what.kind == WHAT_NET ? act_on_net(question) : act_on_file(question);
}

/* This process is exempt: it puts back what an act has changed. */
static void mend(const Question *question)
{
        if (question->what.kind != WHAT_FILE)
                return;
        if (question->what.access == ACCESS_CREATE)
                rmdir(question->path);
        if (question->what.access == ACCESS_DELETE) {
                make_file(question->path);
                g_assert_cmpint(chmod(question->path, 0666), ==, 0);
        }
}

/* ---- what the rules say ---- */

static Verdict read_rules(const Document *document, const Question *question)
{
        Reading reading = {document, 1, backend_resolver(backend)};
        struct timespec now;
        Location location = {};
        What what = question->what;
        Who who = {.uid = question->uid, .gid = question->uid, .cgroup = question->cgroup};
        Verdict verdict;

        clock_gettime(CLOCK_BOOTTIME, &now);
        who.now = (uint32_t) now.tv_sec;
        if (!*who.cgroup)
                who.cgroup = "/";
        if (what.kind == WHAT_FILE) {
                g_assert_cmpint(reading.resolver->locate(reading.resolver->userdata, question->path,
                                                         &location),
                                ==, 0);
                what.file.name = location.name;
                what.file.inode = location.exists ? location.inode : 0;
        }
        verdict = reference_decide(&reading, &who, &what);
        location_deinit(&location);
        return verdict;
}

static int is_denial(const Verdict *verdict)
{
        return verdict->rule > 0 && verdict->verdict == CLAUSE_DENY &&
               !(verdict->flags & CLAUSE_RECORD) && !verdict->is_exempt;
}

/* Returns whether a rule decided. */
static int compare(const Document *document, const Question *question)
{
        Verdict verdict = read_rules(document, question);
        int expected = is_denial(&verdict) ? EPERM : 0, found = child_errno(act, question);

        mend(question);
        if (found != expected) {
                g_test_message("%s", document->text);
                g_test_message("uid %u in \"%s\" wants %u of %s, port %u: errno %d, by rule %u %d",
                               question->uid, question->cgroup, question->what.access,
                               question->path, question->what.net.port, found, verdict.rule,
                               expected);
        }
        g_assert_cmpint(found, ==, expected);
        return verdict.rule > 0;
}

static void make_tree(const char *directory, int depth)
{
        g_autofree char *file = g_strconcat(directory, "/file", NULL);

        make_file(file);
        g_assert_cmpint(chmod(file, 0666), ==, 0);
        g_assert_cmpint(chmod(directory, 0777), ==, 0);
        for (size_t i = 0; depth > 0 && i < G_N_ELEMENTS(names); i++) {
                g_autofree char *below = g_strconcat(directory, "/", names[i], NULL);

                make_tree(below, depth - 1);
        }
}

static unsigned try_policy(void)
{
        g_autofree char *text = random_text();
        Diagnostics diagnostics = {};
        Document document = {.name = "test", .text = text, .n_text = strlen(text)};
        unsigned n_decided = 0;

        g_assert_cmpint(
                policy_parse(&document.policy, document.text, document.n_text, &diagnostics), ==,
                0);
        apply(text);
        for (int i = 0; i < N_QUESTIONS; i++) {
                Question question = random_question();

                n_decided += (unsigned) compare(&document, &question);
        }
        policy_unref(document.policy);
        diagnostics_deinit(&diagnostics);
        return n_decided;
}

static void test_3000_random_accesses_are_answered_as_written(void)
{
        unsigned n_decided = 0;

        make_tree(TREE, 3);
        for (size_t i = 1; i < G_N_ELEMENTS(cgroups); i++) {
                g_autofree char *path = g_strconcat(CGROUPS, cgroups[i], NULL);

                g_assert_cmpint(g_mkdir_with_parents(path, 0755), ==, 0);
        }
        for (int i = 0; i < N_POLICIES; i++)
                n_decided += try_policy();
        g_test_message("%u of %u decided by a rule", n_decided, N_POLICIES * N_QUESTIONS);
        g_assert_cmpuint(n_decided, >, N_POLICIES * N_QUESTIONS / 10);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        backend = start_backend();
        g_test_add_func("/random/3000_random_accesses_are_answered_as_written",
                        test_3000_random_accesses_are_answered_as_written);
        return g_test_run();
}
