"""A board without Python: the C runner with the C library, long runs over a dropped connection."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import pytest
from board_parts import net, pack, repack
from onnx import TensorProto, helper
from sshd import Sshd, missing

from studio.boards.api import Boards
from studio.boards.book import Board
from studio.boards.release.package import package, record_goldens
from studio.boards.runtime import compile as compiling
from studio.control import Control
from studio.errors import BoardError

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing()), reason=missing()),
    pytest.mark.skipif(
        not (shutil.which("cc") or find_spec("ziglang")), reason="no compiler for the runner (ziglang, cc)"
    ),
]

APPLETS = (
    *("busybox", "sh", "cat", "cp", "mv", "rm", "ln", "ls", "mkdir", "readlink", "sha256sum", "head", "tail"),
    *("wc", "dd", "df", "du", "stat", "sync", "sleep", "tr", "sed", "grep", "setsid", "kill", "chmod", "od"),
    *("uname", "date", "sort", "basename", "id"),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """A board whose only programs are BusyBox applets."""
    folder = tmp_path_factory.mktemp("sshd")
    box = shutil.which("busybox")
    if box is None:
        pytest.skip("no busybox here")
    tools = folder / "bin"
    tools.mkdir()
    for name in APPLETS:
        (tools / name).symlink_to(box)
    server = Sshd(folder, options=(f"SetEnv PATH={tools} HOME={folder}/home",)).start()
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
        "bare", host="127.0.0.1", port=server.port, key_path=str(server.key), folder=folder, runner="native"
    )
    boards.trust(boards.add(fresh), boards.host_key(fresh))
    return fresh


def test_whole_life_without_python(boards: Boards, board: Board, tmp_path: Path) -> None:
    assert boards.probe("bare").busybox
    one, two = pack(tmp_path / "one", seed=1), pack(tmp_path / "two", seed=2)
    pushed = boards.push("bare", one, confirm=True)
    assert (pushed.confirmed, pushed.run.proved, pushed.run.samples) == (True, True, 16)
    assert pushed.run.runtime.endswith("C runner")
    assert 1 << 20 < pushed.run.peak_bytes < 1 << 28
    shared = sorted(path.name for path in (tmp_path / "on the board" / "shared").iterdir())
    assert [name.split("-")[0] for name in shared] == ["libonnxruntime", "trimtab"]
    boards.push("bare", two, confirm=True)
    assert sorted(path.name for path in (tmp_path / "on the board" / "shared").iterdir()) == shared
    run = boards.bench("bare", runs=200, threads=2, cores="0", profile=True)
    assert (run.runs, run.threads, run.proved) == (200, 2, True)
    assert {op.op for op in run.ops} >= {"MatMul"}
    assert "--cores 0" in run.command
    assert run.before is not None
    assert boards.rollback("bare").active == one.id


def test_wrong_models_are_refused_by_the_runner(boards: Boards, board: Board, tmp_path: Path) -> None:
    good = pack(tmp_path / "good", seed=1)
    boards.push("bare", good, confirm=True)
    wrong = net(tmp_path / "wrong.onnx", seed=2)
    with pytest.raises(BoardError, match=r"output 'y' differs by .*stays active"):
        boards.push("bare", repack(tmp_path / "wrong", wrong, tmp_path / "good" / "net.onnx"))
    broken = tmp_path / "broken.onnx"
    broken.write_bytes((tmp_path / "good" / "net.onnx").read_bytes()[:3000])
    with pytest.raises(BoardError, match="does not run there: the model does not load"):
        boards.push("bare", repack(tmp_path / "broken", broken, tmp_path / "good" / "net.onnx"))
    assert boards.status("bare").active == good.id


def test_outputs_of_another_shape_or_type_are_refused(boards: Boards, board: Board, tmp_path: Path) -> None:
    """The library checks what the model gives against the goldens; the runner says what it said."""
    good = pack(tmp_path / "good", seed=1)
    boards.push("bare", good, confirm=True)
    model = onnx.load(tmp_path / "good" / "net.onnx")
    model.graph.node[-1].output[0] = "z"
    wide, typed = (onnx.ModelProto.FromString(model.SerializeToString()) for _ in range(2))
    wide.graph.node.append(helper.make_node("Concat", ["z", "z"], ["y"], axis=1))
    wide.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 20
    typed.graph.node.append(helper.make_node("Cast", ["z"], ["y"], to=TensorProto.INT64))
    typed.graph.output[0].type.tensor_type.elem_type = TensorProto.INT64
    for name, other in (("wide", wide), ("typed", typed)):
        path = tmp_path / f"{name}.onnx"
        onnx.save(other, path)
        with pytest.raises(BoardError, match=r"does not run there: the model does not run: .*stays active"):
            boards.push("bare", repack(tmp_path / name, path, tmp_path / "good" / "net.onnx"))
    assert boards.status("bare").active == good.id


def test_every_type_and_a_fixed_batch(boards: Boards, board: Board, tmp_path: Path) -> None:
    """Integers, half floats, booleans, not-a-number and infinity, from a file with a fixed batch of 4."""
    model = tmp_path / "types.onnx"
    infos = [("a", TensorProto.FLOAT), ("b", TensorProto.INT8)]
    results = [("h", TensorProto.FLOAT16), ("i", TensorProto.INT64), ("t", TensorProto.BOOL)]
    results += [("d", TensorProto.DOUBLE), ("l", TensorProto.FLOAT)]
    nodes = [
        helper.make_node("Cast", ["a"], ["h"], to=TensorProto.FLOAT16),
        helper.make_node("Cast", ["b"], ["i"], to=TensorProto.INT64),
        helper.make_node("Cast", ["b"], ["t"], to=TensorProto.BOOL),
        helper.make_node("Cast", ["a"], ["d"], to=TensorProto.DOUBLE),
        helper.make_node("Log", ["a"], ["l"]),
    ]
    graph = helper.make_graph(
        nodes,
        "types",
        [helper.make_tensor_value_info(name, kind, [4, 3]) for name, kind in infos],
        [helper.make_tensor_value_info(name, kind, [4, 3]) for name, kind in results],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), model)
    chance = np.random.default_rng(3)
    inputs = {
        "a": np.float32([[-1, 0, 1]]) * chance.normal(size=(16, 3)).astype(np.float32),
        "b": chance.integers(-2, 2, (16, 3), np.int8),
    }
    goldens = record_goldens(tmp_path / "goldens.npz", model, inputs)
    assert np.load(goldens)["in_0"].shape == (16, 4, 3)
    release = package(model, goldens, tmp_path / "meta", tolerance=0.0)
    run = boards.push("bare", release).run
    assert (run.proved, run.worst, run.reason) == (True, 0.0, "")
    local = Board("here", kind="local", folder=str(tmp_path / "local"), python=sys.executable)
    run = boards.push(local, release).run
    assert (run.proved, run.worst, run.reason, "Python" in run.runtime) == (True, 0.0, "", True)


def test_a_bench_survives_a_dropped_connection(
    boards: Boards, board: Board, server: Sshd, tmp_path: Path
) -> None:
    boards.push("bare", pack(tmp_path / "one"), confirm=True)
    told: list[str] = []
    cuts = threading.Event()

    def cut_once(_fraction: float, text: str) -> None:
        told.append(text)
        if text.startswith("run ") and not cuts.is_set():
            cuts.set()
            server.cut()

    run = boards.bench("bare", Control(cut_once), runs=10_000_000, seconds=2.0)
    assert cuts.is_set()
    assert (run.proved, sum(run.samples_ms) < 2100) == (True, True)
    assert not any((tmp_path / "on the board" / "jobs").iterdir())


def test_a_cancelled_bench_ends_on_the_board(boards: Boards, board: Board, tmp_path: Path) -> None:
    from studio.control import Cancelled

    boards.push("bare", pack(tmp_path / "one"), confirm=True)

    def stop(_fraction: float, text: str) -> None:
        if text.startswith("run "):
            control.cancel()

    control = Control(stop)
    with pytest.raises(Cancelled):
        boards.bench("bare", control, runs=10_000_000, seconds=600.0)
    time.sleep(0.2)
    assert not any((tmp_path / "on the board" / "jobs").iterdir())
    lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not any(str(tmp_path).encode() in line and b"trimtab-run" in line for line in lines)


def test_what_a_board_cannot_have_is_said_first(boards: Boards, board: Board) -> None:
    from studio.boards.facts import parse
    from studio.boards.runtime.native import cannot

    def why(text: str, library: str = "") -> str:
        return cannot(parse("x", text), library)

    arm = "machine=aarch64\nbits=64\nlibc=glibc 2.36\nlibstdcxx=6.0.30"
    assert why(arm) == ""
    assert "musl" in why("machine=aarch64\nbits=64\nlibc=musl 1.2.4")
    assert "glibc 2.28, the board has 2.27" in why(arm.replace("2.36", "2.27"))
    assert "lacks" in why("machine=aarch64\nbits=64\nlibc=glibc 2.36")
    assert "wheel for armhf" in why("machine=armv7l\nbits=32\nlibc=glibc 2.36\nlibstdcxx=6.0.30")
    assert why("machine=armv7l\nbits=32\nlibc=glibc 2.36", "/usr/lib/libonnxruntime.so.1.21") == ""
    assert "no runner" in why("machine=mips\nbits=32")


def test_the_runner_is_built_for_every_cpu(tmp_path: Path) -> None:
    if find_spec("ziglang") is None:
        pytest.skip("no ziglang here (pip install ziglang)")
    for arch, machine in (("x86_64", 62), ("aarch64", 183), ("armhf", 40), ("riscv64", 243)):
        content = compiling.build(arch, tmp_path / arch / compiling.NAME).read_bytes()
        assert (content[:4], content[18]) == (b"\x7fELF", machine)
        assert len(content) < 100_000
