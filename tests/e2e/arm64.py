"""An arm64 board on this computer: Debian's arm64 programs under qemu, with an sshd of its own and no Python.

The root file system is unpacked once into a cache folder (about 150 MB). Each board is a mount and process
namespace over it, so that killing its first process ends everything in it. Emulated: times mean nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from sshd import answers, free_port, keygen

SUITE = "bookworm"
PROGRAMS = (
    *("base-files", "base-passwd", "coreutils", "dash", "findutils", "grep", "gzip", "libc-bin"),
    *("libstdc++6", "mawk", "openssh-server", "procps", "sed", "tar", "util-linux"),
)
NEEDS = {"mmdebstrap": "mmdebstrap", "update-binfmts": "binfmt-support", "unshare": "util-linux"}
BINFMT = Path("/proc/sys/fs/binfmt_misc")
LEFT_OUT = ("man", "doc", "locale")

# onnxruntime reads it, and crashes on an x86 one.
CPUINFO = """\
processor\t: {0}
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x4
CPU part\t: 0xd0b
CPU revision\t: 1

"""

START = """\
set -e
mount --bind {root} {root}
mount -t proc proc {root}/proc
mount --bind {cpuinfo} {root}/proc/cpuinfo
mount -t tmpfs run {root}/run
mount -t tmpfs home {root}/root
mkdir -p {root}/run/sshd {root}/dev/shm {root}/root/.ssh
mount -t tmpfs shm {root}/dev/shm
cp {keys}/client_key.pub {root}/root/.ssh/authorized_keys
cp {keys}/host_key {root}/run/host_key
for name in null zero random urandom; do
    touch {root}/dev/$name
    mount --bind /dev/$name {root}/dev/$name
done
exec chroot {root} /usr/sbin/sshd -D -e -f /dev/null -h /run/host_key -o Port={port} \\
    -o ListenAddress=127.0.0.1 -o UsePAM=no -o PidFile=none -o PermitRootLogin=yes -o StrictModes=no
"""


def missing() -> str:
    """Why no arm64 board can be made here; "" where one can."""
    if os.geteuid() != 0:
        return "an arm64 board needs root here (mounts and namespaces)"
    for command, package in NEEDS.items():
        if shutil.which(command) is None:
            return f"no {command} here (apt-get install {package} qemu-user-static)"
    if not any(Path("/usr/bin").glob("qemu-aarch64*")):
        return "no qemu for arm64 here (apt-get install qemu-user-static)"
    return ""


def root_file_system() -> Path:
    """The unpacked system, made on first use; raises `CalledProcessError` where packages cannot be had."""
    _run_arm64_programs()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "trimtab-tests"
    root = cache / f"arm64-{SUITE}"
    if not root.is_dir():
        fresh = cache / f"arm64-{SUITE}.{os.getpid()}"
        cache.mkdir(parents=True, exist_ok=True)
        try:
            _unpack(fresh)
            fresh.rename(root)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return root


def _run_arm64_programs() -> None:
    if not (BINFMT / "register").exists():
        subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", str(BINFMT)], check=True)
    if not (BINFMT / "qemu-aarch64").exists():
        subprocess.run(["update-binfmts", "--enable", "qemu-aarch64"], check=True)


def _unpack(root: Path) -> None:
    """Unpacked only, without the packages' scripts, so that nothing is emulated meanwhile."""
    out = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in LEFT_OUT]
    how = ["--quiet", "--arch=arm64", "--variant=extract", "--mode=root", "--skip=check/qemu", *out]
    subprocess.run(["mmdebstrap", *how, f"--include={','.join(PROGRAMS)}", SUITE, str(root)], check=True)
    _settle(root)


def _settle(root: Path) -> None:
    """What the packages' scripts would have done, as far as an sshd needs it."""
    for name, program in (("bin/sh", "dash"), ("usr/bin/awk", "mawk")):
        (root / name).unlink(missing_ok=True)
        (root / name).symlink_to(program)
    for name in ("passwd", "group"):
        text = (root / f"usr/share/base-passwd/{name}.master").read_text()
        (root / "etc" / name).write_text(text.replace("/bin/bash", "/bin/sh"))
    with (root / "etc/passwd").open("a") as users:
        users.write("sshd:x:105:65534::/run/sshd:/usr/sbin/nologin\n")


@dataclass
class Arm64:
    """A board on 127.0.0.1:`port`; root logs in with `key`. `/root` is empty at every start."""

    folder: Path
    root: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def key(self) -> Path:
        return self.folder / "client_key"

    def start(self) -> Arm64:
        for name in ("host_key", "client_key"):
            keygen(self.folder / name)
        self.port = free_port()
        cpuinfo = self.folder / "cpuinfo"
        cpuinfo.write_text("".join(CPUINFO.format(core) for core in range(os.cpu_count() or 1)))
        script = START.format(root=self.root, cpuinfo=cpuinfo, keys=self.folder, port=self.port)
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script]
        with (self.folder / "board.log").open("wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        answers(self.process, self.port, self.folder / "board.log")
        return self

    def stop(self) -> None:
        """Pull the plug: everything in the namespace ends with its first process."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
