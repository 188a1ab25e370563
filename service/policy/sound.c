/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sound: see sound.h. Each question is asked of the value alone, whatever entry it came from. */
#include "policy/sound.h"

#include <limits.h>
#include <netinet/in.h>
#include <string.h>

#include "policy/options.h"
#include "policy/parse.h"
#include "policy/text.h"

#define COMM_MAX 15u
#define NET_OPERATIONS ((1u << N_NET_OPERATIONS) - 1)
#define SUBJECTS (SUBJECT_EXE | SUBJECT_UID | SUBJECT_GID | SUBJECT_CGROUP | SUBJECT_VERIFIED)

static int is_flag(unsigned value)
{
        return value <= 1;
}

static int is_some_of(uint32_t bits, uint32_t all)
{
        return bits != 0 && (bits & ~all) == 0;
}

/* ---- paths ---- */

static int component_is_clean(const char *name, size_t n)
{
        return n > 0 && n <= NAME_MAX && !(n == 1 && name[0] == '.') &&
               !(n == 2 && name[0] == '.' && name[1] == '.');
}

static int path_is_clean(const char *path)
{
        const char *name = path;

        if (!path || path[0] != '/' || strnlen(path, PATH_MAX) == PATH_MAX)
                return 0;
        if (path[1] == '\0')
                return 1;
        while (*name == '/') {
                size_t n = strcspn(++name, "/");

                if (!component_is_clean(name, n))
                        return 0;
                name += n;
        }
        return 1;
}

static int has_star(const char *path)
{
        for (const char *star = strstr(path, "/*"); star; star = strstr(star + 1, "/*"))
                if (star[2] == '/' || star[2] == '\0')
                        return 1;
        return 0;
}

static int cgroup_is_sound(const char *path, uint64_t id)
{
        size_t n = path ? strnlen(path, CGROUP_PATH_SIZE) : 0;

        if (!path)
                return id != 0;
        return id == 0 && n < CGROUP_PATH_SIZE && (path_is_clean(path) || cgroup_is_unit(path, n));
}

/* ---- options ---- */

static int why_is_sound(const char *why)
{
        size_t n = strnlen(why, WHY_MAX + 1), at;

        return n > 0 && n <= WHY_MAX && text_check(why, n, &at) == TEXT_FINE && !strchr(why, '\t');
}

static int subject_is_sound(const RuleOptions *options)
{
        int has_exe = (options->subject & SUBJECT_EXE) != 0,
            has_cgroup = (options->subject & SUBJECT_CGROUP) != 0;

        if (options->subject & ~SUBJECTS || !is_flag(options->exe_below))
                return 0;
        if (has_exe ? !path_is_clean(options->exe) : options->exe || options->exe_below)
                return 0;
        if (has_cgroup ? !cgroup_is_sound(options->cgroup, options->cgroup_id)
                       : options->cgroup || options->cgroup_id)
                return 0;
        return options->uid != UINT32_MAX && options->gid != UINT32_MAX;
}

static int options_are_sound(const RuleOptions *options)
{
        return subject_is_sound(options) && options->mode <= RULE_MODE_ENFORCE &&
               options->signal <= SIGNAL_KILL &&
               options->ttl <= (uint64_t) TTL_DAYS_MAX * SECONDS_OF_DAY &&
               (!options->id || policy_name_is_valid(options->id)) &&
               (!options->why || why_is_sound(options->why));
}

/* ---- objects ---- */

static int file_is_sound(const Rule *rule)
{
        return path_is_clean(rule->file.path) && is_some_of(rule->file.access, ACCESS_ALL) &&
               is_flag(rule->file.below) && is_flag(rule->file.has_wildcard) &&
               (!rule->file.has_wildcard || has_star(rule->file.path));
}

static int has_bits_beyond(const uint8_t address[16], unsigned prefix)
{
        for (unsigned bit = prefix; bit < 128; bit++)
                if (address[bit / 8] & 0x80 >> bit % 8)
                        return 1;
        return 0;
}

static int net_is_sound(const Rule *rule)
{
        unsigned protocol = rule->net.protocol;
        int has_port = rule->net.first_port > 0;

        return rule->net.prefix <= 128 && !has_bits_beyond(rule->net.address, rule->net.prefix) &&
               is_some_of(rule->net.operations, NET_OPERATIONS) &&
               rule->net.first_port <= rule->net.last_port &&
               has_port == (rule->net.last_port > 0) &&
               (protocol <= UINT8_MAX || protocol == NET_PROTOCOL_RAW ||
                protocol == NET_PROTOCOL_PACKET);
}

static int comm_is_sound(const char *comm)
{
        size_t n = comm ? strnlen(comm, COMM_MAX + 1) : 0;

        return n > 0 && n <= COMM_MAX && !strchr(comm, '/');
}

static int digest_is_sound(const struct digest_key *digest)
{
        return digest->algorithm == DIGEST_SHA256 || digest->algorithm == DIGEST_VERITY_SHA256;
}

static int object_is_sound(const Rule *rule)
{
        switch (rule->kind) {
        case RULE_FILE:
                return file_is_sound(rule);
        case RULE_INODE:
                return is_some_of(rule->inode.access, ACCESS_ALL);
        case RULE_NET:
                return net_is_sound(rule);
        case RULE_KERNEL:
                return (unsigned) rule->kernel < N_KERNEL_OBJECTS;
        case RULE_COMM:
                return comm_is_sound(rule->comm);
        case RULE_DIGEST:
                return digest_is_sound(&rule->digest);
        case RULE_DEFAULT:
                return is_some_of(rule->def.access, ACCESS_EXEC | ACCESS_MAP);
        case RULE_ALLOW_CGROUP:
                return rule->verdict == RULE_ALLOW &&
                       cgroup_is_sound(rule->cgroup.path, rule->cgroup.id);
        }
        return 0;
}

/* ---- rules ---- */

static int entry_is_sound(const char *entry)
{
        size_t n = entry ? strnlen(entry, POLICY_LINE_MAX + 1) : 0, at;

        return entry && n <= POLICY_LINE_MAX && text_check(entry, n, &at) == TEXT_FINE;
}

int rule_is_sound(const Rule *rule)
{
        return (unsigned) rule->verdict <= RULE_AUDIT && rule->line > 0 &&
               rule->line <= POLICY_LINES_MAX && entry_is_sound(rule->entry) &&
               options_are_sound(rule->options) && object_is_sound(rule);
}
