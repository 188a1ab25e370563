/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options: what stands behind an object in version 7, as key=value. */
#pragma once

#include "policy/parse.h"
#include "policy/words.h"

#define WHY_MAX 256u
#define TTL_DAYS_MAX 3650u
#define SECONDS_OF_DAY 86400u

typedef enum OptionKey {
        OPTION_ACCESS,
        OPTION_EXE,
        OPTION_UID,
        OPTION_GID,
        OPTION_CGROUP,
        OPTION_IDENTITY,
        OPTION_MODE,
        OPTION_TTL,
        OPTION_SIGNAL,
        OPTION_ID,
        OPTION_WHY,
        N_OPTION_KEYS,
} OptionKey;

/* The options of one entry. */
typedef struct OptionSet {
        RuleOptions options;
        uint32_t access;          /* 0: not said */
        uint32_t seen;            /* a bit each OptionKey */
        size_t at[N_OPTION_KEYS]; /* where it stands in the entry */
} OptionSet;

#define OPTION_SEEN(set, key) ((set)->seen & (1u << (key)))

/* Reads all words from `at` on. Returns 0, or POLICY_E_SYNTAX with the faults added. */
int options_read(const Entry *entry, size_t at, OptionSet *ret_set);

/* Whether a word looks like key=value. */
int option_is(const Entry *entry, Word word);

/* What options may not stand with the rule, which is whole otherwise. Returns as above. */
int options_check(const Entry *entry, const OptionSet *set, const Rule *rule);
