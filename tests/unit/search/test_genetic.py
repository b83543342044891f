"""Breeding on real files: the front gets better, the same seed gives the same search, nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from studio.control import Cancelled, Control
from studio.data.reference import DataRef
from studio.paths import data_dir
from studio.search.budgets import Budgets, Effort
from studio.search.front import Found, Visited, pareto
from studio.search.genetic import Genome, Values, evolve
from studio.session.session import Session
from studio.workbench.local import LocalWorkbench


@pytest.fixture
def session(net: Path, net_data: Path, tmp_path: Path):
    """The small net and its data, opened in a workbench of its own."""
    session = opened(net, net_data, tmp_path)
    yield session
    session.close()


def opened(net: Path, data: Path, folder: Path) -> Session:
    session = Session(LocalWorkbench(folder, threads=1))
    session.open(net, Control())
    session.attach_data(DataRef(str(data)), Control())
    return session


def names(found: Found) -> list[tuple[str, str]]:
    return [(each.label, each.artifact.sha256) for each in found.visited]


def costs(genome: Genome) -> Values:
    """Small stops cost the second value, large ones the first; the first genes count for more."""
    return float(sum(genome)), float(sum((5 - stop) ** 2 * (at + 1) for at, stop in enumerate(genome)))


def bred(seed: int, generations: int) -> list[Genome]:
    seen: list[Genome] = []
    founders = [(stop,) * 5 for stop in range(6)] + [(0,) * at + (5,) * (5 - at) for at in range(1, 5)]

    def measure(children: list[Genome]) -> list[Values]:
        done = len(seen) >= len(founders) * generations
        seen.extend(children)
        return [] if done else [costs(each) for each in children]

    evolve([6] * 5, [(each, costs(each)) for each in founders], measure, seed)
    return seen


@pytest.mark.slow
def test_the_same_seed_breeds_the_same_children() -> None:
    assert bred(1, 5) == bred(1, 5)
    assert bred(1, 5) != bred(2, 5)


def test_children_beat_their_uniform_parents() -> None:
    uniform = [costs((stop,) * 5) for stop in (2, 3)]
    children = [costs(each) for each in bred(1, 10)]
    for parent in uniform:
        assert any(one <= parent[0] and two < parent[1] for one, two in children)


def test_breeding_ends_where_nothing_new_can_come() -> None:
    asked = []

    def measure(children: list[Genome]) -> list[Values]:
        asked.append(children)
        return [(float(each[0]), -float(each[0])) for each in children]

    evolve([2], [((0,), (0.0, 0.0)), ((1,), (1.0, -1.0))], measure, 0)
    assert len(asked) == 6


@pytest.mark.slow
def test_a_bred_front_holds_real_files_and_the_same_seed_finds_it_again(
    session: Session, net: Path, net_data: Path, tmp_path: Path
) -> None:
    found = session.search(Budgets(max_drop=2.0), Control(), effort=Effort(trials=24, seed=5)).value
    labels = [each.label for each in found.visited]
    assert sum(label.startswith("bred") for label in labels) >= 6
    assert len(set(labels)) <= len({each.recipe for each in found.visited})
    assert all(Path(each.artifact.path).stat().st_size == each.artifact.bytes for each in found.visited)
    assert found.front == pareto(found.visited)
    uniforms = [each for each in found.visited if each.label.startswith("all at")]
    assert {"all at 8 bits", "all at 5 bits", "all at 8 bits, 50% less"} <= {each.label for each in uniforms}
    for each in uniforms:  # the front holds it, or better
        no_larger = [one for one in found.steady if one.artifact.bytes <= each.artifact.bytes]
        assert min(one.drop for one in no_larger) <= each.drop
    other = opened(net, net_data, tmp_path / "other")
    again = other.search(Budgets(max_drop=2.0), Control(), effort=Effort(trials=24, seed=5)).value
    other.close()
    assert names(again) == names(found)


@pytest.mark.slow
def test_a_cancelled_search_keeps_what_it_saw_and_goes_on_from_there(session: Session) -> None:
    control, seen = Control(), []

    def emit(each: Visited) -> None:
        seen.append(each)
        if len(seen) == 5:
            control.cancel()

    before = session.recipe
    with pytest.raises(Cancelled):
        session.search(Budgets(max_drop=2.0), control, emit)
    assert session.recipe == before
    assert session.state.visited == tuple(seen)
    builds = session.workbench._builds
    found = session.search(Budgets(max_drop=2.0), Control()).value
    assert found.visited[:5] == tuple(seen)
    assert session.workbench._builds - builds == len(found.visited) - 5


@pytest.mark.slow
def test_what_a_former_program_built_is_measured_anew(session: Session) -> None:
    first = session.search(Budgets(max_drop=2.0), Control()).value
    (file,) = (session.workbench._folder / "search").glob("*.jsonl")
    file.write_text(file.read_text().replace(first.visited[-1].artifact.sha256, "0" * 64))
    again = session.search(Budgets(max_drop=2.0), Control()).value
    assert names(again) == names(first)
    assert "0" * 64 not in file.read_text()


@pytest.mark.slow
def test_a_visited_recipe_can_be_taken_back_and_undone(session: Session) -> None:
    found = session.search(Budgets(max_drop=2.0), Control()).value
    taken = next(each for each in found.visited if each is not found.best)
    session.take(taken)
    assert session.recipe == taken.recipe
    assert session.measured is not None
    assert session.measured.comparison == taken.comparison
    session.undo()
    assert session.recipe == found.best.recipe


@pytest.mark.slow
def test_held_out_samples_judge_what_the_others_chose(session: Session) -> None:
    done = session.search(Budgets(max_drop=2.0), Control(), effort=Effort(holdout=True))
    best, judged = done.value.best, done.value.judged
    assert judged is not None
    assert (best.comparison.difference.n, judged.difference.n) == (120, 120)
    assert all(flip.sample % 2 == 0 for flip in best.comparison.flips)
    assert all(flip.sample % 2 == 1 for flip in judged.flips)
    assert session.measured is not None
    assert session.measured.comparison == session.measured.held_out == judged
    assert "judged on 120 others" in done.notes[-1]
    whole = session.measure(Control()).value.comparison
    assert whole is not None
    assert whole.difference.value == pytest.approx(
        (best.comparison.difference.value + judged.difference.value) / 2
    )
    assert session.measured.comparison == whole
    assert session.measured.held_out == judged


@pytest.mark.slow
def test_minutes_end_a_search_that_trials_would_not(session: Session) -> None:
    began = time.monotonic()
    session.sensitivity(Control(), rounds=2)
    spent = time.monotonic() - began
    found = session.search(Budgets(), Control(), effort=Effort(minutes=0.02)).value
    assert found.visited
    assert time.monotonic() - began < spent + 60


@pytest.mark.slow
def test_a_killed_search_goes_on_where_it_was(net: Path, net_data: Path, tmp_path: Path) -> None:
    asked = ["search", str(net), "--data", str(net_data), "--out", str(tmp_path / "out.onnx")]
    command = [sys.executable, "-m", "studio", *asked, "--max-drop", "2", "--trials", "8", "--json"]
    store = data_dir() / "search"
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    wait_for(lambda: len(rows(store)) >= 4)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = rows(store)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = rows(store)
    assert after[: len(kept)] == kept
    assert len(after) > len(kept)
    assert len(set(after)) == len(after)


def rows(store: Path) -> list[str]:
    return [line for file in store.glob("*.jsonl") for line in file.read_text().splitlines() if line]


def wait_for(done: Callable[[], bool]) -> None:
    until = time.monotonic() + 120
    while not done():
        assert time.monotonic() < until
        time.sleep(0.02)
