from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from studio.graph.model import Facts
from studio.project import journal as journals
from studio.project.document import Document
from studio.project.journal import Journal
from studio.recipe.settings import Recipe, Settings


def with_bits(document: Document, bits: int) -> Document:
    return replace(document, recipe=Recipe(default=Settings(bits=bits)))


def bits(document: Document) -> int | None:
    return document.recipe.default.bits


def test_undo_and_redo_move_the_pointer(document: Document) -> None:
    journal = Journal.begin(document).record(with_bits(document, 8), "8 bits")
    back = journal.undo()
    assert bits(back.document) is None
    assert back.redo().document == journal.document
    assert back.redo().redo() == journal


def test_equal_states_record_nothing(document: Document) -> None:
    journal = Journal.begin(document).record(with_bits(document, 8), "8 bits")
    assert journal.record(with_bits(document, 8), "again") is journal


def test_a_drag_is_one_step(document: Document) -> None:
    journal = Journal.begin(document)
    for width in (16, 8, 7, 6):
        journal = journal.record(with_bits(document, width), "bits", drag="d1")
    assert len(journal.steps) == 2
    assert bits(journal.undo().document) is None


def test_a_drag_that_comes_back_leaves_no_step(document: Document) -> None:
    journal = Journal.begin(document).record(with_bits(document, 8), "bits", drag="d1")
    assert len(journal.record(document, "bits", drag="d1").steps) == 1


def test_two_drags_are_two_steps(document: Document) -> None:
    journal = Journal.begin(document).record(with_bits(document, 8), "bits", drag="d1")
    assert len(journal.record(with_bits(document, 4), "bits", drag="d2").steps) == 3


def test_undo_ends_a_drag(document: Document) -> None:
    journal = Journal.begin(document).record(with_bits(document, 8), "bits", drag="d1")
    again = journal.undo().record(with_bits(document, 4), "bits", drag="d1")
    assert [bits(step.document) for step in again.steps] == [None, 4]


def test_it_stays_bounded(document: Document) -> None:
    journal = Journal.begin(document)
    for width in range(journals.LIMIT + 5):
        journal = journal.record(replace(document, recipe=Recipe(name=str(width))), "x")
    assert len(journal.steps) == journals.LIMIT
    assert journal.document.recipe.name == str(journals.LIMIT + 4)


class JournalMachine(RuleBasedStateMachine):
    """Held against the plainest model there is: a list of widths and an index."""

    facts: Facts

    @initialize()
    def begin(self) -> None:
        facts = Facts("k", "n", "p", "onnx", 0, 10, (), "", (), (), (), (), (), ())
        self.start = Document(facts, Recipe())
        self.journal = Journal.begin(self.start)
        self.states: list[int | None] = [None]
        self.at, self.drag = 0, ""
        self.given = {self.journal.document.revision}

    @rule(width=st.integers(1, 4), drag=st.sampled_from(["", "a", "b"]))
    def edit(self, width: int, drag: str) -> None:
        self.journal = self.journal.record(with_bits(self.start, width), "edit", drag)
        if width == self.states[self.at]:
            return
        if drag and drag == self.drag and self.at > 0:
            self.at -= 1
        self.states = self.states[: self.at + 1]
        if self.states[-1] == width:
            self.drag = ""
            return
        self.states.append(width)
        self.at, self.drag = self.at + 1, drag
        assert self.journal.document.revision not in self.given
        self.given.add(self.journal.document.revision)

    @rule()
    def undo(self) -> None:
        self.journal = self.journal.undo()
        self._go(self.at - 1)

    @rule()
    def redo(self) -> None:
        self.journal = self.journal.redo()
        self._go(self.at + 1)

    @rule(step=st.integers(-1, 6))
    def goto(self, step: int) -> None:
        self.journal = self.journal.goto(step)
        self._go(step)

    def _go(self, step: int) -> None:
        if 0 <= step < len(self.states) and step != self.at:
            self.at, self.drag = step, ""

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "journal"):
            return
        assert [bits(step.document) for step in self.journal.steps] == self.states
        assert self.journal.at == self.at
        revisions = [step.document.revision for step in self.journal.steps]
        assert len(set(revisions)) == len(revisions)


JournalMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestJournalMachine = JournalMachine.TestCase
