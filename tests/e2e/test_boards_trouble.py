"""Boards that misbehave: changed keys, talkative shells, full or read-only storage, a killed client."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from board_parts import pack
from sshd import Sshd, free_port, keygen, missing

from studio.boards.api import Boards
from studio.boards.book import Board
from studio.boards.links.link import Piece
from studio.boards.release.protocol import Releases
from studio.control import Control
from studio.errors import BoardError

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())

CLIENT = """
from pathlib import Path
from studio.boards.api import Boards
from studio.boards.release.package import package
folder = Path({folder!r})
Boards().push("loop", package(folder / "net.onnx", folder / "goldens.npz", folder / "meta"))
"""


@pytest.fixture
def boards() -> Iterator[Boards]:
    with Boards() as boards:
        yield boards


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Sshd]:
    """Not started yet, so that a test can set its options."""
    server = Sshd(tmp_path / "sshd")
    yield server
    server.stop()


def _add(boards: Boards, server: Sshd, folder: Path) -> Board:
    board = Board(
        "loop",
        host="127.0.0.1",
        port=server.port,
        key_path=str(server.key),
        folder=str(folder),
        python=sys.executable,
    )
    boards.trust(boards.add(board, replace=True), boards.host_key(board))
    return board


@pytest.mark.slow
def test_client_killed_in_mid_push(boards: Boards, servers: Sshd, tmp_path: Path) -> None:
    _add(boards, servers.start(), tmp_path / "board")
    package = pack(tmp_path / "p", ballast=32 << 20)
    half = tmp_path / "board" / "incoming" / package.id / "model.onnx"
    client = subprocess.Popen([sys.executable, "-c", CLIENT.format(folder=str(tmp_path / "p"))])
    while client.poll() is None and not (half.exists() and half.stat().st_size > 2 << 20):
        time.sleep(0.002)
    client.send_signal(signal.SIGKILL)
    assert client.wait() == -signal.SIGKILL
    pushed = boards.push("loop", package)
    assert pushed.activated
    assert pushed.sent < package.bytes - (1 << 20)


def test_host_key(boards: Boards, servers: Sshd, tmp_path: Path) -> None:
    server = servers.start()
    folder = str(tmp_path / "board")
    board = Board("loop", host="127.0.0.1", port=server.port, key_path=str(server.key), folder=folder)
    boards.add(board)
    first = boards.host_key("loop")
    assert first is not None
    shown = subprocess.run(
        ["ssh-keygen", "-lf", f"{server.folder}/host_key.pub"], capture_output=True, text=True, check=True
    )
    assert (first.state, first.fingerprint) == ("new", shown.stdout.split()[1])
    with pytest.raises(BoardError, match="not known yet"):
        boards.status("loop")
    boards.trust("loop", first)
    assert boards.status("loop").state == "empty"
    server.new_host_key()
    with pytest.raises(BoardError, match="host key changed") as refused:
        boards.status("loop")
    second = boards.host_key("loop")
    assert second is not None
    assert (second.state, second.known_fingerprint) == ("changed", first.fingerprint)
    assert first.fingerprint in str(refused.value)
    assert second.fingerprint in str(refused.value)
    with pytest.raises(BoardError, match="changed"):
        boards.trust("loop", second)
    boards.trust("loop", second, replace=True)
    assert boards.status(board).state == "empty"
    hosts = tmp_path / "known_hosts"
    hosts.write_text(f"@revoked {second.host} {second.line}\n")
    from studio.boards.links.hostkeys import KnownHosts

    with Boards(boards.book, KnownHosts(users=hosts)) as careful, pytest.raises(BoardError, match="revoked"):
        careful.status("loop")


@pytest.mark.slow
def test_login_shell_that_prints(boards: Boards, servers: Sshd, tmp_path: Path) -> None:
    noisy = tmp_path / "noisy.sh"
    noisy.write_text("echo 'Welcome to the board!'; echo oops >&2; eval \"$SSH_ORIGINAL_COMMAND\"\n")
    servers.options = (f"ForceCommand sh {noisy}",)
    _add(boards, servers.start(), tmp_path / "board")
    pushed = boards.push("loop", pack(tmp_path / "p"))
    assert (pushed.activated, pushed.status.active) == (True, pushed.release)


def test_login_shell_that_ends(boards: Boards, servers: Sshd, tmp_path: Path) -> None:
    servers.options = ("ForceCommand echo go away",)
    _add(boards, servers.start(), tmp_path / "board")
    with pytest.raises(BoardError, match=r"'go away'.*\.bashrc"):
        boards.status("loop")
    with pytest.raises(BoardError, match=r"'go away'.*\.bashrc"):
        boards.probe("loop")


def test_ssh_config_is_honoured(
    boards: Boards, servers: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = servers.start()
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    lines = ("Host lab", "HostName 127.0.0.1", f"Port {server.port}", f"IdentityFile {server.key}")
    (home / ".ssh" / "config").write_text("\n".join((*lines, "Compression yes", "")))
    monkeypatch.setenv("HOME", str(home))
    board = boards.add(Board("loop", host="lab", folder=str(tmp_path / "board")))
    key = boards.host_key(board)
    assert key is not None
    assert key.host == f"[127.0.0.1]:{server.port}"
    boards.trust(board, key)
    assert boards.status("loop").state == "empty"


def test_who_cannot_log_in(boards: Boards, servers: Sshd, tmp_path: Path) -> None:
    server = servers.start()
    board = _add(boards, server, tmp_path / "board")
    for key in (keygen(tmp_path / "stranger"), keygen(tmp_path / "locked", passphrase="secret")):
        stranger = Board("loop", host=board.host, port=board.port, key_path=str(key))
        with pytest.raises(BoardError, match="login was refused"):
            boards.status(stranger)
    with pytest.raises(BoardError, match="not a private key"):
        boards.status(Board("loop", host=board.host, port=board.port, key_path=f"{server.key}.pub"))
    with pytest.raises(BoardError, match="cannot be read"):
        boards.status(Board("loop", host=board.host, port=board.port, key_path="/no/such/key"))
    with pytest.raises(BoardError, match="nothing listens"):
        boards.host_key(Board("loop", host="127.0.0.1", port=free_port()))
    with pytest.raises(BoardError, match="no such host"):
        boards.host_key(Board("loop", host="no-such-board.invalid"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 20 MB."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.slow
def test_disk_full(boards: Boards, servers: Sshd, small_disk: Path, tmp_path: Path) -> None:
    board = _add(boards, servers.start(), small_disk / "board")
    good = pack(tmp_path / "good")
    boards.push("loop", good, confirm=True)
    big = pack(tmp_path / "big", ballast=24 << 20)
    with pytest.raises(BoardError, match="KiB needed"):
        boards.push("loop", big)
    assert not (small_disk / "board" / "incoming" / big.id).exists()
    releases = Releases(boards._link(board), board)
    piece = Piece(big.files["model.onnx"], 0, 24 << 20)
    with pytest.raises(BoardError, match="disk full"):
        releases.put("x", "model.onnx", piece, 0, Control(), None)
    status = boards.delete("loop", "x")
    assert (status.active, status.unfinished) == (good.id, ())
    assert boards.push("loop", pack(tmp_path / "next", seed=5)).activated


@pytest.mark.slow
def test_read_only(boards: Boards, servers: Sshd, small_disk: Path, tmp_path: Path) -> None:
    _add(boards, servers.start(), small_disk / "board")
    package = pack(tmp_path / "p")
    boards.push("loop", package, confirm=True)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(BoardError, match="cannot write"):
        boards.push("loop", pack(tmp_path / "next", seed=5))
    assert boards.status("loop").active == package.id


@pytest.mark.slow
def test_folder_of_somebody_else(boards: Boards, servers: Sshd, tmp_path: Path) -> None:
    target = Path("/proc/trimtab") if os.geteuid() == 0 else Path("/trimtab")
    _add(boards, servers.start(), target)
    with pytest.raises(BoardError, match="cannot write"):
        boards.push("loop", pack(tmp_path / "p"))
