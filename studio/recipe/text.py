"""Recipes as JSON with a version, and as the short `PATTERN:bits=4,sparsity=0.3` of the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import msgspec

from studio.errors import RecipeError
from studio.recipe.settings import REPAIRS, Recipe, Rule, Settings

VERSION = 2
_LOCKS = 2  # the version that brought `locks`


def dumps(recipe: Recipe) -> str:
    """Canonical JSON: equal recipes give equal text, keys sorted. The target is always named: what a
    recipe comes to must not depend on the computer that reads it. The version is the oldest that knows all
    that is said (1 is not written): an older program reads what it can, and else says that it is too old."""
    said = {**msgspec.to_builtins(recipe), "target": recipe.target}
    if recipe.locks:
        said["version"] = _LOCKS
    return msgspec.json.format(msgspec.json.encode(said, order="sorted"), indent=2).decode() + "\n"


def loads(text: str | bytes, origin: str = "recipe") -> Recipe:
    """Read a recipe; `RecipeError` names `origin` and the field that is wrong."""
    try:
        raw = msgspec.json.decode(text)
        recipe = msgspec.convert(_migrated(raw, origin), Recipe)
    except msgspec.MsgspecError as error:
        raise RecipeError(
            origin, f"not a recipe ({error})", "Save it again from the window, or mend the field."
        ) from error
    return _checked(recipe, origin)


def read(path: str | Path) -> Recipe:
    """Read a recipe file."""
    try:
        return loads(Path(path).read_bytes(), str(path))
    except OSError as error:
        raise RecipeError(str(path), f"cannot be read ({error.strerror})", "Check the path.") from error


def parse_set(text: str, option: str = "--set") -> Rule:
    """`PATTERN:bits=4,sparsity=0.3` → a rule. The last colon separates, so patterns may hold colons."""
    pattern, colon, rest = text.rpartition(":")
    if not colon or not pattern or not rest:
        raise RecipeError(
            f"{option} {text!r}", "it must read PATTERN:name=value,…", "For example '*:bits=4'."
        )
    values: dict[str, str] = {}
    for name, value in (_pair(part, f"{option} {text!r}") for part in rest.split(",")):
        if name in values:
            raise RecipeError(f"{option} {text!r}", f"{name} is given twice", "Leave one of them out.")
        values[name] = _known(name, value, f"{option} {text!r}")
    settings = msgspec.convert(values, Settings, strict=False)
    return _checked(Recipe(rules=(Rule(pattern, settings),)), f"{option} {text!r}").rules[0]


def _pair(part: str, whole: str) -> tuple[str, str]:
    name, equals, value = part.partition("=")
    if not equals:
        raise RecipeError(whole, f"{part!r} has no value", f"Write name=value; known names: {_names()}.")
    return name.strip(), value.strip()


def _known(name: str, value: str, whole: str) -> str:
    """`value` itself; `RecipeError` says which names, or which values of this name, there are."""
    kinds = {field.name: field.type for field in msgspec.structs.fields(Settings)}
    if name not in kinds:
        raise RecipeError(whole, f"there is no setting {name!r}", f"Known names: {_names()}.")
    try:
        msgspec.convert(value, kinds[name], strict=False)
    except msgspec.ValidationError as error:
        cause = f"{name}={value} cannot be understood"
        raise RecipeError(whole, cause, f"{name} takes {_values(kinds[name])}.") from error
    return value


def _values(kind: Any) -> str:
    """What a setting of this type takes, in words."""
    for each in get_args(kind):
        if choices := get_args(each):
            return ", ".join(map(str, choices))
    words = {int: "a whole number", float: "a number", bool: "true or false"}
    return next((words[each] for each in get_args(kind) if each in words), "a word")


def _names() -> str:
    return ", ".join(Settings.__struct_fields__)


def _migrated(raw: Any, origin: str) -> Any:
    """The fields of a recipe as of now, version 1 and later alike; only locks came with a version."""
    if not isinstance(raw, dict):
        return raw
    version = raw.get("version", 1)
    if type(version) is not int or version < 1:
        raise RecipeError(
            origin, f"version {version!r} is no version", f"Use 1 to {VERSION}, or leave it out."
        )
    if version > VERSION:
        raise RecipeError(origin, f"written by a newer Trimtab (version {version})", "Update Trimtab Studio.")
    return {name: value for name, value in raw.items() if name != "version"}


def _checked(recipe: Recipe, origin: str) -> Recipe:
    for settings in (recipe.default, *(rule.settings for rule in recipe.laid)):
        _check_settings(settings, origin)
    for name in recipe.repair:
        if name not in REPAIRS:
            raise RecipeError(origin, f"unknown repair {name!r}", f"Known repairs: {', '.join(REPAIRS)}.")
    if not 1 <= recipe.calibration_samples <= 100_000:
        raise RecipeError(origin, "calibration_samples is out of range", "Use 1 to 100,000.")
    return recipe


def _check_settings(settings: Settings, origin: str) -> None:
    if settings.bits is not None and settings.bits not in (32, 16, *range(1, 9)):
        raise RecipeError(origin, f"bits={settings.bits} is no width", "Use 32, 16 or 8 … 1.")
    if settings.activations is not None and settings.activations not in (32, 16, 8):
        raise RecipeError(origin, f"activations={settings.activations} is no width", "Use 32, 16 or 8.")
    if settings.sparsity is not None and not 0 <= settings.sparsity < 1:
        raise RecipeError(origin, f"sparsity={settings.sparsity:g} is out of range", "Use 0 up to 0.95.")
    if settings.threshold is not None and not 0 <= settings.threshold < float("inf"):
        raise RecipeError(origin, f"threshold={settings.threshold:g} is out of range", "Use 0 or more.")
    if settings.block is not None and not 8 <= settings.block <= 1024:
        raise RecipeError(origin, f"block={settings.block} is out of range", "Use 8 to 1024.")
