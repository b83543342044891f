"""Rows outlive a run that broke off, and a worker that is killed."""

from __future__ import annotations

import os
import signal
from contextlib import closing
from pathlib import Path

import pytest

from studio.control import Cancelled, Control
from studio.data.reference import DataRef
from studio.measure.sensitivity_store import SensitivityStore, store_name
from studio.metrics import Figure, Sensitivity
from studio.recipe.settings import Recipe, Settings
from studio.session.session import Session
from studio.workbench.local import LocalWorkbench
from studio.workbench.process import ProcessWorkbench

ROW = Sensitivity("conv1", "bits=4", Figure(-1.5, "pp", 256, "measured here", -2.0, -1.0), 21.5, 1234)


def test_rows_come_back_whole_and_a_line_cut_short_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "rows" / "one.jsonl"
    store = SensitivityStore(path)
    store.add(ROW)
    with path.open("ab") as file:
        file.write(b'\n{"group":"conv2","sett')
    again = SensitivityStore(path)
    assert again.find("conv1", "bits=4") == ROW
    assert len(again) == 1
    again.add(Sensitivity("conv2", "bits=4", ROW.difference, None, 5))
    assert len(SensitivityStore(path)) == 2


def test_rows_are_kept_by_what_decides_them() -> None:
    base = Recipe()
    same = store_name("model", "data", base.with_rule("*", Settings(bits=4)), 256)
    assert store_name("model", "data", base, 256) == same
    assert store_name("model", "other", base, 256) != same
    assert store_name("model", "data", Recipe(repair=()), 256) != same


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
