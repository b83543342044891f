"""The verbs that open and keep work: models, data sets and projects."""

from __future__ import annotations

import itertools
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from studio import target
from studio.control import Cancelled, Control
from studio.data.reference import PREPROCESSING, DataFacts, DataRef
from studio.errors import DataError, ProjectError
from studio.graph.model import Facts
from studio.project import changes, store
from studio.project.changes import Changed
from studio.project.claim import Claim
from studio.project.document import Document
from studio.project.finding import digest, find_model
from studio.project.journal import Journal, Step
from studio.project.memory import Memory
from studio.project.store import Project, SavedStep
from studio.recipe.settings import Recipe
from studio.session.editor import Editor, State
from studio.workbench.api import Job, ModelRef, Workbench

ALL = frozenset(
    {
        changes.MODEL,
        changes.DATA,
        changes.RECIPE,
        changes.JOURNAL,
        changes.ARTIFACT,
        changes.HISTORY,
        changes.SENSITIVITY,
        changes.PROJECT,
    }
)
_COPY = "{name} is open in another window: this is a copy. Save it under another name to keep it."


class Opening(Editor):
    """An Editor with a workbench to open things in. One that `keeps` writes projects by itself."""

    keeps = False

    def __init__(self, workbench: Workbench, memory: Memory | None = None) -> None:
        super().__init__()
        self.workbench = workbench
        self._memory = memory or Memory()
        self._tickets = itertools.count(1)
        self._ticket = 0
        self._digest: tuple[str, tuple[int, str]] | None = None
        self._claim = Claim()
        self._left = State()

    @property
    def left(self) -> State:
        """What was open before the model that is open now, as it was left."""
        with self._lock:
            return self._left

    def claim(self) -> None:
        """Keep other programs from writing into the project of now, and let go of the one before."""
        project = self.state.project
        self._claim.take(Path(project) if project else None)

    def open(self, path: str | Path, control: Control) -> Changed[Facts]:
        """Open a model, with the data set it was last used with, or a `.trimtab` project.

        What was open stays as it is until this succeeds; a newer `open` cancels this one.
        """
        if store.is_project(Path(path)):
            return self.load(path, control)
        ticket = self._ticket = next(self._tickets)
        facts = self.workbench.open(str(path), control.part(0.0, 0.8))
        data, notes = self._attached(facts, self._memory.data(facts.key), control.part(0.8, 1.0))
        return self._opened(ticket, control, Document(facts, fresh(), data), notes)

    def load(self, path: str | Path, control: Control) -> Changed[Facts]:
        """Open a project where it was left, undo steps and measured figures included.

        For a program that `keeps`, one that another keeps is a copy without a folder, and a note says so.
        """
        if self.keeps and self._claim.elsewhere(Path(path)):
            return self._load(path, control, "", (_COPY.format(name=Path(path).name),))
        return self._load(path, control, str(path))

    def recover(self, path: str | Path, control: Control) -> Changed[Facts]:
        """Take up a snapshot of work that was not saved: as `load`, but it has no project folder yet."""
        return self._load(path, control, "")

    def _load(
        self, path: str | Path, control: Control, home: str, told: tuple[str, ...] = ()
    ) -> Changed[Facts]:
        ticket = self._ticket = next(self._tickets)
        project = store.load(Path(path))
        model = find_model(Path(path), project)
        facts = self.workbench.open(str(model), control.part(0.0, 0.8))
        if facts.key != project.model_key:
            cause = f"{model} is not the model that it was made with"
            raise ProjectError(str(path), cause, "Put the old file back, or open the model itself.")
        data, notes = self._attached(facts, project.data, control.part(0.8, 1.0))
        journal = _journal(project, facts, data)
        return self._opened(ticket, control, journal.document, told + notes, journal, project, home)

    def save(self, path: str | Path) -> Changed[Path]:
        """Keep the work as a project folder; raises `ProjectError`."""
        folder, state = Path(path), self.state
        if self._claim.elsewhere(folder):
            cause = "another window has this project open"
            raise ProjectError(str(folder), cause, "Save under another name, or close it there first.")
        store.save(folder, self.snapshot(state))
        with self._lock:
            if self._state.opening == state.opening:  # else the folder is not that of what is open now
                self._state = replace(self._state, project=str(folder))
        return self._tell(folder, {changes.PROJECT})

    def snapshot(self, state: State | None = None) -> Project:
        """All that a project keeps of `state` (None: of now); raises `ProjectError` where nothing is open."""
        state = state or self.state
        journal = state.journal
        if journal is None:
            raise ProjectError("session", "no model is open", "Open a model first.")
        steps = tuple(
            SavedStep(each.label, each.document.revision, each.document.recipe) for each in journal.steps
        )
        facts, data = journal.document.model, journal.document.data
        model = Path(facts.path).resolve()
        length, sha256 = self._digest_of(facts)
        return Project(
            model_path=str(model),
            model_key=facts.key,
            steps=steps,
            at=journal.at,
            data=data.ref if data else None,
            history=state.history,
            sensitivity=state.sensitivity,
            model_bytes=length,
            model_sha256=sha256,
        )

    def _digest_of(self, facts: Facts) -> tuple[int, str]:
        """Of the model file, read once per model: it may have gigabytes."""
        known = self._digest
        if known is None or known[0] != facts.key:
            with suppress(OSError):
                known = self._digest = facts.key, digest(Path(facts.path))
        return known[1] if known and known[0] == facts.key else (0, "")

    def attach_data(self, ref: DataRef, control: Control) -> Changed[DataFacts]:
        """Use a data set from now on, and remember it for this model; raises `DataError`."""
        model = self.facts
        ref = self._as_before(ref)
        data = self.workbench.attach(ModelRef.to(model), ref, control)
        with self._lock:
            if self.facts is not model:
                raise Cancelled
            before = self.journal
            after = before.record(replace(before.document, data=data), f"data {Path(ref.path).name}")
            self._state = replace(self._state, journal=after)
        self._memory.remember(model.key, ref)
        return self._tell(data, {changes.DATA, changes.JOURNAL})

    def _as_before(self, ref: DataRef) -> DataRef:
        """A folder of pictures without a preprocessing file is read as the model's last one was."""
        folder = Path(ref.path)
        if ref.preprocessing is not None or not folder.is_dir() or (folder / PREPROCESSING).is_file():
            return ref
        return replace(ref, preprocessing=self._memory.preprocessing(self.facts.key))

    def job(self) -> Job:
        """The current document as a request to the workbench."""
        return job_of(self.journal.document)

    def _attached(
        self, facts: Facts, ref: DataRef | None, control: Control
    ) -> tuple[DataFacts | None, tuple[str, ...]]:
        if ref is None:
            return None, ()
        try:
            return self.workbench.attach(ModelRef.to(facts), ref, control), ()
        except DataError as error:
            return None, (f"The data set used last time was left out: {error}",)

    def _opened(
        self,
        ticket: int,
        control: Control,
        document: Document,
        notes: tuple[str, ...],
        journal: Journal | None = None,
        project: Project | None = None,
        path: str = "",
    ) -> Changed[Facts]:
        control.check()
        with self._lock:
            if ticket != self._ticket:
                raise Cancelled
            before = self._state.journal
            after = before.last if before else 0
            begun = _begun(journal or Journal.begin(document), project, path, after)
            self._left = self._state
            self._state = replace(begun, opening=ticket)
        self.estimate()  # here, on a thread of work: views will ask for plan and size at once
        return self._tell(document.model, set(ALL), notes)


def fresh() -> Recipe:
    """The recipe that work begins with: no wishes, for this computer's processor."""
    return Recipe(target=target.here().name)


def job_of(document: Document) -> Job:
    """The document as a request to the workbench."""
    data = document.data.ref if document.data else None
    return Job(ModelRef.to(document.model), document.recipe, data)


def _begun(journal: Journal, project: Project | None, path: str, after: int) -> State:
    """The state that work begins with. Its revisions follow `after`: no result begun before fits one."""
    if project is None:
        return State(journal.later(after))
    history = tuple(replace(each, revision=each.revision + after) for each in project.history)
    return State(journal.later(after), history, sensitivity=project.sensitivity, project=path)


def _journal(project: Project, facts: Facts, data: DataFacts | None) -> Journal:
    for each in project.steps:
        target.load(each.recipe.target)
    steps = tuple(
        Step(Document(facts, each.recipe, data, each.revision), each.label) for each in project.steps
    )
    given = [each.revision for each in project.steps] + [each.revision for each in project.history]
    return Journal(steps, project.at, last=max(given))
