#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What `tools/demo --shell` runs: the service, and a shell to try it from.

# shellcheck source=tests/vm/guest/guest.sh
. /lib/guest.sh

guest_start_bus && guest_start_polkit || exit 1
export -f guest_run_as
/usr/libexec/aegisd </dev/null >/run/aegisd.log 2>&1 &
guest_wait_name org.aegis.Enforcer 180
cat /run/aegisd.log
cat <<'END'

aegisd is running (log: /run/aegisd.log). For example:
    aegis-client status
    busctl tree org.aegis.Enforcer
    busctl introspect org.aegis.Enforcer /org/aegis/Enforcer
    guest_run_as alice aegis-client status
`exit` ends the machine.

END
PS1='guest:\w\$ ' exec bash --norc
