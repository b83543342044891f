"""The light verbs: edits of the recipe, undo and redo. Instant, and safe from any thread."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from threading import RLock
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace as _replace

from studio import estimate, target
from studio.artifact import Artifact
from studio.errors import ProjectError, RecipeError
from studio.graph.model import Facts
from studio.metrics import Figure, LayerDrift, Sensitivity
from studio.project import changes
from studio.project.changes import Changed, Measured
from studio.project.document import Document
from studio.project.journal import Journal
from studio.recipe import presets
from studio.recipe.resolve import Known, Plan, resolve, unmatched
from studio.recipe.settings import Recipe, Rule, Settings
from studio.search.curves import curves, expected
from studio.search.front import Visited
from studio.target import Target

if TYPE_CHECKING:
    from studio.boards.report import BoardRun

Listener = Callable[[Changed[Any]], None]


@dataclass(frozen=True, slots=True)
class State:
    """All that a view may want to draw, as one frozen value.

    `history` holds the finished measurements in the order they came, one per revision; `artifact` is
    the last one built and `artifact_revision` the revision it was built from. `board_runs` and
    `exported` are (revision, run on a board) and (revision, path written), oldest first. `misses`
    tell how far each estimate was from what was measured then; `visited` what the last search measured.
    `opening` tells one opened model or project from the next.
    """

    journal: Journal | None = None
    history: tuple[Measured, ...] = ()
    artifact: Artifact | None = None
    artifact_revision: int = 0
    sensitivity: tuple[Sensitivity, ...] = ()
    board_runs: tuple[tuple[int, BoardRun], ...] = ()
    exported: tuple[tuple[int, str], ...] = ()
    misses: tuple[estimate.Miss, ...] = ()
    visited: tuple[Visited, ...] = ()
    drift: tuple[LayerDrift, ...] = ()
    drift_revision: int = 0
    project: str = ""
    opening: int = 0

    @property
    def revision(self) -> int:
        return self.journal.document.revision if self.journal else 0


class Editor:
    """Holds the State and edits it. Listeners are called on the thread of the verb, after the edit."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._state = State()
        self._listeners: tuple[Listener, ...] = ()
        self._planned: tuple[Document, Plan] | None = None
        self._resolved: tuple[tuple[object, ...], Known] = (None, None, None), Known()
        self._estimated: tuple[Plan, Artifact | None, Figure] | None = None

    # What is: snapshots, never half of an edit.

    @property
    def state(self) -> State:
        with self._lock:
            return self._state

    @property
    def journal(self) -> Journal:
        """The journal; `ProjectError` where nothing is open."""
        journal = self.state.journal
        if journal is None:
            raise ProjectError("session", "no model is open", "Open a model first.")
        return journal

    @property
    def document(self) -> Document | None:
        """The current document, None where nothing is open."""
        journal = self.state.journal
        return journal.document if journal else None

    @property
    def facts(self) -> Facts:
        return self.journal.document.model

    @property
    def recipe(self) -> Recipe:
        return self.journal.document.recipe

    @property
    def target(self) -> Target:
        return target.load(self.recipe.target)

    @property
    def history(self) -> tuple[Measured, ...]:
        return self.state.history

    @property
    def measured(self) -> Measured | None:
        """The finished measurement of the current revision, None where there is none yet."""
        state = self.state
        return next((each for each in state.history if each.revision == state.revision), None)

    @property
    def artifact(self) -> Artifact | None:
        """The artifact of the current revision, None where it is not built yet."""
        state = self.state
        if state.artifact_revision == state.revision:
            return state.artifact
        return self.measured.artifact if self.measured else None

    def plan(self) -> Plan:
        """The resolved table of the current document, refusals included."""
        document = self.journal.document
        planned = self._planned
        if planned is None or planned[0] is not document:
            calibrated = document.data is not None
            goal = target.load(document.recipe.target)
            rows = resolve(document.recipe, document.model, goal, calibrated, self._known(goal, calibrated))
            planned = self._planned = (document, rows)
        return planned[1]

    def _known(self, goal: Target, calibrated: bool) -> Known:
        """What was resolved before for the model of now on this target."""
        of = self.facts, goal, calibrated
        if any(one is not other for one, other in zip(of, self._resolved[0], strict=True)):
            self._resolved = of, Known()
        return self._resolved[1]

    def estimate(self) -> Figure:
        """Size of the file to come, in bytes, by arithmetic."""
        plan, built, known = self.plan(), self.state.artifact, self._estimated
        if known is None or known[0] is not plan or known[1] is not built:
            known = self._estimated = plan, built, estimate.size(self.facts, plan, built)
        return known[2]

    def estimate_difference(self) -> Figure | None:
        """Accuracy to come against the original, in points, from the sensitivity curves.

        What was measured last counts as it is; None where no sensitivity is known.
        """
        state = self.state
        if not state.sensitivity:
            return None
        last = next((each for each in reversed(state.history) if each.comparison), None)
        anchor = (last.artifact.layers, last.comparison.difference) if last and last.comparison else None
        return expected(self.facts, self.plan().layers, curves(state.sensitivity), anchor)

    @property
    def estimate_error(self) -> tuple[float | None, float | None]:
        """Mean |estimate - measured| of this session: size in %, accuracy in points."""
        return estimate.mean_miss(self.state.misses)

    # Listening.

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` after every change, on the thread that made it; returns how to stop that."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def stop() -> None:
            with self._lock:
                self._listeners = tuple(each for each in self._listeners if each is not listener)

        return stop

    # The verbs.

    def set_layers(self, names: Sequence[str], settings: Settings, drag: str = "") -> Changed[Plan]:
        """Lay `settings` over each of `names` (layers, groups or patterns).

        Edits with the same `drag` token are one step of undo. Locked layers are left out; `RecipeError` where
        a name is unknown or nothing is left.
        """
        self._demand_known(Recipe(rules=tuple(Rule(name, settings) for name in names)))
        names = self._unlocked(names)

        def laid(recipe: Recipe) -> Recipe:
            for name in names:
                recipe = recipe.with_rule(name, settings)
            return recipe

        label = f"{_some(names)}: {', '.join(f'{k} {v}' for k, v in settings.given().items())}"
        return self._edit(laid, label, drag)

    def apply_recipe(self, recipe: Recipe, label: str = "") -> Changed[Plan]:
        """Replace the recipe; `RecipeError` names patterns that fit no layer, and near ones that do."""
        target.load(recipe.target)
        self._demand_known(recipe)
        return self._edit(recipe.keeping, label or recipe.name or "recipe")

    def apply_preset(self, name: str) -> Changed[Plan]:
        """Replace the recipe by a shipped one, for the target at hand."""
        preset = presets.load(name)
        return self._edit(
            lambda recipe: _replace(preset, target=recipe.target).keeping(recipe), f"preset {name}"
        )

    def set_target(self, name: str) -> Changed[Plan]:
        """Resolve for another target."""
        title = target.load(name).title
        return self._edit(lambda recipe: _replace(recipe, target=name), f"target {title}")

    def reset(self, names: Sequence[str] = ()) -> Changed[Plan]:
        """Forget the rules of `names`, or every wish where none is named; target and locks stay."""

        def without(recipe: Recipe) -> Recipe:
            kept = tuple(rule for rule in recipe.rules if rule.pattern not in names)
            return _replace(recipe, rules=kept) if names else Recipe(target=recipe.target, locks=recipe.locks)

        return self._edit(without, f"reset {_some(names)}" if names else "reset")

    def undo(self) -> Changed[Plan]:
        return self._move(Journal.undo)

    def redo(self) -> Changed[Plan]:
        return self._move(Journal.redo)

    def goto(self, step: int) -> Changed[Plan]:
        """Go to a step of the journal by its index."""
        return self._move(lambda journal: journal.goto(step))

    # How.

    def _edit(self, change: Callable[[Recipe], Recipe], label: str, drag: str = "") -> Changed[Plan]:
        def recorded(journal: Journal) -> Journal:
            document = journal.document
            return journal.record(replace(document, recipe=change(document.recipe)), label, drag)

        return self._move(recorded)

    def _move(self, step: Callable[[Journal], Journal]) -> Changed[Plan]:
        with self._lock:
            before = self.journal
            after = step(before)
            self._state = replace(self._state, journal=after)
        what = _differences(before, after)
        return self._tell(self.plan(), what)

    def _tell(self, value: changes.T, what: set[str], notes: tuple[str, ...] = ()) -> Changed[changes.T]:
        changed = Changed(value, frozenset(what), self.state.revision, notes)
        if what:
            for listener in self._listeners:
                listener(changed)
        return changed

    def _unlocked(self, names: Sequence[str]) -> tuple[str, ...]:
        locked = {rule.pattern for rule in self.recipe.locks}
        free = tuple(name for name in names if name not in locked)
        if names and not free:
            raise RecipeError(_some(names), "it is locked", "Unlock it first.")
        return free

    def _demand_known(self, recipe: Recipe) -> None:
        ops = {f"op:{name}" for name in target.load(recipe.target).ops}
        if strange := [pattern for pattern in unmatched(recipe, self.facts) if pattern not in ops]:
            near = near_names(strange[0], self.facts)
            fix = f"Near names: {', '.join(near)}." if near else "`trimtab inspect` lists the layers."
            raise RecipeError(
                f"pattern {strange[0]!r}", f"no layer of {self.facts.name} has such a name", fix
            )


def near_names(pattern: str, facts: Facts) -> list[str]:
    """Names of layers, groups and ops of the model that look like `pattern`, best first."""
    names = {layer.name for layer in facts.layers} | {group.name for group in facts.groups}
    names |= {f"op:{layer.op}" for layer in facts.layers}
    core = max(re.split(r"[*?\[\]]", pattern), key=len).strip("/.")
    inside = sorted(name for name in names if core and core.lower() in name.lower())
    return (inside + get_close_matches(core, sorted(names - set(inside)), 4, 0.5))[:4]


def _differences(before: Journal, after: Journal) -> set[str]:
    what = {changes.JOURNAL} if after is not before else set()
    one, other = before.document, after.document
    for name, changed in (
        (changes.MODEL, one.model is not other.model),
        (changes.DATA, one.data != other.data),
        (changes.RECIPE, one.recipe != other.recipe),
    ):
        if changed:
            what.add(name)
    return what


def _some(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{len(names)} layers"
