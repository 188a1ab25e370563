/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ClientPeer: see client-peer.h. */
#include "client-peer.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAME "org.aegis.Enforcer"

static const char bus_config[] =
        "<busconfig><type>custom</type><listen>unix:path=%s/bus</listen><auth>EXTERNAL</auth>"
        "<policy context=\"default\"><allow user=\"*\"/><allow own=\"*\"/>"
        "<allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/>"
        "</policy></busconfig>";

struct Peer {
        char *folder, *address;
        GPid daemon;
        GThread *thread;
        int stop; /* eventfd */
        const PeerAnswer *answers;
        GMutex lock;
        GCond named;
        gboolean is_named;
};

/* A test that aborts leaves no bus behind. */
static void die_with_parent(void *unused)
{
        prctl(PR_SET_PDEATHSIG, SIGTERM);
}

static void start_bus(Peer *peer)
{
        g_autofree char *config = g_strdup_printf(bus_config, peer->folder);
        g_autofree char *file = g_strconcat("--config-file=", peer->folder, "/bus.conf", NULL);
        char *arguments[] = {(char *) "dbus-daemon", file, (char *) "--nofork",
                             (char *) "--print-address=1", NULL};
        char letter;
        int out;

        peer_file(peer, "bus.conf", config, strlen(config));
        g_assert_true(g_spawn_async_with_pipes(
                NULL, arguments, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD,
                die_with_parent, NULL, &peer->daemon, NULL, &out, NULL, NULL));
        g_assert_cmpint(read(out, &letter, 1), ==, 1); /* the address: it listens */
        close(out);
        peer->address = g_strdup_printf("unix:path=%s/bus", peer->folder);
}

Peer *peer_new(void)
{
        Peer *peer = g_new0(Peer, 1);

        peer->folder = g_dir_make_tmp("aegis-client-XXXXXX", NULL);
        g_assert_nonnull(peer->folder);
        peer->stop = eventfd(0, EFD_CLOEXEC);
        g_assert_cmpint(peer->stop, >=, 0);
        start_bus(peer);
        return peer;
}

static void remove_folder(const char *path)
{
        g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
        const char *name;

        while ((name = g_dir_read_name(directory))) {
                g_autofree char *file = g_build_filename(path, name, NULL);

                g_unlink(file);
        }
        g_rmdir(path);
}

void peer_free(Peer *peer)
{
        if (peer->thread) {
                g_assert_cmpint(eventfd_write(peer->stop, 1), ==, 0);
                g_thread_join(peer->thread);
        }
        kill(peer->daemon, SIGTERM);
        waitpid(peer->daemon, NULL, 0);
        g_spawn_close_pid(peer->daemon);
        close(peer->stop);
        remove_folder(peer->folder);
        g_free(peer->folder);
        g_free(peer->address);
        g_free(peer);
}

void peer_file(Peer *peer, const char *name, const char *text, size_t n)
{
        g_autofree char *path = g_build_filename(peer->folder, name, NULL);

        g_assert_true(g_file_set_contents(path, text, (gssize) n, NULL));
}

/* ---- answering ---- */

static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        const Peer *peer = userdata;
        const char *member = sd_bus_message_get_member(message);

        if (!sd_bus_message_is_method_call(message, NULL, NULL))
                return 0;
        for (const PeerAnswer *answer = peer->answers; answer->member; answer++) {
                int r;

                if (g_strcmp0(answer->member, member) != 0)
                        continue;
                r = answer->answer(message, error);
                return r < 0 ? r : 1;
        }
        return 0;
}

static void tell_named(Peer *peer)
{
        g_mutex_lock(&peer->lock);
        peer->is_named = TRUE;
        g_cond_signal(&peer->named);
        g_mutex_unlock(&peer->lock);
}

static void serve_until_stopped(Peer *peer, sd_bus *bus)
{
        for (;;) {
                struct pollfd fds[] = {{.fd = sd_bus_get_fd(bus), .events = POLLIN},
                                       {.fd = peer->stop, .events = POLLIN}};
                int r = sd_bus_process(bus, NULL);

                g_assert_cmpint(r, >=, 0);
                if (r > 0)
                        continue;
                fds[0].events = (short) sd_bus_get_events(bus);
                g_assert_true(poll(fds, 2, -1) > 0 || errno == EINTR);
                if (fds[1].revents)
                        return;
        }
}

static void *serve(void *userdata)
{
        Peer *peer = userdata;
        sd_bus *bus = NULL;

        g_assert_cmpint(sd_bus_new(&bus), >=, 0);
        g_assert_cmpint(sd_bus_set_address(bus, peer->address), >=, 0);
        g_assert_cmpint(sd_bus_set_bus_client(bus, 1), >=, 0);
        g_assert_cmpint(sd_bus_negotiate_fds(bus, 1), >=, 0);
        g_assert_cmpint(sd_bus_start(bus), >=, 0);
        g_assert_cmpint(sd_bus_add_filter(bus, NULL, on_message, peer), >=, 0);
        g_assert_cmpint(sd_bus_request_name(bus, NAME, 0), >=, 0);
        tell_named(peer);
        serve_until_stopped(peer, bus);
        sd_bus_flush_close_unref(bus);
        return NULL;
}

void peer_serve(Peer *peer, const PeerAnswer *answers)
{
        peer->answers = answers;
        peer->thread = g_thread_new("peer", serve, peer);
        g_mutex_lock(&peer->lock);
        while (!peer->is_named)
                g_cond_wait(&peer->named, &peer->lock);
        g_mutex_unlock(&peer->lock);
}

/* ---- running the client ---- */

void peer_outcome_clear(PeerOutcome *outcome)
{
        g_clear_pointer(&outcome->out, g_free);
        g_clear_pointer(&outcome->err, g_free);
}

static char *text_of(GBytes *bytes)
{
        gsize n;
        const char *data = g_bytes_get_data(bytes, &n);

        return n > 0 ? g_strndup(data, n) : g_strdup("");
}

/* The program's own path may hold blanks; the arguments are separated by them. */
static GStrv client_words(const char *arguments)
{
        g_autofree char *line = g_strconcat("client ", arguments, NULL);
        GStrv words = g_strsplit(line, " ", -1);

        g_free(words[0]);
        words[0] = g_strdup(CLIENT_PROGRAM);
        return words;
}

void peer_run(Peer *peer, const char *arguments, const char *input, PeerOutcome *ret_outcome)
{
        g_auto(GStrv) words = client_words(arguments);
        g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
                (input ? G_SUBPROCESS_FLAGS_STDIN_PIPE : G_SUBPROCESS_FLAGS_NONE) |
                G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
        g_autoptr(GSubprocess) process = NULL;
        g_autoptr(GBytes) in = input ? g_bytes_new(input, strlen(input)) : NULL;
        g_autoptr(GBytes) out = NULL, err = NULL;
        g_autoptr(GError) error = NULL;

        g_subprocess_launcher_setenv(launcher, "DBUS_SYSTEM_BUS_ADDRESS", peer->address, TRUE);
        g_subprocess_launcher_setenv(launcher, "TZ", "UTC", TRUE);
        g_subprocess_launcher_set_cwd(launcher, peer->folder);
        process = g_subprocess_launcher_spawnv(launcher, (const char *const *) words, &error);
        g_assert_no_error(error);
        g_subprocess_communicate(process, in, NULL, &out, &err, &error);
        g_assert_no_error(error);
        g_assert_true(g_subprocess_get_if_exited(process));
        *ret_outcome = (PeerOutcome){
                .status = g_subprocess_get_exit_status(process),
                .out = text_of(out),
                .err = text_of(err),
        };
}

static char *read_terminal(int fd)
{
        g_autoptr(GString) shown = g_string_new(NULL);
        char buffer[4096];
        ssize_t n;

        /* EIO: nobody holds the other end any more */
        while ((n = read(fd, buffer, sizeof(buffer))) > 0)
                g_string_append_len(shown, buffer, n);
        return g_string_free(g_steal_pointer(&shown), FALSE);
}

void peer_run_on_terminal(Peer *peer, const char *arguments, unsigned short n_columns,
                          PeerOutcome *ret_outcome)
{
        g_auto(GStrv) words = client_words(arguments);
        g_autofree char *address = g_strconcat("DBUS_SYSTEM_BUS_ADDRESS=", peer->address, NULL);
        char *environment[] = {address, (char *) "TZ=UTC",
                               g_getenv("NO_COLOR") ? (char *) "NO_COLOR=1" : NULL, NULL};
        struct winsize size = {.ws_row = 24, .ws_col = n_columns};
        int fd, status;
        pid_t pid = forkpty(&fd, NULL, NULL, &size);

        g_assert_cmpint(pid, >=, 0);
        if (pid == 0) {
                execve(words[0], words, environment);
                _exit(127);
        }
        *ret_outcome = (PeerOutcome){.out = read_terminal(fd)};
        g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
        g_assert_true(WIFEXITED(status));
        ret_outcome->status = WEXITSTATUS(status);
        close(fd);
}

/* ---- a test's frame ---- */

void scene_set_up(Scene *scene, const void *unused)
{
        scene->peer = peer_new();
        peer_file(scene->peer, "web.policy", SCENE_DOCUMENT, strlen(SCENE_DOCUMENT));
}

void scene_tear_down(Scene *scene, const void *unused)
{
        peer_outcome_clear(&scene->outcome);
        peer_free(scene->peer);
}

void scene_run(Scene *scene, const char *arguments, int status)
{
        peer_outcome_clear(&scene->outcome);
        peer_run(scene->peer, arguments, NULL, &scene->outcome);
        if (scene->outcome.status != status)
                g_test_message("%s\n%s", scene->outcome.out, scene->outcome.err);
        g_assert_cmpint(scene->outcome.status, ==, status);
}

void expect_in(const char *text, const char *part)
{
        if (!strstr(text, part))
                g_error("\"%s\" is not in \"%s\"", part, text);
}
