"""A real OpenSSH server on a free loopback port with keys of its own: the demo's board."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from studio.boards.book import Board
from studio.errors import BoardError

_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
_SECONDS = 10.0


def missing() -> str:
    """Why no server can be started here; "" where one can."""
    for program, package in (("sshd", "openssh-server"), ("ssh-keygen", "openssh-client")):
        if shutil.which(program, path=_PATH) is None:
            return f"{program} is not installed (apt-get install {package})"
    return ""


@contextmanager
def loopback_board(folder: Path) -> Iterator[Board]:
    """A board reached over SSH on this very computer, for as long as the context lasts.

    `folder` takes keys, log and releases. Raises `BoardError` where the server does not start.
    """
    port = _free_port()
    settings = _write(folder, port)
    command = [str(shutil.which("sshd", path=_PATH)), "-D", "-f", str(settings), "-E", str(folder / "log")]
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        _wait(server, port, folder / "log")
        user, key = getpass.getuser(), str(folder / "client_key")
        yield Board("loopback", "ssh", "127.0.0.1", port, user, key, str(folder / "board"), sys.executable)
    finally:
        server.terminate()
        server.wait()


def _write(folder: Path, port: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("host_key", "client_key"):
        (folder / name).unlink(missing_ok=True)
        _keygen(folder / name)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(parents=True, exist_ok=True)  # sshd separates privileges there
    lines = (
        f"Port {port}",
        "ListenAddress 127.0.0.1",
        f"HostKey {folder}/host_key",
        f"AuthorizedKeysFile {folder}/client_key.pub",
        f"PidFile {folder}/pid",
        "StrictModes no",
        "UsePAM no",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "PermitRootLogin prohibit-password",
    )
    settings = folder / "sshd_config"
    settings.write_text("\n".join(lines) + "\n")
    return settings


def _keygen(path: Path) -> None:
    program = str(shutil.which("ssh-keygen", path=_PATH))
    subprocess.run([program, "-q", "-t", "ed25519", "-N", "", "-C", "demo", "-f", str(path)], check=True)


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    told = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    cause = f"it did not start ({told[-1] if told else 'no word from it'})"
    raise BoardError("sshd", cause, "Look at its log, or push to this computer instead.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
