"""A real OpenSSH server on a free loopback port, with keys of its own; works as root and as a plain user."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def missing() -> str:
    """Why no server can be started here; "" where one can."""
    if SSHD is None:
        return "no sshd here (apt-get install openssh-server)"
    if shutil.which("ssh-keygen") is None:
        return "no ssh-keygen here (apt-get install openssh-client)"
    return ""


@dataclass
class Sshd:
    """A server whose sessions start in `home`. Stop it with `stop`; `restart` may bring other host keys."""

    folder: Path
    port: int = 0
    options: tuple[str, ...] = ()
    sftp: bool = True
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def key(self) -> Path:
        return self.folder / "client_key"

    def start(self) -> Sshd:
        """Make keys where there are none, write the settings and wait until the port answers."""
        assert SSHD is not None
        self.folder.mkdir(parents=True, exist_ok=True)
        self.home.mkdir(exist_ok=True)
        for name in ("host_key", "client_key"):
            keygen(self.folder / name)
        # Read with the rights of the user who logs in, who may not enter a folder of root.
        shutil.copy(f"{self.key}.pub", self.folder / "authorized_keys")
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(parents=True, exist_ok=True)
        self.port = self.port or free_port()
        config = self.folder / "sshd_config"
        config.write_text("\n".join(self._settings()) + "\n")
        command = [SSHD, "-D", "-f", str(config), "-E", str(self.folder / "sshd.log")]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        answers(self.process, self.port, self.folder / "sshd.log")
        return self

    def stop(self) -> None:
        """End the server and every session of it."""
        if self.process is None:
            return
        self.cut()
        self.process.terminate()
        self.process.wait()
        self.process = None

    def cut(self) -> None:
        """Kill the running sessions, as a pulled cable would; the server goes on."""
        assert self.process is not None
        for pid in _descendants(self.process.pid):
            with_signal(pid, 9)

    def new_host_key(self) -> None:
        """As after flashing the card anew: same address, other key."""
        self.stop()
        for name in ("host_key", "host_key.pub"):
            (self.folder / name).unlink()
        self.start()

    def log(self) -> str:
        return (self.folder / "sshd.log").read_text(errors="replace")

    def _settings(self) -> tuple[str, ...]:
        # The first value wins, so what a test asks for comes first.
        return (
            *self.options,
            f"Port {self.port}",
            "ListenAddress 127.0.0.1",
            f"HostKey {self.folder}/host_key",
            f"AuthorizedKeysFile {self.folder}/authorized_keys",
            f"PidFile {self.folder}/sshd.pid",
            "StrictModes no",
            "UsePAM no",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PermitRootLogin yes",
            "MaxStartups 100",
            *(("Subsystem sftp internal-sftp",) if self.sftp else ()),
            f"SetEnv HOME={self.home} TRIMTAB_TEST=1",
        )


@contextmanager
def password_login() -> Iterator[tuple[str, str]]:
    """A user of this computer with a password, as (name, password)."""
    if os.geteuid() != 0 or not shutil.which("useradd") or not shutil.which("openssl"):
        pytest.skip("only root can make a user with a password (useradd, openssl)")
    name = f"trimtab{os.getpid()}"
    coded = subprocess.run(["openssl", "passwd", "-6", "secret"], capture_output=True, text=True, check=True)
    subprocess.run(["useradd", "-M", "-p", coded.stdout.strip(), "-s", "/bin/sh", name], check=True)
    try:
        yield name, "secret"
    finally:
        subprocess.run(["userdel", name], check=True, capture_output=True)


def answers(process: subprocess.Popen[bytes], port: int, log: Path, seconds: float = 10) -> None:
    """Wait until a server answers on `port`; raises with what it logged where it ended, or never does."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            raise RuntimeError(f"sshd ended: {log.read_text(errors='replace')}")
        time.sleep(0.02)
    raise RuntimeError(f"sshd does not answer: {log.read_text(errors='replace')}")


def keygen(path: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    """A fresh key pair at `path`, unless there is one."""
    if not path.exists():
        command = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "test", "-f", str(path)]
        subprocess.run(command, check=True)
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def with_signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _descendants(pid: int) -> list[int]:
    """Every process below `pid`, from /proc."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(words[1]), []).append(int(path.parent.name))
    found, todo = [], [pid]
    while todo:
        below = parents.get(todo.pop(), [])
        found += below
        todo += below
    return found
