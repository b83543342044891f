"""What a dropped or chosen file is: a model, data, a recipe; anything else is named and refused."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from studio.errors import StudioError
from studio.gui.texts.texts import T

_MODELS = frozenset({".onnx", ".pt2", ".pt", ".pth", ".ts", ".trimtab"})
_DATA = frozenset({".npz"})
_RECIPES = frozenset({".json"})


class Kind(Enum):
    MODEL = "model"
    DATA = "data"
    RECIPE = "recipe"
    UNKNOWN = "unknown"


def kind_of(path: Path) -> Kind:
    """By suffix; a folder is data. Contents are judged by the engine, which refuses with a reason."""
    suffix = path.suffix.lower()
    if suffix in _MODELS:
        return Kind.MODEL
    if path.is_dir():
        return Kind.DATA
    if suffix in _DATA:
        return Kind.DATA
    return Kind.RECIPE if suffix in _RECIPES else Kind.UNKNOWN


def refusal(path: Path) -> StudioError:
    """What to say to a file that is none of these."""
    return StudioError(path.name, T.drop_cause, T.drop_fix)
