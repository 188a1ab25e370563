/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Log: see log.h. The console gets plain lines, the journal the <N> prefix of sd-daemon(3). */
#include "log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/array.h"

static int max_level = LOG_INFO;
static LogTarget wanted_target = LOG_TARGET_AUTO;
static LogFormat wanted_format = LOG_FORMAT_TEXT;
static Journal *journal;

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

void log_set_format(LogFormat format)
{
        wanted_format = format;
}

void log_set_journal(Journal *to)
{
        journal = to;
}

/* ---- fields ---- */

/* Room for the longest number. */
#define VALUE_SIZE 24

/* Returns its text: the field's own, or in `room`. */
static const char *value_of(const LogField *field, char room[VALUE_SIZE])
{
        switch (field->type) {
        case LOG_FIELD_TEXT:
                return field->text ? field->text : "";
        case LOG_FIELD_NUMBER:
                snprintf(room, VALUE_SIZE, "%" PRIu64, field->number);
                return room;
        case LOG_FIELD_SIGNED:
                snprintf(room, VALUE_SIZE, "%" PRId64, field->signed_number);
                return room;
        case LOG_FIELD_FLAG:
                return field->flag ? "true" : "false";
        }
        return "";
}

static void write_json_text(FILE *out, const char *text)
{
        fputc('"', out);
        for (const unsigned char *at = (const unsigned char *) text; *at; at++) {
                if (*at == '"' || *at == '\\')
                        fprintf(out, "\\%c", *at);
                else if (*at < 0x20 || *at == 0x7f)
                        fprintf(out, "\\u%04x", *at);
                else
                        fputc(*at, out);
        }
        fputc('"', out);
}

static void write_small(FILE *out, const char *key)
{
        for (; *key; key++)
                fputc(*key >= 'A' && *key <= 'Z' ? *key + ('a' - 'A') : *key, out);
}

static void write_json(FILE *out, int level, const char *message, const LogField *fields, size_t n)
{
        char room[VALUE_SIZE];

        fprintf(out, "{\"level\":\"%s\",\"message\":", levels[level]);
        write_json_text(out, message);
        for (size_t i = 0; i < n; i++) {
                fputs(",\"", out);
                write_small(out, fields[i].key);
                fputs("\":", out);
                if (fields[i].type == LOG_FIELD_TEXT)
                        write_json_text(out, value_of(&fields[i], room));
                else
                        fputs(value_of(&fields[i], room), out);
        }
        fputc('}', out);
}

/* Texts are quoted where a reader could not tell where they end. */
static void write_text(FILE *out, const char *message, const LogField *fields, size_t n)
{
        char room[VALUE_SIZE];

        fputs(message, out);
        for (size_t i = 0; i < n; i++) {
                const char *value = value_of(&fields[i], room);

                fputc(' ', out);
                write_small(out, fields[i].key);
                fputc('=', out);
                if (*value == '\0' || strpbrk(value, " \"\\\n\r\t="))
                        write_json_text(out, value);
                else
                        fputs(value, out);
        }
}

/* ---- where lines go ---- */

static void write_line(int level, const char *message, const LogField *fields, size_t n)
{
        char line[4096];
        FILE *out = fmemopen(line, sizeof(line), "w");

        if (!out)
                return;
        if (wanted_format == LOG_FORMAT_JSON)
                write_json(out, level, message, fields, n);
        else
                write_text(out, message, fields, n);
        fclose(out);
        line[sizeof(line) - 1] = '\0';
        if (log_target() == LOG_TARGET_CONSOLE)
                fprintf(stderr, "%s\n", line);
        else
                fprintf(stderr, "<%d>%s\n", level, line);
}

/* Returns 0 or a negative errno. */
static int write_entry(int level, const char *message, const LogField *fields, size_t n)
{
        JournalEntry entry;
        char room[VALUE_SIZE];

        entry.n = 0;
        entry.is_full = 0;
        snprintf(room, sizeof(room), "%d", level);
        journal_put(&entry, "MESSAGE", message, strlen(message));
        journal_put(&entry, "PRIORITY", room, strlen(room));
        journal_put(&entry, "SYSLOG_IDENTIFIER", "aegisd", strlen("aegisd"));
        for (size_t i = 0; i < n; i++) {
                const char *value = value_of(&fields[i], room);

                journal_put(&entry, fields[i].key, value, strlen(value));
        }
        return journal_send(journal, &entry);
}

void log_fields(int level, const char *message, const LogField *fields, size_t n_fields)
{
        if (level > max_level)
                return;
        if (!journal || log_target() != LOG_TARGET_JOURNAL ||
            write_entry(level, message, fields, n_fields) < 0)
                write_line(level, message, fields, n_fields);
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
        write_line(level, message, NULL, 0);
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
