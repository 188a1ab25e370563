/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Emergency: see emergency.h; and what an enforcement does about one. */
#include "transaction/emergency.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "transaction/internal.h"
#include "util/file.h"
#include "util/log.h"

#define FILE_NAME "emergency"
#define LINE_SIZE (64u + DEADLINE_TEXT_SIZE + EMERGENCY_REASON_MAX)

/* ---- the file ---- */

static int parse(const char *line, Emergency *ret_emergency)
{
        Emergency emergency = {.is_on = 1};
        size_t n_read, n_reason;
        int n = 0;

        if (sscanf(line, "1 %" SCNu32 " %n", &emergency.uid, &n) != 1 ||
            deadline_parse(line + n, &emergency.end, &n_read) < 0)
                return -EINVAL;
        line += (size_t) n + n_read;
        n_reason = strcspn(line, "\n");
        if (line[0] != ' ' || strcmp(line + n_reason, "\n") != 0 || n_reason < 2 ||
            n_reason > EMERGENCY_REASON_MAX + 1)
                return -EINVAL;
        memcpy(emergency.reason, line + 1, n_reason - 1);
        *ret_emergency = emergency;
        return 0;
}

void emergency_read(Emergency *emergency, int directory)
{
        _cleanup_(freep) char *line = NULL;
        size_t n = 0;
        int r = file_read(directory, FILE_NAME, LINE_SIZE, &line, &n);

        emergency->is_unread = r < 0 && r != -ENOENT;
        if (r == 0)
                r = parse(line, emergency);
        if (r < 0 && r != -ENOENT)
                log_errno(r, "What the file %s says is not to be understood", FILE_NAME);
}

int emergency_write(const Emergency *emergency, int directory)
{
        char end[DEADLINE_TEXT_SIZE], line[LINE_SIZE];
        int n, r;

        deadline_format(&emergency->end, end);
        n = snprintf(line, sizeof(line), "1 %" PRIu32 " %s %s\n", emergency->uid, end,
                     emergency->reason);
        r = file_replace(directory, FILE_NAME, line, (size_t) n);
        return r < 0 ? log_errno(r, "The file %s cannot be written", FILE_NAME) : 0;
}

/* ---- what the enforcement does ---- */

void enforcement_hold_emergency(Enforcement *enforcement)
{
        const Emergency *emergency = &enforcement->emergency;
        uint64_t end = emergency->is_on ? deadline_boot_end(&emergency->end) : 0;

        backend_set_emergency(enforcement->backend, end * 1000u);
}

void enforcement_find_emergency(Enforcement *enforcement)
{
        emergency_read(&enforcement->emergency, store_directory(enforcement->store));
        if (enforcement->emergency.is_on)
                log_warning("An emergency was declared: %s", enforcement->emergency.reason);
        enforcement_hold_emergency(enforcement);
}

int enforcement_emergency_start(Enforcement *enforcement, const char *reason, uint64_t usec,
                                uint32_t uid)
{
        Emergency emergency = {.is_on = 1, .uid = uid};
        int r = deadline_set(&emergency.end, usec);

        if (r < 0)
                return log_errno(r, "An emergency cannot be declared");
        snprintf(emergency.reason, sizeof(emergency.reason), "%s", reason);
        r = emergency_write(&emergency, store_directory(enforcement->store));
        if (r < 0)
                return r;
        enforcement->emergency = emergency;
        enforcement_hold_emergency(enforcement);
        log_warning("Emergency, declared by uid %" PRIu32 ": %s: verdicts are recorded, nothing "
                    "is denied for %" PRIu64 " s",
                    uid, emergency.reason, usec / 1000000u);
        enforcement_tell(enforcement, ENFORCEMENT_MODE);
        return 0;
}

/* The kernel first: a file that stays is tried again at the next start, and ends by its time. */
void enforcement_emergency_stop(Enforcement *enforcement)
{
        int r;

        if (!enforcement->emergency.is_on && !enforcement->emergency.is_unread)
                return;
        enforcement->emergency = (Emergency){};
        enforcement_hold_emergency(enforcement);
        r = file_remove(store_directory(enforcement->store), FILE_NAME);
        if (r < 0)
                trouble_add(&enforcement->trouble, TROUBLE_STORE,
                            "The end of the emergency is not on disk (%s): with a restart or a "
                            "power cut it may go on, for as long as it was declared",
                            strerror(-r));
        log_notice("The emergency has ended");
        enforcement_tell(enforcement, ENFORCEMENT_MODE);
}

int enforcement_emergency(const Enforcement *enforcement, EmergencyStatus *ret_emergency)
{
        const Emergency *emergency = &enforcement->emergency;

        *ret_emergency = (EmergencyStatus){.until_usec = emergency->end.ends_usec,
                                           .reason = emergency->reason};
        return emergency->is_on;
}
