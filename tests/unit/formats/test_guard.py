from __future__ import annotations

from pathlib import Path
from threading import Timer

import pytest

from studio.control import Cancelled, Control
from studio.errors import ModelError
from studio.formats.guard import Limits, run_guarded

LIMITS = Limits(memory=256 << 20, seconds=1.0)


def run(task: str, argument: dict, limits: Limits = LIMITS, control: Control | None = None):
    return run_guarded(task, argument, "a.onnx", limits, control or Control())


@pytest.fixture
def tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module of tasks that the child can import."""
    (tmp_path / "tasks_of_guard.py").write_text(
        "import os, time\n"
        "from studio.errors import ModelError\n"
        "def double(argument, more): return argument['n'] * 2\n"
        "def refuse(argument, more): raise ModelError('x', 'it is bad', 'Mend it')\n"
        "def die(argument, more): os.abort()\n"
        "def hang(argument, more): time.sleep(600)\n"
        "def nap(argument, more): time.sleep(0.6); return 'awake'\n"
        "def spin(argument, more):\n"
        "    more(argument['more'])\n"
        "    while True: pass\n"
        "def longer(argument, more): more(5); time.sleep(1.2); return 'late'\n"
        "def eat(argument, more): return len(bytearray(1 << 30))\n"
        "def chatter(argument, more): print('noise'); os.write(1, b'noise'); return 'heard'\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    return "tasks_of_guard"


def test_an_answer_comes_back_and_prints_do_not_disturb_it(tasks: str) -> None:
    assert run(f"{tasks}:double", {"n": 21}) == 42
    assert run(f"{tasks}:chatter", {}) == "heard"


def test_the_deadline_can_be_extended(tasks: str) -> None:
    assert run(f"{tasks}:longer", {}) == "late"


def test_waiting_for_a_busy_computer_uses_up_no_processor_time(tasks: str) -> None:
    assert run(f"{tasks}:nap", {}, Limits(256 << 20, 0.3, busy=True)) == "awake"


@pytest.mark.slow
def test_a_loop_ends_with_its_share_of_the_processor_and_says_how_to_give_more(tasks: str) -> None:
    limits = Limits(256 << 20, 0.2, busy=True, longer="Set MORE.")
    with pytest.raises(ModelError, match=r"computed for longer than the 0\.3 s") as caught:
        run(f"{tasks}:spin", {"more": 0.1}, limits)
    assert caught.value.fix.endswith("Set MORE.")


@pytest.mark.slow
def test_what_a_task_prepares_is_not_counted(tasks: str, tmp_path: Path) -> None:
    with (tmp_path / "tasks_of_guard.py").open("a") as file:
        file.write("def prepare():\n    while time.process_time() < 1.2: pass\n")
    assert run(f"{tasks}:double", {"n": 1}, Limits(256 << 20, 0.5, busy=True)) == 2


@pytest.mark.parametrize(
    ("task", "words"),
    [("refuse", "it is bad"), ("die", "SIGABRT"), ("hang", "longer than"), ("eat", "256 MB of memory")],
)
def test_every_end_is_one_model_error(tasks: str, task: str, words: str) -> None:
    with pytest.raises(ModelError, match=words) as caught:
        run(f"{tasks}:{task}", {})
    assert caught.value.thing == "a.onnx"


def test_cancelling_ends_the_child_at_once(tasks: str) -> None:
    control = Control()
    timer = Timer(0.3, control.cancel)
    timer.start()
    with pytest.raises(Cancelled):
        run(f"{tasks}:hang", {}, Limits(256 << 20, 600.0), control)
    timer.join()
