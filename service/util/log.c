/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Log: see log.h. A terminal gets plain lines; anything else gets the <N> prefix of sd-daemon(3).
 */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int max_level = LOG_INFO;

void log_set_max_level(int level)
{
        max_level = level;
}

static void write_line(int level, const char *message)
{
        if (isatty(STDERR_FILENO))
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
