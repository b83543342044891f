"""Boards that are reached otherwise: no SFTP or nothing else, over a gate, a slow link, a wrong clock."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import msgspec
import pytest
from board_parts import pack
from proxy import Proxy
from sshd import Sshd, answers, free_port, keygen, missing

from studio.boards.api import Boards
from studio.boards.book import Board
from studio.boards.links.link import Piece
from studio.control import Cancelled, Control
from studio.errors import BoardError

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing())]


@pytest.fixture
def boards() -> Iterator[Boards]:
    with Boards() as boards:
        yield boards


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sshd]:
    """Not started yet, so that a test can set its options."""
    server = Sshd(tmp_path / "sshd")
    yield server
    server.stop()


def _add(boards: Boards, server: Sshd, folder: Path, port: int = 0) -> Board:
    address = {"host": "127.0.0.1", "port": port or server.port, "key_path": str(server.key)}
    board = boards.add(Board("loop", folder=str(folder), python=sys.executable, **address))
    key = boards.host_key(board)
    assert key is not None
    boards.trust(board, key)
    return board


def test_a_server_without_sftp_is_enough(boards: Boards, server: Sshd, tmp_path: Path) -> None:
    server.sftp = False
    _add(boards, server.start(), tmp_path / "board")
    package = pack(tmp_path / "p")
    assert boards.push("loop", package, confirm=True, runs=1).confirmed
    assert boards.pull("loop", tmp_path / "back.onnx").sha256 == package.sha256["model.onnx"]


def test_a_server_of_sftp_alone_is_told(boards: Boards, server: Sshd, tmp_path: Path) -> None:
    server.options = ("ForceCommand internal-sftp",)
    _add(boards, server.start(), tmp_path / "board")
    for ask in (boards.status, boards.probe):
        with pytest.raises(BoardError, match=r"login shell|SFTP") as told:
            ask("loop")
        assert told.value.fix
    with pytest.raises(BoardError, match=r"login shell|SFTP"):
        boards.push("loop", pack(tmp_path / "p"))
    assert not (tmp_path / "board").exists()


def test_over_another_host(
    boards: Boards, server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ProxyJump of the ssh config: the board is asked for its key, and logged in to, through the gate."""
    server.start()
    gate = Sshd(tmp_path / "gate").start()
    try:
        home = tmp_path / "home"
        (home / ".ssh").mkdir(parents=True)
        hosts = [("gate", gate, ""), ("inner", server, " ProxyJump gate\n")]
        lines = [
            f"Host {name}\n HostName 127.0.0.1\n Port {one.port}\n IdentityFile {one.key}\n{more}"
            for name, one, more in hosts
        ]
        (home / ".ssh" / "config").write_text("".join(lines))
        key = (gate.folder / "host_key.pub").read_text().split(" ")
        (home / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{gate.port} {key[0]} {key[1]}\n")
        monkeypatch.setenv("HOME", str(home))
        board = boards.add(
            Board("inner", host="inner", folder=str(tmp_path / "board"), python=sys.executable)
        )
        shown = boards.host_key(board)
        assert shown is not None
        assert shown.state == "new"
        boards.trust(board, shown)
        assert boards.push("inner", pack(tmp_path / "p"), confirm=True, runs=1).confirmed
        assert "Accepted publickey" in gate.log()
    finally:
        gate.stop()
    boards._drop("inner")
    with pytest.raises(BoardError, match=r"nothing listens|lost|no session"):
        boards.status("inner")


def test_a_slow_link_far_away(boards: Boards, server: Sshd, tmp_path: Path) -> None:
    """4 Mbit/s, 2 x 30 ms: everything goes its way, rate and progress are told, a cut push resumes."""
    server.start()
    package = pack(tmp_path / "p", ballast=2 << 20)
    half = tmp_path / "board" / "incoming" / package.id / "model.onnx"
    told: list[str] = []

    def arrived(_fraction: float, text: str) -> None:
        told.append(text)
        if half.exists() and half.stat().st_size > 100_000:
            control.cancel()

    control = Control(arrived)
    with Proxy(server.port, rate=500_000, delay=0.03) as wire:
        _add(boards, server, tmp_path / "board", wire.port)
        with pytest.raises(Cancelled):
            boards.push("loop", package, control)
        pushed = boards.push("loop", package, runs=1)
        assert pushed.activated
        assert pushed.sent < package.bytes
    assert any("MB/s" in text for text in told)


def test_nothing_but_the_file_goes_over_the_wire(boards: Boards, server: Sshd, tmp_path: Path) -> None:
    """No filler packets, no compression, no doubled blocks: 0.2 % on top of the bytes."""
    server.start()
    path = tmp_path / "file"
    path.write_bytes(bytes(16 << 20))
    with Proxy(server.port) as wire:
        board = _add(boards, server, tmp_path / "board", wire.port)
        link = boards._link(board)
        assert link.run("true").status == 0
        before = wire.sent
        assert link.feed("cat >/dev/null", Piece(path, 0, 16 << 20), Control()).status == 0
        assert (16 << 20) <= wire.sent - before < 1.002 * (16 << 20)


def test_a_board_whose_clock_is_wrong(boards: Boards, server: Sshd, tmp_path: Path) -> None:
    """2001, as boards without a battery start: told as a fact, and nothing depends on it."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "date").write_text("#!/bin/sh\necho 1000000000\n")
    (tools / "date").chmod(0o755)
    server.options = (f"SetEnv PATH={tools}:{Path(sys.executable).parent}:/usr/bin:/bin",)
    _add(boards, server.start(), tmp_path / "board")
    assert any("clock is wrong" in text for text in boards.probe("loop").remarks)
    one, two = pack(tmp_path / "one", seed=1), pack(tmp_path / "two", seed=2)
    assert boards.push("loop", one, confirm=True, runs=1).confirmed
    status = boards.push("loop", two, runs=1).status
    assert (status.active, status.previous) == (two.id, one.id)
    assert [release.id for release in status.releases] == [two.id, one.id]
    assert not any("2001" in release.pushed for release in status.releases)
    assert boards.rollback("loop").active == one.id


@pytest.fixture
def dropbear(tmp_path: Path) -> Iterator[Board]:
    """The SSH server of small boards, as a user of its own: it reads keys from that user's home alone."""
    tools = [shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") for name in ("dropbear", "useradd")]
    if os.geteuid() != 0 or None in tools or not shutil.which("dropbearkey"):
        pytest.skip("needs root, useradd and dropbear (apt-get install dropbear-bin)")
    name, home, port = f"trimbear{os.getpid()}", Path(mkdtemp(dir="/tmp")), free_port()
    subprocess.run([str(tools[1]), "-M", "-d", str(home), "-s", "/bin/sh", name], check=True)
    (home / ".ssh").mkdir(mode=0o700)
    shutil.copy(f"{keygen(tmp_path / 'key')}.pub", home / ".ssh" / "authorized_keys")
    for path in (home, home / ".ssh", home / ".ssh" / "authorized_keys"):
        shutil.chown(path, name, name)
    command = ["dropbearkey", "-t", "ed25519", "-f", str(tmp_path / "host")]
    subprocess.run(command, check=True, capture_output=True)
    log = tmp_path / "log"
    command = [str(tools[0]), "-F", "-E", "-s", "-p", f"127.0.0.1:{port}", "-r", str(tmp_path / "host")]
    with log.open("wb") as out:
        server = subprocess.Popen([*command, "-P", str(tmp_path / "pid")], stderr=out)
    try:
        answers(server, port, log)
        yield Board("bear", host="127.0.0.1", port=port, user=name, key_path=str(tmp_path / "key"))
    finally:
        subprocess.run(["pkill", "-KILL", "-u", name], check=False)
        server.terminate()
        server.wait()
        subprocess.run(["userdel", "-f", name], check=True, capture_output=True)
        shutil.rmtree(home)


def test_dropbear(boards: Boards, dropbear: Board, tmp_path: Path) -> None:
    key = boards.host_key(boards.add(dropbear))
    assert key is not None
    assert (key.state, key.kind) == ("new", "ssh-ed25519")
    boards.trust("bear", key)
    assert boards.probe("bear").cores > 0
    one, two = pack(tmp_path / "one", seed=1, ballast=4 << 20), pack(tmp_path / "two", seed=2)
    # No interpreter that this user may run is named: what is sent is used unproved.
    dropbear = boards.add(msgspec.structs.replace(dropbear, runner="python", python="/none"), replace=True)
    pushed = boards.push("bear", one, allow_unproved=True)
    assert (pushed.activated, pushed.sent) == (True, one.bytes)
    boards.confirm("bear")
    assert boards.push("bear", two, allow_unproved=True).status.previous == one.id
    assert boards.rollback("bear").active == one.id
    got = boards.pull("bear", tmp_path / "back.onnx")
    assert (got.release, got.sha256) == (one.id, one.sha256["model.onnx"])
