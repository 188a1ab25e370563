# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What tools/check and tools/demo share: what has to be installed, and how steps are told.

tools_dir=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
root=$(dirname "$tools_dir")
export LC_ALL=C.UTF-8
# clang-format, mkfs.ext4 and others are not on every user's path.
PATH=$PATH:/usr/sbin:/sbin

say() { printf '%s\n' "$*"; }
die() {
        printf '%s\n' "${0##*/}: $2" >&2
        exit "$1"
}

# Prints the head comment of the calling script: its manual.
usage() { sed -n '3,/^$/s/^# \{0,1\}//p' "$0"; }

# run_step TITLE LOG COMMAND...: says what runs and how long it took; on a terminal also while it does.
# What the command says goes to LOG. Its status is returned.
run_step() {
        local title=$1 log=$2 start=$SECONDS ticker='' status=0
        shift 2
        printf '%-58s' "$title"
        if [ -t 1 ]; then
                while sleep 1; do printf '\r%-58s%d s' "$title" "$((SECONDS - start))"; done &
                ticker=$!
                # shellcheck disable=SC2064 # this ticker
                trap "kill $ticker 2>/dev/null" EXIT
        fi
        "$@" </dev/null >"$log" 2>&1 || status=$?
        if [ -n "$ticker" ]; then
                kill "$ticker"
                wait "$ticker" 2>/dev/null || :
                trap - EXIT
                printf '\r%-58s' "$title"
        fi
        if [ "$status" = 0 ]; then say "ok      $((SECONDS - start)) s"; else say "FAILED  $((SECONDS - start)) s"; fi
        return "$status"
}

# show_log LOG: the end of it, or of a build what failed.
show_log() {
        { grep -A 15 '^FAILED:' "$1" || tail -n 60 "$1"; } | head -n 100 | sed 's/^/    /'
}

# missing_packages WHO...: those of tools/packages for WHO that are not installed.
missing_packages() {
        local name who
        while read -r name who _; do
                [[ $name != '#'* && " $* " == *" $who "* ]] || continue
                [[ $(dpkg-query -W -f '${db:Status-Abbrev}' "$name" 2>/dev/null) == ii* ]] || echo "$name"
        done <"$tools_dir/packages"
}

# True where there is somebody to ask.
is_interactive() { [ -t 0 ] && [ -t 2 ] && [ "${CI:-}" != true ]; }

apt_as_root() {
        local sudo=()
        if [ "$(id -u)" != 0 ]; then
                command -v sudo >/dev/null || die 1 'installing packages wants root, or sudo'
                sudo=(sudo)
                is_interactive || sudo+=(-n)
        fi
        "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0 "$@"
}

# install_packages WHO...: nothing where all is there; asks first on a terminal.
install_packages() {
        local missing answer log=$root/build/packages.log
        command -v apt-get >/dev/null || die 1 'this wants Debian 12 or newer; tools/packages lists what is needed'
        mapfile -t missing < <(missing_packages "$@")
        [ "${#missing[@]}" -gt 0 ] || return 0
        say "Packages to install: ${missing[*]}"
        if is_interactive; then
                read -r -p 'Install them with apt? [Y/n] ' answer
                [[ ${answer:-y} == [Yy]* ]] || die 1 'nothing was installed'
        fi
        # asks for the password before the output goes to the log
        [ "$(id -u)" = 0 ] || ! is_interactive || sudo -v || die 1 'installing packages wants root, or sudo'
        mkdir -p "$root/build"
        if ! run_step "install ${#missing[@]} packages (the log is build/packages.log)" "$log" \
                install_these "${missing[@]}"; then
                show_log "$log"
                die 1 'the packages could not be installed'
        fi
}
install_these() { apt_as_root update && apt_as_root install -y --no-install-recommends "$@"; }

# setup_folder NAME [MESON OPTION]...: build/NAME, if it is not there yet.
setup_folder() {
        local folder=$root/build/$1
        shift
        [ ! -e "$folder/build.ninja" ] || return 0
        rm -rf "$folder"
        meson setup "$folder" "$root" "$@"
}

# build_folder NAME [MESON OPTION]...: sets build/NAME up and builds all of it that can be built.
build_folder() { setup_folder "$@" && ninja -C "$root/build/$1" -k 0; }
