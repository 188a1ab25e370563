# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What a script in the guest may use: `. /lib/guest.sh`.

# The system bus. dbus-daemon goes to the background once it listens.
guest_start_bus() {
        mkdir -p /run/dbus
        dbus-daemon --system --fork --nopidfile
}

# polkitd, on the bus before this returns. What it says is in /run/polkitd.log.
guest_start_polkit() {
        chown -R polkitd:polkitd /etc/polkit-1/rules.d /var/lib/polkit-1
        /usr/lib/polkit-1/polkitd >/run/polkitd.log 2>&1 &
        guest_wait_name org.freedesktop.PolicyKit1
}

# guest_put_rule NAME <RULE: a polkit rule, read by polkitd before this returns.
guest_put_rule() {
        local deadline=$((SECONDS + 30)) before
        before=$(rules_read)
        cat >"/etc/polkit-1/$1"
        mv "/etc/polkit-1/$1" /etc/polkit-1/rules.d/
        while [ "$(rules_read)" = "$before" ]; do
                [ "$SECONDS" -lt "$deadline" ] || return 1
                sleep 0.05
        done
}
rules_read() { grep -c 'Finished loading' /run/polkitd.log; }

# guest_wait_name NAME [SECONDS]: until somebody owns NAME on the system bus.
guest_wait_name() {
        local deadline=$((SECONDS + ${2:-30}))
        until [ "$(busctl --system call org.freedesktop.DBus /org/freedesktop/DBus \
                org.freedesktop.DBus NameHasOwner s "$1" 2>&1)" = 'b true' ]; do
                if [ "$SECONDS" -ge "$deadline" ]; then
                        echo "guest: nobody took the name $1" >&2
                        return 1
                fi
                sleep 0.05
        done
}

# guest_run_as USER COMMAND…: without capabilities, in the user's home.
guest_run_as() {
        local user=$1
        shift
        (
                cd "/home/$user" 2>/dev/null || cd /
                exec setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups \
                        env HOME="$PWD" USER="$user" LOGNAME="$user" "$@"
        )
}
