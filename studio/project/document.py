"""One frozen state of the user's work."""

from __future__ import annotations

from dataclasses import dataclass

from studio.data.reference import DataFacts
from studio.graph.model import Facts
from studio.recipe.settings import Recipe


@dataclass(frozen=True, slots=True)
class Document:
    """Model, data and recipe. `revision` grows with every edit; equal content may differ in it."""

    model: Facts
    recipe: Recipe
    data: DataFacts | None = None
    revision: int = 0
