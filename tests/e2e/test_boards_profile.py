"""Layers timed on a board over a real SSH server, and what is refused before it serves."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from sshd import Sshd, keygen, missing

from studio.boards.api import Boards
from studio.boards.book import Board, BoardBook
from studio.boards.facts import BoardFacts
from studio.boards.links.hostkeys import KnownHosts
from studio.boards.release.package import package
from studio.boards.table.store import Store
from studio.control import Control
from studio.data.reference import DataRef
from studio.errors import BoardError
from studio.paths import resource
from studio.recipe.settings import Settings
from studio.session.pushing import Terms
from studio.session.session import Session
from studio.workbench.local import LocalWorkbench

COMPILER = shutil.which("cc") or find_spec("ziglang")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing()), reason=missing()),
    pytest.mark.skipif(not COMPILER, reason="no compiler for the runner (ziglang, cc)"),
]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sshd]:
    server = Sshd(tmp_path / "sshd").start()
    yield server
    server.stop()


@pytest.fixture
def session(server: Sshd, tmp_path: Path) -> Iterator[Session]:
    boards = Boards(BoardBook(tmp_path / "boards.json"), KnownHosts(tmp_path / "known_hosts"))
    boards.layer_store = Store(tmp_path / "times")
    address = {"host": "127.0.0.1", "port": server.port, "key_path": str(server.key)}
    board = Board("loop", folder=str(tmp_path / "there"), python=sys.executable, runner="native", **address)
    boards.add(board)
    key = boards.host_key(board)
    assert key is not None
    boards.trust(board, key)
    session = Session(LocalWorkbench(tmp_path / "built"), boards)
    session.open(resource("samples", "fashion.onnx"), Control())
    session.attach_data(DataRef(str(resource("samples", "fashion.npz"))), Control())
    yield session
    session.close()


def test_layers_are_timed_once_over_a_dropped_connection(
    session: Session, server: Sshd, tmp_path: Path
) -> None:
    assert session.estimate_latency("loop") is None
    ended = threading.Event()

    def cut() -> None:
        while not ended.wait(0.2):
            if (tmp_path / "there" / "jobs").is_dir() and any((tmp_path / "there" / "jobs").iterdir()):
                time.sleep(0.5)
                server.cut()
                return

    cutting = threading.Thread(target=cut)
    cutting.start()
    first = session.board_profile("loop", Control()).value
    ended.set()
    cutting.join()
    assert (first.fresh, first.shapes) == (first.shapes, first.shapes)
    assert (first.table.float_ms > 0, first.table.int8_ms > 0, len(first.table.layers)) == (True, True, 18)
    assert not [path for path in (tmp_path / "there" / "shared").iterdir() if "layers" in path.name]
    again = session.board_profile("loop", Control()).value
    assert (again.fresh, again.shapes) == (0, first.shapes)
    guess = session.estimate_latency("loop")
    assert guess is not None
    assert (guess.source, guess.unit) == ("estimated from loop", "ms")
    session.set_layers(("*",), Settings(sparsity=0.5))
    cut_down = session.estimate_latency("loop")
    assert cut_down is not None
    assert cut_down.value < guess.value
    assert len(session.layer_times("loop")) == 18


def test_times_that_the_board_doubts_are_told_and_not_kept(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as doubting:
        doubting.setattr(BoardFacts, "times_mean_nothing", property(lambda _: "the clock dropped"))
        doubted = session.board_profile("loop", Control()).value
        assert "the clock dropped" in doubted.table.invalid
        assert session.layer_table("loop") == doubted.table
    assert not list((tmp_path / "times").glob("*"))
    key = keygen(tmp_path / "signer")
    session.board_require_signatures("loop", (Path(f"{key}.pub"),), Control())
    with pytest.raises(BoardError, match="not signed"):
        session.board_profile("loop", Control())
    sound = session.board_profile("loop", Control(), sign=str(key)).value
    assert sound.fresh == sound.shapes == doubted.fresh  # nothing of the doubted ones was used again
    assert session.layer_table("loop") == sound.table
    assert len(list((tmp_path / "times").glob("*.json"))) == 2


def test_a_broken_and_a_slow_model_never_serve(session: Session, tmp_path: Path) -> None:
    session.set_layers(("*",), Settings(bits=8))
    good = session.push("loop", Control(), Terms(confirm=True)).value
    boards = session.boards
    boards.serve("loop", Control())
    try:
        shuffled = _shuffled(session, tmp_path)
        packed = session.packed(Control())
        goldens = next((tmp_path / "built" / "goldens").glob("*.npz"))
        wrong = package(shuffled, goldens, tmp_path / "wrong")
        assert wrong.id != packed.id
        with pytest.raises(BoardError, match=r"differs by .* of its range") as refused:
            boards.push("loop", wrong)
        assert f"{good.release} stays active" in refused.value.cause
        with pytest.raises(BoardError, match=r"too slow: p95 .* the budget is 0\.00 ms"):
            session.push("loop", Control(), Terms(p95_ms=0.001))
        with pytest.raises(BoardError, match=r"too much memory: .* MiB"):
            session.push("loop", Control(), Terms(peak_bytes=1 << 20))
        status = boards.status("loop")
        assert (status.active, status.state) == (good.release, "confirmed")
        said = {one.id: one.proof for one in status.releases}
        assert "differs by" in said[wrong.id]
        _until(lambda: boards.serving("loop").health == "ok")
        assert boards.serving("loop").release == good.release
        assert "step " not in boards.serving_log("loop")
    finally:
        boards.stop_serving("loop")


def _shuffled(session: Session, folder: Path) -> Path:
    """The int8 file with each layer's channel scales in another order: it loads, runs and is wrong."""
    artifact = session.build(Control()).value
    model = onnx.load(artifact.path)
    chance = np.random.default_rng(0)
    weights = {node.input[1] for node in model.graph.node if node.op_type == "DequantizeLinear"}
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.name in weights and values.ndim == 1 and values.size > 4:
            tensor.CopyFrom(numpy_helper.from_array(chance.permutation(values), tensor.name))
    path = folder / "shuffled.onnx"
    onnx.save(model, path)
    return path


def _until(done: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.2)
