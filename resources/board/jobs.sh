#!/bin/sh
# Long jobs that go on when the connection is gone. Runs on the board, in any POSIX sh.
#
#   sh jobs.sh ROOT start JOB < SCRIPT    start it, or find the one that runs or has ended just now
#   sh jobs.sh ROOT look JOB OFFSET       `running|died|ended STATUS`, a blank, size of err; then err from OFFSET on
#   sh jobs.sh ROOT out JOB               what it printed
#   sh jobs.sh ROOT stop JOB              end it and forget it
#
# Exit: 64 bad argument, 66 missing, 74 I/O or disk full.

set -u
umask 077
LC_ALL=C
export LC_ALL

die() {
    status=$1
    shift
    printf 'trimtab: %s\n' "$*" >&2
    exit "$status"
}

boot_id() {
    if [ -r /proc/sys/kernel/random/boot_id ]; then cat /proc/sys/kernel/random/boot_id; else echo noboot; fi
}

started() { # PID: when it started, so that a number used again is not taken for the job
    { read -r line <"/proc/$1/stat"; } 2>/dev/null || { echo gone && return; }
    # shellcheck disable=SC2086 # words are wanted
    set -- ${line##*) }
    [ "$1" != Z ] || set --
    echo "${20:-gone}"
}

size_of() {
    # shellcheck disable=SC2046 # wc pads with blanks
    set -- $(wc -c <"$1")
    printf '%s' "$1"
}

state() {
    if [ -f "$folder/rc" ]; then
        read -r code <"$folder/rc" && echo "ended $code" && return
    fi
    { read -r boot pid since <"$folder/owner"; } 2>/dev/null || { echo running && return; }
    if [ "$boot" = "$(boot_id)" ] && [ "$(started "$pid")" = "$since" ]; then
        echo running
    elif [ -f "$folder/rc" ]; then # it ended while we looked
        read -r code <"$folder/rc" && echo "ended $code"
    else
        echo died
    fi
}

stale() { # of an earlier boot, or ended over an hour ago: what it found is not of now
    { read -r boot _ <"$folder/owner"; } 2>/dev/null || return 1
    [ "$boot" = "$(boot_id)" ] || return 0
    [ -f "$folder/rc" ] && [ -n "$(find "$folder/rc" -mmin +60 2>/dev/null)" ]
}

detached() { # COMMAND ...: in a session of its own, where the board can
    if command -v setsid >/dev/null 2>&1; then
        setsid "$@"
    else
        trap '' HUP
        "$@"
    fi
}

do_start() {
    if [ -d "$folder" ]; then
        said=$(state)
        if [ "$said" != died ] && ! stale; then
            cat >/dev/null
            echo again
            return
        fi
        rm -rf "$folder"
    fi
    mkdir -p "$folder" || die 74 "cannot make $folder"
    cat >"$folder/script" || die 74 "cannot write $folder/script"
    : >"$folder/err"
    # `exec`, as a redirected function keeps copies of what it redirects, and the caller would wait for them.
    (
        exec </dev/null >/dev/null 2>&1
        detached sh "$0" start-self "$folder"
    ) &
    echo started
}

run_self() { # in the job's own session
    echo "$(boot_id) $$ $(started $$)" >"$folder/owner.new"
    mv "$folder/owner.new" "$folder/owner"
    sh "$folder/script" </dev/null >"$folder/out" 2>"$folder/err"
    echo $? >"$folder/rc.new"
    mv "$folder/rc.new" "$folder/rc"
}

do_look() { # OFFSET
    case $1 in '' | *[!0-9]*) die 64 "not a number: $1" ;; esac
    [ -d "$folder" ] || die 66 "no job there"
    said=$(state)
    size=$(size_of "$folder/err")
    echo "$said $size"
    [ "$size" -le "$1" ] || tail -c "+$(($1 + 1))" "$folder/err" | head -c "$((size - $1))"
}

do_stop() {
    if [ -f "$folder/owner" ] && [ "$(state)" = running ]; then
        read -r boot pid since <"$folder/owner"
        kill -s TERM -- "-$pid" 2>/dev/null || kill -s TERM "$pid" 2>/dev/null
    fi
    rm -rf "$folder"
}

if [ "${1:-}" = start-self ]; then
    folder=${2:?}
    run_self
    exit
fi
[ $# -ge 3 ] || die 64 "usage: jobs.sh ROOT VERB JOB [OFFSET]"
case $3 in '' | .* | -* | *[!A-Za-z0-9._-]*) die 64 "not a usable name: $3" ;; esac
folder=${1%/}/jobs/$3
case $2 in
start) do_start ;;
look) do_look "${4:-0}" ;;
out) cat "$folder/out" ;;
stop) do_stop ;;
*) die 64 "unknown verb: $2" ;;
esac
