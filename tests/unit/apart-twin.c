/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Apart, twin: parses in this process, where calls are counted and made to fail, and where a fuzzer
 * looks on. Linked before the library. */
#include "policy/apart.h"

int policy_parse_apart(Policy **ret_policy, const char *text, size_t n_text,
                       Diagnostics *diagnostics)
{
        return policy_parse(ret_policy, text, n_text, diagnostics);
}
