#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# measure.sh: runs in the machine. /bench.conf says what is to be in force: config (none, empty, policy),
# mode, files, cidrs, execs, access (of the first file; without it of all kinds). Prints lines NAME
# VALUE..., which `table` reads. All values are instructions, kilobytes or counts.

set -uo pipefail
# shellcheck disable=SC1091 # both are put into the machine
. /lib/guest.sh
config=none mode=enforce files=0 cidrs=0 execs=0 access='' n=20000
# shellcheck disable=SC1091
. /bench.conf

service=
now() { bench-guest now; }
# What the service's one thread has used.
service_cost() { if [ -n "$service" ]; then cut -d ' ' -f 1 "/proc/$service/schedstat"; else echo 0; fi; }
# MemFree, and the free pages that the processor has at hand, which are not in it: some megabytes, now more, now less.
free_memory() {
        sync
        echo 3 >/proc/sys/vm/drop_caches
        sleep 0.1
        awk '$1 == "MemFree:" { n += $2 } $1 == "count:" { n += 4 * $2 } END { print n }' /proc/meminfo /proc/zoneinfo
}

# memory_taken BEFORE: the machine's root is in memory, and what lies there is not what is taken: elsewhere the
# store is on a disk. A large policy is held once when nothing has changed for a minute.
memory_taken() {
        local stored
        rm -f /tmp/policy /tmp/policy-*
        [ "$files" -le 16384 ] || sleep 90
        stored=$(du -sk /var/lib/aegis | cut -f 1)
        echo "MEMORY $(($1 - $(free_memory) - stored))"
        echo "STORED $stored"
}

# write_policy FILES CIDRS EXECS >DOCUMENT
write_policy() {
        echo version=7
        echo '[deny]'
        echo "file:/tmp/denied/${access:+ access=$access}"
        [ "$1" -lt 2 ] || seq -f 'file:/tmp/r/f%06.0f/' 0 $(($1 - 2))
        [ "$2" = 0 ] || awk -v n="$2" 'BEGIN { for (i = 0; i < n; i++) printf "net:connect,send:10.%d.%d.0/24\n", i / 250, i % 250 }'
        [ "$2" = 0 ] || echo net:connect,send:127.0.0.2:7777
        [ "$3" = 0 ] || seq -f 'exec:/usr/bin/ruled%.0f' 1 "$3"
}

apply() { # apply NAME DOCUMENT
        echo "APPLY $1 $(bench-guest time aegis-client apply --name=bench "$2" 2>&1 | sed -n 's/^TIME //p')"
}

call() { # call NAME COMMAND...
        echo "COMMAND $1 $(bench-guest time aegis-client "${@:2}" 2>&1 | sed -n 's/^TIME //p')"
}

# The client's own start is in it. The first call of each is not what is counted.
commands() {
        local round
        for round in first again; do
                call "$round-add" rule add deny file:/tmp/single
                call "$round-remove" rule remove deny file:/tmp/single
                call "$round-emergency" emergency start --for=1m --reason=bench
                call "$round-end" emergency stop
                call "$round-audit" mode audit
                call "$round-enforce" mode enforce
                call "$round-status" status
                call "$round-explain" explain /tmp/denied
                call "$round-hooks" hooks
                call "$round-policies" policies
                call "$round-history" history
        done
}

# It guards itself from signals, and its programs from being looked at.
launch() { # launch [OPTION]...
        rm -f /tmp/aegisd.log
        /usr/libexec/aegisd "$@" >/tmp/aegisd.log 2>&1 &
        service=$!
        mkdir -p /sys/fs/cgroup/aegisd
        echo "$service" >/sys/fs/cgroup/aegisd/cgroup.procs
        until grep -qs 'Enforcer is ours' /tmp/aegisd.log; do sleep 0.01; done
}

start() { # start NAME [OPTION]...
        local begin
        begin=$(now)
        launch "${@:2}"
        echo "$1 $(($(now) - begin)) $(service_cost)"
}

end_service() {
        echo 1 >/sys/fs/cgroup/aegisd/cgroup.kill
        wait "$service"
}

# With the policy in force: where it is so in the kernel already, and as after a boot. A service that does not
# guard itself shows the programs of the rules, and lets its pins be taken away.
start_again() {
        end_service
        start RESTART --protect-self=no
        bench-bpf verified
        end_service
        find /run/aegis/bpf -type f -exec rm {} +
        find /run/aegis/bpf -mindepth 1 -depth -type d -exec rmdir {} +
        sleep 1
        start BOOT --protect-self=no
        end_service
}

start_service() {
        write_policy "$files" "$cidrs" "$execs" >/tmp/policy
        write_policy 1 0 0 >/tmp/policy-1
        { cat /tmp/policy-1 && echo file:/tmp/another; } >/tmp/policy-2
        write_policy "$files" 0 0 >/tmp/policy-files
        # one rule more than what the idle slot holds, two other than what is in force
        { cat /tmp/policy && echo file:/tmp/another; } >/tmp/policy-b
        { cat /tmp/policy && echo file:/tmp/third; } >/tmp/policy-c
        # what is read for the first time is not the service's cost
        cat /usr/libexec/aegisd /usr/bin/aegis-client >/dev/null
        start START
        [ "$mode" = enforce ] || aegis-client mode audit >/dev/null
        apply first /tmp/policy
        if [ "$files" -gt 1 ]; then
                # hooks that a class of rules takes along are let go here, and not measured below
                apply settle /tmp/policy-1
                apply one /tmp/policy-2
                apply again /tmp/policy-files
                apply last /tmp/policy
                apply settle-b /tmp/policy-b
                apply change /tmp/policy-c
        fi
}

attach_empty() {
        bench-bpf attach /empty.bpf.o file_open mmap_file socket_connect socket_bind socket_sendmsg bprm_check_security >/tmp/empty.log &
        until grep -q attached /tmp/empty.log; do sleep 0.1; done
}

flood() {
        local begin before
        before=$(service_cost)
        begin=$(now)
        bench-guest flood 100000 /tmp/denied
        echo "FLOOD $(($(now) - begin))"
        sleep 3
        echo "EVENTS 100000 $(($(service_cost) - before))"
        aegis-client status --json | tr ',' '\n' | sed -n 's/.*"\(emitted\|delivered\|lost\|suppressed\)": *\([0-9]*\).*/EVENT-\1 \2/p'
}

echo "KERNEL $(uname -r)"
guest_start_bus
{ echo allowed && head -c 4096 /dev/zero; } >/tmp/allowed
echo secret >/tmp/denied
[ "$files" -lt 2 ] || bench-guest files "$((files - 1 < 10000 ? files - 1 : 10000))" /tmp/r
before=$(free_memory)
case $config in
empty) attach_empty ;;
policy) start_service ;;
esac
[ -z "$service" ] || memory_taken "$before"
[ "$files" -lt 2 ] || commands
[ -z "$service" ] || awk '/^(Rss|Anonymous):/ { print "SERVICE-" $1, $2 }' "/proc/$service/smaps_rollup"
for work in getppid stat open pread mmap connect bind udp fork exec open-denied; do
        before=$(service_cost)
        bench-guest run "$n" /tmp/allowed /tmp/denied /usr/bin/tiny "$work"
        sleep 2
        [ -z "$service" ] || echo "DAEMON $work $((($(service_cost) - before) / n))"
done
[ -z "$service" ] || flood
[ -z "$service" ] || start_again
exit 0
