"""Passwords, passphrases, signatures, many boards, serving: over a real SSH server."""

from __future__ import annotations

import shutil
import socket
import struct
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp

import msgspec
import numpy as np
import pytest
from board_parts import WIDE, net, pack, repack
from sshd import Sshd, keygen, missing, password_login

from studio.boards.api import Boards
from studio.boards.book import Board
from studio.boards.links.asking import Answer, Question
from studio.boards.links.find import ssh_config
from studio.boards.release.fleet import Outcome
from studio.boards.release.signing import signed, signer
from studio.control import Control
from studio.errors import BoardError

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())
COMPILER = shutil.which("cc") or find_spec("ziglang")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sshd]:
    """Not started yet, so that a test can set its options."""
    server = Sshd(tmp_path / "sshd")
    yield server
    server.stop()


def _board(server: Sshd, folder: Path, name: str = "loop", **more: str) -> Board:
    board = Board(name, host="127.0.0.1", port=server.port, key_path=str(server.key), folder=str(folder))
    return msgspec.structs.replace(board, **{"python": sys.executable, **more})


def _trusted(boards: Boards, board: Board) -> Board:
    boards.add(board, replace=True)
    key = boards.host_key(board)
    assert key is not None
    boards.trust(board, key)
    return board


@pytest.mark.slow
def test_passphrase_is_asked_for(server: Sshd, tmp_path: Path) -> None:
    server.start()
    locked = keygen(tmp_path / "locked", passphrase="open sesame")
    shutil.copy(f"{locked}.pub", server.folder / "authorized_keys")
    asked: list[Question] = []

    def ask(question: Question) -> Answer:
        asked.append(question)
        return Answer("wrong" if len(asked) == 1 else "open sesame")

    with Boards(ask=ask) as boards:
        board = _trusted(boards, _board(server, tmp_path / "board", key_path=str(locked)))
        assert boards.status(board).state == "empty"
        assert [(one.kind, one.of, one.again) for one in asked] == [
            ("passphrase", str(locked), False),
            ("passphrase", str(locked), True),
        ]
        server.cut()
        time.sleep(0.1)
    with Boards(ask=lambda _question: None) as boards, pytest.raises(BoardError, match="login was refused"):
        boards.status("loop")


@pytest.fixture
def login() -> Iterator[tuple[str, str]]:
    with password_login() as made:
        yield made


@pytest.mark.slow
def test_password_is_asked_for_and_forgotten(
    server: Sshd, login: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", "")
    server.options = ("PasswordAuthentication yes",)
    server.start()
    asked: list[Question] = []

    def ask(question: Question) -> Answer | None:
        asked.append(question)
        return Answer("wrong" if len(asked) == 1 else login[1])

    with Boards(ask=ask) as boards:
        board = _trusted(boards, _board(server, Path("board"), user=login[0], key_path=""))
        assert boards.status(board).state == "empty"
        assert [(one.kind, one.again) for one in asked] == [("password", False), ("password", True)]
        assert login[0] in asked[0].of
        boards._drop("loop")
        assert boards.status(board).state == "empty"
        assert len(asked) == 2
    for path in boards.book.path.parent.rglob("*"):
        assert path.is_dir() or login[1].encode() not in path.read_bytes()
    with Boards() as boards, pytest.raises(BoardError, match="login was refused"):
        boards.status("loop")


@pytest.mark.slow
def test_signatures(tmp_path: Path) -> None:
    board = Board("here", kind="local", folder=str(tmp_path / "board"), python=sys.executable)
    mine, other = keygen(tmp_path / "mine"), keygen(tmp_path / "other")
    with Boards() as boards:
        boards.require_signatures(board, (Path(f"{mine}.pub"),), Control())
        one = pack(tmp_path / "one", seed=1)
        with pytest.raises(BoardError, match="not signed"):
            boards.push(board, one)
        with pytest.raises(BoardError, match="not of an allowed signer"):
            boards.push(board, signed(one, signer(other)))
        assert boards.push(board, signed(one, signer(mine)), confirm=True).confirmed
        sums = tmp_path / "board" / "releases" / one.id / "SHA256SUMS.sig"
        sums.write_text(sums.read_text().replace("A", "B", 1))
        with pytest.raises(BoardError, match="not of an allowed signer"):
            boards.bench(board)
        boards.require_signatures(board, (), Control())
        assert boards.push(board, pack(tmp_path / "two", seed=2), runs=1).activated
        with pytest.raises(BoardError, match="not a public key"):
            boards.require_signatures(board, (mine,), Control())


@pytest.mark.slow
def test_many_boards_canary_first(server: Sshd, tmp_path: Path) -> None:
    server.start()
    told: list[Outcome] = []
    with Boards() as boards:
        for name in ("a", "b", "c"):
            _trusted(boards, _board(server, tmp_path / name, name))
        good = pack(tmp_path / "good", seed=1)
        outcomes = boards.push_all(("a", "b", "c"), good, Control(), told.append, confirm=True)
        assert [(one.board, one.state) for one in outcomes] == [(name, "pushed") for name in "abc"]
        assert told[0].board == "a"
        wrong = repack(tmp_path / "w", net(tmp_path / "w.onnx", seed=2), tmp_path / "good" / "net.onnx")
        outcomes = boards.push_all(("b", "a", "c"), wrong, Control(), told.append)
        assert [one.state for one in outcomes] == ["failed", "not tried", "not tried"]
        assert "differs by" in outcomes[0].why
        assert {boards.status(name).active for name in "abc"} == {good.id}


@pytest.mark.slow
@pytest.mark.skipif(not COMPILER, reason="no compiler for the runner (ziglang, cc)")
def test_serving_follows_the_active_release(tmp_path: Path) -> None:
    # A socket's path is short, as a board's is; a test's folder is not.
    short = Path(mkdtemp(dir="/tmp"))
    board = Board("here", kind="local", folder=f"{short}/b", runner="native")
    with Boards() as boards:
        with pytest.raises(BoardError, match="nothing is active"):
            boards.serve(board, Control())
        one, two = pack(tmp_path / "one", seed=1), pack(tmp_path / "two", seed=2)
        boards.push(board, one, confirm=True, runs=1)
        assert boards.serve(board, Control()).state == "running"
        _until(lambda: boards.serving(board).release == one.id)
        assert boards.serving(board).health == "ok"
        asked = np.random.default_rng(0).normal(size=(1, WIDE)).astype(np.float32)
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(20)
            peer.connect(f"{short}/b/socket")
            peer.sendall(asked.tobytes())
            size = struct.unpack("<Q", peer.recv(8, socket.MSG_WAITALL))[0]
            got = np.frombuffer(peer.recv(size, socket.MSG_WAITALL), np.float32)
        from studio.boards.release.package import golden_outputs

        wanted = golden_outputs(tmp_path / "one" / "net.onnx", {"x": asked})["y"][0]
        np.testing.assert_array_equal(got, wanted)
        boards.push(board, two, runs=1)
        _until(lambda: boards.serving(board).release == two.id)
        boards.rollback(board)
        _until(lambda: boards.serving(board).release == one.id)
        assert boards.stop_serving(board).state == "stopped"


def test_hosts_of_the_ssh_config(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "lab.conf").write_text("Host rock5\n  HostName 10.0.0.5\n")
    (tmp_path / "config").write_text("Include more/*.conf\nHost pi5 pi4 *.lan !no\nHost=nano\nHost *\n")
    assert [place.host for place in ssh_config(tmp_path / "config")] == ["rock5", "pi5", "pi4", "nano"]
    assert ssh_config(tmp_path / "none") == ()


def _until(wanted: object) -> None:
    assert callable(wanted)
    end = time.monotonic() + 30
    while not wanted():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.1)
