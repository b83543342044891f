"""Which importer takes a file. Built-in importers and plug-ins come through the same door."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from studio.formats.onnx_in import OnnxImporter
from studio.formats.sniff import explain, kind_of, read_head
from studio.formats.torch_in import TorchImporter
from studio.stages import Importer


def built_in() -> tuple[Importer, ...]:
    """The importers that come with the program."""
    return (
        OnnxImporter(),
        TorchImporter("pt2", (".pt2",)),
        TorchImporter("torchscript", (".pt", ".pth", ".torchscript", ".ts")),
    )


def importer_for(path: Path, more: Sequence[Importer] = ()) -> Importer:
    """The first importer that accepts the file, plug-ins (`more`) before the built-in ones.

    Raises `ModelError` that says what the file is and what to do where none accepts it.
    """
    head = read_head(path)
    for importer in (*more, *built_in()):
        if importer.accepts(path, head):
            return importer
    raise explain(path, kind_of(path))


def suffixes(more: Sequence[Importer] = ()) -> tuple[str, ...]:
    """File suffixes to offer in an open dialog."""
    return tuple(dict.fromkeys(each for importer in (*more, *built_in()) for each in importer.suffixes))
