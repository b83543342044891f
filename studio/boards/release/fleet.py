"""One push to many boards: one goes first; only if it holds do the others follow, each at its own pace."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from studio.boards.report import Pushed
from studio.control import Cancelled, Control
from studio.errors import BoardError

AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one board: `pushed`, `failed`, `waits` (sent, not active) or `not tried`."""

    board: str
    state: str
    why: str = ""
    pushed: Pushed | None = None


Push = Callable[[str, Control], Pushed]
Told = Callable[[Outcome], None]


def push_all(boards: Sequence[str], push: Push, control: Control, told: Told) -> tuple[Outcome, ...]:
    """Push to the first board; if it is active there, to the rest at once. After a failure none is begun.

    `told` hears of every board as it ends, on the thread that pushed. Never raises `BoardError`.
    """
    canary, rest = boards[0], tuple(boards[1:])
    shares = len(boards)
    first = _one(canary, push, control.part(0.0, 1 / shares), told)
    if first.state != "pushed":
        left = tuple(Outcome(name, "not tried", f"{canary} went first and {first.state}") for name in rest)
        return (first, *left)
    stop = threading.Event()
    done = [1]
    guard = threading.Lock()

    def follow(name: str) -> Outcome:
        if stop.is_set():
            return Outcome(name, "not tried", "another board failed")
        # Many report at once: only how many are done is a fraction of the whole.
        outcome = _one(name, push, control.part(done[0] / shares, done[0] / shares), told)
        with guard:
            done[0] += 1
            if outcome.state != "pushed":
                stop.set()
            control.step(done[0] / shares, f"{name}: {outcome.state}")
        return outcome

    with ThreadPoolExecutor(min(AT_ONCE, max(len(rest), 1)), thread_name_prefix="fleet") as pool:
        return (first, *pool.map(follow, rest))


def _one(name: str, push: Push, control: Control, told: Told) -> Outcome:
    try:
        pushed = push(name, control)
        outcome = Outcome(name, "pushed" if pushed.activated else "waits", pushed.reason, pushed)
    except BoardError as error:
        outcome = Outcome(name, "failed", str(error))
    except Cancelled:
        outcome = Outcome(name, "failed", "cancelled")
    told(outcome)
    return outcome
