/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of what an event tells by number: where its object and its program lie now, and what its
 * cgroup is called. */
#include <errno.h>
#include <stdlib.h>

#include "bus/objects.h"
#include "util/cleanup.h"

void event_names_deinit(EventNames *names)
{
        free(names->path);
        free(names->exe);
        free(names->cgroup);
        *names = (EventNames){};
}

int event_names_find(const Backend *backend, const struct event *event, EventNames *ret_names)
{
        _cleanup_(freep) char *inside = NULL;

        if (event->path_length > 0) {
                inside = exception_path(event);
                if (!inside)
                        return -ENOMEM;
                ret_names->path = backend_visible_path(backend, event->device, inside);
        }
        ret_names->cgroup = backend_cgroup_path(backend, event->cgroup);
        ret_names->exe =
                backend_program_path(backend, event->exe_device, event->exe_inode, event->pid);
        return 0;
}
