"""PyTorch files. They are code, so they are converted to ONNX in a sealed process and never loaded here."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from studio.control import Control
from studio.errors import ModelError
from studio.formats.guard import Limits, run_guarded
from studio.formats.onnx_in import read_checked
from studio.formats.onnx_verify import verify_in_child
from studio.formats.sniff import entries_of, kind_of
from studio.formats.torch_convert import REMARKS
from studio.graph.model import Model
from studio.graph.onnx_edge import file_key
from studio.paths import cache_dir

_VERSION = 1  # of the conversion; a new number forgets files converted before
_MEMORY = 3 << 30
_SECONDS = 180.0
_LARGEST = 1800 << 20
_CODE = "PyTorch files are code: it was converted in a sealed process, without network or your files"


class TorchImporter:
    """`.pt2` of torch.export and TorchScript archives, as `kind` says."""

    def __init__(self, kind: str, suffixes: tuple[str, ...]) -> None:
        self.name = kind
        self.suffixes: tuple[str, ...] = suffixes

    def accepts(self, path: Path, head: bytes) -> bool:
        """Whether the zip's table of contents is that of such a file; nothing is inflated."""
        return head.startswith(b"PK\x03\x04") and kind_of(path) == self.name

    def read(self, path: Path, control: Control) -> Model:
        """Convert in a sealed process (or take what was converted before) and read the ONNX file."""
        _check_sizes(path)
        key = file_key([path])
        cached = _folder() / f"{key}-{_VERSION}.onnx"
        if not cached.is_file():
            _check_torch(path)
            control.step(0.02, "converting with PyTorch in a sealed process")
            _convert(path, self.name, cached, control.part(0.02, 0.7))
        return self._read_converted(path, cached, key, control.part(0.7, 1.0))

    def _read_converted(self, path: Path, cached: Path, key: str, control: Control) -> Model:
        try:
            verify_in_child(cached, control.part(0.0, 0.5))
            model = read_checked(cached, self.name, str(path), control.part(0.5, 1.0))
        except ModelError as error:
            cached.unlink(missing_ok=True)
            raise ModelError(str(path), f"converted to ONNX, {error.cause}", error.fix) from error
        notes = (_CODE, *_remarks(model), *model.facts.notes)
        return replace(
            model, facts=replace(model.facts, key=key, notes=notes, file_bytes=path.stat().st_size)
        )


def _remarks(model: Model) -> tuple[str, ...]:
    """What the conversion left in the file for the user to know."""
    text = model.ir.metadata_props.get(REMARKS, "")
    return tuple(line for line in text.split("\n") if line)


def _folder() -> Path:
    folder = cache_dir() / "imports"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _check_sizes(path: Path) -> None:
    """Refuse archives that inflate: PyTorch stores its own without compression."""
    size = path.stat().st_size
    declared = sum(entry.file_size for entry in entries_of(path))
    if declared > 4 * size + (1 << 20):
        cause = f"its {size:,} bytes inflate to {declared:,}"
        raise ModelError(str(path), cause, "It may be a zip bomb; check where the file comes from.")
    if size > _LARGEST:
        cause = f"it has {size / 2**30:.1f} GiB, more than is converted here"
        fix = "Convert it in your own code: torch.onnx.export(..., dynamo=True, external_data=True)."
        raise ModelError(str(path), cause, fix)


def _check_torch(path: Path) -> None:
    missing = [name for name in ("torch", "onnxscript") if importlib.util.find_spec(name) is None]
    if missing:
        cause = f"reading PyTorch files needs {' and '.join(missing)}, which is not installed"
        raise ModelError(str(path), cause, "Install it with: pip install 'trimtab[torch]'.")


def _convert(path: Path, kind: str, cached: Path, control: Control) -> None:
    """Convert a private copy of the file; the result takes its place in the cache in one step."""
    size = path.stat().st_size
    with tempfile.TemporaryDirectory(prefix="trimtab-torch-") as folder:
        copy = Path(folder, f"model.{'pt2' if kind == 'pt2' else 'pt'}")
        shutil.copyfile(path, copy)
        _copy_shapes(path, Path(folder))
        limits = Limits(_MEMORY + 6 * size, _SECONDS + size / (10 << 20), folder, sealed=True)
        argument = {"path": str(copy), "kind": kind, "out": str(Path(folder, "out.onnx"))}
        run_guarded("studio.formats.torch_convert:convert", argument, str(path), limits, control)
        made = Path(folder, "out.onnx")
        if made.is_symlink() or not made.is_file():
            raise ModelError(str(path), "its conversion left no file", "Export it to ONNX in your own code.")
        part = cached.with_suffix(f".{os.getpid()}.part")
        shutil.copyfile(made, part)
        part.replace(cached)


def shapes_file(path: Path) -> Path:
    """Where a user may state the input shapes that TorchScript files lack: `model.inputs.json`."""
    return path.with_name(f"{path.stem}.inputs.json")


def _copy_shapes(path: Path, folder: Path) -> None:
    given = shapes_file(path)
    if given.is_file() and given.stat().st_size < 1 << 16:
        shutil.copyfile(given, folder / "model.inputs.json")
