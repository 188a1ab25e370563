/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rule text: see rule-text.h. Whoever writes a word here reads it in options.c, entry-v7.c or
 * entry-net-v7.c. */
#include "policy/rule-text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "policy/terms.h"
#include "policy/text.h"

#define MAPPED_BITS 96u
#define CGROUP_MOUNT "/sys/fs/cgroup"

const char *rule_section(const Rule *rule)
{
        if (rule->kind == RULE_DEFAULT)
                return "default";
        return term_text(&verdict_terms, rule->verdict);
}

/* ---- words ---- */

typedef enum Stars {
        STARS_PLAIN,   /* there are no patterns: * is a character like others */
        STARS_LITERAL, /* it would be read as a pattern, and is not meant as one */
        STARS_WILD,    /* a component * is a pattern, others are not */
} Stars;

/* A word on its way out: begin stays, so that a component can be told. */
typedef struct Writer {
        FILE *stream;
        const char *begin;
        Stars stars;
} Writer;

static int star_is_escaped(const Writer *writer, const char *star)
{
        switch (writer->stars) {
        case STARS_PLAIN:
                return 0;
        case STARS_LITERAL:
                return 1;
        case STARS_WILD:
                return star == writer->begin || star[-1] != '/' ||
                       (star[1] != '/' && star[1] != '\0');
        }
        return 0;
}

static int needs_quotes(const Writer *writer)
{
        size_t n = strlen(writer->begin), at;

        if (text_check(writer->begin, n, &at) != TEXT_FINE || strpbrk(writer->begin, " \t\""))
                return 1;
        for (const char *star = strchr(writer->begin, '*'); star; star = strchr(star + 1, '*'))
                if (star_is_escaped(writer, star))
                        return 1;
        return 0;
}

static void write_byte(FILE *stream, char byte)
{
        static const char letters[] = "abtnvfr", escape = 0x1b;

        if (byte >= '\a' && byte <= '\r')
                fprintf(stream, "\\%c", letters[byte - '\a']);
        else if (byte == escape)
                fputs("\\e", stream);
        else
                fprintf(stream, "\\x%02x", (uint8_t) byte);
}

/* One character or byte, between quotes. Returns how many bytes it has. */
static size_t write_character(const Writer *writer, const char *text)
{
        size_t at;

        if (text[0] == '"' || text[0] == '\\' ||
            (text[0] == '*' && star_is_escaped(writer, text))) {
                fprintf(writer->stream, "\\%c", text[0]);
                return 1;
        }
        for (size_t n = 1; n <= strnlen(text, 4) && text[0] != '\t'; n++) {
                if (text_check(text, n, &at) != TEXT_FINE)
                        continue;
                fwrite(text, 1, n, writer->stream);
                return n;
        }
        write_byte(writer->stream, text[0]);
        return 1;
}

static void write_word(FILE *stream, const char *text, Stars stars)
{
        Writer writer = {stream, text, stars};

        if (!needs_quotes(&writer)) {
                fputs(text, stream);
                return;
        }
        fputc('"', stream);
        while (*text)
                text += write_character(&writer, text);
        fputc('"', stream);
}

/* A path, with a slash behind it if all below is meant. */
static void write_path(FILE *stream, const char *path, Stars stars, uint32_t below)
{
        write_word(stream, path, stars);
        if (below && strcmp(path, "/") != 0)
                fputc('/', stream);
}

/* A path that looks like one in the file system, and is not, becomes one. */
static void write_cgroup(FILE *stream, const char *path, uint64_t id)
{
        if (!path) {
                fprintf(stream, "cgid:%" PRIu64, id);
                return;
        }
        if (strncmp(path, CGROUP_MOUNT, strlen(CGROUP_MOUNT)) == 0)
                fputs(CGROUP_MOUNT, stream);
        write_word(stream, path, STARS_PLAIN);
}

/* Words of one bit or several each, with commas between. */
static void write_bits(FILE *stream, const Terms *terms, uint32_t bits)
{
        const char *separator = "";

        for (size_t i = 0; i < terms->n_items; i++) {
                const Term *term = &terms->items[i];

                if ((bits & term->value) != term->value)
                        continue;
                fprintf(stream, "%s%s", separator, term->text);
                separator = ",";
                bits &= ~term->value;
        }
}

/* ---- addresses ---- */

static void write_address(FILE *stream, const Rule *rule)
{
        static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
        unsigned prefix = rule->net.prefix, full = 128;
        char text[INET6_ADDRSTRLEN] = "";

        if (prefix == 0) {
                fputc('*', stream);
                return;
        }
        if (prefix >= MAPPED_BITS && memcmp(rule->net.address, mapped, sizeof(mapped)) == 0) {
                inet_ntop(AF_INET, rule->net.address + 12, text, sizeof(text));
                fputs(text, stream);
                prefix -= MAPPED_BITS;
                full = 32;
        } else {
                inet_ntop(AF_INET6, rule->net.address, text, sizeof(text));
                fprintf(stream, "[%s]", text);
        }
        if (prefix < full)
                fprintf(stream, "/%u", prefix);
}

static void write_ports(FILE *stream, const Rule *rule)
{
        if (rule->net.first_port == 0)
                fputc('*', stream);
        else if (rule->net.first_port == rule->net.last_port)
                fprintf(stream, "%u", rule->net.first_port);
        else
                fprintf(stream, "%u-%u", rule->net.first_port, rule->net.last_port);
}

/* What may be left out at the end is. */
static void write_net(FILE *stream, const Rule *rule)
{
        const char *protocol = term_text(&protocol_terms, rule->net.protocol);
        int has_ports = rule->net.first_port > 0 || rule->net.protocol > 0;

        fputs("net:", stream);
        if (rule->net.operations == (1u << N_NET_OPERATIONS) - 1)
                fputc('*', stream);
        else
                write_bits(stream, &operation_terms, rule->net.operations);
        if (rule->net.prefix == 0 && !has_ports)
                return;
        fputc(':', stream);
        write_address(stream, rule);
        if (!has_ports)
                return;
        fputc(':', stream);
        write_ports(stream, rule);
        if (rule->net.protocol > 0 && protocol)
                fprintf(stream, "/%s", protocol);
        else if (rule->net.protocol > 0)
                fprintf(stream, "/%u", rule->net.protocol);
}

/* ---- objects ---- */

static void write_file(FILE *stream, const Rule *rule)
{
        int is_exec = rule->file.access == (ACCESS_EXEC | ACCESS_MAP);

        fputs(is_exec ? "exec:" : "file:", stream);
        write_path(stream, rule->file.path, rule->file.has_wildcard ? STARS_WILD : STARS_LITERAL,
                   rule->file.below);
}

static void write_digest(FILE *stream, const Rule *rule)
{
        fputs(rule->digest.algorithm == DIGEST_VERITY_SHA256 ? "exec:fsverity:" : "exec:sha256:",
              stream);
        for (unsigned i = 0; i < DIGEST_SIZE; i++)
                fprintf(stream, "%02x", rule->digest.digest[i]);
}

static void write_default(FILE *stream, const Rule *rule)
{
        const char *verdict = term_text(&verdict_terms, rule->verdict), *separator = "";

        if (rule->def.access & ACCESS_EXEC) {
                fprintf(stream, "exec=%s", verdict);
                separator = " ";
        }
        if (rule->def.access & ACCESS_MAP)
                fprintf(stream, "%smap=%s", separator, verdict);
}

static void write_object(FILE *stream, const Rule *rule)
{
        switch (rule->kind) {
        case RULE_FILE:
                write_file(stream, rule);
                break;
        case RULE_INODE:
                fprintf(stream, "inode:%u:%" PRIu64, rule->inode.device, rule->inode.inode);
                break;
        case RULE_NET:
                write_net(stream, rule);
                break;
        case RULE_KERNEL:
                fprintf(stream, "kernel:%s", term_text(&kernel_terms, rule->kernel));
                break;
        case RULE_COMM:
                fputs("comm:", stream);
                write_word(stream, rule->comm, STARS_LITERAL);
                break;
        case RULE_DIGEST:
                write_digest(stream, rule);
                break;
        case RULE_DEFAULT:
                write_default(stream, rule);
                break;
        case RULE_ALLOW_CGROUP:
                fputs("cgroup:", stream);
                write_cgroup(stream, rule->cgroup.path, rule->cgroup.id);
                break;
        }
}

/* ---- options ---- */

static void write_access(FILE *stream, const Rule *rule)
{
        uint32_t access = ACCESS_ALL;

        if (rule->kind == RULE_FILE && rule->file.access != (ACCESS_EXEC | ACCESS_MAP))
                access = rule->file.access;
        else if (rule->kind == RULE_INODE)
                access = rule->inode.access;
        if (access == ACCESS_ALL)
                return;
        fputs(" access=", stream);
        write_bits(stream, &access_terms, access);
}

static void write_subject(FILE *stream, const RuleOptions *options)
{
        if (options->subject & SUBJECT_EXE) {
                fputs(" exe=", stream);
                write_path(stream, options->exe, STARS_WILD, options->exe_below);
        }
        if (options->subject & SUBJECT_UID)
                fprintf(stream, " uid=%u", options->uid);
        if (options->subject & SUBJECT_GID)
                fprintf(stream, " gid=%u", options->gid);
        if (options->subject & SUBJECT_CGROUP) {
                fputs(" cgroup=", stream);
                write_cgroup(stream, options->cgroup, options->cgroup_id);
        }
        if (options->subject & SUBJECT_VERIFIED)
                fputs(" identity=verified", stream);
}

/* In the largest unit that is whole. */
static void write_ttl(FILE *stream, uint64_t seconds)
{
        static const struct {
                uint64_t seconds;
                char name;
        } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
        size_t i = 0;

        while (seconds % units[i].seconds != 0)
                i++;
        fprintf(stream, " ttl=%" PRIu64 "%c", seconds / units[i].seconds, units[i].name);
}

static void write_options(FILE *stream, const RuleOptions *options)
{
        write_subject(stream, options);
        if (options->mode != RULE_MODE_SERVICE)
                fprintf(stream, " mode=%s", term_text(&mode_terms, options->mode));
        if (options->ttl > 0)
                write_ttl(stream, options->ttl);
        if (options->signal != SIGNAL_DEFAULT)
                fprintf(stream, " signal=%s", term_text(&signal_terms, options->signal));
        if (options->id)
                fprintf(stream, " id=%s", options->id);
        if (options->why) {
                fputs(" why=", stream);
                write_word(stream, options->why, STARS_PLAIN);
        }
}

int rule_to_text(const Rule *rule, char **ret_text)
{
        _cleanup_(freep) char *text = NULL;
        FILE *stream;
        size_t n;
        int failed;

        stream = open_memstream(&text, &n);
        if (!stream)
                return -ENOMEM;
        write_object(stream, rule);
        write_access(stream, rule);
        write_options(stream, rule->options);
        failed = ferror(stream);
        if (fclose(stream) != 0 || failed)
                return -ENOMEM;
        *ret_text = TAKE_PTR(text);
        return 0;
}
