/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Log: see log.h. The console gets plain lines, the journal the <N> prefix of sd-daemon(3). */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/array.h"

static int max_level = LOG_INFO;
static LogTarget wanted_target = LOG_TARGET_AUTO;

static const char *const levels[] = {"emerg",   "alert",  "crit", "err",
                                     "warning", "notice", "info", "debug"};
static const char *const targets[] = {
        [LOG_TARGET_AUTO] = "auto",
        [LOG_TARGET_CONSOLE] = "console",
        [LOG_TARGET_JOURNAL] = "journal",
};

void log_set_max_level(int level)
{
        max_level = level;
}

int log_max_level(void)
{
        return max_level;
}

void log_set_target(LogTarget target)
{
        wanted_target = target;
}

LogTarget log_target(void)
{
        if (wanted_target != LOG_TARGET_AUTO)
                return wanted_target;
        return isatty(STDERR_FILENO) ? LOG_TARGET_CONSOLE : LOG_TARGET_JOURNAL;
}

const char *log_level_to_string(int level)
{
        return levels[level];
}

const char *log_target_to_string(LogTarget target)
{
        return targets[target];
}

/* Returns its place, or -EINVAL. */
static int find_word(const char *const *words, size_t n, const char *text)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(words[i], text) == 0)
                        return (int) i;
        return -EINVAL;
}

int log_level_from_string(const char *text, int *ret_level)
{
        int level = find_word(levels, ELEMENTS_OF(levels), text);

        if (level < 0)
                return level;
        *ret_level = level;
        return 0;
}

int log_target_from_string(const char *text, LogTarget *ret_target)
{
        int target = find_word(targets, ELEMENTS_OF(targets), text);

        if (target < 0)
                return target;
        *ret_target = (LogTarget) target;
        return 0;
}

static void write_line(int level, const char *message)
{
        if (log_target() == LOG_TARGET_CONSOLE)
                fprintf(stderr, "%s\n", message);
        else
                fprintf(stderr, "<%d>%s\n", level, message);
}

void log_full(int level, const char *format, ...)
{
        char message[2048];
        va_list arguments;

        if (level > max_level)
                return;
        va_start(arguments, format);
        vsnprintf(message, sizeof(message), format, arguments);
        va_end(arguments);
        write_line(level, message);
}

int log_errno(int error, const char *format, ...)
{
        char message[1024];
        va_list arguments;

        error = error < 0 ? -error : error;
        va_start(arguments, format);
        vsnprintf(message, sizeof(message), format, arguments);
        va_end(arguments);
        log_error("%s: %s", message, strerror(error));
        return -error;
}
