"""What cards and plots make of the engine's values."""

from __future__ import annotations

import pytest

from studio.artifact import Artifact
from studio.graph.model import Facts
from studio.gui.figures import cards, faces
from studio.gui.looks import numbers
from studio.gui.plots import series
from studio.metrics import ESTIMATED, HERE, Comparison, Figure, Flip, Latency, LatencyPair, from_board
from studio.project.changes import Measured
from studio.project.document import Document
from studio.project.journal import Journal
from studio.recipe.settings import Recipe, Settings


def _comparison(difference: Figure) -> Comparison:
    optimized = Figure(94 + difference.value, "%", difference.n, HERE, 92, 95, difference.final)
    return Comparison(
        "top-1", Figure(94, "%", difference.n, HERE, 92, 95), optimized, difference, (Flip(3, 1, 2, 1),)
    )


@pytest.mark.parametrize(
    ("value", "low", "high", "tone"),
    [
        (0.0, -0.4, 0.4, cards.GOOD),
        (0.3, 0.1, 0.5, cards.GOOD),
        (-0.3, -0.9, 0.3, cards.QUIET),
        (-0.5, -0.9, -0.1, cards.WARN),
        (-1.5, -3.5, 0.5, cards.WARN),
        (-2.0, -3.0, -1.0, cards.BAD),
    ],
)
def test_a_verdict_weighs_the_interval(value: float, low: float, high: float, tone: str) -> None:
    assert faces.verdict(Figure(value, "pp", 1000, HERE, low, high)) == tone


def test_the_difference_names_interval_source_and_count() -> None:
    face = faces.difference(_comparison(Figure(-0.5, "pp", 1000, HERE, -0.9, -0.1)), True, False)
    assert face.value == "−0.50 pp"
    assert face.change == "± 0.40  worse"
    assert face.source == "measured here · n = 1 000 · 1 of 1000 answers changed"


def test_a_held_out_figure_stands_before_the_one_on_all_samples() -> None:
    whole = _comparison(Figure(-0.5, "pp", 1000, HERE, -0.9, -0.1))
    held_out = _comparison(Figure(-0.8, "pp", 500, HERE, -1.4, -0.2))
    face = faces.difference(whole, True, False)
    both = faces.with_held_out(face, held_out, whole)
    assert both.value == "−0.50 pp"
    assert both.source == f"held out: −0.80 pp ± 0.60, n = 500 · {face.source}"
    assert faces.with_held_out(face, whole, whole).source == f"held-out samples · {face.source}"
    assert faces.with_held_out(face, None, whole) == face


def test_figures_so_far_are_ghosts() -> None:
    face = faces.accuracy(_comparison(Figure(-0.5, "pp", 64, HERE, -2.9, 1.1, final=False)), True, True)
    assert face.ghost
    assert face.source.endswith("so far")


def test_without_data_the_card_says_what_to_do() -> None:
    assert faces.accuracy(None, attached=False, measuring=False).source == "Attach data to measure"
    assert faces.accuracy(None, attached=True, measuring=True).source == "measuring…"


def test_a_foreseen_difference_is_a_ghost_that_says_how_far_such_figures_were_off() -> None:
    guess = Figure(-0.75, "pp", 0, ESTIMATED)
    face = faces.with_miss(faces.foreseen(guess, measuring=True), 0.314, "pp")
    assert (face.value, face.ghost, face.tone) == ("−0.75 pp", True, cards.QUIET)
    assert face.source.endswith("estimates off by 0.31 pp on average so far")
    measured = faces.difference(_comparison(Figure(-0.5, "pp", 1000, HERE, -0.9, -0.1)), True, False)
    told = faces.with_miss(measured, 0.314, "pp")
    assert told.source == measured.source
    assert told.why == "estimates off by 0.31 pp on average so far"
    assert faces.with_miss(measured, None, "pp") is measured


def test_an_estimated_size_is_a_ghost_and_a_built_one_is_not() -> None:
    guess = Figure(250_000.0, "bytes", 0, ESTIMATED)
    assert faces.size(1_000_000, guess, None).ghost
    built = faces.size(1_000_000, guess, 280_000)
    assert not built.ghost
    assert (built.value, built.change) == ("280 KB", "−72 %  was 1.00 MB")


def _latency(p50: float, invalid: str = "") -> Latency:
    return Latency(p50, p50, p50, p50, 200, 1, HERE, invalid=invalid)


def test_doubtful_times_say_why() -> None:
    pair = LatencyPair(_latency(2.0), _latency(1.0, "busy"), Figure(0.5, "", 200, HERE, 0.4, 0.6))
    face = faces.latency(pair)
    assert face.tone == cards.WARN
    assert face.change == "2.00× faster  was 2.00 ms"
    assert "disturbed" in face.source
    assert face.why == "busy"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.00 KB"), (7_940_000, "7.94 MB"), (999_999, "1.00 MB")],
)
def test_sizes_have_three_digits(count: int, text: str) -> None:
    assert numbers.size(count) == text


def test_signs_are_real_and_zero_has_none() -> None:
    assert numbers.signed(-0.5, 1) == "−0.5"
    assert numbers.signed(0.5, 1) == "+0.5"
    assert numbers.signed(-0.001, 1) == "0.0"


def _journal() -> Journal:
    facts = Facts("k", "m", "m.onnx", "onnx", 1000, 10, (), "", (), (), (), (), (), ())
    begun = Journal.begin(Document(facts, Recipe()))
    return begun.record(Document(facts, Recipe(default=Settings(bits=8))), "int8")


def test_history_points_are_keyed_by_revision_and_estimates_are_ghosts() -> None:
    journal = _journal()
    artifact = Artifact("p", "s", 900, "{}", "t", "k", "", (), 0.1)
    first = journal.steps[0].document.revision
    found = {first: Measured(first, "open", artifact, _comparison(Figure(0, "pp", 100, HERE, -1, 1)))}
    guesses = {journal.document.revision: Figure(300.0, "bytes", 0, ESTIMATED)}
    sizes = series.size(journal, found, guesses)
    assert [(point.step, point.value, point.ghost) for point in sizes.points] == [
        (0, 900, False),
        (1, 300, True),
    ]
    accuracies = series.accuracy(journal, found)
    assert [(point.label, point.low, point.high, point.n) for point in accuracies.points] == [
        ("open", 92, 95, 100)
    ]
    assert (accuracies.original, accuracies.at) == (94, 1)


def test_latency_to_come_stands_as_a_ghost_until_it_is_timed() -> None:
    guess = Figure(3.21, "ms", 0, from_board("pi"))
    ghost = faces.latency(None, guess)
    assert (ghost.value, ghost.source, ghost.ghost) == ("3.210 ms", "estimated from pi", True)
    timed = faces.latency(LatencyPair(_latency(2.0), _latency(1.0), Figure(0.5, "", 200, HERE)), guess)
    assert (timed.value, timed.ghost) == ("1.00 ms", False)
    assert timed.why == "To come: 3.210 ms, estimated from pi"
