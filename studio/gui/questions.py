"""Passwords that work asks for: the asking thread waits for the window, or until its job is cancelled."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Event
from typing import TYPE_CHECKING

from studio.control import Control

if TYPE_CHECKING:
    from studio.boards.links.asking import Answer, Question

Work = Callable[[Control], object]
_TURN = 0.05  # seconds between two looks at the job's cancellation
# The link library asks from a thread of its own; contexts follow into coroutines and their threads.
_CONTROL: ContextVar[Control | None] = ContextVar("asking job", default=None)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that waits; `ticket` comes back with its answer."""

    ticket: int
    question: Question


@dataclass(frozen=True, slots=True)
class Settled:
    """The question waits no more: it was answered, or its job was cancelled."""

    ticket: int


class Questions:
    """`tell` takes `Asked` and `Settled`, on the asking thread; every question is settled exactly once."""

    def __init__(self, tell: Callable[[object], object]) -> None:
        self._tell = tell
        self._tickets = itertools.count(1)
        self._waiting: dict[int, SimpleQueue[Answer | None]] = {}
        self._closed = Event()

    def of(self, work: Work) -> Work:
        """`work`, whose questions are given up with its job, whatever thread asks them."""

        def asking(control: Control) -> object:
            token = _CONTROL.set(control)
            try:
                return work(control)
            finally:
                _CONTROL.reset(token)

        return asking

    def ask(self, question: Question) -> Answer | None:
        """Wait for the user's answer; None where they decline, or the job or the window is over."""
        control = _CONTROL.get()
        if self._over(control):
            return None
        ticket = next(self._tickets)
        reply: SimpleQueue[Answer | None] = SimpleQueue()
        self._waiting[ticket] = reply
        self._tell(Asked(ticket, question))
        try:
            return self._reply(reply, control)
        finally:
            del self._waiting[ticket]
            self._tell(Settled(ticket))

    def answer(self, ticket: int, answer: Answer | None) -> None:
        """From the window; an answer that comes too late is dropped."""
        if (reply := self._waiting.get(ticket)) is not None:
            reply.put(answer)

    def close(self) -> None:
        """Nobody answers from now on: give up what waits."""
        self._closed.set()

    def _reply(self, reply: SimpleQueue[Answer | None], control: Control | None) -> Answer | None:
        while not self._over(control):
            try:
                return reply.get(timeout=_TURN)
            except Empty:
                continue
        return None

    def _over(self, control: Control | None) -> bool:
        return self._closed.is_set() or (control is not None and control.cancelled)
