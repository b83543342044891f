"""What a layer gives out: the same places of both files, in one scale, over the grid of the codes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from studio.control import Control
from studio.errors import DataError, MeasureError
from studio.graph.model import Facts
from studio.graph.onnx_edge import facts_of, file_key, from_proto
from studio.graph.trace import KEPT, write_kept
from studio.measure.activations import activations, view
from studio.measure.coded import coded
from studio.measure.sessions import SessionSource
from studio.recipe.settings import Recipe
from studio.workbench.api import Job, ModelRef
from studio.workbench.local import LocalWorkbench


@pytest.fixture
def original(net, tmp_path) -> SessionSource:
    return net.save(tmp_path / "original.onnx")


@pytest.fixture
def facts(original) -> Facts:
    path = Path(original.path)
    model = from_proto(onnx.load(path), path.parent)
    return facts_of(
        model, path=str(path), format="onnx", file_bytes=path.stat().st_size, key=file_key([path])
    )


def rounded(original: SessionSource, path: Path, scale: float, zero: int) -> SessionSource:
    """The file with the first layer's output held as uint8 codes."""
    model = onnx.load(original.path)
    model.graph.initializer.append(numpy_helper.from_array(np.float32(scale), "scale"))
    model.graph.initializer.append(numpy_helper.from_array(np.uint8(zero), "zero"))
    nodes = list(model.graph.node)
    nodes[2].input[0] = "dq"
    nodes[2:2] = [
        helper.make_node("QuantizeLinear", ["r1", "scale", "zero"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["dq"]),
    ]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, path)
    return SessionSource(str(path), path.stem)


def test_values_lie_on_the_grid_and_what_is_beyond_it_is_clipped(facts, original, make_data, tmp_path):
    narrow = rounded(original, tmp_path / "b.onnx", 0.001, 0)
    found = activations(facts, "conv1", original, narrow, make_data(20), Control())
    assert found.samples == 20
    assert sum(found.before) == sum(found.after) == found.count
    assert (found.grid[0], len(found.grid)) == (0.0, 256)
    assert found.grid[-1] == pytest.approx(0.255)
    assert found.clipped > 0.1
    wide = rounded(original, tmp_path / "c.onnx", 10.0, 0)
    assert activations(facts, "conv1", original, wide, make_data(20), Control()).clipped == 0


def test_ranges_go_by_the_name_that_is_read(original, tmp_path):
    file = rounded(original, tmp_path / "b.onnx", 0.5, 4)
    found = coded(onnx.load(file.path).graph)
    assert set(found) == {"r1", "dq"}
    assert (found["dq"].low, found["dq"].high, found["dq"].levels) == (-2.0, 125.5, 256)


def test_equalized_and_pruned_channels_are_compared_in_one_scale(net, facts, original, make_data, tmp_path):
    stayed = [0, 2]
    dense = net.dense.reshape(len(net.dense), 3, -1)[:, stayed].reshape(len(net.dense), -1)
    factors = np.array([4, 0.25], np.float32)[:, None, None, None]
    pruned = replace(net, conv=net.conv[stayed] * factors, dense=dense).save(tmp_path / "b.onnx")
    model = onnx.load(pruned.path)
    helper.set_model_props(model, {KEPT: write_kept({"conv1": stayed}, {"conv1": 3})})
    onnx.save(model, pruned.path)
    found = activations(facts, "conv1", original, pruned, make_data(20), Control())
    assert found.before == found.after
    assert found.grid == ()


def test_what_cannot_be_compared_is_told(net, facts, original, make_data, tmp_path):
    fewer = replace(net, conv=net.conv[:2], dense=net.dense[:, :32]).save(tmp_path / "b.onnx")
    with pytest.raises(MeasureError, match="another shape"):
        activations(facts, "conv1", original, fewer, make_data(20), Control())
    with pytest.raises(MeasureError, match="no such layer"):
        activations(facts, "conv9", original, fewer, make_data(20), Control())
    with pytest.raises(MeasureError, match="finite"):
        view("l", np.array([np.nan], np.float32), np.array([1], np.float32), (), 1)


@pytest.mark.slow
def test_without_data_there_are_no_activations(sample: Path, tmp_path: Path) -> None:
    bench = LocalWorkbench(tmp_path, threads=1)
    facts = bench.open(str(sample), Control())
    with pytest.raises(DataError, match="samples"):
        bench.activations(Job(ModelRef.to(facts), Recipe()), facts.layers[0].name, Control())
    bench.close()
