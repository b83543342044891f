from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from studio.control import Control
from studio.graph.model import Facts
from studio.graph.onnx_edge import facts_of, file_key, from_proto
from studio.graph.trace import KEPT, write_kept
from studio.measure.drift import layer_drift
from studio.measure.sessions import SessionSource


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


def drift(facts, original, changed, data) -> dict[str, tuple[float | None, str]]:
    found = layer_drift(facts, original, changed, data, Control())
    return {each.layer: (each.sqnr_db, each.note) for each in found}


def test_equal_files(facts, original, make_data):
    found = drift(facts, original, original, make_data(20))
    assert found == {"conv1": (None, "equal"), "fc": (None, "equal")}


def test_noise_of_known_size(net, facts, original, make_data, tmp_path):
    louder = replace(net, dense=net.dense * np.float32(1.1)).save(tmp_path / "b.onnx")
    found = drift(facts, original, louder, make_data(20))
    assert found["conv1"] == (None, "equal")
    assert found["fc"][0] == pytest.approx(20, abs=1e-3)


def test_channels_that_stayed_are_compared(net, facts, original, make_data, tmp_path):
    stayed = [0, 2]
    dense = net.dense.reshape(len(net.dense), 3, -1)[:, stayed].reshape(len(net.dense), -1)
    louder = net.conv[stayed] * np.float32(1.01)
    pruned = replace(net, conv=louder, dense=dense).save(tmp_path / "b.onnx")
    model = onnx.load(pruned.path)
    helper.set_model_props(model, {KEPT: write_kept({"conv1": stayed}, {"conv1": 3})})
    onnx.save(model, pruned.path)
    found = drift(facts, original, pruned, make_data(20))
    assert found["conv1"] == (pytest.approx(40, abs=1e-2), "told over the channels that stayed")


def test_equalized_channels_are_told_in_the_originals_scale(net, facts, original, make_data, tmp_path):
    factors = np.array([4, 1, 0.125], np.float32)
    conv = net.conv * factors[:, None, None, None] * np.float32(1.01)
    dense = net.dense / factors.repeat(16)[None]
    found = drift(
        facts, original, replace(net, conv=conv, dense=dense).save(tmp_path / "b.onnx"), make_data(20)
    )
    assert found["conv1"][0] == pytest.approx(40, abs=1e-2)
    assert "equalization" in found["conv1"][1]
    assert found["fc"][0] == pytest.approx(40, abs=1e-2)


def test_removed_channels_have_no_figure(net, facts, original, make_data, tmp_path):
    fewer = replace(net, conv=net.conv[:2], dense=net.dense[:, :32]).save(tmp_path / "b.onnx")
    found = drift(facts, original, fewer, make_data(20))
    assert found["conv1"] == (None, "channels were removed")
    assert found["fc"][0] is not None


def test_renamed_layers_have_no_counterpart(facts, original, make_data, tmp_path):
    model = onnx.load(original.path)
    model.graph.node[0].name, model.graph.node[0].output[0] = "other", "o1"
    model.graph.node[1].input[0] = "o1"
    onnx.save(model, tmp_path / "b.onnx")
    found = drift(facts, original, SessionSource(str(tmp_path / "b.onnx"), "b"), make_data(20))
    assert found["conv1"] == (None, "no counterpart in this file")
    assert found["fc"] == (None, "equal")


def test_the_tap_lies_behind_activation_and_rounding(facts, original, make_data, tmp_path):
    model = onnx.load(original.path)
    model.graph.initializer.append(numpy_helper.from_array(np.float32(0.02), "scale"))
    model.graph.initializer.append(numpy_helper.from_array(np.uint8(0), "zero"))
    nodes = list(model.graph.node)
    nodes[2].input[0] = "dq"
    nodes[2:2] = [
        helper.make_node("QuantizeLinear", ["r1", "scale", "zero"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["dq"]),
    ]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, tmp_path / "b.onnx")
    data = make_data(20)
    found = drift(facts, original, SessionSource(str(tmp_path / "b.onnx"), "b"), data)
    relu = helper.make_empty_tensor_value_info("r1")
    whole = onnx.load(original.path)
    del whole.graph.output[:]
    whole.graph.output.append(relu)
    onnx.save(whole, tmp_path / "r.onnx")
    from studio.measure.sessions import open_runner

    exact = open_runner(SessionSource(str(tmp_path / "r.onnx"), "r")).run(data.inputs(0, 20))[0]
    rounded = np.clip(np.rint(exact / 0.02), 0, 255) * 0.02
    wanted = 10 * np.log10((exact**2).sum() / ((exact - rounded) ** 2).sum())
    assert found["conv1"][0] == pytest.approx(wanted, abs=0.01)
