/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Guest ways: what the tests of ways round rules about files begin with. */
#pragma once

#include <glib.h>

/* /t is a file system of its own for each test. /t/free is free, /t/secret is ruled by its name,
 * /t/vault and all below it as a directory. */
#define RULES "[deny_path]\n/t/secret\n/t/vault/\n"

void fresh_tree(void);  /* and no rules in force */
void fresh_rules(void); /* and RULES in force */

/* Acts, for child_errno(). */
int act_open(const void *path);
int own_mounts(void); /* a mount namespace whose mounts are not seen outside */

#define assert_act(act, argument, error) g_assert_cmpint(child_errno(act, argument), ==, error)
#define assert_open(path, error) assert_act(act_open, path, error)
