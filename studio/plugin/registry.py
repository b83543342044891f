"""Which plug-ins are installed. One that fails to load is a row with its error, never a crash."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from studio.plugin.api import Plugin
from studio.stages import Importer

GROUP = "trimtab.plugins"


@dataclass(frozen=True, slots=True)
class Row:
    """One installed plug-in: `plugin`, or `error` in words where it could not be loaded."""

    name: str
    package: str
    version: str
    plugin: Plugin | None = None
    error: str = ""


def installed(points: Iterable[EntryPoint] | None = None) -> tuple[Row, ...]:
    """A row for each entry point of the group, by name; `points` stands in for the installed ones."""
    found = entry_points(group=GROUP) if points is None else points
    return tuple(_row(point) for point in sorted(found, key=lambda point: point.name))


def importers(rows: Iterable[Row]) -> tuple[Importer, ...]:
    """The importers of all plug-ins that loaded."""
    return tuple(each for row in rows if row.plugin is not None for each in row.plugin.importers)


def _row(point: EntryPoint) -> Row:
    package, version = (point.dist.name, point.dist.version) if point.dist else ("", "")
    # Code of others may fail in any way; a future carries whatever it was as a value.
    with ThreadPoolExecutor(1, thread_name_prefix="plugin") as pool:
        loading = pool.submit(point.load)
        error = loading.exception()
    if error is not None:
        return Row(point.name, package, version, error=f"{type(error).__name__}: {error}")
    loaded = loading.result()
    if not isinstance(loaded, Plugin):
        return Row(point.name, package, version, error=f"{point.value} is no studio.plugin.api.Plugin")
    return Row(point.name, package, version, loaded)
