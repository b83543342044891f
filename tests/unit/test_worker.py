"""A real spawned process, really killed."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from studio.control import Cancelled, Control
from studio.data.reference import DataRef
from studio.errors import ModelError, WorkerError
from studio.recipe.settings import Recipe, Settings
from studio.workbench.api import Candidate, Job, ModelRef
from studio.workbench.local import LocalWorkbench
from studio.workbench.process import ProcessWorkbench, WorkerFaultError

MODEL = ModelRef("m", "k")
CANDIDATE = Candidate("c")
DATA = DataRef("d")


def odd_workbench(deadline: float) -> ProcessWorkbench:
    from odd_workbench import Odd

    return ProcessWorkbench(Odd, open_deadline=deadline)


@pytest.fixture(scope="module")
def odd() -> Iterator[ProcessWorkbench]:
    # A spawned process imports by name, from the path that it is handed down.
    sys.path.insert(0, str(Path(__file__).parent))
    workbench = odd_workbench(30.0)
    yield workbench
    workbench.close()
    sys.path.remove(str(Path(__file__).parent))


def opened(workbench: ProcessWorkbench, path: str, control: Control | None = None) -> object:
    return workbench.open(path, control or Control())


def test_answers_come_back(odd: ProcessWorkbench) -> None:
    assert opened(odd, "x") == "opened x"


def test_expected_errors_come_back_whole(odd: ProcessWorkbench) -> None:
    with pytest.raises(ModelError) as caught:
        opened(odd, "bad")
    assert (caught.value.thing, caught.value.cause) == ("bad", "it is bad")


def test_a_bug_comes_back_with_its_trace(odd: ProcessWorkbench) -> None:
    with pytest.raises(WorkerFaultError, match="this is a bug"):
        opened(odd, "bug")


def test_partial_results_and_progress_stream(odd: ProcessWorkbench) -> None:
    partial: list[object] = []
    steps: list[float] = []
    control = Control(lambda fraction, text: steps.append(fraction))
    assert odd.compare(MODEL, CANDIDATE, DATA, partial.append, control) == "compared"
    assert partial == [0, 1, 2, 3, 4]
    assert len(steps) == 5


def test_cancel_reaches_the_worker_and_the_next_call_works(odd: ProcessWorkbench) -> None:
    control = Control(lambda fraction, text: control.cancel())
    with pytest.raises(Cancelled):
        opened(odd, "slow", control)
    assert opened(odd, "after") == "opened after"


def test_too_much_memory_is_an_error_and_no_death(odd: ProcessWorkbench) -> None:
    opened(odd, "x")
    before = odd.pid
    with pytest.raises(WorkerError, match="memory limit"):
        opened(odd, "huge")
    assert odd.pid == before


@pytest.mark.slow
def test_what_the_worker_prints_stays_off_stdout(
    odd: ProcessWorkbench, capfd: pytest.CaptureFixture[str]
) -> None:
    fresh = odd_workbench(30.0)
    opened(fresh, "print")
    fresh.close()
    told = capfd.readouterr()
    assert told.out == ""
    assert "a library that prints" in told.err


def test_background_work_lets_a_measurement_pass(odd: ProcessWorkbench) -> None:
    seen, stop = Event(), Control()
    ended: list[str] = []

    def sense() -> None:
        try:
            odd.sensitivity(Job(MODEL, Recipe()), 1, "", lambda value: seen.set(), stop)
        except Cancelled:
            ended.append("cancelled")

    thread = threading.Thread(target=sense)
    thread.start()
    assert seen.wait(20.0)
    assert opened(odd, "meanwhile") == "opened meanwhile"
    stop.cancel()
    thread.join(10.0)
    assert ended == ["cancelled"]


def test_kill_9_is_a_clear_error_and_the_next_call_works(odd: ProcessWorkbench) -> None:
    opened(odd, "x")
    victim = odd.pid
    assert victim is not None
    control = Control(lambda fraction, text: os.kill(victim, signal.SIGKILL))
    with pytest.raises(WorkerError, match="it was restarted, your work is kept"):
        opened(odd, "slow", control)
    assert odd.pid != victim
    assert opened(odd, "again") == "opened again"


@pytest.mark.slow
def test_a_file_that_hangs_is_stopped_at_the_deadline(odd: ProcessWorkbench) -> None:
    workbench = odd_workbench(2.0)
    try:
        with pytest.raises(ModelError, match="more than 2 s"):
            opened(workbench, "deaf")
        assert opened(workbench, "x") == "opened x"
    finally:
        workbench.close()
    assert workbench.pid is None


@pytest.mark.slow
def test_the_real_workbench_survives_kill_9_in_mid_measurement(
    sample: Path, sample_data: Path, tmp_path: Path
) -> None:
    workbench = ProcessWorkbench(LocalWorkbench)
    try:
        facts = workbench.open(str(sample), Control())
        job = Job(ModelRef.to(facts), Recipe(default=Settings(bits=8)), DataRef(str(sample_data)))
        artifact = workbench.build(job, Control())
        victim = workbench.pid
        assert victim is not None

        def kill(value: object) -> None:
            os.kill(victim, signal.SIGKILL)

        candidate = Candidate(artifact.path, artifact)
        with pytest.raises(WorkerError):
            workbench.sensitivity(job, 1, "", kill, Control())
        again = workbench.compare(
            job.model, candidate, DataRef(str(sample_data)), lambda value: None, Control()
        )
        assert again.difference.n == 1000
        assert workbench.build(job, Control()).sha256 == artifact.sha256
    finally:
        workbench.close()
