#!/bin/sh
# Keeps the active release running, whatever becomes active: restarts it when the pointer moves or it ends.
# Every start asks `release.sh ROOT boot`, so an unconfirmed release that keeps dying goes back by itself.
#
#   sh serve.sh ROOT RUNNER LIBRARY       goes on until it is ended; health in ROOT/health, socket ROOT/socket

set -u
umask 077
LC_ALL=C
export LC_ALL
root=${1:?usage: serve.sh ROOT RUNNER LIBRARY}
runner=${2:?}
library=${3:?}
child=
trap '[ -z "$child" ] || kill "$child" 2>/dev/null; exit 0' HUP INT TERM

active() {
    { read -r current _ <"$root/active"; } 2>/dev/null || current=-
    echo "$current"
}

serve() { # FOLDER: until it ends, or another release is active
    set -- "$1" "$library" --serve "$root/health"
    [ ${#root} -gt 90 ] || set -- "$@" --socket "$root/socket" # a socket's path is short
    "$runner" "$@" >/dev/null 2>"$root/serve.log" </dev/null &
    child=$!
    while sleep 1 && kill -0 "$child" 2>/dev/null; do
        [ "$(active)" = "${1##*/}" ] || kill "$child" 2>/dev/null
    done
    wait "$child"
    child=
}

while :; do
    if folder=$(sh "$root/bin/release.sh" "$root" boot); then serve "$folder"; else sleep 5; fi
done
