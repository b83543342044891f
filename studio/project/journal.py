"""Undo and redo as a pointer over frozen Documents: a drag is one step, equal states record nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from studio.project.document import Document

LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Step:
    """A state and what led to it."""

    document: Document
    label: str


@dataclass(frozen=True, slots=True)
class Journal:
    """States of the work, oldest first; `at` is where we are. Every verb returns a new Journal.

    `drag` is the token of the drag that made the current step ("" for none); `last` the highest
    revision ever given, so that no two states share one, not even after undo.
    """

    steps: tuple[Step, ...]
    at: int = 0
    drag: str = ""
    last: int = 0

    @classmethod
    def begin(cls, document: Document, label: str = "open") -> Journal:
        """A journal of one state, of revision 1."""
        return cls((Step(replace(document, revision=1), label),), last=1)

    def later(self, by: int) -> Journal:
        """The same states, each revision greater by `by`."""
        steps = tuple(
            replace(step, document=replace(step.document, revision=step.document.revision + by))
            for step in self.steps
        )
        return replace(self, steps=steps, last=self.last + by)

    @property
    def document(self) -> Document:
        return self.steps[self.at].document

    @property
    def can_undo(self) -> bool:
        return self.at > 0

    @property
    def can_redo(self) -> bool:
        return self.at < len(self.steps) - 1

    def record(self, document: Document, label: str, drag: str = "") -> Journal:
        """Move on to `document`; its revision is given here. States ahead of the pointer are let go.

        With the `drag` token of the current step that step is replaced; a drag that comes back to
        where it began leaves no step behind.
        """
        if same(document, self.document):
            return self
        fresh = replace(document, revision=self.last + 1)
        dragging = bool(drag) and drag == self.drag and self.at > 0
        kept = self.steps[: self.at if dragging else self.at + 1]
        if dragging and same(fresh, kept[-1].document):
            return Journal(kept, len(kept) - 1, "", self.last)
        steps = (*kept, Step(fresh, label))[-LIMIT:]
        return Journal(steps, len(steps) - 1, drag, fresh.revision)

    def undo(self) -> Journal:
        """One step back; the same journal where there is none."""
        return self.goto(self.at - 1)

    def redo(self) -> Journal:
        """One step on; the same journal where there is none."""
        return self.goto(self.at + 1)

    def goto(self, index: int) -> Journal:
        """To the step `index`; the same journal where there is none, or where we are there."""
        if index == self.at or not 0 <= index < len(self.steps):
            return self
        return replace(self, at=index, drag="")


def same(one: Document, other: Document) -> bool:
    """Whether two states are equal in all but their revision."""
    return replace(one, revision=0) == replace(other, revision=0)
