#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What tools/demo runs in the machine: the main job, step by step, with the real commands and their
# real outputs. The machine has dbus-daemon, polkitd and the product; alice is an ordinary user.

# shellcheck disable=SC2016 # commands are shown before they are expanded
# shellcheck source=tests/vm/guest/guest.sh
. /lib/guest.sh

title() { printf '\n\n==== %s ====\n' "$*"; }
note() { printf '\n%s\n' "$*"; }

# root and alice 'COMMAND': shows it as it would be typed, runs it, tells a status that is not 0.
root() { typed '#' env "$@"; }
alice() { typed '$' guest_run_as alice "$@"; }
typed() {
        local sign=$1 command=${*: -1} status=0
        shift
        printf '\n%s %s\n' "${sign/\$/alice\$}" "$command"
        "${@:1:$#-1}" bash -c "$command" 2>&1 || status=$?
        [ "$status" = 0 ] || printf '[exit status %s]\n' "$status"
}

start_service() {
        printf '\n# %s\n' '/usr/libexec/aegisd &'
        echo '(The kernel verifies the programs: some seconds on an emulated processor.)'
        /usr/libexec/aegisd >>/run/aegisd.log 2>&1 &
        aegisd=$!
        mkdir -p /sys/fs/cgroup/aegisd
        echo "$aegisd" >/sys/fs/cgroup/aegisd/cgroup.procs
        guest_wait_name org.aegis.Enforcer 180 || {
                cat /run/aegisd.log
                exit 1
        }
}

# What the demo is about: a file, its neighbour, two web servers and a policy.
mkdir -p /srv/data /srv/www
echo 'the secret' >/srv/data/secret
echo 'not secret' >/srv/data/neighbour
echo 'hello from the web' >/srv/www/index.html
httpd -p 127.0.0.1:8080 -h /srv/www
httpd -p 127.0.0.1:8443 -h /srv/www
cd /srv || exit 1
chmod 755 /srv /srv/data
cat >demo.policy <<'END'
version=1

[deny_path]
/srv/data/secret

[deny_ip_port]
127.0.0.1:8443:tcp

[deny_port]
9999:any:bind
5353:udp:egress
END
sed 's/8443:tcp/8443:tpc/; s/^9999.*/99999/' demo.policy >faulty.policy
guest_start_bus && guest_start_polkit || exit 1

title 'The machine'
root 'uname -r'
root 'cat /sys/kernel/security/lsm; echo'
root 'cat /srv/demo.policy'
note 'Before: everything is open.'
alice 'cat /srv/data/secret'
alice 'wget -q -O - http://127.0.0.1:8443/'

title '1. aegisd starts, proves by a canary that the kernel denies, takes its name'
start_service
root 'cat /run/aegisd.log'
root 'aegis-client status'
root 'busctl --system tree org.aegis.Enforcer'

title '2. A policy over D-Bus; polkit decides who may'
apply='busctl --system call org.aegis.Enforcer /org/aegis/Enforcer org.aegis.Enforcer.Manager \
        Apply ssasta{sv} demo "$(cat /srv/demo.policy)" 0 18446744073709551615 0'
alice "$apply"
note 'Refused; nothing has changed:'
alice 'cat /srv/data/secret'
note 'With a polkit rule that lets alice apply policies, the same call succeeds:'
rule='polkit.addRule(function(action, subject) {
        if (action.id == "org.aegis.enforcer.apply-policy" && subject.user == "alice")
                return polkit.Result.YES;
});'
guest_put_rule 50-demo.rules <<<"$rule"
root 'cat /etc/polkit-1/rules.d/50-demo.rules'
alice "$apply"
note 'Root needs no rule; an equal document changes nothing (the answer begins with false):'
root "$apply"

title '3. The kernel refuses'
root 'aegis-client hooks'
alice 'cat /srv/data/secret'
root 'cat /srv/data/secret'
root 'mv /srv/data/secret /srv/data/renamed'
alice 'cat /srv/data/neighbour'
alice 'wget -q -O - http://127.0.0.1:8443/'
alice 'wget -q -O - http://127.0.0.1:8080/'
alice 'httpd -f -p 127.0.0.1:9999'
alice 'echo question >/dev/udp/127.0.0.1/5353'
note 'In audit mode it is recorded, and allowed:'
root 'aegis-client mode audit'
alice 'cat /srv/data/secret'
root 'aegis-client mode enforce'
alice 'cat /srv/data/secret'
note 'A faulty document is refused whole, with every fault named; the old policy stays:'
root 'aegis-client apply --name=demo /srv/faulty.policy'
alice 'cat /srv/data/secret'
note 'So is one that was meant for another generation:'
root 'aegis-client apply --name=demo --expect=1000 /srv/demo.policy'

title '4. aegis-client'
root 'aegis-client policy show demo; echo'
sed 's,^/srv/data/secret,&\n/srv/data/neighbour,' demo.policy >wider.policy
root 'aegis-client plan --name=demo /srv/wider.policy'
aegis-client events --follow >/run/followed 2>&1 &
follower=$!
guest_run_as alice cat /srv/data/secret 2>/dev/null
sleep 1
kill "$follower"
printf '\n# aegis-client events --follow &\n'
tail -n 3 /run/followed
root 'aegis-client events --json | tail -n 2'
root 'aegis-client status --json'

title '5. The service guards itself from root'
root "kill -9 $aegisd"
root 'rm /run/aegis/bpf/abi3/link_file_open'
root 'umount -l /run/aegis/bpf'
root 'bpftool map dump pinned /run/aegis/bpf/abi3/data_hot'

title '6. Killed all the same, by its cgroup: the kernel goes on refusing; a new aegisd takes over'
root 'echo 1 >/sys/fs/cgroup/aegisd/cgroup.kill'
wait "$aegisd" 2>/dev/null
root 'busctl --system status org.aegis.Enforcer | head -n 1'
alice 'cat /srv/data/secret'
start_service
root 'aegis-client status'
alice 'cat /srv/data/secret'
alice 'cat /srv/data/neighbour'

root 'cat /run/aegisd.log'

title 'Done'
