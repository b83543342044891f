from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from studio.compress.pipeline import build
from studio.control import Cancelled, Control
from studio.data.datasets import CalibrationSamples, open_data
from studio.data.reference import DataRef
from studio.graph.model import Model
from studio.graph.onnx_edge import facts_of, file_key, from_proto
from studio.measure.accuracy import Effort
from studio.measure.sensitivity import ROUNDS, Bench, Trial, sensitivity, trials
from studio.measure.sessions import SessionSource
from studio.metrics import Sensitivity
from studio.paths import resource
from studio.recipe.resolve import resolve
from studio.recipe.settings import Recipe, Settings
from studio.target import load

FEW = Effort(limit=48)


@pytest.fixture
def run(tmp_path):
    """The bundled sample, its data and real builds, ready to be gone through."""
    path = Path(resource("samples", "fashion.onnx"))
    ir = from_proto(onnx.load(path), path.parent)
    facts = facts_of(ir, path=str(path), format="onnx", file_bytes=path.stat().st_size, key=file_key([path]))
    data = open_data(DataRef(str(resource("samples", "fashion.npz"))), facts)
    base, target, cache = Recipe(calibration_samples=32), load("onnxruntime-cpu"), {}

    def made(recipe: Recipe, control: Control):
        plan = resolve(recipe, facts, target, True)
        calibration = CalibrationSamples(data, 32)
        return build(Model(facts, ir), plan, target, calibration, tmp_path, control, cache)

    def go(control: Control, emit, stops) -> tuple[Sensitivity, ...]:
        source = SessionSource(str(path), facts.key)
        return sensitivity(facts, Bench(source, data, base, made, FEW), target, control, emit, (stops,))

    return facts, go


@pytest.mark.slow
def test_largest_groups_first_on_real_files_until_cancelled(run):
    facts, go = run
    control, seen, told = Control(lambda fraction, text: told.append((fraction, text))), [], []

    def emit(row: Sensitivity) -> None:
        seen.append(row)
        if len(seen) == 4:
            control.cancel()

    with pytest.raises(Cancelled):
        go(control, emit, (Settings(bits=8), Settings(bits=4)))
    largest = [trial.group for trial in trials(facts, (Settings(bits=8),))]
    assert [(row.group, row.setting) for row in seen] == [
        (largest[0], "bits=8"),
        (largest[0], "bits=4"),
        (largest[1], "bits=8"),
        (largest[1], "bits=4"),
    ]
    assert all(row.difference.n == 48 for row in seen)
    assert seen[1].bytes < seen[0].bytes < facts.file_bytes
    assert seen[1].sqnr_db < seen[0].sqnr_db
    assert [fraction for fraction, _ in told] == sorted(fraction for fraction, _ in told)


def test_every_stop_of_the_sliders_is_a_trial_and_what_tells_most_comes_first():
    widths = {row.bits for stops in ROUNDS for row in stops if row.bits is not None}
    assert widths == {bits for bits in load("onnxruntime-cpu").rule("Conv").bits if bits < 32}
    tenths = [row.sparsity for stops in ROUNDS for row in stops if row.sparsity is not None]
    assert sorted(tenths) == pytest.approx([tenth / 10 for tenth in range(1, 10)])
    assert {text(row) for row in ROUNDS[0]} == {"bits=4", "bits=8", "sparsity=0.3"}


def text(settings: Settings) -> str:
    return Trial("group", settings, 1).text


def test_stops_that_change_nothing_are_left_out(run):
    _, go = run
    assert go(Control(), lambda _: None, (Settings(bits=32),)) == ()
