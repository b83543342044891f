"""Rows outlive a run that broke off, and a worker that is killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from studio.artifact import Artifact
from studio.control import Cancelled, Control
from studio.data.reference import DataRef
from studio.measure import sensitivity
from studio.measure.sensitivity_store import Effect, SensitivityStore, store_name
from studio.measure.sessions import SessionSource
from studio.metrics import Comparison, Figure, Sensitivity
from studio.recipe.settings import Recipe, Settings
from studio.session.session import Session
from studio.workbench.api import Job, ModelRef
from studio.workbench.local import LocalWorkbench
from studio.workbench.process import ProcessWorkbench

Measure = Callable[[Recipe], tuple[list[Sensitivity], int, int]]
ROW = Effect("order", "file", Figure(-1.5, "pp", 256, "measured here", -2.0, -1.0), 21.5, 1234)


class Counted(LocalWorkbench):
    """Counts what is asked to be built."""

    builds = 0

    def build(self, job: Job, control: Control) -> Artifact:
        self.builds += 1
        return super().build(job, control)


@pytest.fixture
def measured(tmp_path: Path, sample: Path, sample_data: Path, monkeypatch: pytest.MonkeyPatch) -> Measure:
    """Goes through the first few settings with a base recipe: rows, files built, files run."""
    bench, runs = Counted(tmp_path, threads=1), list[str]()
    facts = bench.open(str(sample), Control())
    real = sensitivity.compare

    def counted(original: SessionSource, source: SessionSource, *rest: Any) -> Comparison:
        runs.append(source.key)
        return real(original, source, *rest)

    monkeypatch.setattr(sensitivity, "compare", counted)
    monkeypatch.setattr(sensitivity, "ROUNDS", ((Settings(bits=8), Settings(bits=16)),))

    def go(base: Recipe) -> tuple[list[Sensitivity], int, int]:
        control, rows = Control(), list[Sensitivity]()
        bench.builds, before = 0, len(runs)

        def emit(row: Sensitivity) -> None:
            rows.append(row)
            if len(rows) == 4:
                control.cancel()

        job = Job(ModelRef.to(facts), base, DataRef(str(sample_data), None, 48))
        with pytest.raises(Cancelled):
            bench.sensitivity(job, 1, "", emit, control)
        return rows, bench.builds, len(runs) - before

    return go


def test_rows_come_back_whole_and_a_line_cut_short_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "rows" / "one.jsonl"
    store = SensitivityStore(path)
    store.add(ROW)
    with path.open("ab") as file:
        file.write(b'\n{"order":"other","fil')
    again = SensitivityStore(path)
    assert again.find("order") == ROW
    assert len(again) == 1
    again.add(Effect("other", "file 2", ROW.difference, None, 5))
    assert len(SensitivityStore(path)) == 2


def test_a_file_of_known_bytes_is_known_whatever_it_was_built_by(tmp_path: Path) -> None:
    path = tmp_path / "one.jsonl"
    SensitivityStore(path).add(ROW)
    assert SensitivityStore(path).same("unknown", "later") is None
    assert SensitivityStore(path).same("file", "later") == replace(ROW, order="later")
    assert SensitivityStore(path).find("later") == replace(ROW, order="later")


def test_a_file_of_rows_is_for_one_model_data_count_and_runtime() -> None:
    one = ("model", "data", 256, "1.0")
    others = [("other", *one[1:]), ("model", "other", 256, "1.0"), (*one[:2], 128, "1.0"), (*one[:3], "2.0")]
    assert len({store_name(*each) for each in (one, *others)}) == 5


@pytest.mark.slow
def test_what_has_no_say_in_a_file_asks_for_nothing_again(measured: Measure) -> None:
    base = Recipe(target="onnxruntime-cpu", calibration_samples=16, repair=("equalize", "bias"))
    rows, built, run = measured(base)
    assert (built, run) == (4, 4)
    locked = base.with_rule("*", Settings(bits=4, criterion="magnitude"))
    locked = msgspec.structs.replace(locked, name="mine", default=Settings(sparsity=0.3), locks=locked.rules)
    for other in (locked, msgspec.structs.replace(base, repair=("bias", "equalize"))):
        assert measured(other) == (rows, 0, 0)


@pytest.mark.slow
def test_what_decides_some_files_measures_only_those(measured: Measure) -> None:
    base = Recipe(target="onnxruntime-cpu", calibration_samples=16, repair=("equalize", "bias"))
    rows, _, _ = measured(base)
    halves = [row for row in rows if row.setting == "bits=16"]
    assert len(halves) == 2
    found, built, run = measured(msgspec.structs.replace(base, calibration_samples=32))
    assert (built, run) == (2, 2)
    assert [row for row in found if row.setting == "bits=16"] == halves
    found, built, run = measured(msgspec.structs.replace(base, target="onnxruntime-cpu-arm"))
    assert (built, run) == (4, 2)  # 16 bits are the same file there
    assert [row for row in found if row.setting == "bits=16"] == halves
    assert measured(base) == (rows, 0, 0)


@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_goes_on_where_it_was(sample: Path, sample_data: Path) -> None:
    workbench = ProcessWorkbench(LocalWorkbench)
    session = Session(workbench)
    seen: list[tuple[str, str]] = []

    def emit(row: Sensitivity) -> None:
        seen.append((row.group, row.setting))
        if len(seen) == 3:
            assert workbench.pid is not None
            os.kill(workbench.pid, signal.SIGKILL)
        if len(seen) == 7:
            control.cancel()

    control = Control()
    with closing(session):
        session.open(sample, Control())
        session.attach_data(DataRef(str(sample_data), None, 48), Control())
        with pytest.raises(Cancelled):
            session.sensitivity(control, emit)
    assert seen[3:6] == seen[:3]
    assert len(set(seen)) >= 4
