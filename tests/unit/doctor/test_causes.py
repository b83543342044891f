"""Each cause planted in a real net: it is named first, and the gain is what a fresh measurement says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from studio import target
from studio.control import Control
from studio.data.reference import Adjustment, DataRef
from studio.doctor.examine import ranked
from studio.doctor.findings import Diagnosis, Finding, Fix
from studio.errors import DataError, RecipeError
from studio.metrics import Figure
from studio.project.memory import Memory
from studio.recipe.settings import Recipe, Settings
from studio.session.session import Session
from studio.workbench.local import LocalWorkbench

from .conftest import Array, Net, Patient, pictures, plain

INT8 = Settings(bits=8)

pytestmark = pytest.mark.slow


def _recipe(**more: object) -> Recipe:
    return replace(Recipe(target=target.here().name, default=INT8), **more)


def _diagnosed(session: Session, recipe: Recipe) -> Diagnosis:
    session.apply_recipe(recipe)
    return session.diagnose(Control()).value


def _cured(session: Session, recipe: Recipe, cause: str) -> Finding:
    """The first finding, whose fix is applied: the gain told is the one that a fresh measurement shows."""
    session.apply_recipe(recipe)
    before = session.measure(Control()).value.comparison
    found = session.diagnose(Control()).value
    assert found.findings
    first = found.findings[0]
    assert first.cause == cause, [(each.cause, each.fix.key, each.gain) for each in found.findings]
    after = session.apply_fix(first, Control()).value.comparison
    assert before is not None
    assert after is not None
    assert first.gain is not None
    assert first.gain.low is not None
    assert first.gain.low > 0
    assert first.gain.n == before.difference.n
    won = after.optimized.value - before.optimized.value
    assert won == pytest.approx(first.gain.value)
    session.undo()
    assert session.recipe == recipe
    return first


def test_a_healthy_net_has_no_finding(patient: Patient) -> None:
    found = _diagnosed(patient(plain(), pictures(1)), _recipe())
    assert found.findings == ()
    assert {each.name for each in found.evidence} == {"output", "worst", "stretch"}
    assert found.comparison.difference.value > -5


def test_spread_channels_under_one_scale(patient: Patient) -> None:
    net = plain()
    net.held["second.weight"][5] *= 300
    net.held["third.weight"][:, 5] /= 300
    recipe = _recipe(default=Settings(bits=8, granularity="tensor"), repair=())
    first = _cured(patient(net, pictures(1)), recipe, "spread")
    assert first.where[0] == "second"


def test_a_planted_outlier(patient: Patient) -> None:
    x = pictures(1)
    x[::200, 0, 0, 0] = 400.0
    first = _cured(patient(plain(), x), _recipe(), "outlier")
    assert first.where[0] == "second"
    assert first.evidence[0].value > 10


def test_one_value_of_all_samples_stretches_the_range(patient: Patient) -> None:
    x = pictures(1)
    x[-1, 0, 0, 0] = 400.0  # of 153,600 values, in none of the samples whose ranges are looked at
    first = _cured(patient(plain(), x), _recipe(), "outlier")
    assert first.where
    assert first.evidence[0].value > 10


def test_one_weight_stretches_its_channel(patient: Patient) -> None:
    net = plain()
    net.held["first.weight"][3] /= 400
    net.held["second.weight"][:, 3, 0, 0] *= 400
    first = _cured(patient(net, pictures(1)), _recipe(repair=()), "peak")
    assert first.where == ("second",)
    assert first.evidence[0].value > 20


def test_a_concat_of_unlike_ranges(patient: Patient) -> None:
    net = Net()
    small, large = net.conv("x", "small", 3, 8), net.conv("x", "large", 3, 8)
    net.held["large.weight"] = net.held["large.weight"] * 100
    both = net.op("Concat", [small, large], "both", axis=1)
    mixed = net.conv(both, "mix", 16, 16)
    net.held["mix.weight"][:, 8:] /= 10_000
    net.head(mixed, 16 * 64)
    first = _cured(patient(net, pictures(1)), _recipe(repair=()), "join")
    assert first.where == ("mix",)
    assert first.evidence[0].value == pytest.approx(100, rel=0.5)


def test_calibration_unlike_evaluation(patient: Patient) -> None:
    session = patient(plain(), pictures(1), x_calibration=100 * pictures(2, 64))
    first = _cured(session, _recipe(), "shift")
    assert first.evidence[0].value == pytest.approx(100, rel=0.1)
    assert session.document is not None
    assert session.document.data is not None
    assert not session.document.data.ref.shared  # undone with the recipe


def test_two_calibration_samples(patient: Patient) -> None:
    x = pictures(1) * np.exp(np.random.default_rng(7).normal(0, 1.5, (800, 1, 1, 1))).astype(np.float32)
    x[[0, -1]] *= np.float32(0.02 / np.abs(x[[0, -1]]).mean())
    first = _cured(patient(plain(), x), _recipe(calibration_samples=2), "samples")
    assert first.evidence[0].value == 2


def test_pictures_that_nobody_scaled(patient: Patient) -> None:
    right = (pictures(1) * 0.2 + 0.5).clip(0, 1)
    session = patient(plain(bias=1.0), 255 * right, right)
    found = _diagnosed(session, _recipe())
    first = found.findings[0]
    assert (first.cause, first.fix.given) == ("preprocessing", "x / 255")
    assert first.gain is not None
    told = {each.name: each.value for each in first.evidence}
    assert told["alternative"] == pytest.approx(told["accuracy"] + first.gain.value)
    assert told["alternative"] > 99  # labels are the net's answers to these pictures
    after = session.apply_fix(first, Control()).value.comparison
    assert after is not None
    assert after.original.value == pytest.approx(told["alternative"])
    assert session.document is not None
    assert session.document.data is not None
    assert session.document.data.ref.adjust == (Adjustment(scale=1 / 255),)
    session.undo()
    assert session.document.data.ref.adjust == ()


def _laid_wrong(x: Array) -> Array:
    """What comes of reading the values of pictures (N, H, W, C) as (N, C, H, W)."""
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1)).reshape(x.shape)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (lambda x: x[:, ::-1], "red and blue exchanged"),
        (_laid_wrong, "channels last taken for first undone"),
        (lambda x: x.swapaxes(2, 3), "height and width exchanged"),
        (lambda x: 255 * x[:, ::-1], "red and blue exchanged, then x / 255"),
        (lambda x: 2 * x - 1, "(x + 1) / 2"),
        (lambda x: (x * 255).round(), "x / 255"),
    ],
)
def test_wrongly_prepared_pictures_are_put_right_by_one_click(
    patient: Patient, wrong: Callable[[Array], Array], named: str
) -> None:
    right = (pictures(1, 300) * 0.2 + 0.5).clip(0, 1)
    session = patient(plain(bias=1.0), np.ascontiguousarray(wrong(right), np.float32), right)
    first = _diagnosed(session, _recipe()).findings[0]
    assert (first.cause, first.fix.given) == ("preprocessing", named)
    assert first.gain is not None
    assert first.gain.n == 300
    before = session.measure(Control()).value.comparison
    after = session.apply_fix(first, Control()).value.comparison
    assert before is not None
    assert after is not None
    assert after.original.value - before.original.value == pytest.approx(first.gain.value)
    assert after.original.value > 98


def test_what_the_user_must_mend_is_refused(patient: Patient) -> None:
    session = patient(plain(), pictures(1, 100))
    finding = Finding("preprocessing", (), (), Fix("check"), None)
    with pytest.raises(RecipeError, match="no recipe can mend it"):
        session.apply_fix(finding, Control())


def test_a_sensitive_layer_at_two_bits(patient: Patient) -> None:
    session = patient(plain(), pictures(1))
    session.apply_recipe(_recipe().with_rule("second", Settings(bits=1)))
    first = _cured(session, session.recipe, "bits")
    assert first.where == ("second",)


def test_too_much_pruned(patient: Patient) -> None:
    session = patient(plain(), pictures(1))
    pruned = Settings(sparsity=0.8, structure="unstructured")
    first = _cured(session, _recipe().with_rule("third", pruned), "pruned")
    assert first.where == ("third",)


def test_without_labels_the_original_is_right(patient: Patient, tmp_path: Path) -> None:
    session = patient(plain(), pictures(1))
    np.savez(tmp_path / "bare.npz", x=pictures(1))
    session.attach_data(DataRef(str(tmp_path / "bare.npz")), Control())
    first = _cured(session, _recipe().with_rule("second", Settings(bits=1)), "bits")
    assert first.where == ("second",)


def test_a_loss_in_pictures_without_labels_is_weighed_like_the_gains(
    patient: Patient, tmp_path: Path
) -> None:
    net = Net()
    net.conv(net.conv(net.conv("x", "first", 3, 16), "second", 16, 16), "third", 16, 16)
    net.op("Identity", ["third.relu"], "head")
    session = patient(net, pictures(1, 200))
    np.savez(tmp_path / "bare.npz", x=pictures(1, 200))
    session.attach_data(DataRef(str(tmp_path / "bare.npz")), Control())
    found = _diagnosed(session, _recipe().with_rule("second", Settings(bits=4)))
    assert found.comparison.metric == "output match"
    assert (found.findings[0].cause, found.findings[0].where) == ("bits", ("second",))


def test_it_needs_data(patient: Patient, bench: LocalWorkbench, tmp_path: Path) -> None:
    session = Session(bench, memory=Memory(tmp_path / "none"))
    session.open(plain().save(tmp_path / "alone.onnx"), Control())
    with pytest.raises(DataError, match="no data set"):
        session.diagnose(Control())


def test_of_fixes_that_win_alike_the_particular_cause_comes_first() -> None:
    def finding(cause: str, gain: float) -> Finding:
        return Finding(cause, (), (), Fix("bits"), Figure(gain, "pp", 100, "", gain - 1, gain + 1))

    every = [finding("layer", 10.0), finding("outlier", 9.0), finding("samples", 2.0)]
    assert [each.cause for each in ranked(every)] == ["outlier", "layer", "samples"]
