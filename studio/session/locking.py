"""The verbs that lock layers: what is locked, no preset, search or edit changes."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from studio.project.changes import Changed
from studio.recipe import presets
from studio.recipe.resolve import LayerPlan, Plan, resolve
from studio.recipe.settings import Recipe, Rule, Settings
from studio.session.editor import Editor


class Locking(Editor):
    """Light verbs, as those of `Editor`."""

    def lock(self, names: Sequence[str]) -> Changed[Plan]:
        """Hold these layers at what they are now, sparsity of their group included.

        `RecipeError` where a name is unknown.
        """
        self._demand_known(Recipe(rules=tuple(Rule(name, Settings()) for name in names)))
        plan = self.plan()
        fresh = tuple(Rule(name, held(plan.of(name))) for name in names)
        return self._lay(fresh)

    def lock_rules(self, rules: Sequence[Rule]) -> Changed[Plan]:
        """Hold what these rules say of their layers; `RecipeError` where a pattern fits none."""
        self._demand_known(Recipe(locks=tuple(rules)))
        return self._lay(tuple(rules))

    def as_preset(self, names: Sequence[str], preset: str) -> Changed[Plan]:
        """Give each of these layers what a shipped preset gives it; the others stay as they are."""
        wanted = replace(presets.load(preset), target=self.recipe.target)
        document = self.journal.document
        plan = resolve(wanted, document.model, self.target, document.data is not None)
        rows = [Rule(name, held(plan.of(name))) for name in self._unlocked(names)]

        def laid(recipe: Recipe) -> Recipe:
            for rule in rows:
                recipe = recipe.with_rule(rule.pattern, rule.settings)
            return recipe

        return self._edit(laid, f"{len(rows)} layers as in {preset}")

    def _lay(self, fresh: tuple[Rule, ...]) -> Changed[Plan]:
        label = f"lock {fresh[0].pattern}" if len(fresh) == 1 else f"lock {len(fresh)} layers"
        laid = Recipe(locks=fresh)
        return self._edit(lambda recipe: replace(recipe, locks=laid.keeping(recipe).locks), label)

    def unlock(self, names: Sequence[str]) -> Changed[Plan]:
        """Let these layers go; their settings stay as they are until they are changed."""

        def freed(recipe: Recipe) -> Recipe:
            for rule in recipe.locks:
                if rule.pattern in names:
                    recipe = recipe.with_rule(rule.pattern, rule.settings)
            return _without(recipe, names)

        return self._edit(freed, "unlock")


def held(row: LayerPlan) -> Settings:
    """The settings that give a layer what it has."""
    return Settings(bits=row.bits, sparsity=row.sparsity)


def _without(recipe: Recipe, names: Sequence[str]) -> Recipe:
    return replace(recipe, locks=tuple(rule for rule in recipe.locks if rule.pattern not in names))
