"""What runs behind a cut gives the figures of the whole: same file, same kernels, same numbers."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from studio.control import Cancelled, Control
from studio.data.reference import DataRef
from studio.measure.cuts import CutCache, border_before, changed, earlier
from studio.measure.folding import foldable
from studio.measure.taps import load_graph
from studio.measure.wiring import Wired, submodel, wire
from studio.metrics import Comparison
from studio.recipe.settings import Recipe, Settings
from studio.session.session import Session
from studio.workbench.api import Candidate, Job, ModelRef
from studio.workbench.local import LocalWorkbench

EIGHT = Recipe(default=Settings(bits=8), calibration_samples=32, repair=("equalize", "bias"))


class Bench:
    """The sample with few samples, run live and run whole."""

    def __init__(self, folder: Path, model: Path, data: Path, samples: int, budget: int = 1 << 28) -> None:
        self.live = LocalWorkbench(folder, threads=1, cut_budget=budget)
        self.whole = LocalWorkbench(folder, threads=1, cut_budget=0)
        self.facts = self.live.open(str(model), Control())
        self.job = Job(ModelRef.to(self.facts), EIGHT, DataRef(str(data), None, samples))

    def into(self, session: Session) -> None:
        """Open the same model and samples there."""
        assert self.job.data is not None
        session.open(self.facts.path, Control())
        session.attach_data(self.job.data, Control())

    def figures(self, workbench: LocalWorkbench, recipe: Recipe) -> tuple[Comparison, list[Comparison]]:
        assert self.job.data is not None
        artifact = self.live.build(replace(self.job, recipe=recipe), Control())
        streamed: list[Comparison] = []
        candidate = Candidate(artifact.path, artifact)
        found = workbench.compare(self.job.model, candidate, self.job.data, streamed.append, Control())
        return found, streamed

    def whole_figures(self, recipe: Recipe) -> tuple[Comparison, list[Comparison]]:
        self.whole.close()  # forgets the run before, so that nothing can be cut
        return self.figures(self.whole, recipe)


@pytest.fixture
def bench(tmp_path: Path, sample: Path, sample_data: Path) -> Bench:
    return Bench(tmp_path, sample, sample_data, 40)


@pytest.mark.slow
def test_an_edit_of_a_prepared_layer_runs_less_and_tells_the_same(bench: Bench) -> None:
    middle = bench.facts.layers[len(bench.facts.layers) // 2].name
    ready = bench.live.prepare(bench.job, (middle,), Control())
    assert ready.tensors > 0
    assert 0 < ready.behind < 0.8
    assert ready.bytes > 0
    recipe = EIGHT.with_rule(middle, Settings(bits=3))
    assert bench.figures(bench.live, recipe) == bench.whole_figures(recipe)


@pytest.mark.slow
def test_packed_weights_behind_a_cut_are_unpacked_once_and_tell_the_same(bench: Bench) -> None:
    four = replace(bench.job, recipe=Recipe(default=Settings(bits=4), calibration_samples=32, repair=()))
    middle = bench.facts.layers[len(bench.facts.layers) // 2].name
    bench.live.prepare(four, (middle,), Control())
    recipe = four.recipe.with_rule(middle, Settings(bits=3))
    assert bench.figures(bench.live, recipe) == bench.whole_figures(recipe)
    path = bench.live.build(replace(four, recipe=recipe), Control()).path
    wired = wire(load_graph(path))
    assert wired is not None
    known = bench.live._live.folded.of(wired)
    assert 0.5 * len(foldable(wired)) < len(known) < len(foldable(wired))  # all but the edited layer's
    whole, part = (
        onnx.load_from_string(submodel(wired, wired.model.graph.input, wired.outputs, each))
        for each in ({}, known)
    )
    assert len(part.graph.node) < len(whole.graph.node)


@pytest.mark.slow
def test_a_budget_too_small_for_any_cut_runs_the_whole(
    tmp_path: Path, sample: Path, sample_data: Path
) -> None:
    bench = Bench(tmp_path, sample, sample_data, 40, budget=1000)
    last = bench.facts.layers[-3].name
    ready = bench.live.prepare(bench.job, (last,), Control())
    assert (ready.tensors, ready.behind) == (0, 1.0)
    assert "memory" in ready.note
    recipe = EIGHT.with_rule(last, Settings(bits=2))
    assert bench.figures(bench.live, recipe) == bench.whole_figures(recipe)


@pytest.mark.slow
def test_preparing_can_be_cancelled(bench: Bench) -> None:
    control = Control(lambda fraction, text: control.cancel() if "getting ready" in text else None)
    with pytest.raises(Cancelled):
        bench.live.prepare(bench.job, (bench.facts.layers[5].name,), control)


@pytest.mark.slow
@pytest.mark.parametrize("prepared", [True, False], ids=["prepared", "on the way"])
def test_random_edits_cut_and_whole_are_equal(
    tmp_path: Path,
    sample: Path,
    sample_data: Path,
    prepared: bool,
    record_property: Callable[[str, object], None],
) -> None:
    bench = Bench(tmp_path, sample, sample_data, 72)
    names = [layer.name for layer in bench.facts.layers]
    rng = random.Random(7)
    with closing(Session(bench.live)) as session:
        bench.into(session)
        session.sensitivity(Control(), rounds=1)
        for _ in range(10):
            name = rng.choice(names)
            session.apply_recipe(EIGHT.with_rule(rng.choice(names), Settings(bits=rng.choice((4, 6, 32)))))
            if prepared:
                session.prepare((name,), Control())
            for _ in range(5):
                session.set_layers((name,), Settings(bits=rng.choice((2, 3, 4, 5, 6, 7, 8, 16, 32))))
                found = session.measure(Control()).value.comparison
                assert found is not None
                whole, _ = bench.whole_figures(session.recipe)
                assert replace(found, note=whole.note) == whole, session.recipe
        size, points = session.estimate_error
        count = len(session.state.misses)
    record_property("estimates", f"{count}: off by {size} % of the size, {points} points")
    print(f"{count} estimates were off by {size:.2f} % of the size and {points:.2f} points on average")
    assert count >= 25
    assert size is not None
    assert size < 1
    assert points is not None
    assert points < 5


def chain(weight: float = 1.0) -> Wired:
    """x → a = x·w → b = Relu(a) → c = b + a → d = Relu(c) → y = d·w2."""
    nodes = [
        helper.make_node("Mul", ["x", "w"], ["a"]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Add", ["b", "a"], ["c"]),
        helper.make_node("Relu", ["c"], ["d"]),
        helper.make_node("Mul", ["d", "w2"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "chain",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 4])],
        [
            numpy_helper.from_array(np.ones(4, np.float32), "w"),
            numpy_helper.from_array(np.full(4, weight, np.float32), "w2"),
        ],
    )
    wired = wire(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]))
    assert wired is not None
    return wired


def test_equal_parts_have_equal_digests_whatever_lies_behind() -> None:
    one, other = chain(1.0), chain(2.0)
    assert one.digests["d"] == other.digests["d"]
    assert changed(one, other) == {4}


def test_a_cut_never_goes_through_what_may_be_fused() -> None:
    assert border_before(chain(), {4}) == ("d",)
    assert border_before(chain(), {2, 3, 4}) == ("b",)  # `a`, which may be fused, is made again behind


def test_a_cheaper_cut_ahead_is_found() -> None:
    assert earlier(chain(), ("d",), {"b": 4, "d": 16}, room=8) == ("b",)
    assert earlier(chain(), ("d",), {"b": 4, "d": 16}, room=0) == ()


def test_the_newest_cut_makes_room_and_is_not_evicted_for_itself() -> None:
    cache = CutCache(100)
    old, new = np.zeros(60, np.uint8), np.zeros(40, np.uint8)
    cache.put((b"old", "data", 0, 1), old)
    cache.begin(frozenset({b"new"}))
    for start in range(4):
        cache.put((b"new", "data", start, start + 1), new)
    assert cache.get((b"old", "data", 0, 1)) is None
    assert cache.known("data") == {b"new"}
    assert (cache.used, cache.holds(b"new", "other")) == (80, False)
