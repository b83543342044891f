"""Reading ONNX files that nobody vouches for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from studio.control import Control
from studio.errors import ModelError
from studio.graph.model import Model
from studio.graph.onnx_edge import facts_of, file_key, from_proto

if TYPE_CHECKING:
    import onnx


def open_model(path: str | Path, control: Control | None = None) -> Model:
    """Open a model file of any kind that an importer takes.

    Raises `ModelError`, in bounded time and memory, for everything that is not a sound model.
    """
    from studio.formats.registry import importer_for

    file = Path(path)
    return importer_for(file).read(file, control or Control())


class OnnxImporter:
    """ONNX with inline or external data, opset 7 to 26."""

    name = "onnx"
    suffixes = (".onnx",)

    def accepts(self, path: Path, head: bytes) -> bool:
        """Whether the first bytes can be those of an ONNX file."""
        return path.suffix.lower() == ".onnx"

    def read(self, path: Path, control: Control) -> Model:
        """Read the file; raises `ModelError`."""
        control.step(0.1, "reading")
        proto = parse(path)
        control.step(0.6, "looking at the graph")
        model = from_proto(proto, path.resolve().parent)
        facts = facts_of(
            model, path=str(path), format=self.name, file_bytes=path.stat().st_size, key=file_key([path])
        )
        control.step(1.0, "open")
        return Model(facts, model)


def parse(path: Path) -> onnx.ModelProto:
    """The protobuf in the file; raises `ModelError` where it is none."""
    import onnx
    from google.protobuf.message import DecodeError

    proto = onnx.ModelProto()
    try:
        proto.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise ModelError(
            str(path), "it is not an ONNX file, or it is cut short", "Export or download it again."
        ) from error
    return proto
