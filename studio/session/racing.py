"""Searches that a board's time limits: the file that would be chosen is timed there, until it has been."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from studio.control import Control
from studio.errors import BoardError
from studio.metrics import ESTIMATED
from studio.search.budgets import HERE, Budgets, Effort, Timed, Wish
from studio.search.front import Found, Visited
from studio.session.profiling import Profiling
from studio.workbench.api import Job

ROUNDS = 6
_SOLVING = 0.7


class Racing(Profiling):
    """The search of a session, with or without a board in it."""

    def _search(
        self,
        job: Job,
        budgets: Budgets,
        effort: Effort,
        emit: Callable[[Visited], None],
        control: Control,
        sign: str,
    ) -> Found:
        if budgets.max_latency is None or budgets.place == HERE:
            return self.workbench.search(job, Wish(budgets, effort), emit, control)
        return self._race(job, budgets, effort, emit, control, Path(sign) if sign else None)

    def _race(
        self,
        job: Job,
        budgets: Budgets,
        effort: Effort,
        emit: Callable[[Visited], None],
        control: Control,
        sign: Path | None,
    ) -> Found:
        """Search, time the best and the reference on the board, search again with what it told.

        What was built and measured is kept, so that a round costs what is new in it. Between files that
        were timed there, times are estimated, by the table of the net's layers where the board was profiled;
        the best of the last round may be such a one.
        """
        self.boards.book.get(budgets.place)
        table = self.layer_table(budgets.place)
        table = None if table is not None and table.invalid else table
        timed: tuple[Timed, ...] = ()
        solver = replace(effort, trials=0, minutes=0.0)
        found = self.workbench.search(
            job, Wish(budgets, solver, (), table), emit, control.part(0.0, _SOLVING)
        )
        fresh: tuple[Visited, ...] = (found.visited[0], found.best)
        alone = len(found.visited)
        for at in range(ROUNDS):
            part = control.part(*(_SOLVING + (1 - _SOLVING) * (at + side) / ROUNDS for side in (0, 1)))
            for each in fresh:
                if all(one.sha256 != each.artifact.sha256 for one in timed):
                    timed = (*timed, self._timed_there(job, budgets.place, each, part.part(0.0, 0.4), sign))
            found = self.workbench.search(job, Wish(budgets, effort, timed, table), emit, part.part(0.4, 1.0))
            if effort.minutes:  # the minutes are over; what they bred is asked for again by number
                effort = replace(effort, minutes=0.0, trials=max(len(found.visited) - alone, 1))
            fresh = (found.best,)
            if found.best.timed != ESTIMATED:
                break
        return found

    def _timed_there(self, job: Job, board: str, seen: Visited, control: Control, sign: Path | None) -> Timed:
        """The median of a visited recipe's file on the board, which goes on with what it does.

        Raises `BoardError` where the board's times cannot be trusted.
        """
        package = self._whole(job, seen.recipe, control.part(0.0, 0.3))
        run = self.boards.try_out(board, package, control.part(0.3, 1.0), sign=sign)
        if run.invalid:
            fix = "Let it cool down or fix its clock and search again, or search without its time."
            raise BoardError(f"board {board}", f"its times cannot be trusted: {run.invalid}", fix)
        return Timed(seen.recipe, seen.artifact.sha256, run.p50)
