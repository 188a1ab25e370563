/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Single rule: the inside of a SingleRule (see rule.h), which is read in one room and written in
 * another. */
#pragma once

#include "policy/policy.h"
#include "transaction/rule.h"

#define VERSION_NEW 7u

struct SingleRule {
        Policy *policy; /* of a document that has the rule in it */
        Rule rule;      /* with options that may have a ttl from elsewhere */
        RuleOptions options;
        char *text;
};
