/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words: see words.h. */
#include "policy/words.h"

#include <string.h>

#include "policy/text.h"
#include "util/array.h"

static int is_blank(char c)
{
        return c == ' ' || c == '\t';
}

/* Every byte of a document comes by here, most of them twice: a table is the quickest answer. */
static const uint8_t means_something[256] = {[' '] = 1, ['\t'] = 1, ['"'] = 1, ['\\'] = 1};

/* Where the word that begins at `at` ends. ret_open: where a quote begins that does not end; n if
 * there is none. */
static size_t word_end(const char *text, size_t n, size_t at, size_t *ret_open)
{
        size_t open = n;

        for (; at < n; at++) {
                if (!means_something[(uint8_t) text[at]])
                        continue;
                if (open == n && is_blank(text[at]))
                        break;
                if (text[at] == '"')
                        open = open == n ? at : n;
                else if (text[at] == '\\' && open != n && at + 1 < n)
                        at++;
        }
        *ret_open = open;
        return at;
}

size_t words_length(const char *text, size_t n)
{
        size_t at = 0, open;

        while (at < n && text[at] != '#') {
                at = word_end(text, n, at, &open);
                while (at < n && is_blank(text[at]))
                        at++;
        }
        return at;
}

int word_next(const Entry *entry, size_t *at, Word *ret_word)
{
        size_t begin = *at, end, open;

        while (begin < entry->n && is_blank(entry->text[begin]))
                begin++;
        end = word_end(entry->text, entry->n, begin, &open);
        *at = end;
        if (open != entry->n) {
                entry_fault(entry, open,
                            "write \" where they end; for the character itself \"\\\"\"",
                            "the quotes that begin here do not end");
                return POLICY_E_SYNTAX;
        }
        *ret_word = (Word){begin, end - begin, 0};
        return 0;
}

int word_split(const Entry *entry, Word word, char separator, Word *ret_first, Word *ret_rest)
{
        const char *text = entry->text + word.at, *found;
        int in_quotes = word.n > 0 && text[0] == '"';
        size_t n_first;

        found = memchr(text, separator, word.n);
        if (!found)
                return 0;
        n_first = (size_t) (found - text);
        *ret_first = (Word){word.at + (size_t) in_quotes, n_first - (size_t) in_quotes, 0};
        *ret_rest = (Word){word.at + n_first + 1, word.n - n_first - 1, in_quotes};
        return 1;
}

/* ---- escapes ---- */

/* A letter behind a backslash and its byte. */
static const char escapes[][2] = {
        {'\\', '\\'}, {'"', '"'},  {'\'', '\''}, {'*', '*'},  {'a', '\a'}, {'b', '\b'},
        {'e', 0x1b},  {'f', '\f'}, {'n', '\n'},  {'r', '\r'}, {'t', '\t'}, {'v', '\v'},
};

static int digit_value(char c, int base)
{
        int value = -1;

        if (c >= '0' && c <= '9')
                value = c - '0';
        else if (c >= 'a' && c <= 'f')
                value = c - 'a' + 10;
        else if (c >= 'A' && c <= 'F')
                value = c - 'A' + 10;
        return value < base ? value : -1;
}

/* Returns the number that n digits make, or -1. */
static int digits_value(const char *text, size_t n_text, size_t n, int base)
{
        int value = 0;

        if (n_text < n)
                return -1;
        for (size_t i = 0; i < n; i++) {
                int digit = digit_value(text[i], base);

                if (digit < 0)
                        return -1;
                value = value * base + digit;
        }
        return value;
}

/* text: behind the backslash. Returns how many bytes it has, or 0 if it is none. */
static size_t escape_read(const char *text, size_t n, int *ret_byte)
{
        int value;

        for (size_t i = 0; i < ELEMENTS_OF(escapes); i++) {
                if (n == 0 || text[0] != escapes[i][0])
                        continue;
                *ret_byte = escapes[i][1];
                return 1;
        }
        if (n > 0 && text[0] == 'x') {
                value = digits_value(text + 1, n - 1, 2, 16);
                *ret_byte = value;
                return value >= 0 ? 3 : 0;
        }
        value = digits_value(text, n, 3, 8);
        *ret_byte = value;
        return value >= 0 && value <= 0xff ? 3 : 0;
}

/* at: of the backslash. Moves it to the escape's last byte. */
static int escape_take(const Entry *entry, Word word, size_t *at, int *ret_byte)
{
        size_t n = escape_read(entry->text + *at + 1, word.at + word.n - *at - 1, ret_byte);

        if (n == 0) {
                entry_fault(entry, *at,
                            "the escapes are \\\\ \\\" \\* \\n \\t \\r \\a \\b \\e \\f \\v, \\x "
                            "and two "
                            "digits, and three octal digits",
                            "there is no such escape");
                return POLICY_E_SYNTAX;
        }
        if (*ret_byte == 0) {
                entry_fault(entry, *at, "leave it out", "a NUL byte ends every name");
                return POLICY_E_SYNTAX;
        }
        *at += n;
        return 0;
}

/* What stands between quotes, with its escapes, and beside them. Returns its length. */
static size_t read_quotes(const Entry *entry, Word word, PathStars stars, char *text, int *ret_r)
{
        int in_quotes = word.in_quotes, byte;
        size_t n = 0;

        for (size_t i = word.at; i < word.at + word.n; i++) {
                if (entry->text[i] == '"') {
                        in_quotes = !in_quotes;
                        continue;
                }
                byte = entry->text[i];
                if (byte == '\\' && in_quotes) {
                        if (escape_take(entry, word, &i, &byte) != 0)
                                *ret_r = POLICY_E_SYNTAX;
                        else if (byte == '*' && stars == PATH_STARS_WILD)
                                byte = '\0';
                }
                text[n++] = (char) byte;
        }
        return n;
}

int word_read(const Entry *entry, Word word, PathStars stars, Entry *ret_value)
{
        const char *from = entry->text + word.at;
        char *text = *entry->room;
        size_t n = word.n;
        int r = 0;

        *ret_value = entry_part(entry, word.at, 0);
        if (word.n > 0 && from[0] == '"' && !word.in_quotes)
                ret_value->column++;
        if (word.in_quotes || memchr(from, '"', word.n))
                n = read_quotes(entry, word, stars, text, &r);
        else
                memcpy(text, from, word.n);
        text[n] = '\0';
        *entry->room += n + 1;
        ret_value->text = text;
        ret_value->is_copy = 1;
        ret_value->n = n;
        return r;
}
