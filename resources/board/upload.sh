#!/bin/sh
# The verbs of release.sh by which bytes get into ROOT/incoming; read by release.sh, which has the rest.
# shellcheck shell=sh disable=SC2034,SC2154 # release.sh sets and reads some

do_space() { # KIB: refuse where less than 1.1 times that is free
    need 1
    plain_number "$1"
    free=$(free_kib) || die 74 "cannot tell how much space is free"
    plain_number "$free"
    wanted=$(($1 + $1 / 10))
    [ "$free" -ge "$wanted" ] || die 74 "$free KiB free, $wanted KiB needed"
    echo "$free"
}

do_size() { # ID NAME: bytes that are there already
    need 2
    file=$root/incoming/$1/$2
    if [ -f "$file" ]; then size_of "$file"; else printf 0; fi
    echo
}

do_digest() { # ID NAME BYTES: sha256 of that many first bytes
    need 3
    plain_number "$3"
    [ -f "$root/incoming/$1/$2" ] || die 66 "no file $2"
    sum_of "$root/incoming/$1/$2" "$3"
    echo
}

do_reset() { # ID NAME: start this file over
    need 2
    rm -f "$root/incoming/$1/$2" "$root/incoming/$1/.$2.sum" || die 74 "cannot delete $2"
}

do_put() { # ID NAME OFFSET [COMING]: append standard input, so many bytes where told; gives the new size
    [ "$given" -eq 4 ] || need 3
    plain_number "$3"
    plain_number "${4:-0}"
    mkdir -p "$root/incoming/$1" || die 74 "cannot make a folder"
    take put "$1"
    file=$root/incoming/$1/$2
    at=0
    [ ! -f "$file" ] || at=$(size_of "$file")
    [ "$at" = "$3" ] || die 65 "$2 has $at bytes, not $3"
    : >>"$file" || die 74 "cannot write $2"
    sync_meanwhile "$file"
    record=$root/incoming/$1/.$2.sum
    case ${4:-} in ????????*) hash_meanwhile "$file" "$record" ;; esac
    # In the background, so that a signal is heard at once and not when the sender next says something.
    exec 3<&0
    cat <&3 >>"$file" &
    pouring=$!
    wait "$pouring" || die 74 "cannot write $2; is the disk full?"
    pouring=
    (
        exec </dev/null >/dev/null 2>&1
        sync_file "$file"
    ) &
    case ${4:-} in ????????*) hashed "$file" "$record" ;; esac
    size_of "$file"
    echo
}

sync_meanwhile() { # FILE: written out every second while more comes, so that a cut takes little and no cache fills up
    (
        exec </dev/null >/dev/null 2>&1
        # Ends by itself, and is no job of ours: bash may lose one that it kills ("No record of process").
        while sleep 1 && kill -0 $$; do sync_file "$1"; done &
    )
}

# What is hashed while it comes need not be read again by `commit`: RECORD tells `recorded` what it asks for.
# The file itself is read, not the stream: the digest is of what the file system gives back.

hash_meanwhile() { # FILE RECORD
    rm -f "$2" "$2".*
    quick_hasher
    follow "$1" "$2.end" 2>/dev/null | $hasher >"$2.new" 2>/dev/null &
    hashing=$!
}

follow() { # FILE END: its bytes as they come, until the file END appears
    done=0
    until [ -f "$2" ]; do
        sleep 0.2 || sleep 1
        kill -0 $$ || exit
        now=$(($(size_of "$1") / 1048576))
        [ "$now" -le "$done" ] || dd if="$1" bs=1048576 skip="$done" count=$((now - done))
        done=$now
    done
    dd if="$1" bs=1048576 skip="$done"
}

hashed() { # FILE RECORD: all of it is there
    : >"$2.end"
    if wait "$hashing" && read -r digest _ <"$2.new"; then
        printf '%s %s %s\n' "$digest" "$(size_of "$1")" "$(boot_id)" >"$2.now" && mv "$2.now" "$2"
    fi
    rm -f "$2".*
}

do_splice() { # ID NAME: build a file as ID.delta/plan says, from pieces of releases and of ID.delta/new
    need 2
    take put "$1"
    parts=$root/incoming/$1.delta
    [ -f "$parts/plan" ] || die 66 "no plan"
    mkdir -p "$root/incoming/$1" || die 74 "cannot make a folder"
    rm -f "$root/incoming/$1/$2" "$root/incoming/$1/.$2.sum"
    while read -r from first count; do
        plain_number "$first"
        plain_number "$count"
        piece=$parts/new
        [ "$from" = - ] || { plain_name "$from" && piece=$root/releases/$from/$2; }
        [ -f "$piece" ] || die 66 "no file $piece"
        tail -c "+$first" "$piece" | head -c "$count" >>"$root/incoming/$1/$2" || die 74 "cannot write $2"
    done <"$parts/plan"
    sync_file "$root/incoming/$1/$2"
    rm -rf "$parts"
}

do_takeover() { # ID: end an upload of the same release whose sender went away without a word
    need 1
    boot=$(boot_id)
    owner=$(readlink "$root/put" 2>/dev/null) || return 0
    [ "${owner##*:}" = "$1" ] && owner_lives "$owner" || return 0
    kill "$pid" 2>/dev/null
    waited=0
    while owner_lives "$owner" && [ "$waited" -lt "$LOCK_WAIT" ]; do
        waited=$((waited + 1))
        sleep 1
    done
}
