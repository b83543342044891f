"""The verbs by which latency follows the sliders: layers timed on a board, and what they make likely."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from studio import predict, target
from studio.artifact import Artifact
from studio.control import Control
from studio.layer_times import LayerTable
from studio.metrics import Figure
from studio.paths import cache_dir
from studio.project import changes
from studio.project.changes import Changed
from studio.recipe.resolve import Plan, resolve
from studio.recipe.settings import Recipe, Settings
from studio.session.opening import job_of
from studio.session.outgoing import Outgoing
from studio.workbench.api import Candidate, Job

if TYPE_CHECKING:
    from studio.boards.book import Board
    from studio.boards.release.package import Package


@dataclass(frozen=True, slots=True)
class Profiled:
    """A table just taken; `fresh` of its `shapes` were measured now, the others were known already."""

    table: LayerTable
    fresh: int
    shapes: int


class Profiling(Outgoing):
    """Tables stay with board and model; they are read when first asked for. Those whose times the board
    itself doubts are shown while the program runs, and not kept.
    """

    _tables: tuple[str, tuple[LayerTable, ...]] | None = None
    _doubted: tuple[LayerTable, ...] = ()

    def board_profile(
        self, board: str, control: Control, threads: int = 1, again: bool = False, sign: str = ""
    ) -> Changed[Profiled]:
        """Time the open model's layers on the board, one by one, and the whole model as it is and at 8 bits.

        Shapes that were timed on such a board before are not timed again, unless `again`. `sign` is the path
        of the key that signs what is sent ("" = unsigned).
        """
        from studio.boards.table.tables import Net, Options

        job = job_of(self.journal.document)
        plain, integer = self._plan_of(job, Recipe(target=job.recipe.target)), None
        eight = replace_default(job.recipe, Settings(bits=8))
        wholes = [self._whole(job, Recipe(target=job.recipe.target), control.part(0.0, 0.1))]
        if predict.integer_layers(found := self._plan_of(job, eight)):
            integer = found
            wholes.append(self._whole(job, eight, control.part(0.1, 0.2)))
        net = Net(self.facts, target.load(job.recipe.target), tuple(wholes))
        options = Options(threads, again, Path(sign) if sign else None)
        taken = self.boards.layer_times(board, net, options, control.part(0.2, 1.0))
        int8_ms = taken.wholes[1] if integer else 0.0
        table = predict.anchored(taken.table, self.facts, plain, integer, taken.wholes[0], int8_ms)
        if not table.invalid:
            self.boards.layer_store.keep_table(table)
        with self._lock:
            others = tuple(each for each in self._doubted if each.board != board)
            self._doubted = (*others, table) if table.invalid else others
            self._tables = None
        return self._tell(Profiled(table, taken.fresh, taken.shapes), {changes.BOARDS})

    def board_add(self, board: Board, replace: bool = False) -> Changed[Board]:
        added = super().board_add(board, replace)
        self._look_again(board.name)
        return added

    def board_remove(self, board: str) -> Changed[Board]:
        gone = super().board_remove(board)
        self._look_again(board)
        return gone

    def _look_again(self, board: str) -> None:
        """Another board may have that name now."""
        with self._lock:
            self._tables = None
            self._doubted = tuple(each for each in self._doubted if each.board != board)

    @property
    def layer_tables(self) -> tuple[LayerTable, ...]:
        """The tables of the open model, of every board on which it was profiled."""
        from studio.boards.book import BoardBook
        from studio.boards.table.store import Store

        key = self.facts.key
        with self._lock:
            if self._tables is None or self._tables[0] != key:
                store = self._boards.layer_store if self._boards else Store()
                book = self._boards.book if self._boards else BoardBook()
                known = [store.table(board.name, key) for board in book.all()]
                doubted = {each.board: each for each in self._doubted if each.model == key}
                kept = {each.board: each for each in known if each is not None}
                self._tables = (key, tuple((kept | doubted).values()))
            return self._tables[1]

    def layer_table(self, board: str) -> LayerTable | None:
        """The open model's table of that board, None where it was not profiled there."""
        return next((table for table in self.layer_tables if table.board == board), None)

    def estimate_latency(self, board: str) -> Figure | None:
        """Latency to come on that board, by arithmetic; None where the model was not profiled there."""
        table = self.layer_table(board)
        return predict.latency(self.facts, self.plan(), table) if table else None

    def layer_times(self, board: str) -> tuple[predict.LayerTimes, ...]:
        """Each layer on that board, on floats and on integers; empty where it was not profiled there."""
        table = self.layer_table(board)
        return predict.layer_times(table) if table else ()

    def _plan_of(self, job: Job, recipe: Recipe) -> Plan:
        return resolve(recipe, self.facts, target.load(recipe.target), job.data is not None)

    def _whole(self, job: Job, recipe: Recipe, control: Control) -> Package:
        """The built file of a recipe with goldens, as it is pushed."""
        built = self.workbench.build(replace(job, recipe=recipe), control.part(0.0, 0.7))
        candidate = Candidate(built.path, built)
        goldens = self.workbench.goldens(job.model, candidate, job.data, control.part(0.7, 1.0))
        return _package(built, Path(goldens.path))


def replace_default(recipe: Recipe, default: Settings) -> Recipe:
    """What `recipe` says of target and calibration, with `default` for every layer and no repair."""
    return Recipe(
        target=recipe.target,
        default=default,
        calibration=recipe.calibration,
        calibration_samples=recipe.calibration_samples,
    )


def _package(built: Artifact, goldens: Path) -> Package:
    from studio.boards.release.package import package

    return package(built, goldens, cache_dir() / "packages" / f"profile-{goldens.stem}")
