"""Which importer takes a file."""

from __future__ import annotations

from pathlib import Path

from studio.formats.onnx_in import OnnxImporter
from studio.stages import Importer


def importer_for(path: Path) -> Importer:
    """The importer that takes the file."""
    return OnnxImporter()
