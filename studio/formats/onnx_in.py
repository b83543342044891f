"""Reading ONNX files that nobody vouches for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from studio.control import Control
from studio.formats.check import check_proto
from studio.formats.onnx_verify import parse, verify_in_child
from studio.formats.refuse import fail
from studio.formats.sniff import told_by_head
from studio.graph.model import Facts, Model
from studio.graph.onnx_edge import facts_of, file_key, from_proto
from studio.stages import Importer

if TYPE_CHECKING:
    import onnx
    import onnx_ir as ir


def open_model(path: str | Path, control: Control | None = None, importers: Sequence[Importer] = ()) -> Model:
    """Open a model file of any kind that a built-in importer or one of `importers` takes.

    Raises `ModelError`, in bounded time and memory, for everything that is not a sound model.
    """
    from studio.formats.registry import importer_for

    file = Path(path)
    return importer_for(file, importers).read(file, control or Control())


class OnnxImporter:
    """ONNX with inline or external data, opset 7 to 26."""

    name = "onnx"
    suffixes: tuple[str, ...] = (".onnx",)

    def accepts(self, path: Path, head: bytes) -> bool:
        """Whether the first bytes can be those of an ONNX file."""
        named = path.suffix.lower() in self.suffixes or head[:1] == b"\x08"
        return named and told_by_head(head) is None

    def read(self, path: Path, control: Control) -> Model:
        """Try the file in a guarded process first, then read it here; raises `ModelError`."""
        control.step(0.05, "checking the file")
        verify_in_child(path, control.part(0.05, 0.5))
        control.step(0.5, "reading")
        return read_checked(path, self.name, str(path), control.part(0.5, 1.0))


def read_checked(path: Path, format: str, shown_path: str, control: Control) -> Model:
    """Read an ONNX file that `verify_in_child` let pass; raises `ModelError`."""
    proto = parse(path)
    files = check_proto(proto, path)
    control.step(0.4, "reading the graph")
    model = _graph(proto, path)
    control.step(0.6, "looking at its layers")
    facts = _facts(model, (path, *files), format, shown_path)
    control.step(1.0, "open")
    return Model(replace(facts, notes=(*facts.notes, *_notes(proto))), model)


def _graph(proto: onnx.ModelProto, path: Path) -> ir.Model:
    """The graph, sorted where the file is not; what onnx_ir cannot read is refused."""
    import onnx_ir as ir

    try:
        model = from_proto(proto, path.resolve().parent)
        for graph in (model.graph, *(function.graph for function in model.functions.values())):
            graph.sort()
    except (ir.serde.SerdeError, ValueError, TypeError, KeyError, RecursionError) as error:
        fail(path, f"its graph cannot be read ({' '.join(str(error).split())[:200]})")
    return model


def _facts(model: ir.Model, files: tuple[Path, ...], format: str, shown_path: str) -> Facts:
    import onnx_ir as ir

    size = sum(file.stat().st_size for file in files)
    try:
        return facts_of(model, path=shown_path, format=format, file_bytes=size, key=file_key(list(files)))
    except (ir.serde.SerdeError, RecursionError) as error:
        fail(files[0], f"its graph cannot be read ({' '.join(str(error).split())[:200]})")


def _notes(proto: onnx.ModelProto) -> tuple[str, ...]:
    if proto.training_info:
        return ("the file's training graph is left out; only inference is kept",)
    return ()
