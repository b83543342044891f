from __future__ import annotations

import threading
from collections.abc import Iterator
from threading import Event

import pytest

from studio.control import Control
from studio.errors import BuildError
from studio.jobs import Advance, Lanes, Outcome


class Heard:
    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self.advances: list[Advance] = []
        self.lanes = Lanes(self.outcomes.append, self.advances.append)


@pytest.fixture
def heard() -> Iterator[Heard]:
    before = set(threading.enumerate())
    made = Heard()
    yield made
    assert made.lanes.close()
    left = [thread for thread in threading.enumerate() if thread not in before]
    for thread in left:
        thread.join(5.0)
    assert not any(thread.is_alive() for thread in left)


def wait_for(event: Event, control: Control) -> str:
    while not event.wait(0.005):
        control.check()
    return "done"


def test_a_value_is_delivered_with_its_ticket(heard: Heard) -> None:
    ticket = heard.lanes.submit("measure", lambda control: 42, "the answer")
    assert heard.lanes.wait("measure", 5.0)
    assert heard.outcomes == [Outcome("measure", ticket, "the answer", 42)]


def test_the_newest_wins_and_each_is_delivered_once(heard: Heard) -> None:
    started, never = Event(), Event()

    def slow(control: Control) -> str:
        started.set()
        return wait_for(never, control)

    first = heard.lanes.submit("measure", slow)
    started.wait(5.0)
    middle = [heard.lanes.submit("measure", slow) for _ in range(20)]
    last = heard.lanes.submit("measure", lambda control: "last")
    assert heard.lanes.wait("measure", 5.0)
    assert [each.ticket for each in heard.outcomes] == [first, *middle, last]
    assert [each.cancelled for each in heard.outcomes] == [True] * 21 + [False]
    assert heard.outcomes[-1].value == "last"
    assert all(each.error is None for each in heard.outcomes)


def test_a_result_that_came_too_late_is_dropped(heard: Heard) -> None:
    started, free = Event(), Event()

    def heedless(control: Control) -> str:
        started.set()
        free.wait(5.0)
        return "late"

    heard.lanes.submit("measure", heedless)
    started.wait(5.0)
    heard.lanes.cancel("measure")
    free.set()
    assert heard.lanes.wait("measure", 5.0)
    assert heard.outcomes[0].cancelled
    assert heard.outcomes[0].value is None


def test_without_replace_jobs_take_turns(heard: Heard) -> None:
    for index in range(5):
        heard.lanes.submit("export", lambda control, index=index: index, replace=False)
    assert heard.lanes.wait("export", 5.0)
    assert [each.value for each in heard.outcomes] == [0, 1, 2, 3, 4]


def test_one_job_is_cancelled_and_its_lane_goes_on(heard: Heard) -> None:
    never, lanes = Event(), heard.lanes
    first = lanes.submit("a", lambda control: wait_for(never, control))
    second = lanes.submit("a", lambda control: "second", replace=False)
    third = lanes.submit("a", lambda control: "third", replace=False)
    lanes.cancel_job(second)
    lanes.cancel_job(first)
    assert lanes.wait("a", 5)
    told = [(each.ticket, each.value, each.cancelled) for each in heard.outcomes]
    assert told == [(first, None, True), (second, None, True), (third, "third", False)]


def test_lanes_run_side_by_side(heard: Heard) -> None:
    one, other = Event(), Event()

    def first(control: Control) -> None:
        one.set()
        assert other.wait(5.0)

    def second(control: Control) -> None:
        other.set()
        assert one.wait(5.0)

    heard.lanes.submit("a", first)
    heard.lanes.submit("b", second)
    assert heard.lanes.wait("a", 5.0)
    assert heard.lanes.wait("b", 5.0)
    assert [each.error for each in heard.outcomes] == [None, None]


def test_errors_and_bugs_are_delivered_whole(heard: Heard) -> None:
    def fail(control: Control) -> None:
        raise BuildError("conv3", "no room", "Make some.")

    def bug(control: Control) -> None:
        raise ZeroDivisionError

    heard.lanes.submit("a", fail)
    heard.lanes.wait("a", 5.0)
    heard.lanes.submit("a", bug)
    heard.lanes.wait("a", 5.0)
    assert isinstance(heard.outcomes[0].error, BuildError)
    assert isinstance(heard.outcomes[1].error, ZeroDivisionError)


def test_progress_names_the_job(heard: Heard) -> None:
    ticket = heard.lanes.submit("a", lambda control: control.step(0.5, "half"), "work")
    heard.lanes.wait("a", 5.0)
    assert heard.advances == [Advance("a", ticket, "work", 0.5, "half")]


def test_threads_carry_the_name_of_their_lane(heard: Heard) -> None:
    heard.lanes.submit("measure", lambda control: threading.current_thread().name)
    heard.lanes.wait("measure", 5.0)
    assert str(heard.outcomes[0].value).startswith("lane-measure")


def test_close_cancels_what_runs(heard: Heard) -> None:
    started, never = Event(), Event()

    def slow(control: Control) -> str:
        started.set()
        return wait_for(never, control)

    heard.lanes.submit("a", slow)
    started.wait(5.0)
    assert heard.lanes.busy("a")
    assert heard.lanes.close()
    assert heard.outcomes[0].cancelled
