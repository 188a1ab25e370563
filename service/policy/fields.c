/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fields: see fields.h. Where a value has more than one spelling, it is spelled anew and compared.
 */
#include "policy/fields.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "policy/text.h"

#define TIME_PATTERN "dddd-dd-ddTdd:dd:ddZ"
#define SECONDS_MAX 253402300799u /* the end of the year 9999 */

static int is_printable(const char *text, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (text[i] < ' ' || text[i] > '~')
                        return 0;
        return 1;
}

int field_take(Lines *lines, const char *key, const char **ret_value, size_t *ret_n)
{
        const char *end = memchr(lines->at, '\n', lines->n);
        size_t n_key = strlen(key), n = end ? (size_t) (end - lines->at) : 0;

        if (n <= n_key || n - n_key - 1 > FIELD_MAX || memcmp(lines->at, key, n_key) != 0 ||
            lines->at[n_key] != '=' || !is_printable(lines->at, n))
                return FIELD_E_FORMAT;
        *ret_value = lines->at + n_key + 1;
        *ret_n = n - n_key - 1;
        lines->at += n + 1;
        lines->n -= n + 1;
        return 0;
}

/* Takes nothing if the value is not as it should be, either. */
static int take_if(Lines *lines, const Lines *before, int is_right)
{
        if (is_right)
                return 0;
        *lines = *before;
        return FIELD_E_FORMAT;
}

int field_take_is(Lines *lines, const char *key, const char *value)
{
        const Lines before = *lines;
        const char *text = NULL;
        size_t n = 0;

        if (field_take(lines, key, &text, &n) != 0)
                return FIELD_E_FORMAT;
        return take_if(lines, &before, n == strlen(value) && memcmp(text, value, n) == 0);
}

int field_take_number(Lines *lines, const char *key, uint64_t max, uint64_t *ret_number)
{
        const Lines before = *lines;
        const char *text = NULL;
        size_t n = 0;

        if (field_take(lines, key, &text, &n) != 0)
                return FIELD_E_FORMAT;
        return take_if(lines, &before,
                       number_parse(text, n, max, ret_number) == 0 && (n == 1 || text[0] != '0'));
}

static int number_at(const char *text, size_t n)
{
        int number = 0;

        for (size_t i = 0; i < n; i++)
                number = 10 * number + (text[i] - '0');
        return number;
}

static int has_pattern(const char *text, size_t n)
{
        if (n != strlen(TIME_PATTERN))
                return 0;
        for (size_t i = 0; i < n; i++)
                if (TIME_PATTERN[i] == 'd' ? text[i] < '0' || text[i] > '9'
                                           : text[i] != TIME_PATTERN[i])
                        return 0;
        return 1;
}

/* A day that no month has would be spelled as another one. */
static int parse_time(const char *text, size_t n, uint64_t *ret_seconds)
{
        char again[FIELD_TIME_SIZE];
        struct tm tm;
        int64_t seconds;

        if (!has_pattern(text, n))
                return FIELD_E_FORMAT;
        tm = (struct tm){.tm_year = number_at(text, 4) - 1900,
                         .tm_mon = number_at(text + 5, 2) - 1,
                         .tm_mday = number_at(text + 8, 2),
                         .tm_hour = number_at(text + 11, 2),
                         .tm_min = number_at(text + 14, 2),
                         .tm_sec = number_at(text + 17, 2)};
        seconds = timegm(&tm);
        if (seconds < 0 || seconds > (int64_t) SECONDS_MAX)
                return FIELD_E_FORMAT;
        field_time_format((uint64_t) seconds, again);
        if (memcmp(again, text, n) != 0)
                return FIELD_E_FORMAT;
        *ret_seconds = (uint64_t) seconds;
        return 0;
}

int field_take_time(Lines *lines, const char *key, uint64_t *ret_seconds)
{
        const Lines before = *lines;
        const char *text = NULL;
        size_t n = 0;

        if (field_take(lines, key, &text, &n) != 0)
                return FIELD_E_FORMAT;
        return take_if(lines, &before, parse_time(text, n, ret_seconds) == 0);
}

void field_time_format(uint64_t seconds, char ret_text[FIELD_TIME_SIZE])
{
        const time_t time = (time_t) (seconds < SECONDS_MAX ? seconds : SECONDS_MAX);
        struct tm tm;

        gmtime_r(&time, &tm);
        strftime(ret_text, FIELD_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
}
