"""Recipes that were measured, on disk by what they were measured on: a search that broke off goes on."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from studio.errors import MeasureError
from studio.kept import KeptRows
from studio.recipe import text
from studio.recipe.settings import Recipe
from studio.search.front import Visited

VERSION = 1


class VisitedStore:
    """One file per model and samples; see `KeptRows`. A search asks for the same recipes in the same order,
    so that one started again passes at once over what is here.
    """

    def __init__(self, path: Path) -> None:
        self._rows = KeptRows(path, Visited, lambda row: text.dumps(row.recipe))

    def find(self, recipe: Recipe, timed: bool) -> Visited | None:
        """What was measured of this recipe, its time included where `timed`; else None."""
        found = self._rows.find(text.dumps(recipe))
        return None if found is None or (timed and found.latency is None) else found

    def add(self, seen: Visited) -> None:
        """Keep it; raises `MeasureError` where the file cannot be written."""
        try:
            self._rows.add(seen)
        except OSError as error:
            cause = f"what the search measured cannot be kept ({error.strerror})"
            raise MeasureError(str(self._rows.path), cause, "Free some space and run it again.") from error

    def check(self, built: Callable[[Recipe], str]) -> None:
        """Forget everything where the last recipe is another file now, by the digest that `built` tells: a
        newer program may build otherwise."""
        last = self._rows.last
        if last is not None and built(last.recipe) != last.artifact.sha256:
            self._rows.forget()

    def __len__(self) -> int:
        return len(self._rows)


def store_name(model: str, data: str) -> str:
    """A file name by the content keys of model and samples; the recipe of each row says the rest."""
    digest = sha256("\n".join((str(VERSION), model, data)).encode())
    return f"{digest.hexdigest()}.jsonl"
