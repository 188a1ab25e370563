/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Log: one line to standard error, with the syslog priority in front where the journal reads it.
 * What has fields goes to the journal with them, if there is one. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <syslog.h>

#include "util/journal.h"

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

/* LOG_FORMAT_JSON: each line is an object with "level", "message" and the fields, in small letters.
 */
typedef enum LogFormat {
        LOG_FORMAT_TEXT,
        LOG_FORMAT_JSON,
} LogFormat;
void log_set_format(LogFormat format);

/* Where entries with fields go while the target is the journal; NULL: nowhere but to standard
 * error. It must stay until it is taken away. */
void log_set_journal(Journal *journal);

typedef enum LogFieldType {
        LOG_FIELD_TEXT,
        LOG_FIELD_NUMBER,
        LOG_FIELD_SIGNED,
        LOG_FIELD_FLAG,
} LogFieldType;

/* One field: in the journal KEY=value, in text key=value, in JSON "key":value of its type. */
typedef struct LogField {
        const char *key; /* "AEGIS_UID" */
        LogFieldType type;
        union {
                const char *text;
                uint64_t number;
                int64_t signed_number;
                int flag;
        };
} LogField;

#define LOG_TEXT(k, v) ((LogField){.key = (k), .type = LOG_FIELD_TEXT, .text = (v)})
#define LOG_NUMBER(k, v) ((LogField){.key = (k), .type = LOG_FIELD_NUMBER, .number = (v)})
#define LOG_SIGNED(k, v) ((LogField){.key = (k), .type = LOG_FIELD_SIGNED, .signed_number = (v)})
#define LOG_FLAG(k, v) ((LogField){.key = (k), .type = LOG_FIELD_FLAG, .flag = (v) != 0})

/* message: one line. */
void log_fields(int level, const char *message, const LogField *fields, size_t n_fields);

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
