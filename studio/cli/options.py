"""Options that several verbs take, and how they become data references and recipes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import click
import msgspec

from studio.cli.shell import Shell
from studio.data.reference import Adjustment, DataRef, Preprocessing
from studio.errors import DataError, RecipeError
from studio.recipe import presets, text
from studio.recipe.settings import Recipe
from studio.session.targets import HERE

T = TypeVar("T", bound=msgspec.Struct)
MODEL = click.argument("model", type=click.Path(path_type=Path))
DATA = click.option(
    "--data", type=click.Path(path_type=Path), help="A .npz (x, y) or a folder of class folders with images."
)
PREPROCESSING = click.option(
    "--preprocessing",
    type=click.Path(path_type=Path),
    help="JSON: resize, crop, scale, mean, std, layout; for arrays scale, mean, std, exchanged, layout.",
)
SIGN = click.option(
    "--sign", type=click.Path(path_type=Path), help="Sign what is sent to the board with this SSH key."
)
CLUSTER = click.option("--cluster", default="", metavar="ADDRESS", help="A Dask scheduler: tcp://HOST:8786.")
LIMIT = click.option("--limit", type=click.IntRange(min=0), default=0, help="Only the first N samples.")
RECIPE = click.option("--recipe", type=click.Path(path_type=Path), help="A recipe file.")
PRESET = click.option("--preset", help=f"A shipped recipe: {', '.join(presets.names())}.")
SETS = click.option(
    "--set", "sets", multiple=True, metavar="PATTERN:NAME=VALUE,…", help="Settings for layers; may repeat."
)
TARGET = click.option(
    "--target", help="What to build for: here (the default), @BOARD or a name; see `trimtab targets`."
)


def open_model(shell: Shell, model: Path, data: Path | None, preprocessing: Path | None, limit: int) -> None:
    """Open the model, with `data` or with the data set that it was last used with."""
    for note in shell.session.open(model, shell.control()).notes:
        shell.note(note)
    if data is not None:
        ref = _prepared(DataRef(str(data.resolve()), limit=limit), preprocessing)
        shell.session.attach_data(ref, shell.control())
    else:
        _change_remembered(shell, preprocessing, limit)


def key(path: Path | None) -> str:
    """The path of a key that signs, as verbs take it: "" for none."""
    return str(path.expanduser()) if path else ""


def demand_data(shell: Shell, model: Path) -> None:
    """Raise `DataError` where no data set is attached nor remembered."""
    document = shell.session.document
    if document is None or document.data is None:
        cause = "no data set was given, and none is remembered for this model"
        raise DataError(str(model), cause, "Add --data with an .npz (x, y) or a folder of class folders.")


LOCKS = click.option(
    "--lock",
    "locks",
    multiple=True,
    metavar="PATTERN:NAME=VALUE,…",
    help="Settings that presets and searches leave as they are; may repeat.",
)


def the_recipe(
    shell: Shell,
    recipe: Path | None,
    preset: str | None,
    sets: tuple[str, ...],
    target: str | None,
    locks: tuple[str, ...] = (),
) -> tuple[Recipe, bool]:
    """The recipe that the options come to, and whether any of them asked for something.

    Where a project is open, its own recipe is what the rest builds on if no other is named. A recipe file
    names its target, as a project does; anything else is for this computer unless `target` says another.
    """
    if recipe is not None and preset is not None:
        raise RecipeError("--recipe and --preset", "only one of them can be followed", "Leave one out.")
    own = shell.session.target_named(target or HERE)
    base = shell.session.recipe if shell.session.state.project else Recipe(target=own)
    if recipe is not None:
        base = text.read(recipe)
    elif preset is not None:
        base = msgspec.structs.replace(presets.load(preset), target=own)
    for each in sets:
        rule = text.parse_set(each)
        base = base.with_rule(rule.pattern, rule.settings)
    if locks:
        held = tuple(text.parse_set(each, "--lock") for each in locks)
        base = msgspec.structs.replace(base, locks=(*base.locks, *held))
    if target is not None:
        base = msgspec.structs.replace(base, target=own)
    return base, any((recipe, preset, sets, locks))


def _prepared(ref: DataRef, path: Path | None) -> DataRef:
    """`ref` read as the file at `path` says: `Preprocessing` for pictures, `Adjustment` for arrays."""
    if path is None:
        return ref
    if Path(ref.path).is_dir():
        return replace(ref, preprocessing=_read(path, Preprocessing))
    return replace(ref, adjust=(_read(path, Adjustment),))


def _read(path: Path, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise DataError(str(path), f"it cannot be read ({error.strerror})", "Check the path.") from error
    except msgspec.MsgspecError as error:
        fix = f"Known fields: {', '.join(kind.__struct_fields__)}."
        raise DataError(str(path), f"not a preprocessing file ({error})", fix) from error


def _change_remembered(shell: Shell, preprocessing: Path | None, limit: int) -> None:
    """The data set last used, read as is asked now: a limit holds for one command."""
    document = shell.session.document
    if document is None or document.data is None:
        return
    old = document.data.ref
    ref = _prepared(replace(old, limit=limit), preprocessing)
    if ref == old:
        return
    shell.session.attach_data(ref, shell.control())
