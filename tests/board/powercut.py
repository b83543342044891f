"""Pull the plug of an emulated machine after every step of the release protocol, by hand or at night.

    apt-get install qemu-system-x86 qemu-utils busybox-static cpio kmod e2fsprogs
    python tests/board/powercut.py [--rounds 1]

A Debian kernel with BusyBox alone confirms release A, then pushes B with the board's own script. After the
step named, qemu is killed with SIGKILL: the guest's page cache is lost, and so is what its disk had not been
told to flush, since qcow2 keeps the tables of newly written clusters in qemu's memory until then. The machine
is started again; what is active must be complete, verified and, once `activate` has answered, the new one.
Then the push goes on to its end. Prints a row per cut; the exit status is 1 where any row is bad.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "resources" / "board" / "release.sh"
KERNEL = "linux-image-cloud-amd64"
MODULES = ("virtio_pci", "virtio_blk", "ext4")
STEPS = ("init", "space", "half", "put", "manifest", "commit", "prove", "activate", "boot", "confirm")
SECONDS = 300
CODES = re.compile(r"\x1b(?:c|\[[?0-9;]*[A-Za-z])")  # what the firmware leaves ahead of the first line

INIT = """\
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in /modules/*; do insmod "$module"; done
while [ ! -b /dev/vda ]; do sleep 0.1; done
mount -t ext4 -o noatime /dev/vda /mnt || echo 'BAD the disk cannot be mounted'
for word in $(cat /proc/cmdline); do
    case $word in cut=*) cut=${word#cut=} ;; esac
done
. /story
poweroff -f
"""

STORY = """\
root=/mnt/trimtab
LARGE=10000000 # told to be so large, it is hashed while it comes
script() { sh /release.sh $root "$@" || echo "BAD $* gave $?"; }
sum() { set -- $(sha256sum); echo "$1"; }
step() {
    echo "STEP $1"
    [ "$cut" != "$1" ] || sleep 1000
}
manifest() {
    echo "$(sum </files/$1)  model.onnx" >/tmp_$1
    script reset $1 SHA256SUMS
    script put $1 SHA256SUMS 0 </tmp_$1 >/dev/null
}
commit() { script commit $1 "$(sum </tmp_$1)"; }
rest() { # what an earlier push left goes on
    [ ! -f $root/releases/B/.complete ] || return 0
    have=$(script size B model.onnx)
    tail -c +$((have + 1)) /files/B | script put B model.onnx $have $LARGE >/dev/null
    manifest B
    commit B
}
look() {
    script init
    read -r active previous tries failed <$root/active
    echo "ACTIVE $active $tries"
    for folder in $root/releases/*; do
        (cd $folder && [ -f .complete ] && sha256sum -c SHA256SUMS >/dev/null) || echo "BAD $folder"
    done
}
if [ "$cut" = look ]; then
    look
    rest
    script activate B
    script confirm B
    look
else
    script init
    script put A model.onnx 0 $LARGE </files/A >/dev/null
    manifest A && commit A
    script activate A && script confirm A
    half=$(($(wc -c </files/B) / 2))
    script init && step init
    script space 500 >/dev/null && step space
    head -c $half /files/B | script put B model.onnx 0 $LARGE >/dev/null
    step half
    tail -c +$((half + 1)) /files/B | script put B model.onnx $half $LARGE >/dev/null
    step put
    manifest B
    step manifest
    commit B
    step commit
    script prove B equal
    step prove
    script activate B
    step activate
    script boot >/dev/null
    step boot
    script confirm B
    step confirm
fi
echo THE END
"""


@dataclass(frozen=True)
class Machine:
    """Kernel and first file system of the machine; every disk is a fresh layer over `disk`."""

    kernel: Path
    initrd: Path
    disk: Path

    def lines(self, disk: Path, cut: str) -> Generator[str, None, None]:
        """What the machine says on its console, until it is off or its plug is pulled."""
        drive = f"file={disk},format=qcow2,if=virtio,cache=writeback"
        command = ["qemu-system-x86_64", "-accel", "tcg", "-m", "256", "-nographic", "-nodefaults"]
        command += [
            "-no-reboot",
            "-serial",
            "stdio",
            "-kernel",
            str(self.kernel),
            "-initrd",
            str(self.initrd),
        ]
        command += ["-append", f"console=ttyS0 quiet panic=-1 mitigations=off cut={cut}", "-drive", drive]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as qemu:
            assert qemu.stdout is not None
            try:
                yield from (CODES.split(line)[-1].strip() for line in qemu.stdout)
            finally:
                qemu.kill()


def machine(folder: Path) -> Machine:
    """Fetch the kernel, pack the first file system and make an empty disk; raises `CalledProcessError`."""
    version, kernel = _kernel(folder)
    root = folder / "root"
    for name in ("bin", "proc", "sys", "dev", "mnt", "files", "modules"):
        (root / name).mkdir(parents=True)
    shutil.copy("/bin/busybox", root / "bin/busybox")
    shutil.copy(SCRIPT, root / "release.sh")
    shutil.copy(SCRIPT.with_name("upload.sh"), root / "upload.sh")
    for number, module in enumerate(_modules(folder, version)):
        shutil.copy(module, root / "modules" / f"{number:02}-{module.name}")
    for name, kib in (("A", 300), ("B", 900)):
        (root / "files" / name).write_bytes(random.Random(name).randbytes(kib << 10))
    (root / "story").write_text(STORY)
    (root / "init").write_text(INIT)
    (root / "init").chmod(0o755)
    initrd, raw, disk = folder / "initrd", folder / "disk.raw", folder / "disk.qcow2"
    names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
    with initrd.open("wb") as out:
        pack = ["cpio", "--create", "--format=newc", "--quiet"]
        subprocess.run(pack, input=names.encode(), stdout=out, cwd=root, check=True)
    with raw.open("wb") as out:
        out.truncate(64 << 20)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", str(raw)], check=True)
    subprocess.run(["qemu-img", "convert", "-O", "qcow2", str(raw), str(disk)], check=True)
    return Machine(kernel, initrd, disk)


def _kernel(folder: Path) -> tuple[str, Path]:
    depends = _said("apt-cache", "depends", KERNEL)
    package = next(word for word in depends.split() if word.startswith("linux-image-") and word != KERNEL)
    subprocess.run(["apt-get", "-qq", "download", package], cwd=folder, check=True)
    subprocess.run(["dpkg-deb", "-x", str(next(folder.glob("*.deb"))), str(folder / "kernel")], check=True)
    version = next((folder / "kernel/lib/modules").iterdir()).name
    subprocess.run(["depmod", "-b", str(folder / "kernel"), version], check=True)
    return version, folder / "kernel/boot" / f"vmlinuz-{version}"


def _modules(folder: Path, version: str) -> list[Path]:
    """The files of MODULES and of what they need, in the order to load them in."""
    found = []
    for name in MODULES:
        said = _said("modprobe", "-d", str(folder / "kernel"), "-S", version, "--show-depends", name)
        found += [Path(line.split()[1]) for line in said.splitlines() if line.startswith("insmod")]
    return list(dict.fromkeys(found))


def _said(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def cut_after(made: Machine, step: str, folder: Path) -> list[str]:
    """Pull the plug after `step`, start again; gives what is wrong."""
    disk = folder / f"{step}.qcow2"
    layer = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", str(made.disk), str(disk)]
    subprocess.run(layer, check=True)
    before = _until(made.lines(disk, step), f"STEP {step}")
    after = _until(made.lines(disk, "look"), "THE END")
    disk.unlink()
    seen = [line for line in after if line.startswith("ACTIVE")]
    wrong = [line for line in before + after if line.startswith("BAD")]
    if seen[:1] != [f"ACTIVE {_wanted(step)}"]:
        wrong.append(f"after the cut: {seen[:1]}, wanted {_wanted(step)}")
    if seen[1:] != ["ACTIVE B ok"]:
        wrong.append(f"in the end: {seen[1:]}")
    return wrong


def _wanted(step: str) -> str:
    """What must be active: B from the moment that `activate` answered, with its starts counted."""
    return {"activate": "B 0", "boot": "B 1", "confirm": "B ok"}.get(step, "A ok")


def _until(lines: Generator[str, None, None], end: str) -> list[str]:
    """Lines up to `end`; the machine is killed as soon as it is seen."""
    found, until = [], time.monotonic() + SECONDS
    for line in lines:
        found.append(line)
        if line == end:
            lines.close()
            return found
        if time.monotonic() > until:
            break
    return [*found, f"BAD never said {end}"]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args(arguments)
    bad = 0
    with tempfile.TemporaryDirectory(prefix="powercut-") as name:
        made = machine(Path(name))
        for step in STEPS * options.rounds:
            wrong = cut_after(made, step, Path(name))
            bad += bool(wrong)
            print(f"{step:10} {'; '.join(wrong) or 'whole'}", flush=True)
    print(f"{len(STEPS) * options.rounds} cuts, {bad} bad")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
