"""The whole life of a model on a board, over a real SSH server."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from board_parts import net, pack, repack
from sshd import Sshd, missing

from studio.boards.api import Boards
from studio.boards.book import Board
from studio.boards.release.package import sha256_of
from studio.control import Cancelled, Control
from studio.errors import BoardError

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    server = Sshd(tmp_path_factory.mktemp("sshd")).start()
    yield server
    server.stop()


@pytest.fixture
def boards() -> Iterator[Boards]:
    with Boards() as boards:
        yield boards


@pytest.fixture
def board(server: Sshd, boards: Boards, tmp_path: Path) -> Board:
    folder = str(tmp_path / "on the board")
    fresh = Board(
        "loop",
        host="127.0.0.1",
        port=server.port,
        key_path=str(server.key),
        folder=folder,
        python=sys.executable,
    )
    boards.trust(boards.add(fresh), boards.host_key(fresh))
    return fresh


@pytest.mark.slow
def test_whole_life(boards: Boards, board: Board, tmp_path: Path) -> None:
    facts = boards.probe("loop")
    assert (facts.cores > 0, facts.machine != "", facts.onnxruntime != "") == (True, True, True)
    assert boards.status("loop").state == "empty"
    one, two = pack(tmp_path / "one", seed=1), pack(tmp_path / "two", seed=2)
    steps: list[float] = []
    pushed = boards.push("loop", one, Control(lambda fraction, _: steps.append(fraction)))
    assert steps == sorted(steps)
    assert (pushed.activated, pushed.confirmed, pushed.sent) == (True, False, one.bytes)
    assert (pushed.run.proved, pushed.run.samples, pushed.run.worst, pushed.run.runs) == (True, 16, 0.0, 50)
    assert (pushed.status.state, pushed.status.active) == ("unconfirmed", one.id)
    assert boards.confirm("loop").state == "confirmed"
    assert boards.push("loop", one).sent == 0
    pushed = boards.push("loop", two, confirm=True)
    assert (pushed.confirmed, pushed.status.previous) == (True, one.id)
    status = boards.rollback("loop")
    assert (status.active, status.failed) == (one.id, two.id)
    assert [release.state for release in status.releases] == ["failed", "active"]
    assert boards.activate("loop", two.id).active == two.id
    run = boards.bench("loop", release=one.id, runs=100)
    latency = run.latency()
    assert latency is not None
    assert (latency.source, latency.runs) == ("measured on loop", 100)
    assert 0 < latency.p50 <= latency.p90 <= latency.p95 <= latency.p99
    assert latency.peak_bytes > 1 << 20
    with pytest.raises(BoardError, match="rollback goes back to"):
        boards.delete("loop", one.id)
    boards.remove("loop")
    with pytest.raises(BoardError, match="no such board"):
        boards.status("loop")


@pytest.mark.slow
def test_a_wrong_model_never_becomes_active(boards: Boards, board: Board, tmp_path: Path) -> None:
    good = pack(tmp_path / "good", seed=1)
    boards.push("loop", good, confirm=True)
    wrong = net(tmp_path / "wrong.onnx", seed=2)
    with pytest.raises(BoardError, match=r"output 'y' differs by .*stays active") as refused:
        boards.push("loop", repack(tmp_path / "wrong", wrong, tmp_path / "good" / "net.onnx"))
    assert good.id in str(refused.value)
    broken = tmp_path / "broken.onnx"
    broken.write_bytes((tmp_path / "good" / "net.onnx").read_bytes()[:3000])
    with pytest.raises(BoardError, match="does not run there"):
        boards.push("loop", repack(tmp_path / "broken", broken, tmp_path / "good" / "net.onnx"))
    with pytest.raises(BoardError, match="too slow"):
        boards.push("loop", pack(tmp_path / "slow", seed=3, p95_ms=1e-9))
    status = boards.status("loop")
    assert (status.active, status.state, len(status.releases)) == (good.id, "confirmed", 4)
    with pytest.raises(BoardError, match="not proved"):
        boards.activate("loop", status.releases[0].id)


@pytest.mark.slow
def test_without_python_it_waits_unproved(boards: Boards, board: Board, tmp_path: Path) -> None:
    import msgspec

    boards.book.add(msgspec.structs.replace(board, python="/no/such/python", runner="python"), replace=True)
    package = pack(tmp_path / "one")
    pushed = boards.push("loop", package)
    assert (pushed.activated, pushed.run.proved, pushed.run.ran) == (False, False, False)
    assert "/no/such/python does not run" in pushed.reason
    assert pushed.run.latency() is None
    assert pushed.status.releases[0].proof.startswith("not proved")
    pushed = boards.push("loop", package, allow_unproved=True)
    assert pushed.activated
    assert "not proved" in pushed.reason


@pytest.mark.slow
def test_a_cut_or_cancelled_push_resumes(boards: Boards, board: Board, server: Sshd, tmp_path: Path) -> None:
    package = pack(tmp_path / "big", ballast=48 << 20)
    half = tmp_path / "on the board" / "incoming" / package.id / "model.onnx"

    def cancel(_fraction: float, text: str) -> None:
        if "model.onnx" in text and half.exists() and half.stat().st_size > 1 << 20:
            control.cancel()

    control = Control(cancel)
    with pytest.raises(Cancelled):
        boards.push("loop", package, control)

    def cut(_fraction: float, text: str) -> None:
        if "model.onnx" in text:
            server.cut()

    with pytest.raises(BoardError, match="lost"):
        boards.push("loop", package, Control(cut))
    pushed = boards.push("loop", package)
    assert pushed.activated
    assert pushed.sent < package.bytes
    release = tmp_path / "on the board" / "releases" / package.id / "model.onnx"
    assert sha256_of(release) == package.sha256["model.onnx"]


@pytest.mark.slow
def test_bytes_altered_on_the_way_are_sent_again(boards: Boards, board: Board, tmp_path: Path) -> None:
    package = pack(tmp_path / "one")
    incoming = tmp_path / "on the board" / "incoming" / package.id
    incoming.mkdir(parents=True)
    content = bytearray((tmp_path / "one" / "net.onnx").read_bytes()[:2000])
    content[1000] ^= 1
    (incoming / "model.onnx").write_bytes(content)
    pushed = boards.push("loop", package)
    assert (pushed.sent, pushed.activated) == (package.bytes, True)
    (tmp_path / "on the board" / "releases" / package.id / "model.onnx").write_bytes(content)
    with pytest.raises(BoardError, match="not what was sent"):
        boards.bench("loop")


@pytest.mark.slow
def test_old_releases_go(boards: Boards, board: Board, tmp_path: Path) -> None:
    packages = [pack(tmp_path / str(seed), seed=seed) for seed in range(4)]
    for package in packages:
        status = boards.push("loop", package, confirm=True, keep=1, runs=1).status
    assert [release.id for release in status.releases] == [one.id for one in reversed(packages[1:])]


@pytest.mark.slow
def test_this_computer_does_the_same(boards: Boards, tmp_path: Path) -> None:
    one, two = pack(tmp_path / "one", seed=1), pack(tmp_path / "two", seed=2)
    assert boards.host_key("this-computer") is None
    assert boards.probe("this-computer").onnxruntime
    assert boards.push("this-computer", one, confirm=True).confirmed
    assert boards.push("this-computer", two).status.previous == one.id
    assert boards.rollback("this-computer").active == one.id
    assert boards.bench("this-computer", runs=10).proved


@pytest.mark.slow
def test_scripts_are_there_for_the_service(boards: Boards, board: Board, tmp_path: Path) -> None:
    import subprocess

    package = pack(tmp_path / "one")
    boards.push("loop", package, runs=1)
    root = tmp_path / "on the board"
    command = [shutil.which("sh") or "sh", str(root / "bin" / "release.sh"), str(root), "boot"]
    started = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert started == str(root / "releases" / package.id)
    assert boards.status("loop").tries == 1
