/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Manager, emergencies: for a while verdicts are recorded and not enforced. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bus/error.h"
#include "bus/objects.h"
#include "bus/text.h"
#include "util/cleanup.h"

#define USEC_MIN 1000000ull
#define USEC_MAX (24u * 3600 * 1000000ull)

/* What cannot be shown as it is would not be what was agreed to. */
static int check_reason(const char *reason, sd_bus_error *error)
{
        _cleanup_(freep) char *shown = text_prompt(reason);

        if (!shown)
                return -ENOMEM;
        if (reason[strspn(reason, " ")] == '\0' || strlen(reason) > EMERGENCY_REASON_MAX ||
            strcmp(shown, reason) != 0)
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                         "a reason is 1 to %u bytes of text that can be seen, in "
                                         "one line",
                                         EMERGENCY_REASON_MAX);
        return 0;
}

static int read_emergency(Request *request, sd_bus_error *error)
{
        int r = sd_bus_message_read(request->message, "st", &request->entry, &request->ttl_usec);

        if (r >= 0)
                r = check_reason(request->entry, error);
        if (r < 0)
                return r;
        if (request->ttl_usec < USEC_MIN || request->ttl_usec > USEC_MAX)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                        "an emergency lasts from a second to a day");
        return 0;
}

static int describe(Request *request, const char *reason, uint64_t usec)
{
        const Enforcement *enforcement = request->server->config.enforcement;
        int r = request_detail(request, "reason", "%s", reason);

        if (r >= 0)
                r = request_detail(request, "seconds", "%" PRIu64, usec / 1000000u);
        return r < 0 ? r
                     : request_bind(request, enforcement_generation(enforcement),
                                    enforcement_digest(enforcement));
}

int describe_emergency_start(Request *request, sd_bus_error *error)
{
        int r = read_emergency(request, error);

        return r < 0 ? r : describe(request, request->entry, request->ttl_usec);
}

int run_emergency_start(Request *request, sd_bus_error *error)
{
        int r = enforcement_emergency_start(request->server->config.enforcement, request->entry,
                                            request->ttl_usec, (uint32_t) request->uid);

        if (r < 0)
                return r;
        manager_note(request->server, request->entry);
        return sd_bus_reply_method_return(request->message, "");
}

int describe_emergency_stop(Request *request, sd_bus_error *error)
{
        return describe(request, "the emergency is over", 0);
}

int run_emergency_stop(Request *request, sd_bus_error *error)
{
        EmergencyStatus emergency;
        int is_on = enforcement_emergency(request->server->config.enforcement, &emergency);

        enforcement_emergency_stop(request->server->config.enforcement);
        if (is_on)
                manager_note(request->server, "");
        return sd_bus_reply_method_return(request->message, "");
}
