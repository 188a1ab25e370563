/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Connection: see connection.h. */
#include "connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>

#include "ask.h"
#include "output.h"

struct Connection {
        sd_bus *bus;
        Transport transport;
        Asking asking;
        pid_t agent; /* 0: none */
};

/* One answer that is waited for. */
typedef struct Pending {
        int done;
        sd_bus_message *reply;
        sd_bus_error *error;
} Pending;

static int open_bus(Transport transport, const char *where, sd_bus **ret_bus)
{
        switch (transport) {
        case TRANSPORT_LOCAL:
                return sd_bus_open_system(ret_bus);
        case TRANSPORT_HOST:
                return sd_bus_open_system_remote(ret_bus, where);
        case TRANSPORT_MACHINE:
                return sd_bus_open_system_machine(ret_bus, where);
        }
        return -EINVAL;
}

int connection_open(Connection **ret_connection, Transport transport, const char *where,
                    Asking asking)
{
        Connection *connection = calloc(1, sizeof(*connection));
        int r;

        if (!connection)
                return -ENOMEM;
        connection->transport = transport;
        connection->asking = asking;
        r = open_bus(transport, where, &connection->bus);
        if (r < 0) {
                free(connection);
                return r;
        }
        *ret_connection = connection;
        return 0;
}

Connection *connection_close(Connection *connection)
{
        if (!connection)
                return NULL;
        ask_stop(&connection->agent);
        sd_bus_close_unref(connection->bus);
        free(connection);
        return NULL;
}

int connection_message_to(Connection *connection, const Address *address,
                          sd_bus_message **ret_message)
{
        int r = sd_bus_message_new_method_call(connection->bus, ret_message, address->service,
                                               address->path, address->interface, address->member);

        return r < 0 ? r : 0;
}

int connection_message(Connection *connection, const char *path, const char *interface,
                       const char *member, sd_bus_message **ret_message)
{
        const Address address = {SERVICE_NAME, path, interface, member};

        return connection_message_to(connection, &address, ret_message);
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
        Pending *pending = userdata;

        pending->done = 1;
        if (sd_bus_message_is_method_error(reply, NULL))
                sd_bus_error_copy(pending->error, sd_bus_message_get_error(reply));
        else
                pending->reply = sd_bus_message_ref(reply);
        return 0;
}

static uint64_t now_usec(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t) now.tv_sec * 1000000u + (uint64_t) now.tv_nsec / 1000u;
}

/* The agent on this terminal has turned the echo off: a password is being typed. */
static int password_is_asked(void)
{
        struct termios terminal;

        return tcgetattr(STDIN_FILENO, &terminal) == 0 && !(terminal.c_lflag & ECHO);
}

/* What is shown on the terminal while a call takes long: what is awaited, and a dot a second. */
typedef struct Progress {
        const Call *call;
        uint64_t speak_usec; /* CLOCK_MONOTONIC; UINT64_MAX: there is no terminal */
        int has_spoken;
} Progress;

static Progress progress_begin(const Call *call)
{
        return (Progress){
                .call = call,
                .speak_usec = isatty(STDERR_FILENO) ? now_usec() + CALL_QUIET_USEC : UINT64_MAX,
        };
}

static void progress_show(Progress *progress, uint64_t now)
{
        progress->speak_usec = now + CALL_DOT_USEC;
        if (password_is_asked())
                return;
        if (!progress->has_spoken) {
                fputs("Waiting for the service to ", stderr);
                output_text(stderr, progress->call->attempt);
        }
        fputs(progress->has_spoken ? "." : "...", stderr);
        progress->has_spoken = 1;
}

static void progress_end(const Progress *progress)
{
        if (progress->has_spoken)
                fputc('\n', stderr);
}

static int await(sd_bus *bus, Progress *progress, const Pending *pending)
{
        while (!pending->done) {
                uint64_t now = now_usec();
                int r = sd_bus_process(bus, NULL);

                if (r < 0)
                        return r;
                if (r > 0)
                        continue;
                if (now >= progress->speak_usec)
                        progress_show(progress, now);
                r = sd_bus_wait(bus, progress->speak_usec == UINT64_MAX
                                             ? UINT64_MAX
                                             : progress->speak_usec - now);
                if (r < 0 && r != -EINTR)
                        return r;
        }
        return 0;
}

static int prepare_question(Connection *connection, sd_bus_message *message)
{
        int r;

        if (connection->asking == ASKING_FORBIDDEN)
                return 0;
        r = sd_bus_message_set_allow_interactive_authorization(message, 1);
        if (r < 0)
                return r;
        /* Elsewhere, polkit knows nothing of this terminal. */
        if (connection->transport != TRANSPORT_LOCAL || connection->agent)
                return 0;
        return ask_start(&connection->agent);
}

/* Returns 0 or a negative errno: of the way to the bus, which is then of no more use. */
static int exchange(Connection *connection, const Call *call, sd_bus_message *message,
                    Pending *pending)
{
        _cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
        uint64_t usec = call->action ? CALL_GATED_USEC : CALL_PLAIN_USEC;
        Progress progress = progress_begin(call);
        int r;

        r = sd_bus_call_async(connection->bus, &slot, message, on_reply, pending, usec);
        if (r < 0)
                return r;
        r = await(connection->bus, &progress, pending);
        progress_end(&progress);
        return r;
}

/* sd-bus answers what is open when the bus goes as if the time were up. */
static int end_without_reply(Connection *connection, sd_bus_error *error)
{
        _cleanup_(freep) char *reason = NULL;

        if (!sd_bus_error_is_set(error))
                return -EIO;
        if (!sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY) ||
            sd_bus_is_open(connection->bus) > 0)
                return -sd_bus_error_get_errno(error);
        reason = error->message ? strdup(error->message) : NULL;
        sd_bus_error_free(error);
        return sd_bus_error_set(error, SD_BUS_ERROR_DISCONNECTED, reason);
}

int connection_call(Connection *connection, const Call *call, sd_bus_message *message,
                    sd_bus_error *ret_error, sd_bus_message **ret_reply)
{
        Pending pending = {.error = ret_error};
        int r;

        r = call->action ? prepare_question(connection, message) : 0;
        if (r < 0)
                return sd_bus_error_set_errno(ret_error, r);
        r = exchange(connection, call, message, &pending);
        if (r < 0)
                return sd_bus_error_set(ret_error, SD_BUS_ERROR_DISCONNECTED, strerror(-r));
        if (!pending.reply)
                return end_without_reply(connection, ret_error);
        *ret_reply = pending.reply;
        return 0;
}
