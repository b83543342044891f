"""What a file really is, told from its first bytes and, for zips, from the list of entries alone."""

from __future__ import annotations

import os
import stat
import zipfile
from pathlib import Path

from studio.errors import ModelError

HEAD = 4096
UNKNOWN = "of no kind that is known here"
_MAX_ENTRIES = 200_000

_CONVERT = "Convert it to ONNX with the tool that made it, and open that."
_PICTURE = "Open a model file instead; pictures belong into a data folder."
_UNPACK = "Unpack it and open the model inside."
_TORCH = (
    "Load it in your own code and save it with torch.export.save(torch.export.export(model, (x,)), "
    "'model.pt2') or torch.onnx.export; it is never unpickled here, because a pickle can run any code."
)

_MAGIC: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"\x89PNG", "a PNG picture", _PICTURE),
    (0, b"\xff\xd8\xff", "a JPEG picture", _PICTURE),
    (0, b"GIF8", "a GIF picture", _PICTURE),
    (0, b"BM", "a BMP picture", _PICTURE),
    (4, b"TFL3", "a TFLite model", "Convert it with tf2onnx (--tflite), and open the ONNX file."),
    (4, b"ORTM", "an ORT-format model", "Open the ONNX file that it was made from."),
    (0, b"GGUF", "a GGUF model", "It is quantized already and has no graph; export the original to ONNX."),
    (0, b"\x89HDF", "an HDF5 file (Keras)", "Export it with model.export('model.onnx', format='onnx')."),
    (0, b"\x1f\x8b", "a gzip archive", _UNPACK),
    (0, b"7z\xbc\xaf", "a 7z archive", _UNPACK),
    (0, b"\xfd7zXZ", "an xz archive", _UNPACK),
    (0, b"BZh", "a bzip2 archive", _UNPACK),
    (0, b"Rar!", "a RAR archive", _UNPACK),
    (257, b"ustar", "a tar archive", _UNPACK),
    (0, b"%PDF", "a PDF document", "Open a model file instead."),
    (0, b"\x7fELF", "a program", "Open a model file instead."),
    (0, b"\x93NUMPY", "a NumPy array", "Open a model file; give data with the data set dialog or --data."),
    (
        0,
        b"version https://git-lfs",
        "a Git LFS pointer",
        "Fetch the model with 'git lfs pull'.",
    ),
    (0, b"7767517", "an ncnn parameter file", _CONVERT),
)


def kind_of(path: Path) -> str:
    """`pt2`, `torchscript`, or a phrase that says what the file is.

    Nothing is loaded, inflated or unpickled. Raises `ModelError` for what is no readable file.
    """
    head = read_head(path)
    if head.startswith(b"PK\x03\x04"):
        return _zip_kind(path)
    return told_by_head(head) or UNKNOWN


def read_head(path: Path) -> bytes:
    """The first bytes of a regular file; a FIFO or device is refused without being opened."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        raise ModelError(str(path), f"it cannot be read ({_reason(error)})", "Check the path.") from error
    if not stat.S_ISREG(mode):
        raise _not_regular(path, mode)
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        raise ModelError(str(path), f"it cannot be read ({_reason(error)})", "Check its rights.") from error
    if not head:
        raise ModelError(str(path), "the file is empty", "Export or download it again.")
    return head


def explain(path: Path, kind: str) -> ModelError:
    """The error for a file that no importer takes."""
    advice = {text: fix for _, _, text, fix in _MAGIC} | _ADVICE
    fix = advice.get(kind, _CONVERT)
    return ModelError(str(path), f"this is {kind}, not a model that can be opened", fix)


def told_by_head(head: bytes) -> str | None:
    """What the first bytes give away; None for ONNX, which has no mark of its own, and the unknown."""
    if head.startswith(b"PK"):
        return "a zip archive"
    named = _magic(head)
    return named[0] if named else None


def _magic(head: bytes) -> tuple[str, str] | None:
    for offset, magic, text, fix in _MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return text, fix
    if head[0] == 0x80 and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "a Python pickle (an old PyTorch checkpoint?)", _TORCH
    if head[8:10] == b'{"' and int.from_bytes(head[:8], "little") < 1 << 27:
        return "a safetensors file: weights without a graph", _TORCH
    return _text(head)


def _text(head: bytes) -> tuple[str, str] | None:
    start = head.lstrip()[:5].lower()
    if start.startswith((b"<?xml", b"<net")):
        return "an XML file (OpenVINO?)", _CONVERT
    if start.startswith(b"<"):
        return "an HTML page, perhaps a failed download", "Download the model again."
    printable = sum(32 <= byte < 127 or byte in b"\t\n\r" for byte in head)
    if printable == len(head):
        return "a text file", "Open a model file instead."
    return None


_ADVICE = {
    "a Python pickle (an old PyTorch checkpoint?)": _TORCH,
    "a safetensors file: weights without a graph": _TORCH,
    "a pickled PyTorch module or state dict": _TORCH,
    "a NumPy archive": "Open a model file; give data with the data set dialog or --data.",
    "a Keras model": "Export it with model.export('model.onnx', format='onnx').",
    "a zip archive": _UNPACK,
    "a broken zip archive": "Export or download it again.",
    "a text file": "Open a model file instead.",
    "an HTML page, perhaps a failed download": "Download the model again.",
}


def _zip_kind(path: Path) -> str:
    names = [info.filename for info in entries_of(path)]
    inner = {name.partition("/")[2] for name in names}
    if (
        "archive_format" in inner
        or "models/model.json" in inner
        or "serialized_exported_program.json" in names
    ):
        return "pt2"
    if "constants.pkl" in inner and any(name.startswith("code/") for name in inner):
        return "torchscript"
    if "data.pkl" in inner or "data.pkl" in names:
        return "a pickled PyTorch module or state dict"
    if names and all(name.endswith(".npy") for name in names):
        return "a NumPy archive"
    return "a Keras model" if "model.weights.h5" in names else "a zip archive"


def entries_of(path: Path) -> list[zipfile.ZipInfo]:
    """The table of contents of a zip; [] where it is broken."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.infolist()[:_MAX_ENTRIES]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeDecodeError):
        return []


def _not_regular(path: Path, mode: int) -> ModelError:
    if stat.S_ISDIR(mode):
        saved = (path / "saved_model.pb").exists()
        fix = "Convert it with tf2onnx (--saved-model)." if saved else "Choose the model file inside."
        return ModelError(str(path), "this is a TensorFlow SavedModel" if saved else "this is a folder", fix)
    kind = "a named pipe" if stat.S_ISFIFO(mode) else "a device or socket"
    return ModelError(str(path), f"this is {kind}, not a file", "Choose a model file.")


def _reason(error: OSError | ValueError) -> str:
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
