# SPDX-License-Identifier: LGPL-2.1-or-later
# fish completion for aegis-policy(1); a test holds it equal to the program's tables.
set -l commands lint fmt diff convert test keygen sign verify

complete -c aegis-policy -n "not __fish_seen_subcommand_from $commands" -f
complete -c aegis-policy -n "not __fish_seen_subcommand_from $commands" -a lint -d 'every fault and doubt, with its place'
complete -c aegis-policy -n "not __fish_seen_subcommand_from $commands" -a fmt -d 'the documents in their canonical form'
complete -c aegis-policy -n "not __fish_seen_subcommand_from $commands" -a diff -d 'what differs in meaning'
complete -c aegis-policy -n "not __fish_seen_subcommand_from $commands" -a convert -d 'the document in version 7'
complete -c aegis-policy -n "not __fish_seen_subcommand_from $commands" -a test -d 'which rule decides an access'
complete -c aegis-policy -n "not __fish_seen_subcommand_from $commands" -a keygen -d 'a pair of keys to sign with'
complete -c aegis-policy -n "not __fish_seen_subcommand_from $commands" -a sign -d 'a signature beside each file'
complete -c aegis-policy -n "not __fish_seen_subcommand_from $commands" -a verify -d 'whether each is what was signed'

complete -c aegis-policy -s h -l help -d 'show the help'
complete -c aegis-policy -l version -d 'show the version'
complete -c aegis-policy -n '__fish_seen_subcommand_from lint diff test verify' -s j -l json -d 'print JSON'
complete -c aegis-policy -n '__fish_seen_subcommand_from lint' -l strict -d 'warnings count like faults'
complete -c aegis-policy -n '__fish_seen_subcommand_from fmt' -s w -l write -d 'write the files anew'
complete -c aegis-policy -n '__fish_seen_subcommand_from fmt' -l check -d 'print the names of those that would change'
complete -c aegis-policy -n '__fish_seen_subcommand_from convert' -s o -l output -r -d 'write there'
complete -c aegis-policy -n '__fish_seen_subcommand_from test' -l path -r -d 'the file that is used'
complete -c aegis-policy -n '__fish_seen_subcommand_from test' -l access -x -a 'read write exec map create delete link attr' -d 'how it is used'
complete -c aegis-policy -n '__fish_seen_subcommand_from test' -l net -x -d 'operation, address, port and protocol'
complete -c aegis-policy -n '__fish_seen_subcommand_from test' -l kernel -x -a 'ptrace module bpf mount kexec' -d 'what of the kernel is used'
complete -c aegis-policy -n '__fish_seen_subcommand_from test' -l uid -x -d 'by whom'
complete -c aegis-policy -n '__fish_seen_subcommand_from test' -l gid -x -d 'by which group'
complete -c aegis-policy -n '__fish_seen_subcommand_from test' -l exe -r -d 'by which program'
complete -c aegis-policy -n '__fish_seen_subcommand_from test' -l cgroup -x -d 'in which cgroup'
complete -c aegis-policy -n '__fish_seen_subcommand_from test' -l verified -d 'with a verified identity'
complete -c aegis-policy -n '__fish_seen_subcommand_from keygen sign' -s s -l secret-key -r -d 'the key to sign with'
complete -c aegis-policy -n '__fish_seen_subcommand_from keygen verify' -s p -l public-key -r -d 'the key to verify with'
complete -c aegis-policy -n '__fish_seen_subcommand_from sign' -s t -l trusted-comment -x -d 'what is signed along'
complete -c aegis-policy -n '__fish_seen_subcommand_from keygen' -s W -l no-password -d 'do not encrypt the secret key'
