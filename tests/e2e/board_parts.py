"""Small real models and packages for the board tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from studio.boards.release.package import Package, golden_outputs, package, save_goldens

WIDE = 64


def net(path: Path, seed: int = 0, ballast: int = 0) -> Path:
    """A two-layer network; `ballast` adds that many bytes of weights that do take part."""
    chance = np.random.default_rng(seed)
    hidden = max(16, ballast // (4 * WIDE))
    first = chance.normal(size=(WIDE, hidden)).astype(np.float32)
    second = chance.normal(size=(hidden, 10)).astype(np.float32) / hidden
    nodes = [
        helper.make_node("MatMul", ["x", "first"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("MatMul", ["r", "second"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", WIDE])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 10])],
        [numpy_helper.from_array(first, "first"), numpy_helper.from_array(second, "second")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


def pack(folder: Path, name: str = "net", seed: int = 0, ballast: int = 0, **more: float) -> Package:
    """A package whose goldens are what the model really gives."""
    folder.mkdir(parents=True, exist_ok=True)
    model = net(folder / f"{name}.onnx", seed, ballast)
    return repack(folder, model, model, **more)


def repack(folder: Path, model: Path, truth: Path, **more: float) -> Package:
    """A package of `model` whose goldens come from `truth`."""
    inputs = {"x": np.random.default_rng(7).normal(size=(16, WIDE)).astype(np.float32)}
    goldens = save_goldens(folder / "goldens.npz", inputs, golden_outputs(truth, inputs))
    return package(model, goldens, folder / "meta", **more)  # type: ignore[arg-type]
