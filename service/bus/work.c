/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Work: see work.h. */
#include "bus/work.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "util/log.h"

typedef struct Item Item;

struct Item {
        Item *next;
        WorkOrder order;
        void *userdata;
        Fiber *fiber;
};

/* The loop serves what has waited longest. A source of its kind for what is to be deferred counts
 * as waiting since it was made, and nobody else would be served; a descriptor that can always be
 * read stands in line again after each slice. */
struct Work {
        int always;                  /* can be read */
        sd_event_source *next_slice; /* enabled while something is under way */
        Item *waiting;               /* in the order in which they will begin */
        Item *current;
};

static Item *item_free(Item *item)
{
        if (!item)
                return NULL;
        fiber_free(item->fiber);
        free(item);
        return NULL;
}
DEFINE_CLEANUP(Item *, item_free);

static void begin_next(Work *work)
{
        work->current = work->waiting;
        work->waiting = work->current->next;
        work->current->next = NULL;
}

/* Goes on until a slice is used up or nothing is left. The event source is what comes back. */
static void go_on(Work *work, uint64_t slice_usec)
{
        while (work->current || work->waiting) {
                if (!work->current)
                        begin_next(work);
                if (!fiber_resume(work->current->fiber, slice_usec))
                        break;
                work->current = item_free(work->current);
        }
        sd_event_source_set_enabled(work->next_slice, work->current ? SD_EVENT_ON : SD_EVENT_OFF);
}

static int on_next_slice(sd_event_source *source, int fd, uint32_t ready, void *userdata)
{
        go_on(userdata, WORK_SLICE_USEC);
        return 0;
}

int work_new(Work **ret_work, sd_event *loop)
{
        _cleanup_(work_freep) Work *work = calloc(1, sizeof(*work));
        int r;

        if (!work)
                return -ENOMEM;
        work->always = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
        if (work->always < 0)
                return log_errno(-errno, "Work cannot be put into the loop");
        r = sd_event_add_io(loop, &work->next_slice, work->always, EPOLLIN, on_next_slice, work);
        if (r >= 0)
                r = sd_event_source_set_enabled(work->next_slice, SD_EVENT_OFF);
        if (r < 0)
                return log_errno(r, "Work cannot be put into the loop");
        *ret_work = TAKE_PTR(work);
        return 0;
}

static void drop_waiting(Work *work)
{
        for (Item *item; (item = work->waiting);) {
                work->waiting = item->next;
                item_free(item);
        }
}

Work *work_free(Work *work)
{
        if (!work)
                return NULL;
        drop_waiting(work);
        if (work->current)
                go_on(work, FIBER_TO_THE_END);
        drop_waiting(work);
        sd_event_source_disable_unref(work->next_slice);
        closep(&work->always);
        free(work);
        return NULL;
}

static void enqueue(Work *work, Item *item)
{
        Item **place = &work->waiting;

        while (*place && (*place)->order <= item->order)
                place = &(*place)->next;
        item->next = *place;
        *place = item;
}

int work_add(Work *work, WorkOrder order, FiberFunc function, void *userdata)
{
        _cleanup_(item_freep) Item *item = calloc(1, sizeof(*item));
        int is_idle = !work->current, r;

        if (!item)
                return -ENOMEM;
        item->order = order;
        item->userdata = userdata;
        r = fiber_new(&item->fiber, function, userdata);
        if (r < 0)
                return r;
        enqueue(work, TAKE_PTR(item));
        if (is_idle)
                go_on(work, WORK_SLICE_USEC);
        return 0;
}

int work_drop(Work *work, const void *userdata)
{
        if (!work)
                return 0;
        for (Item **place = &work->waiting; *place;) {
                Item *item = *place;

                if (item->userdata != userdata) {
                        place = &item->next;
                        continue;
                }
                *place = item->next;
                item_free(item);
        }
        return work->current && work->current->userdata == userdata;
}

int work_is_under_way(const Work *work)
{
        return work->current != NULL;
}
