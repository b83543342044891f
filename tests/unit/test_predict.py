"""Latency by arithmetic: what is measured of single layers, and how it adds up to a net."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from studio import predict, target
from studio.boards.table.nets import INPUT, OUTPUT, nets
from studio.boards.table.profiles import FILTER, costs
from studio.boards.table.store import Store, lines, wanted
from studio.control import Control
from studio.graph.model import Facts
from studio.layer_times import DYNAMIC, FLOAT, INT8, Cost, LayerTable, neighbours, shape_of, stops
from studio.paths import resource
from studio.recipe.resolve import resolve
from studio.recipe.settings import Recipe, Rule, Settings
from studio.workbench.local import LocalWorkbench

TARGET = target.load("onnxruntime-cpu-x86-avx2")
OPS = ("Relu", "Clip", "BatchNormalization", "Add", "GlobalAveragePool", "Flatten")


@pytest.fixture(scope="module")
def facts() -> Facts:
    return LocalWorkbench().open(str(resource("samples", "fashion.onnx")), Control())


@pytest.mark.slow
def test_one_layer_nets_run_as_the_kernels_they_stand_for(facts: Facts, tmp_path: Path) -> None:
    picked = [facts.by_name[name] for name in ("down1/conv", "stage2/block1/depthwise/conv", "head/fc")]
    shapes = [shape_of(facts, layer, kind, "uint8") for layer in picked for kind in (FLOAT, INT8)]
    shapes.append(shape_of(facts, facts.by_name["head/fc"], DYNAMIC, "uint8"))
    known = [shape for shape in shapes if shape is not None]
    content = nets(known)
    onnx.checker.check_model(onnx.load_from_string(content))
    assert len(content) < 40_000  # weights are made on the board
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.enable_profiling = 1, True
    options.profile_file_prefix = str(tmp_path / "profile")
    session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    for _ in range(8):
        (answer,) = session.run([OUTPUT], {INPUT: np.ones(1, np.float32)})
    assert np.isfinite(answer).all()
    profile = session.end_profiling()
    assert {"QLinearConv", "QGemm"} <= {
        word.split('"')[0] for word in Path(profile).read_text().split('"op_name" : "')
    }
    told = subprocess.run(["sed", "-n", FILTER, profile], capture_output=True, text=True, check=True).stdout
    found = costs([told.splitlines()], 3)
    assert sorted(found) == list(range(len(known)))
    assert all(cost.core >= 0 for cost in found.values())
    assert sum(cost.core for cost in found.values()) > 0


def test_parts_of_a_profile_are_told_apart() -> None:
    told = """5 null.core
9 t0.spread.own
30 t0.enter
6 Transpose_token_1
55 t0.core_token_2
7 Transpose_token_3
8 t0.leave
90 t0.end
20 sum
""".splitlines()
    assert costs([told, told], 0) == {0: Cost(0.050, pytest.approx(0.026), pytest.approx(0.005))}
    assert costs([told], 1) == {}


def test_layers_that_differ_from_their_neighbours_pay_for_the_border(facts: Facts) -> None:
    edges = neighbours(facts, OPS)
    assert edges["stem/conv"] == (("",), ("down1/conv",))
    assert set(edges["down1/conv"][1]) == {"stage1/block1/conv1/conv", "stage2/block1/expand/conv"}
    assert edges["head/fc"][1] == ("",)
    assert neighbours(facts, ())["down1/conv"] == (("",), ("",))


def _table(facts: Facts) -> LayerTable:
    """Every float layer takes 1 ms, every integer one 0.5, a border 0.1 on either side, by its share."""
    known: dict[str, Cost] = {}
    for layer in facts.layers:
        for kind, time in ((FLOAT, 1.0), (INT8, 0.5), (DYNAMIC, 0.7)):
            for share, shape in stops(facts, layer, kind, "uint8"):
                known[shape.key] = Cost(time * share, 0.1, 0.1)
    rows = lines(facts, TARGET, known)
    return LayerTable("pi", facts.key, "test", 1, rows)


def test_a_net_is_the_sum_of_its_layers_and_what_was_measured_of_the_whole(facts: Facts) -> None:
    def plan(*rules: Rule, bits: int = 32) -> predict.Plan:
        recipe = Recipe(target=TARGET.name, default=Settings(bits=bits), rules=rules)
        return resolve(recipe, facts, TARGET, calibrated=True)

    plain, eight = plan(), plan(bits=8)
    count = len(facts.layers)
    bare = _table(facts)
    assert predict.layers_sum(facts, plain, bare) == pytest.approx(count + 0.2)
    table = predict.anchored(bare, facts, plain, eight, 20.0, 9.0)
    for each, whole in ((plain, 20.0), (eight, 9.0)):
        found = predict.latency(facts, each, table)
        assert found is not None
        assert (found.value, found.source) == (pytest.approx(whole), "estimated from pi")
    one = predict.latency(facts, plan(Rule("down2/conv", Settings(bits=8))), table)
    four = predict.latency(facts, plan(bits=4), table)
    cut = predict.latency(facts, plan(Rule("stage3/block1/expand/conv", Settings(sparsity=0.5))), table)
    assert one is not None
    assert four is not None
    assert cut is not None
    assert 9.0 < one.value < 20.2
    assert four.value == pytest.approx(9.0)  # unpacked at load: 8 bits' speed
    assert cut.value == pytest.approx(20.0 - 3 * 0.5)  # expand, depth-wise, project: half of each
    assert predict.latency(facts, plain, bare) is None
    assert all(not row.loses for row in predict.layer_times(table))
    # Layers that tell too much, each by a half: what is cut away saves no more than its share.
    told = predict.anchored(bare, facts, plain, eight, (count + 0.2) / 1.5, 6.0)
    cut = predict.latency(facts, plan(Rule("stage3/block1/expand/conv", Settings(sparsity=0.5))), told)
    assert cut is not None
    assert cut.value == pytest.approx((count + 0.2 - 3 * 0.5) / 1.5)


def test_what_is_known_is_not_measured_again(facts: Facts, tmp_path: Path) -> None:
    store = Store(tmp_path)
    every = wanted(facts, TARGET, store.costs("pi4"))
    assert len({shape.key for shape in every}) == len(every) > 60
    store.keep_costs("pi4", {shape.key: Cost(1.0) for shape in every[:50]})
    assert wanted(facts, TARGET, Store(tmp_path).costs("pi4")) == every[50:]
    assert wanted(facts, TARGET, store.costs("pi5")) == every
    table = _table(facts)
    store.keep_table(table)
    assert Store(tmp_path).table("pi", facts.key) == table
    assert store.table("other", facts.key) is None
    (tmp_path / "pi4.json").write_text("{")
    assert store.costs("pi4") == {}
