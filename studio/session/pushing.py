"""The verbs by which a file gets onto boards: one, or a group with one ahead of the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from studio.control import Control
from studio.paths import cache_dir
from studio.project import changes
from studio.project.changes import Changed
from studio.session.boards import BoardVerbs
from studio.session.measuring import Measuring
from studio.session.opening import job_of
from studio.workbench.api import Candidate

if TYPE_CHECKING:
    from studio.artifact import Artifact
    from studio.boards.release.dry import DryRun
    from studio.boards.release.fleet import Outcome
    from studio.boards.release.package import Package
    from studio.boards.report import BoardRun, Pushed
    from studio.metrics import Figure


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms a release is pushed. Budgets: `p95_ms` and `peak_bytes`, 0 for none.

    `confirm` once it is proved; `allow_unproved` uses what could not be run there; `sign` is the path of
    the key that signs ("" = unsigned).
    """

    confirm: bool = False
    allow_unproved: bool = False
    p95_ms: float = 0.0
    peak_bytes: int = 0
    sign: str = ""


class Pushing(Measuring, BoardVerbs):
    """`opened` pushes the open file just as it lies there, whatever the recipe says."""

    def push(self, board: str, control: Control, terms: Terms = Terms()) -> Changed[Pushed]:
        """Push the file of the current revision with golden samples, and run it there; raises `BoardError`.

        What the board measured joins the figures of this revision.
        """
        revision = self.journal.document.revision
        packed = self.packed(control.part(0.0, 0.3), terms)
        pushed = self._push(board, packed, control.part(0.3, 1.0), terms)
        self._keep_run(revision, pushed.run)
        return self._tell(pushed, {changes.BOARDS, changes.HISTORY})

    def push_opened(self, board: str, control: Control, terms: Terms = Terms()) -> Changed[Pushed]:
        """Push the open file itself."""
        packed = self.packed(control.part(0.0, 0.3), terms, opened=True)
        return self._tell(self._push(board, packed, control.part(0.3, 1.0), terms), {changes.BOARDS})

    def push_all(
        self,
        boards: Sequence[str],
        control: Control,
        told: Callable[[Outcome], None],
        terms: Terms = Terms(),
        opened: bool = False,
    ) -> Changed[tuple[Outcome, ...]]:
        """Push to the first board and, only where it is active there, to the others; after a failure no
        further one is begun. `told` hears of each board as it ends, on the thread that pushed to it.
        """
        revision = self.journal.document.revision
        packed = self.packed(control.part(0.0, 0.2), terms, opened)
        sign = Path(terms.sign) if terms.sign else None
        done = self.boards.push_all(
            boards,
            packed,
            control.part(0.2, 1.0),
            told,
            confirm=terms.confirm,
            allow_unproved=terms.allow_unproved,
            sign=sign,
        )
        for outcome in done if not opened else ():
            if outcome.pushed is not None:
                self._keep_run(revision, outcome.pushed.run)
        return self._tell(done, {changes.BOARDS, changes.HISTORY})

    def dry_run(
        self, boards: Sequence[str], control: Control, terms: Terms = Terms(), opened: bool = False
    ) -> tuple[DryRun, ...]:
        """What a push would send to each board, and what it cannot have; nothing is written there."""
        packed = self.packed(control.part(0.0, 0.5), terms, opened)
        return tuple(self.boards.dry_run(board, packed, control.part(0.5, 1.0)) for board in boards)

    def packed(self, control: Control, terms: Terms = Terms(), opened: bool = False) -> Package:
        """The release as it would be pushed: the current revision's file, or the open one itself."""
        job = job_of(self.journal.document)
        if opened:
            candidate = Candidate(self.facts.path)
        else:
            artifact = self.workbench.build(job, control.part(0.0, 0.7))
            candidate = Candidate(artifact.path, artifact)
        goldens = self.workbench.goldens(job.model, candidate, job.data, control.part(0.7, 1.0))
        return self._package(candidate, Path(goldens.path), terms)

    def _push(self, board: str, packed: Package, control: Control, terms: Terms) -> Pushed:
        return self.boards.push(
            board,
            packed,
            control,
            confirm=terms.confirm,
            allow_unproved=terms.allow_unproved,
            sign=Path(terms.sign) if terms.sign else None,
        )

    def _package(self, candidate: Candidate, goldens: Path, terms: Terms) -> Package:
        from studio.boards.release.package import QUANTIZED_TOLERANCE, package

        folder = cache_dir() / "packages" / goldens.stem
        accuracy = self._accuracy_of(candidate.artifact)
        stem = self.facts.name or Path(self.facts.path).stem
        meta: dict[str, object] = {"model": f"{stem}.onnx"}
        if accuracy is not None:
            meta |= {"accuracy": round(accuracy.value, 3), "samples": accuracy.n}
        model = candidate.artifact or Path(candidate.path)
        return package(
            model,
            goldens,
            folder,
            tolerance=QUANTIZED_TOLERANCE,
            p95_ms=terms.p95_ms,
            peak_bytes=terms.peak_bytes,
            meta=meta,
        )

    def _accuracy_of(self, artifact: Artifact | None) -> Figure | None:
        """What was measured of this very file, whatever the current revision is by now."""
        if artifact is None:
            return None
        known = (each for each in reversed(self.history) if each.artifact.sha256 == artifact.sha256)
        return next((each.comparison.optimized for each in known if each.comparison), None)

    def _keep_run(self, revision: int, run: BoardRun) -> None:
        """Put a board's times beside what else is known of the revision, which may be a past one by now."""
        latency = run.latency()
        with self._lock:
            runs = (*self._state.board_runs, (revision, run))
            self._state = replace(self._state, board_runs=runs)
            known = {each.revision: each for each in self._state.history}.get(revision)
            if latency is None or known is None:
                return
            others = tuple(each for each in known.on_boards if each.source != latency.source)
            fresh = replace(known, on_boards=(*others, latency))
            history = tuple(fresh if each is known else each for each in self._state.history)
            self._state = replace(self._state, history=history)
