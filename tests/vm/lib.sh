# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What the scripts of tests/vm share: where things are kept, how a tree of programs and their
# libraries is gathered, how it becomes a cpio archive, where Debian is to be had. Sourced, never
# run.

vm_dir=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
vm_root=$(dirname "$(dirname "$vm_dir")")
# The system programs (modinfo, mkfs.ext4) are not on every user's path.
PATH=$PATH:/usr/sbin:/sbin

say() { printf '%s\n' "${0##*/}: $*" >&2; }
die() {
        say "$2"
        exit "$1"
}

# Prints the head comment of the calling script: its manual.
usage() { sed -n '3,/^$/s/^# \{0,1\}//p' "$0"; }

# Kernels and images are kept here and used again.
vm_cache() {
        local dir=$vm_root/build/vm
        [ -z "${XDG_CACHE_HOME:-}" ] || dir=$XDG_CACHE_HOME/aegis-enforcer
        mkdir -p "$dir"
        echo "$dir"
}

# closure_list FILE...: each file with the links that lead to it, and for programs their shared
# libraries, one absolute path a line. Folders stand for the files in them. Paths are as they are
# where /bin and /lib are links into /usr.
closure_list() {
        local list programs
        mapfile -t list < <(trail_list "$@" | sort -u)
        mapfile -t programs < <(elf_list "${list[@]}")
        { printf '%s\n' "${list[@]}" && library_list "${programs[@]}"; } | sort -u
}

# A file, and if it is a link, what it leads to, step by step.
trail_list() {
        local file target
        for file; do
                if [ -d "$file" ]; then
                        find "$(realpath "$file")" -type f
                        continue
                fi
                while :; do
                        file=$(realpath "${file%/*}")/${file##*/}
                        echo "$file"
                        [ -L "$file" ] || break
                        target=$(readlink "$file")
                        case $target in
                        /*) file=$target ;;
                        *) file=${file%/*}/$target ;;
                        esac
                done
        done
}

# True for a program or a library; data files are not asked for their libraries.
is_elf() {
        local LC_ALL=C magic
        IFS= read -r -N 4 magic <"$1" && [ "$magic" = $'\x7fELF' ]
} 2>/dev/null

# Those of the files that are programs or libraries and no links.
elf_list() {
        local file
        for file; do
                if [ ! -L "$file" ] && is_elf "$file"; then echo "$file"; fi
        done
}

# The libraries of all the programs given; a static program has none.
library_list() {
        local libraries
        [ $# -gt 0 ] || return 0
        mapfile -t libraries < <({ ldd "$@" 2>/dev/null || :; } | { grep -oE '[[:space:]]/[^ :]+ \(' || :; } |
                tr -d ' \t(' | sort -u)
        [ "${#libraries[@]}" = 0 ] || trail_list "${libraries[@]}" | sort -u
}

# cpio_pack DIR: the tree as a cpio archive on the standard output, everything owned by root.
# Archives can be put one after the other: the kernel unpacks them all.
cpio_pack() {
        (cd "$1" && find . -mindepth 1 -print0 | LC_ALL=C sort -z |
                cpio --null --create --format=newc --owner=0:0 --reproducible --quiet)
}

# The first http(s), file or cdrom address the machine takes Debian itself from: deb822 files, then
# one-line files. Suites of other vendors' repositories are not Debian's.
machine_mirror() {
        local files=(/etc/apt/sources.list.d/*.sources /etc/apt/sources.list /etc/apt/sources.list.d/*.list)
        local file
        for file in "${files[@]}"; do
                [ -r "$file" ] || continue
                case $file in
                *.sources) mirror_of_deb822 "$file" ;;
                *) mirror_of_lines "$file" ;;
                esac
        done | grep -v -e security -e '^$' | head -n 1
}

debian_release='^(bookworm|trixie|forky|sid|stable|testing|unstable|oldstable)$'
mirror_of_deb822() {
        awk -v release="$debian_release" '
                function finish() {
                        if (types ~ /(^| )deb( |$)/ && enabled != "no" && debian) print uri
                        types = uri = enabled = ""; debian = 0
                }
                /^[[:space:]]*$/ { finish(); next }
                tolower($1) == "types:" { $1 = ""; types = $0 }
                tolower($1) == "uris:" { uri = $2 }
                tolower($1) == "enabled:" { enabled = tolower($2) }
                tolower($1) == "suites:" { for (i = 2; i <= NF; i++) if ($i ~ release) debian = 1 }
                END { finish() }' "$1"
}

mirror_of_lines() {
        awk -v release="$debian_release" '
                $1 == "deb" {
                        line = $0; sub(/^deb[[:space:]]+(\[[^]]*\])?[[:space:]]*/, "", line)
                        split(line, part, /[[:space:]]+/)
                        if (part[2] ~ release) print part[1]
                }' "$1"
}
