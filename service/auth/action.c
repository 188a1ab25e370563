/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Action: see action.h. */
#include "auth/action.h"

#include <errno.h>
#include <string.h>

#include "util/array.h"

#define PREFIX "org.aegis.enforcer."

static const char *const ids[] = {
        [ACTION_PLAN] = PREFIX "plan",
        [ACTION_READ_POLICY] = PREFIX "read-policy",
        [ACTION_READ_EVENTS] = PREFIX "read-events",
        [ACTION_STRENGTHEN] = PREFIX "strengthen",
        [ACTION_MANAGE_RULES] = PREFIX "manage-rules",
        [ACTION_APPLY_POLICY] = PREFIX "apply-policy",
        [ACTION_REMOVE_POLICY] = PREFIX "remove-policy",
        [ACTION_ROLLBACK] = PREFIX "rollback",
        [ACTION_WEAKEN] = PREFIX "weaken",
        [ACTION_EMERGENCY] = PREFIX "emergency",
        [ACTION_ALLOW_TEMPORARILY] = PREFIX "allow-temporarily",
        [ACTION_RELOAD] = PREFIX "reload",
};
_Static_assert(ELEMENTS_OF(ids) == N_ACTIONS, "each action has an id");

const char *action_id(Action action)
{
        return ids[action];
}

int action_from_name(const char *name, Action *ret_action)
{
        size_t n_prefix = strlen(PREFIX);

        if (strncmp(name, PREFIX, n_prefix) == 0)
                name += n_prefix;
        for (Action action = ACTION_NONE + 1; action < N_ACTIONS; action++) {
                if (strcmp(ids[action] + n_prefix, name) == 0) {
                        *ret_action = action;
                        return 0;
                }
        }
        return -EINVAL;
}
