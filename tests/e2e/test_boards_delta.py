"""A push sends what changed: the board builds the rest from the releases it has."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from board_parts import WIDE, repack
from onnx import TensorProto, helper, numpy_helper

from studio.boards.api import Boards
from studio.boards.book import Board
from studio.boards.release.blocks import blocks_of, plan, remember
from studio.boards.release.package import MODEL, Package, sha256_of

HIDDEN = 4096


@pytest.fixture
def boards() -> Iterator[Boards]:
    with Boards() as boards:
        yield boards


def _net(path: Path, head_seed: int, prefix: str = "") -> Path:
    """A large body that stays, and a small head that is trained again; `prefix` renames every tensor."""
    chance = np.random.default_rng(0)
    body = chance.normal(size=(WIDE, HIDDEN)).astype(np.float32)
    more = chance.normal(size=(HIDDEN, WIDE)).astype(np.float32) / HIDDEN
    head = np.random.default_rng(head_seed).normal(size=(WIDE, 100)).astype(np.float32)
    weights = {"body": body, "more": more, "head": head}
    names = ["x", *(f"{prefix}{at}" for at in range(2)), "y"]
    nodes = [
        helper.make_node("MatMul", [names[at], f"{prefix}{name}"], [names[at + 1]])
        for at, name in enumerate(weights)
    ]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", WIDE])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 100])],
        [numpy_helper.from_array(values, f"{prefix}{name}") for name, values in weights.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


def _pack(folder: Path, head_seed: int, prefix: str = "") -> Package:
    folder.mkdir()
    model = _net(folder / "net.onnx", head_seed, prefix)
    return repack(folder, model, model)


def test_cuts_follow_the_tensors(tmp_path: Path) -> None:
    one, two = _net(tmp_path / "1.onnx", 1), _net(tmp_path / "2.onnx", 1, "another.name.")
    blocks = blocks_of(one)
    assert sum(block.length for block in blocks) == one.stat().st_size
    remember("one", one)
    for path, share in ((one, 0.0), (two, 0.01), (_net(tmp_path / "3.onnx", 2), 0.02)):
        runs = plan(path, ("one",))
        assert sum(run.length for run in runs) == path.stat().st_size
        fresh = sum(run.length for run in runs if not run.source)
        assert fresh <= share * path.stat().st_size
    plain = tmp_path / "no.onnx"
    plain.write_bytes(np.random.default_rng(1).bytes(600_000))
    assert [block.length for block in blocks_of(plain)] == [262144, 262144, 75712]


@pytest.mark.slow
def test_a_new_head_sends_little(boards: Boards, tmp_path: Path) -> None:
    board = Board("here", kind="local", folder=str(tmp_path / "board"), python=sys.executable)
    one, two, three = (_pack(tmp_path / str(seed), seed) for seed in (1, 2, 3))
    assert boards.push(board, one, confirm=True).sent == one.bytes
    told = boards.forecast(board, two)
    assert (told.bytes, told.sources) == (two.bytes, (one.id,))
    pushed = boards.push(board, two, confirm=True)
    assert pushed.confirmed
    assert pushed.sent <= 0.06 * two.bytes
    assert abs(pushed.sent - told.fresh) < 1000
    assert sha256_of(tmp_path / "board" / "releases" / two.id / MODEL) == two.sha256[MODEL]
    assert boards.forecast(board, two).fresh == 0
    # An old file that rotted gives a wrong whole, which is found, and the push goes the long way.
    for release in (one, two):
        path = tmp_path / "board" / "releases" / release.id / MODEL
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    pushed = boards.push(board, three)
    assert pushed.activated
    assert pushed.sent > 0.9 * three.bytes / 2
    assert sha256_of(tmp_path / "board" / "releases" / three.id / MODEL) == three.sha256[MODEL]
