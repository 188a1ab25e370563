/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Log: one line to standard error, with the syslog priority in front where the journal reads it. */
#pragma once

#include <syslog.h>

/* Messages of a higher number than this are not written. level: LOG_ERR … LOG_DEBUG. */
void log_set_max_level(int level);

int log_max_level(void);

/* Where lines go: always to standard error, with priorities if something reads them. */
typedef enum LogTarget {
        LOG_TARGET_AUTO, /* the console if standard error is a terminal, else the journal */
        LOG_TARGET_CONSOLE,
        LOG_TARGET_JOURNAL,
} LogTarget;
void log_set_target(LogTarget target);
LogTarget log_target(void); /* never LOG_TARGET_AUTO */

/* The words of org.freedesktop.LogControl1(5). Those from strings return 0 or -EINVAL. */
const char *log_level_to_string(int level); /* LOG_EMERG … LOG_DEBUG */
int log_level_from_string(const char *text, int *ret_level);
const char *log_target_to_string(LogTarget target);
int log_target_from_string(const char *text, LogTarget *ret_target);

void log_full(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Logs "message: strerror" and returns the negative errno, so that `return log_errno(r, …)` reads
 * well. */
int log_errno(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_full(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_full(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_full(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_full(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_full(LOG_DEBUG, __VA_ARGS__)
