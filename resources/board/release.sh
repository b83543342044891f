#!/bin/sh
# Releases that survive a power cut. Runs on the board: any POSIX sh with coreutils or BusyBox, nothing else.
#
#   sh release.sh ROOT VERB [ARGUMENT ...]
#
# ROOT/incoming/ID   a release on its way, may be half there      ROOT/releases/ID   complete and verified
# ROOT/active        one line: CURRENT PREVIOUS TRIES FAILED      ROOT/trash         being deleted
# ROOT/shared/ID     a program or library that releases share
#
# TRIES counts the starts of an unconfirmed release, or is `ok` once it is confirmed. PREVIOUS is the last
# confirmed one. `-` stands for none. One line, because two files can disagree after a cut.
#
# Exit: 64 bad argument, 65 wrong data, 66 missing, 73 cannot write, 74 I/O or disk full, 75 locked, 77 signature.

set -u
umask 077
LC_ALL=C
export LC_ALL
STARTS=3
LOCK_WAIT=${TRIMTAB_LOCK_WAIT:-10}
held=
pouring=

die() {
    status=$1
    shift
    printf 'trimtab: %s\n' "$*" >&2
    exit "$status"
}

need() { # COUNT: the verb takes exactly that many arguments
    [ "$given" -eq "$1" ] || die 64 "$verb takes $1 arguments, not $given"
}

plain_name() { # ids and file names can never leave their folder, nor look like an option
    case $1 in
    '' | .* | -* | *[!A-Za-z0-9._-]*) die 64 "not a usable name: $1" ;;
    esac
}

plain_number() {
    case $1 in
    '' | *[!0-9]*) die 64 "not a number: $1" ;;
    esac
}

# --- storage -------------------------------------------------------------------------------------------

sync_file() {
    dd if=/dev/null of="$1" conv=notrunc,fsync bs=1 count=0 2>/dev/null || sync
}

sync_dir() {
    sync "$1" 2>/dev/null || sync
}

write_line() { # FILE TEXT: the old line or the new one, never a stump
    printf '%s\n' "$2" >"$1.new.$$" 2>/dev/null || die 74 "cannot write $1"
    sync_file "$1.new.$$"
    mv -f "$1.new.$$" "$1" || die 74 "cannot replace $1"
    sync_dir "${1%/*}"
}

size_of() { # bytes, as text: arithmetic has 32 bits in some shells
    # shellcheck disable=SC2046 # wc pads with blanks, which splitting removes
    set -- $(wc -c <"$1")
    printf '%s' "$1"
}

sum_of() { # FILE [BYTES]: sha256 of it, or of its first bytes
    size=${2:-$(size_of "$1")}
    hasher=sha256sum
    case $size in ????????*) quick_hasher ;; esac
    # shellcheck disable=SC2046,SC2086 # words are wanted; the digest is the first one
    if [ $# -gt 1 ]; then set -- $(head -c "$2" "$1" | $hasher); else set -- $($hasher <"$1"); fi
    printf '%s' "${1:-}"
}

quick_hasher() { # OpenSSL uses the CPU's SHA instructions, as coreutils and BusyBox seldom do: six times as fast
    hasher=sha256sum
    case $(openssl dgst -sha256 -r </dev/null 2>/dev/null) in
    e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855*) hasher='openssl dgst -sha256 -r' ;;
    esac
}

recorded() { # FOLDER NAME: its sha256 as `put` wrote it down, if the file is the same since; else nothing
    { read -r known size boot <"$1/.$2.sum"; } 2>/dev/null || return 0
    [ "$boot" = "$(boot_id)" ] && [ "$size" = "$(size_of "$1/$2")" ] || return 0
    [ -z "$(find "$1/$2" -newer "$1/.$2.sum" 2>&1)" ] && printf '%s' "$known"
}

free_kib() {
    # shellcheck disable=SC2046 # words are wanted
    set -- $(df -Pk "$root" 2>/dev/null | tail -n 1)
    before=
    for word in "$@"; do
        case $word in
        *%)
            case $before in ??????????*) before=999999999 ;; esac # some shells count to 2^31 only
            printf '%s' "$before"
            return 0
            ;;
        esac
        before=$word
    done
    # shellcheck disable=SC2046
    set -- $(stat -f -c '%a %S' "$root" 2>/dev/null)
    [ $# -eq 2 ] || return 1
    if [ "$2" -ge 1024 ]; then printf '%s' $(($1 * ($2 / 1024))); else printf '%s' $(($1 / (1024 / $2))); fi
}

# --- lock ----------------------------------------------------------------------------------------------
# A symlink whose text is the owner: made in one step, so no cut leaves a lock without an owner.

boot_id() {
    if [ -r /proc/sys/kernel/random/boot_id ]; then cat /proc/sys/kernel/random/boot_id; else echo noboot; fi
}

started() { # PID: when it started, so that a number used again is not taken for the owner
    line=$(cat "/proc/$1/stat" 2>/dev/null) || line=
    [ -n "$line" ] || { echo 0 && return; }
    # shellcheck disable=SC2086 # words are wanted
    set -- ${line##*) }
    [ "$1" != Z ] || set -- # it is dead, and nobody has asked for its status
    echo "${20:-gone}"
}

owner_lives() { # BOOT:PID:STARTED:WORK
    pid=${1#*:}
    since=${pid#*:}
    since=${since%%:*}
    pid=${pid%%:*}
    [ "${1%%:*}" = "$boot" ] && kill -0 "$pid" 2>/dev/null && [ "$(started "$pid")" = "$since" ]
}

lock() { # FILE WORK
    boot=$(boot_id)
    waited=0
    until ln -s "$boot:$$:$(started $$):$2" "$1" 2>/dev/null; do
        owner=$(readlink "$1" 2>/dev/null) || owner=
        if [ -z "$owner" ]; then
            [ -w "${1%/*}" ] || die 73 "cannot write in ${1%/*}"
        elif ! owner_lives "$owner"; then
            break_lock "$1" "$owner"
            continue
        fi
        [ "$waited" -lt "$LOCK_WAIT" ] || die 75 "locked by $owner"
        waited=$((waited + 1))
        sleep 1
    done
}

break_lock() { # FILE OWNER: of a dead owner; put back what another one took meanwhile
    mv "$1" "$1.old.$$" 2>/dev/null || return 0
    moved=$(readlink "$1.old.$$" 2>/dev/null) || moved=
    [ "$moved" = "$2" ] || ln -s "$moved" "$1" 2>/dev/null
    rm -f "$1.old.$$"
}

unlock() {
    [ -z "$pouring" ] || kill "$pouring" 2>/dev/null
    pouring=
    for name in $held; do rm -f "$root/$name"; done
    held=
}

take() { # NAME [WORK]
    lock "$root/$1" "${2:-}"
    held="$held $1"
}

# --- the pointer ---------------------------------------------------------------------------------------

read_active() {
    current=- previous=- tries=0 failed=-
    if [ -r "$root/active" ]; then
        read -r current previous tries failed <"$root/active" || :
    fi
    current=${current:--} previous=${previous:--} tries=${tries:-0} failed=${failed:--}
}

write_active() { # CURRENT PREVIOUS TRIES FAILED
    write_line "$root/active" "$1 $2 $3 $4"
}

present() { # ID
    [ -f "$root/releases/$1/.complete" ] || die 66 "no release $1"
}

verify() { # FOLDER [believing]: every file that the manifest names, and no other; believing what `put` wrote down
    [ -f "$1/SHA256SUMS" ] || die 66 "no SHA256SUMS"
    names=' SHA256SUMS SHA256SUMS.sig '
    while read -r digest name; do
        plain_name "$name"
        names="$names$name "
        [ -f "$1/$name" ] || die 66 "no file $name"
        [ -z "${2:-}" ] || [ "$(recorded "$1" "$name")" != "$digest" ] || continue
        [ "$(sum_of "$1/$name")" = "$digest" ] || die 65 "$name is not what was sent"
    done <"$1/SHA256SUMS"
    for path in "$1"/*; do
        case $names in
        *" ${path##*/} "*) ;;
        *) die 65 "${path##*/} is not in SHA256SUMS" ;;
        esac
    done
}

signed() { # FOLDER: by somebody in ROOT/allowed_signers, where the board has that file
    [ -f "$root/allowed_signers" ] || return 0
    [ -f "$1/SHA256SUMS.sig" ] || die 77 "the release is not signed"
    command -v ssh-keygen >/dev/null 2>&1 || die 77 "no ssh-keygen here to check signatures with"
    ssh-keygen -Y verify -f "$root/allowed_signers" -I trimtab -n trimtab -s "$1/SHA256SUMS.sig" \
        <"$1/SHA256SUMS" >/dev/null 2>&1 || die 77 "the signature is not of an allowed signer"
}

discard() { # FOLDER: gone in one step, deleted afterwards
    mkdir -p "$root/trash"
    mv "$1" "$root/trash/$$.${1##*/}" || die 74 "cannot move $1"
    rm -rf "$root/trash/$$.${1##*/}"
}

# --- verbs ---------------------------------------------------------------------------------------------

do_init() { # make the folders, prove that they can be written, heal what a cut left
    need 0
    mkdir -p "$root/incoming" "$root/releases" 2>/dev/null || cannot_write
    (echo test >"$root/.test.$$") 2>/dev/null || cannot_write
    [ "$(cat "$root/.test.$$")" = test ] || die 74 "the storage does not give back what was written"
    rm -f "$root/.test.$$"
    take lock
    rm -f "$root"/active.new.* "$root"/lock.old.* "$root"/put.old.* "$root"/.test.* "$root"/releases/*/.proof.new.*
    for path in "$root"/releases/* "$root"/shared/*; do
        [ ! -d "$path" ] || [ -f "$path/.complete" ] || discard "$path"
    done
    rm -rf "$root/trash"
}

cannot_write() {
    rm -f "$root/.test.$$" 2>/dev/null
    [ "$(free_kib)" != 0 ] || die 74 "the disk is full"
    die 73 "cannot write in $root"
}

do_commit() { # ID MANIFEST_SHA256: verify everything, then the release appears in one step
    need 2
    accept releases "$@"
}

do_share() { # ID MANIFEST_SHA256: the same for a program or library that releases share
    need 2
    mkdir -p "$root/shared" || die 74 "cannot make a folder"
    accept shared "$@"
}

do_unshare() { # ID: a shared folder that no release needs
    need 1
    take lock
    [ ! -d "$root/shared/$1" ] || discard "$root/shared/$1"
}

accept() { # WHERE ID MANIFEST_SHA256
    take lock
    if [ -f "$root/$1/$2/.complete" ]; then
        [ "$(sum_of "$root/$1/$2/SHA256SUMS")" = "$3" ] || die 65 "another release has this id"
        return
    fi
    take put
    folder=$root/incoming/$2
    [ -f "$folder/SHA256SUMS" ] || die 66 "no SHA256SUMS"
    [ "$(sum_of "$folder/SHA256SUMS")" = "$3" ] || die 65 "SHA256SUMS is not what was sent"
    rm -f "$folder/.complete" "$folder"/.complete.new.*
    verify "$folder" believing
    signed "$folder"
    [ "$1" != shared ] || chmod u+x "$folder"/*
    for path in "$folder"/*; do sync_file "$path"; done
    rm -f "$folder"/.*.sum "$folder"/.*.sum.*
    write_line "$folder/.complete" "$(next_number)"
    mv "$folder" "$root/$1/$2" || die 74 "cannot rename"
    sync_dir "$root/$1"
    sync_dir "$root/incoming"
}

next_number() {
    most=0
    for path in "$root"/releases/*/.complete; do
        [ -f "$path" ] || continue
        read -r number <"$path" || :
        [ "${number:-0}" -le "$most" ] || most=$number
    done
    echo $((most + 1))
}

do_prove() { # ID TEXT: what the golden check said, one line
    need 2
    present "$1"
    take lock
    write_line "$root/releases/$1/.proof" "$2"
}

do_note() { # ID TEXT: when and by whom it was pushed, one line; the board's own clock may be wrong
    need 2
    present "$1"
    take lock
    write_line "$root/releases/$1/.pushed" "$2"
}

do_activate() { # ID: starts from now on use it, unconfirmed
    need 1
    present "$1"
    take lock
    verify "$root/releases/$1"
    signed "$root/releases/$1"
    read_active
    [ "$1" != "$current" ] || return 0
    [ "$tries" = ok ] && previous=$current
    [ "$previous" != "$1" ] || previous=-
    write_active "$1" "$previous" 0 -
}

do_confirm() { # ID
    need 1
    take lock
    read_active
    [ "$current" = "$1" ] || die 65 "active is $current, not $1"
    [ "$tries" = ok ] || write_active "$current" "$previous" ok -
}

go_back() {
    [ "$previous" != - ] || die 66 "no confirmed release to go back to"
    present "$previous"
    write_active "$previous" - ok "$current"
}

do_rollback() {
    need 0
    take lock
    read_active
    go_back
}

do_boot() { # the service calls this before each start; prints the folder of the release to start
    need 0
    take lock
    read_active
    [ "$current" != - ] || die 66 "nothing is active"
    if [ "$tries" != ok ]; then
        if [ "$tries" -lt "$STARTS" ]; then
            write_active "$current" "$previous" $((tries + 1)) "$failed"
        elif [ "$previous" != - ]; then
            go_back
        fi
        read_active
    fi
    present "$current"
    echo "$root/releases/$current"
}

do_delete() { # ID: which ones to keep is decided by the PC
    need 1
    take lock
    read_active
    [ "$1" != "$current" ] || die 65 "$1 is active"
    [ "$1" != "$previous" ] || die 65 "$1 is what a rollback goes back to"
    [ -d "$root/releases/$1" ] || [ -d "$root/incoming/$1" ] || die 66 "no release $1"
    for path in "$root/releases/$1" "$root/incoming/$1"; do
        [ ! -d "$path" ] || discard "$path"
    done
}

do_check() { # ID: verify a release once more
    need 1
    present "$1"
    verify "$root/releases/$1"
    signed "$root/releases/$1"
}

do_signers() { # from now on, only what these keys (standard input, as in allowed_signers) signed; empty: anything
    need 0
    take lock
    said=$(cat)
    if [ -n "$said" ]; then write_line "$root/allowed_signers" "$said"; else rm -f "$root/allowed_signers"; fi
}

do_status() {
    need 0
    read_active
    printf 'active=%s\nprevious=%s\ntries=%s\nfailed=%s\n' "$current" "$previous" "$tries" "$failed"
    for path in "$root"/releases/*; do
        [ -f "$path/.complete" ] || continue
        read -r number <"$path/.complete" || :
        proof=
        [ ! -f "$path/.proof" ] || read -r proof <"$path/.proof" || :
        # shellcheck disable=SC2046
        set -- $(du -sk "$path")
        printf 'release=%s %s %s %s\n' "${path##*/}" "$number" "$1" "$proof"
        [ ! -f "$path/.pushed" ] || printf 'pushed=%s\n' "$(cat "$path/.pushed")"
        [ ! -f "$path/meta.json" ] || printf 'meta=%s\n' "$(tr '\n' ' ' <"$path/meta.json")"
    done
    for path in "$root"/incoming/*; do
        [ ! -d "$path" ] || printf 'unfinished=%s\n' "${path##*/}"
    done
}

[ $# -ge 2 ] || die 64 "usage: release.sh ROOT VERB [ARGUMENT ...]"
root=${1%/}
verb=$2
shift 2
given=$#
case $verb in
size | digest | reset | put | splice) plain_name "${1:-}" && plain_name "${2:-}" ;;
takeover | commit | share | unshare | prove | note | activate | confirm | delete | check) plain_name "${1:-}" ;;
esac
case $0 in */*) here=${0%/*} ;; *) here=. ;; esac
case $verb in
space | size | digest | reset | put | splice | takeover)
    # shellcheck source=resources/board/upload.sh
    . "$here/upload.sh"
    ;;
esac
trap unlock EXIT
trap 'exit 74' HUP INT TERM
case $verb in
init | space | size | digest | reset | put | splice | takeover | commit | share | unshare | prove | note | activate | confirm | rollback | boot | delete | \
    check | signers | status)
    "do_$verb" "$@"
    ;;
*) die 64 "unknown verb: $verb" ;;
esac
