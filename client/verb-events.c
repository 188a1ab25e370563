/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* events: what was denied or recorded, one a line: those the service remembers, and with --follow
 * those to come. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "client.h"
#include "event-line.h"
#include "failure.h"
#include "output.h"

#define PACKET_MAX 65536u
#define RECORD_DEPTH_MAX 8
/* Without --follow: how long to wait for a remembered event that the service may still be sending,
 * or that the filter leaves out. */
#define REST_MSEC 200

typedef struct Stream {
        const Client *client;
        int fd;
        uint64_t last;      /* number of the newest event when the stream was opened */
        uint64_t seen;      /* the highest number so far */
        uint64_t boot_usec; /* when this machine began, by the calendar */
        char packet[PACKET_MAX];
} Stream;

static Stream *stream_free(Stream *stream)
{
        if (!stream)
                return NULL;
        closep(&stream->fd);
        free(stream);
        return NULL;
}
DEFINE_CLEANUP(Stream *, stream_free);

static int append_filter(const Options *options, sd_bus_message *message)
{
        int r = sd_bus_message_open_container(message, SD_BUS_TYPE_ARRAY, "{sv}");

        if (r >= 0 && options->policy)
                r = sd_bus_message_append(message, "{sv}", "policy", "s", options->policy);
        if (r >= 0 && options->hook)
                r = sd_bus_message_append(message, "{sv}", "hook", "s", options->hook);
        if (r >= 0 && options->verdict)
                r = sd_bus_message_append(message, "{sv}", "verdict", "s", options->verdict);
        if (r >= 0 && options->rule)
                r = sd_bus_message_append(message, "{sv}", "rule", "s", options->rule);
        if (r >= 0 && options->comm)
                r = sd_bus_message_append(message, "{sv}", "comm", "s", options->comm);
        if (r >= 0 && options->path)
                r = sd_bus_message_append(message, "{sv}", "path", "s", options->path);
        if (r >= 0 && OPTION_GIVEN(options, OPTION_UID))
                r = sd_bus_message_append(message, "{sv}", "uid", "u", (uint32_t) options->uid);
        if (r >= 0 &&
            (OPTION_GIVEN(options, OPTION_SINCE) || !OPTION_GIVEN(options, OPTION_FOLLOW)))
                r = sd_bus_message_append(message, "{sv}", "since", "t", options->since);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

/* Events carry the time since boot, which no one can set back; people read calendars. */
static uint64_t boot_time(void)
{
        struct timespec calendar, since_boot;

        clock_gettime(CLOCK_REALTIME, &calendar);
        clock_gettime(CLOCK_BOOTTIME, &since_boot);
        return (uint64_t) (calendar.tv_sec - since_boot.tv_sec) * 1000000u +
               (uint64_t) ((calendar.tv_nsec - since_boot.tv_nsec) / 1000);
}

static int stream_new(const Client *client, sd_bus_message *reply, Stream **ret_stream)
{
        _cleanup_(stream_freep) Stream *stream = calloc(1, sizeof(*stream));
        int fd, r;

        if (!stream)
                return -ENOMEM;
        stream->client = client;
        stream->boot_usec = boot_time();
        stream->fd = -1;
        r = sd_bus_message_read(reply, "ht", &fd, &stream->last);
        if (r < 0)
                return r;
        stream->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3); /* the message closes its own */
        if (stream->fd < 0)
                return -errno;
        *ret_stream = TAKE_PTR(stream);
        return 0;
}

static ExitStatus stream_open(Client *client, const Call *call, Stream **ret_stream)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        ExitStatus status = client_connect(client);
        int r;

        if (status != STATUS_DONE)
                return status;
        r = connection_message(client->connection, EVENTS_PATH, EVENTS_INTERFACE, "Open", &message);
        if (r >= 0)
                r = append_filter(&client->options, message);
        if (r < 0)
                return failure_of_message(client, call, r);
        status = client_call(client, call, message, &reply);
        if (status != STATUS_DONE)
                return status;
        r = stream_new(client, reply, ret_stream);
        return r < 0 ? failure_of_reply(client, call, r) : STATUS_DONE;
}

static void print_object(json_object *object)
{
        if (object)
                output_json(object);
        else
                fputs("A record was left out: memory is short.\n", stderr);
        json_object_put(object);
}

static void print_cef(char *line)
{
        if (line)
                fputs(line, stdout);
        else
                fputs("A record was left out: memory is short.\n", stderr);
        putchar('\n');
        free(line);
}

static uint64_t now(void)
{
        struct timespec calendar;

        clock_gettime(CLOCK_REALTIME, &calendar);
        return (uint64_t) calendar.tv_sec * 1000000u + (uint64_t) calendar.tv_nsec / 1000;
}

static void print_text(const Stream *stream, json_object *record)
{
        if (json_object_object_get_ex(record, "lost", NULL))
                printf("(%" PRIu64 " events were lost here: they came faster than they were "
                       "read)\n",
                       json_number(record, "lost"));
        else {
                event_print(record, stream->boot_usec);
                putchar('\n');
        }
}

static void print_record(const Stream *stream, json_object *record)
{
        const Options *options = &stream->client->options;

        switch (OPTION_GIVEN(options, OPTION_JSON) ? EVENT_JSON : options->format) {
        case EVENT_TEXT:
                print_text(stream, record);
                break;
        case EVENT_JSON:
                output_json(record);
                break;
        case EVENT_OCSF:
                print_object(event_to_ocsf(record, stream->boot_usec, now()));
                break;
        case EVENT_ECS:
                print_object(event_to_ecs(record, stream->boot_usec, now()));
                break;
        case EVENT_CEF:
                print_cef(event_to_cef(record, stream->boot_usec, now()));
                break;
        }
}

/* Returns 1 if this was the last one wanted. */
static int take_packet(Stream *stream, size_t n)
{
        _cleanup_(json_object_putp) json_object *record = NULL;
        json_tokener *tokener = json_tokener_new_ex(RECORD_DEPTH_MAX);
        uint64_t seq;

        if (tokener)
                record = json_tokener_parse_ex(tokener, stream->packet, (int) n);
        json_tokener_free(tokener);
        if (!json_object_is_type(record, json_type_object)) {
                fputs("A record that cannot be read was left out; install the client that came "
                      "with the service.\n",
                      stderr);
                return 0;
        }
        seq = json_number(record, "seq");
        if (!OPTION_GIVEN(&stream->client->options, OPTION_FOLLOW) && seq > stream->last)
                return 1;
        if (seq > stream->seen)
                stream->seen = seq;
        print_record(stream, record);
        return 0;
}

/* Nothing is there to be read now. Returns 1 when something is, 0 if it is not worth waiting. */
static int await_more(Stream *stream)
{
        struct pollfd readable = {.fd = stream->fd, .events = POLLIN};
        int follow = OPTION_GIVEN(&stream->client->options, OPTION_FOLLOW), r;

        fflush(stdout);
        if (!follow && stream->seen >= stream->last)
                return 0;
        do
                r = poll(&readable, 1, follow ? -1 : REST_MSEC);
        while (r < 0 && errno == EINTR);
        return r < 0 ? -errno : r;
}

/* Returns 0 at the wanted end, -EPIPE when the service ended the stream, or another negative errno.
 */
static int stream_print(Stream *stream)
{
        for (;;) {
                ssize_t n = recv(stream->fd, stream->packet, PACKET_MAX, MSG_DONTWAIT | MSG_TRUNC);
                int r = 0;

                if (n == 0)
                        return -EPIPE;
                if (n > 0) {
                        if (take_packet(stream, (size_t) n > PACKET_MAX ? 0 : (size_t) n))
                                return 0;
                        continue;
                }
                if (errno == EINTR)
                        continue;
                if (errno != EAGAIN)
                        return -errno;
                r = await_more(stream);
                if (r <= 0)
                        return r;
        }
}

ExitStatus verb_events(Client *client, char **arguments)
{
        static const Call call = {.attempt = "read the events", .action = "read-events"};
        _cleanup_(stream_freep) Stream *stream = NULL;
        ExitStatus status = stream_open(client, &call, &stream);
        int r;

        if (status != STATUS_DONE)
                return status;
        /* The stream needs neither the bus nor polkit's agent, and may be followed for days. */
        client->connection = connection_close(client->connection);
        r = stream_print(stream);
        if (r == 0 || (r == -EPIPE && !OPTION_GIVEN(&client->options, OPTION_FOLLOW)))
                return STATUS_DONE;
        if (r == -EPIPE)
                return failure_say(
                        client, STATUS_NO_SERVICE,
                        "The service ended the stream; see 'systemctl status aegisd' and "
                        "go on with --since=%" PRIu64 ".",
                        stream->seen + 1);
        return failure_say(client, STATUS_FAILED, "Cannot read the events: %s; try again.",
                           strerror(-r));
}
