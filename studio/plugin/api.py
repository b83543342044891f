"""All that a plug-in may import from the program, and what it hands over.

A plug-in is an installed package with an entry point in the group `trimtab.plugins` that names a
`Plugin`. Names of this module stay; everything else in `studio` may change without notice.
"""

from __future__ import annotations

from dataclasses import dataclass

from studio.artifact import Artifact
from studio.control import Cancelled, Control
from studio.errors import ExportError, ModelError, StudioError
from studio.formats.onnx_in import read_checked
from studio.graph.model import Facts, Model
from studio.stages import Batch, Exporter, Importer

__all__ = [
    "Artifact",
    "Batch",
    "Cancelled",
    "Control",
    "ExportError",
    "Exporter",
    "Facts",
    "Importer",
    "Model",
    "ModelError",
    "Plugin",
    "StudioError",
    "read_checked",
]


@dataclass(frozen=True, slots=True)
class Plugin:
    """What a plug-in brings. `title` is shown to the user."""

    title: str
    importers: tuple[Importer, ...] = ()
    exporters: tuple[Exporter, ...] = ()
