/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stream: one reader's place in the queue of recent events. Nothing here ever waits: a reader who
 * does not read costs us the room of its socket and no more. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "event/internal.h"

/* Room for about a hundred events; the queue behind it is the hub's. */
#define SEND_ROOM (128 * 1024)

Stream *stream_free(Stream *stream)
{
        if (!stream)
                return NULL;
        sd_event_source_disable_unref(stream->watch);
        closep(&stream->fd);
        event_filter_deinit(&stream->filter);
        free(stream);
        return NULL;
}

static int on_ready(sd_event_source *source, int fd, uint32_t ready, void *userdata)
{
        Stream *stream = userdata;

        if ((ready & (EPOLLHUP | EPOLLERR)) || stream_pump(stream) < 0)
                event_hub_drop(stream->hub, stream);
        return 0;
}

/* From where a new stream is fed. What was asked for and is no longer kept is told as lost: so many
 * at most, since what the filter would have said of it is not known. */
static void stream_place(Stream *stream)
{
        EventHub *hub = stream->hub;
        uint64_t since = stream->filter.since_seq, oldest = event_hub_oldest(hub);

        stream->position = stream->replay_before = hub->n_taken;
        if (since == UINT64_MAX || oldest == hub->n_taken)
                return;
        stream->position = oldest;
        if (since > 0 && since < event_hub_recent(hub, oldest)->seq)
                stream->lost = event_hub_recent(hub, oldest)->seq - since;
}

int stream_new(Stream **ret_stream, EventHub *hub, int fd, EventFilter *filter)
{
        _cleanup_(stream_freep) Stream *stream = calloc(1, sizeof(*stream));
        int room = SEND_ROOM, r;

        if (!stream)
                return -ENOMEM;
        stream->hub = hub;
        stream->fd = -1;
        /* The reader has nothing to say to us. */
        if (shutdown(fd, SHUT_RD) < 0 ||
            setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)) < 0)
                return -errno;
        r = sd_event_add_io(hub->config.loop, &stream->watch, fd, 0, on_ready, stream);
        if (r < 0)
                return r;
        stream->fd = fd;
        stream->filter = event_filter_take(filter);
        stream_place(stream);
        *ret_stream = TAKE_PTR(stream);
        return 0;
}

int stream_wants(const Stream *stream, Recent *recent, uint64_t position)
{
        if (position < stream->replay_before && recent->seq < stream->filter.since_seq)
                return 0;
        return recent_fits(stream->hub, recent, &stream->filter);
}

/* Returns 1 if it was sent, 0 if there is no room now, or a negative errno: the reader is gone. */
static int stream_send(Stream *stream, const char *text, size_t n)
{
        for (;;) {
                if (send(stream->fd, text, n, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
                        return 1;
                if (errno == EINTR)
                        continue;
                if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM)
                        return 0;
                return -errno;
        }
}

static int stream_tell_lost(Stream *stream)
{
        char text[64];
        int n, r;

        if (stream->lost == 0)
                return 1;
        n = snprintf(text, sizeof(text), "{\"lost\":%llu}", (unsigned long long) stream->lost);
        r = stream_send(stream, text, (size_t) n);
        if (r > 0)
                stream->lost = 0;
        return r;
}

/* Returns 1 if the stream may go on, 0 if there is no room now, or a negative errno. */
static int stream_step(Stream *stream)
{
        EventHub *hub = stream->hub;
        Recent *recent = event_hub_recent(hub, stream->position);
        int r;

        if (!stream_wants(stream, recent, stream->position)) {
                stream->position++;
                return 1;
        }
        if (!recent_text(hub, recent)) {
                stream->lost += recent->count;
                stream->position++;
                return 1;
        }
        r = stream_tell_lost(stream);
        if (r > 0)
                r = stream_send(stream, recent->text, recent->n_text);
        if (r <= 0)
                return r;
        stream->position++;
        if (!recent->counted)
                event_hub_tally(hub, &(struct tally){.delivered = recent->count});
        recent->counted = 1;
        return 1;
}

int stream_pump(Stream *stream)
{
        int r = 1;

        while (r > 0 && stream->position < stream->hub->n_taken)
                r = stream_step(stream);
        if (r > 0)
                r = stream_tell_lost(stream);
        if (r < 0)
                return r;
        return sd_event_source_set_io_events(stream->watch, r == 0 ? EPOLLOUT : 0);
}

void stream_let_go(Stream *stream, Recent *recent, uint64_t position)
{
        if (stream->position > position)
                return;
        if (stream_wants(stream, recent, position))
                stream->lost += recent->count;
        stream->position = position + 1;
}
