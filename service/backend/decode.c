/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decode: see decode.h. */
#include "backend/decode.h"

#include <errno.h>
#include <string.h>

int event_decode(const void *data, size_t size, struct event *ret_event)
{
        struct event event = {};

        if (size < EVENT_NET_SIZE)
                return -EBADMSG;
        if (size > sizeof(event))
                size = sizeof(event);
        memcpy(&event, data, size);
        if (event.hook >= N_HOOKS)
                return -EBADMSG;
        if (event.path_length > size - EVENT_NET_SIZE || event.path_length > sizeof(event.path))
                event.path_length = 0;
        if (event.count == 0)
                event.count = 1;
        event.comm[EVENT_COMM_SIZE - 1] = '\0';
        *ret_event = event;
        return 0;
}
