"""Writing an artifact out: the measured bytes, proven, and never half of them."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.artifact import Artifact
from studio.errors import ExportError
from studio.formats.session_faults import faults

if TYPE_CHECKING:
    import numpy as np
    import onnxruntime

_CHUNK = 1 << 22


@dataclass(frozen=True, slots=True)
class Exported:
    """A written and proven file."""

    path: Path
    sha256: str
    bytes: int


class OnnxExporter:
    """The artifact as the ONNX file that it is."""

    name = "onnx"
    suffix = ".onnx"

    def write(self, artifact: Artifact, out: Path, sample: Mapping[str, np.ndarray] | None) -> str:
        """Write the file and return its sha256; raises `ExportError`."""
        return export(artifact, out, sample).sha256


def export(artifact: Artifact, out: Path, sample: Mapping[str, np.ndarray] | None = None) -> Exported:
    """Copy the artifact to `out`, byte for byte, and prove the copy before it takes the name.

    Proof: its sha256 is the artifact's, onnx.checker passes it, a stock onnxruntime session opens
    it, and on `sample` (model inputs, (N, …) each) it gives the very outputs of the measured file.
    A file that is already at `out` stays whole until the proven copy replaces it. Raises `ExportError`.
    """
    source, out = Path(artifact.path), _real(Path(out))
    _check_place(out, source)
    with _disk_faults(out), _beside(out) as copy:
        digest, size = _copy(source, copy)
        if digest != artifact.sha256:
            cause = "the built file has changed since it was measured"
            raise ExportError(str(source), cause, "Build it again, then export.")
        _prove(copy, source, sample)
        _keep_mode(out, copy)
        copy.replace(out)
        _sync_folder(out.parent)
    return Exported(out, digest, size)


def _real(out: Path) -> Path:
    """The file behind a symbolic link, so that the link survives."""
    return out.resolve() if out.is_symlink() else out


def _check_place(out: Path, source: Path) -> None:
    if not source.is_file():
        raise ExportError(str(source), "the built file is gone", "Build it again, then export.")
    if not out.parent.is_dir():
        raise ExportError(str(out), "its folder does not exist", "Create the folder, or choose another.")
    if out.is_dir():
        raise ExportError(str(out), "this is a folder", "Choose a file name.")
    if out.is_file() and out.suffix.lower() != ".onnx":
        cause = "there is a file of this name that is no .onnx file; it is left alone"
        raise ExportError(str(out), cause, "Choose a name that ends in .onnx.")
    if out.exists() and not out.is_file():
        raise ExportError(str(out), "this is a device or pipe, not a file", "Choose a file name.")


@contextmanager
def _disk_faults(out: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        fix = "Choose a folder that you may write to."
        raise ExportError(str(out), f"it cannot be written ({error.strerror})", fix) from error
    except OSError as error:
        fix = "Make room on the disk or choose another folder; nothing was changed."
        raise ExportError(str(out), f"it could not be written ({error.strerror})", fix) from error


@contextmanager
def _beside(out: Path) -> Iterator[Path]:
    """An empty file in the folder of `out`, so that renaming it is atomic; gone afterwards."""
    path = out.with_name(f".{out.name[:200]}.{secrets.token_hex(6)}.part")
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    try:
        yield path
    finally:
        with suppress(FileNotFoundError):
            path.unlink()


def _copy(source: Path, copy: Path) -> tuple[str, int]:
    """Copy and flush to the disk; the sha256 of what the disk gives back, and its length."""
    with source.open("rb") as given, copy.open("wb") as taken:
        while chunk := given.read(_CHUNK):
            taken.write(chunk)
        taken.flush()
        os.fsync(taken.fileno())
    digest, size = hashlib.sha256(), 0
    with copy.open("rb") as written:
        while chunk := written.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def _prove(copy: Path, source: Path, sample: Mapping[str, np.ndarray] | None) -> None:
    _check_onnx(copy, source)
    ours = _session(copy, source)
    if sample is None:
        return
    measured = _session(source, source)
    for name, left, right in zip(_outputs(ours), _run(ours, sample), _run(measured, sample), strict=True):
        if not _equal(left, right):
            cause = f"its output {name!r} differs from what was measured"
            raise ExportError(str(source), cause, "Build it again; if it stays so, please report it.")


def _check_onnx(copy: Path, source: Path) -> None:
    import onnx

    try:
        onnx.checker.check_model(str(copy))
    except (onnx.checker.ValidationError, ValueError, RuntimeError) as error:
        cause = f"onnx.checker refuses it ({' '.join(str(error).split())[:300]})"
        raise ExportError(str(source), cause, "Build it again; if it stays so, please report it.") from error


def _session(path: Path, source: Path) -> onnxruntime.InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except faults() as error:
        cause = f"onnxruntime cannot open it ({' '.join(str(error).split())[:300]})"
        raise ExportError(str(source), cause, "Build it again with another recipe.") from error


def _outputs(session: onnxruntime.InferenceSession) -> list[str]:
    return [output.name for output in session.get_outputs()]


def _equal(left: Any, right: Any) -> bool:
    """Bit for bit, not-a-numbers included; sequences of tensors element by element."""
    import numpy as np

    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(_equal, left, right))
    if not isinstance(left, np.ndarray):
        return bool(left == right)
    if left.shape != right.shape or left.dtype != right.dtype:
        return False
    return bool(np.array_equal(left, right, equal_nan=left.dtype.kind == "f"))


def _fitted(array: np.ndarray, shape: list[Any]) -> np.ndarray:
    """As many samples as a fixed batch takes, repeated where there are too few."""
    import numpy as np

    fixed = shape[0] if shape and isinstance(shape[0], int) else None
    return array if fixed is None or fixed == len(array) else np.resize(array, (fixed, *array.shape[1:]))


def _run(session: onnxruntime.InferenceSession, sample: Mapping[str, np.ndarray]) -> list[Any]:
    try:
        feed = {value.name: _fitted(sample[value.name], value.shape) for value in session.get_inputs()}
        found: list[Any] = session.run(None, feed)
    except KeyError as error:
        cause = f"the sample has no input {error}"
        raise ExportError("the built file", cause, "Check that the data fits the model.") from error
    except faults() as error:
        cause = f"it does not run on the sample ({' '.join(str(error).split())[:300]})"
        raise ExportError("the built file", cause, "Check that the data fits the model.") from error
    return found


def _keep_mode(out: Path, copy: Path) -> None:
    """An existing file keeps its rights; a new one has those that the user's mask gives."""
    if out.exists():
        copy.chmod(out.stat().st_mode & 0o777)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
