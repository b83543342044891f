"""The watchdog names what keeps the GUI thread busy, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from studio.gui.watchdog import Blocked, Watchdog


@pytest.fixture
def seen() -> list[Blocked]:
    return []


@pytest.fixture
def dog(seen: list[Blocked]) -> Iterator[Watchdog]:
    made = Watchdog(seen.append)
    yield made
    made.close()


def burn(seconds: float) -> int:
    """Keep the processor busy."""
    start, rounds = time.thread_time(), 0
    while time.thread_time() - start < seconds:
        rounds += sum(range(50))
    return rounds


def test_a_long_event_is_reported_with_its_stack(dog: Watchdog, seen: list[Blocked]) -> None:
    dog.begin()
    burn(0.2)
    dog.end("Timer", "Canvas")
    (found,) = seen
    assert found.milliseconds >= 200
    assert "in burn" in found.stack
    assert str(found).startswith("blocked for 2")
    assert "Timer of Canvas" in str(found)


def test_waiting_is_no_work(dog: Watchdog, seen: list[Blocked]) -> None:
    dog.begin()
    time.sleep(0.12)
    dog.end("Timer", "Canvas")
    assert not seen


def test_between_events_nothing_counts(dog: Watchdog, seen: list[Blocked]) -> None:
    dog.begin()
    dog.end("Paint", "Canvas")
    burn(0.12)
    dog.begin()
    dog.end("Paint", "Canvas")
    assert not seen
