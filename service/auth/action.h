/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Action: what polkit is asked about. The table here and polkit-actions/ name the same actions. */
#pragma once

typedef enum Action {
        ACTION_NONE, /* reading what is no secret needs nobody's leave */
        ACTION_PLAN,
        ACTION_READ_POLICY,
        ACTION_READ_EVENTS,
        ACTION_STRENGTHEN,
        ACTION_MANAGE_RULES,
        ACTION_APPLY_POLICY,
        ACTION_REMOVE_POLICY,
        ACTION_ROLLBACK,
        ACTION_WEAKEN,
        ACTION_EMERGENCY,
        ACTION_ALLOW_TEMPORARILY,
        ACTION_RELOAD,
        N_ACTIONS,
} Action;

/* "org.aegis.enforcer.plan"; NULL for ACTION_NONE. */
const char *action_id(Action action);

/* name: "plan" or "org.aegis.enforcer.plan". Returns 0 or -EINVAL. */
int action_from_name(const char *name, Action *ret_action);
