# What is this board? Prints key=value lines; read-only, never sudo, every read may fail.
# Fed to `sh -s -- PREFIX`: PREFIX stands before /proc, /sys, /etc, /dev and /usr, which makes it testable.
# shellcheck shell=sh

set -u
LC_ALL=C
export LC_ALL
at=${1:-}

say() { # KEY VALUE
    # shellcheck disable=SC2086 # blanks and line ends become single blanks
    set -- "$1" "$(set -f && echo ${2:-})"
    printf '%s=%s\n' "$1" "$2"
}

text_of() { # FILE: also drops the zero bytes that end device-tree strings
    [ -r "$at$1" ] && tr -d '\000' <"$at$1" 2>/dev/null
}

field() { # NAME FILE: first `NAME : value`
    [ -r "$at$2" ] && sed -n "s/^$1[[:space:]]*:[[:space:]]*//p" "$at$2" 2>/dev/null | head -n 1
}

each() { # NAME FILE: every different value
    [ -r "$at$2" ] && sed -n "s/^$1[[:space:]]*:[[:space:]]*//p" "$at$2" 2>/dev/null | sort -u
}

os_value() { # KEY
    [ -r "$at/etc/os-release" ] && sed -n "s/^$1=//p" "$at/etc/os-release" | tr -d '"' | head -n 1
}

cores() {
    if [ -n "$at" ] || ! getconf _NPROCESSORS_ONLN 2>/dev/null; then
        grep -c '^processor' "$at/proc/cpuinfo" 2>/dev/null
    fi
}

libc() {
    found=$(getconf GNU_LIBC_VERSION 2>/dev/null) && [ -n "$found" ] && echo "$found" && return
    for file in /lib/ld-musl-*; do
        [ ! -e "$file" ] || { "$file" 2>&1 | sed -n 's/^Version /musl /p'; return; }
    done
}

libstdcxx() {
    for file in "$at"/usr/lib/*/libstdc++.so.6 "$at"/usr/lib/libstdc++.so.6 "$at"/usr/lib64/libstdc++.so.6 \
        "$at"/lib/*/libstdc++.so.6; do
        [ ! -e "$file" ] || { basename "$(readlink -f "$file")" | sed 's/^libstdc++.so.//'; return; }
    done
}

temperatures() { # type:millidegrees:lowest trip
    for zone in "$at"/sys/class/thermal/thermal_zone*; do
        [ -r "$zone/temp" ] || continue
        printf '%s:%s:%s ' "$(cat "$zone/type" 2>/dev/null)" "$(cat "$zone/temp" 2>/dev/null)" \
            "$(cat "$zone"/trip_point_*_temp 2>/dev/null | sort -n | head -n 1)"
    done
}

rails() {
    for file in "$at"/sys/class/hwmon/hwmon*/power*_input "$at"/sys/class/hwmon/hwmon*/in*_label; do
        [ ! -r "$file" ] || printf '%s ' "${file#"$at"}"
    done
}

nodes() { # accelerators that announce themselves as a device
    for file in "$at"/dev/hailo* "$at"/dev/apex_* "$at"/dev/rknpu* "$at"/dev/accel/accel* "$at"/dev/ethosu*; do
        [ ! -e "$file" ] || printf '%s ' "${file#"$at"}"
    done
    [ ! -e "$at/sys/kernel/debug/rknpu" ] || printf 'rknpu '
}

rapl() {
    for file in "$at"/sys/class/powercap/intel-rapl:*/energy_uj; do
        [ ! -r "$file" ] || printf '%s ' "${file#"$at"}"
    done
}

bits() { # of the programs, not of the kernel
    getconf LONG_BIT 2>/dev/null && return
    case $(head -c 5 /bin/sh 2>/dev/null | tail -c 1 | od -An -tu1 2>/dev/null) in
    *1) echo 32 ;;
    *2) echo 64 ;;
    esac
}

frequency() { # NAME: of the first core, kHz
    text_of "/sys/devices/system/cpu/cpu0/cpufreq/$1"
}

emulated() {
    # A virtual machine on its own kind of CPU runs at full speed; KVM leaves its clock behind as a sign.
    case $(text_of /sys/devices/system/clocksource/clocksource0/available_clocksource)$(cat "$at"/sys/class/ptp/ptp*/clock_name 2>/dev/null) in
    *kvm* | *KVM*) return ;;
    esac
    case $(text_of /sys/class/dmi/id/sys_vendor)$(text_of /proc/device-tree/compatible)$(field 'model name' /proc/cpuinfo) in
    *QEMU* | *qemu* | *dummy-virt*) echo qemu && return ;;
    esac
    # Under qemu-user the interpreter is what really runs, whatever the kernel says.
    # It shows the true name to children only.
    # shellcheck disable=SC2016
    [ -z "$at" ] && sh -c 'readlink "/proc/$PPID/exe"' 2>/dev/null | sed -n 's/.*\(qemu-[a-z0-9_]*\).*/\1/p'
}

say model "$(text_of /proc/device-tree/model || text_of /sys/class/dmi/id/product_name)"
say machine "$(uname -m)"
say kernel "$(uname -sr)"
say bits "$(bits)"
say cpu "$(field 'model name' /proc/cpuinfo) $(field Hardware /proc/cpuinfo)"
say parts "$(each 'CPU part' /proc/cpuinfo)"
say features "$(field Features /proc/cpuinfo) $(field flags /proc/cpuinfo) $(field isa /proc/cpuinfo)"
say cores "$(cores)"
say frequency_khz "$(frequency scaling_cur_freq)"
say allowed_khz "$(frequency scaling_max_freq)"
say most_khz "$(frequency cpuinfo_max_freq)"
say governor "$(frequency scaling_governor)"
say memory_kib "$(field MemTotal /proc/meminfo)"
say free_kib "$(field MemAvailable /proc/meminfo)"
say disk_kib "$(df -Pk . 2>/dev/null | tail -n 1 | sed -n 's/.* \([0-9][0-9]*\)  *[0-9][0-9]*%.*/\1/p')"
say os "$(os_value PRETTY_NAME)"
say os_id "$(os_value ID)"
say libc "$(libc)"
say libstdcxx "$(libstdcxx)"
say busybox "$(busybox 2>/dev/null | sed -n '1s/^BusyBox v\([^ ]*\).*/\1/p')"
say thermal "$(temperatures)"
say throttled "$(vcgencmd get_throttled 2>/dev/null | sed 's/^throttled=//')"
say rails "$(rails)"
say rapl "$(rapl)"
say jetson "$(text_of /etc/nv_tegra_release | head -n 1)"
say power_mode "$(nvpmodel -q 2>/dev/null | sed -n 's/^NV Power Mode: *//p')"
say nodes "$(nodes)"
say load "$(text_of /proc/loadavg)"
say emulated "$(emulated)"
say boot "$(text_of /proc/sys/kernel/random/boot_id)"
say clock "$(date +%s 2>/dev/null)"
say root "$(id -u 2>/dev/null)"
