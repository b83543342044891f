"""The verbs that say which CPU the file is built for: this computer's, a board's, or one by name."""

from __future__ import annotations

from dataclasses import dataclass

from studio import processor, target
from studio.boards.book import THIS_COMPUTER, BoardBook
from studio.errors import RecipeError
from studio.project.changes import Changed
from studio.recipe.resolve import Plan
from studio.session.boards import BoardVerbs

HERE = "here"


@dataclass(frozen=True, slots=True)
class Choice:
    """What may be asked for: `key` is what `set_target` takes, `target` the shipped one that it comes to."""

    key: str
    target: str
    title: str


class TargetVerbs(BoardVerbs):
    """An Editor that takes a target from the facts of a CPU."""

    def targets(self) -> tuple[Choice, ...]:
        """This computer, the boards whose facts are known, and the shipped targets."""
        own = target.here()
        seen = [each for each in self._book().all() if each.target]
        return (
            Choice(HERE, own.name, f"this computer ({processor.here()})"),
            *(Choice(f"@{each.name}", each.target, target.load(each.target).title) for each in seen),
            *(Choice(name, name, target.load(name).title) for name in target.names()),
        )

    def target_named(self, key: str) -> str:
        """The shipped target that `key` comes to: `here`, `@BOARD` or its name; raises `StudioError`."""
        if key in (HERE, f"@{THIS_COMPUTER}"):
            return target.here().name
        if not key.startswith("@"):
            return target.load(key).name
        board = self._book().get(key[1:])
        if not board.target:
            fix = f"Run `trimtab board probe {board.name}` first."
            raise RecipeError(f"target {key!r}", "nobody has asked that board what it is", fix)
        return target.load(board.target).name

    def set_target(self, name: str) -> Changed[Plan]:
        """Resolve for another target: `here`, `@BOARD` or a shipped one by its name."""
        return super().set_target(self.target_named(name))

    def _book(self) -> BoardBook:
        """The list of boards, without the link library that `boards` loads."""
        return self._boards.book if self._boards else BoardBook()
