"""What is pushed: the model file, golden inputs with the outputs measured here, and what they must meet."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from studio.artifact import Artifact
from studio.boards.book import write_atomic
from studio.errors import BoardError

if TYPE_CHECKING:
    import numpy as np

GOLDENS_LEAST = 16
QUANTIZED_TOLERANCE = 0.02
FLOAT_TOLERANCE = 0.001
MODEL, GOLDENS, META = "model.onnx", "goldens.npz", "meta.json"


@dataclass(frozen=True, slots=True)
class Package:
    """A release before it is sent. `id` names its content, so pushing the same twice sends nothing.

    `tolerance` is the largest difference allowed, as a share of each output's range over the goldens
    (integers must be equal). `p95_ms` and `peak_bytes` are budgets; 0 means none. `meta` is for people and
    for the release list: recipe, accuracy, source.
    """

    id: str
    files: Mapping[str, Path]
    sha256: Mapping[str, str]
    manifest: str
    tolerance: float
    samples: int
    meta: Mapping[str, object] = field(default_factory=dict)
    p95_ms: float = 0.0
    peak_bytes: int = 0

    @property
    def bytes(self) -> int:
        """Bytes of all files together."""
        return sum(path.stat().st_size for path in self.files.values())


def package(
    artifact: Artifact | Path,
    goldens: Path,
    folder: Path,
    *,
    tolerance: float = QUANTIZED_TOLERANCE,
    p95_ms: float = 0.0,
    peak_bytes: int = 0,
    meta: Mapping[str, object] | None = None,
) -> Package:
    """Make a Package of a built model file and its goldens; writes `meta.json` into `folder`.

    `goldens` is a file of `save_goldens`. Raises `BoardError` where they are too few, or where the model is
    not the bytes that the artifact names.
    """
    model = Path(artifact.path) if isinstance(artifact, Artifact) else artifact
    samples = _samples(goldens)
    told: dict[str, object] = {
        "tolerance": tolerance,
        "samples": samples,
        "p95_ms": p95_ms,
        "peak_bytes": peak_bytes,
    }
    if isinstance(artifact, Artifact):
        told |= {"recipe": artifact.recipe, "target": artifact.target, "parent": artifact.parent}
    told |= {"model": model.name, **(meta or {})}
    folder.mkdir(parents=True, exist_ok=True)
    # Sorted and without times: the same content must give the same id, or an interrupted push cannot resume.
    write_atomic(folder / META, msgspec.json.format(msgspec.json.encode(told, order="sorted"), indent=1))
    files = {GOLDENS: goldens, META: folder / META, MODEL: model}
    sums = {name: sha256_of(path) for name, path in files.items()}
    if isinstance(artifact, Artifact) and sums[MODEL] != artifact.sha256:
        raise BoardError(str(model), "it is not the file that was measured any more", "Build it again.")
    manifest = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
    name = release_id(str(told["model"]), manifest)
    return Package(name, files, sums, manifest, tolerance, samples, told, p95_ms, peak_bytes)


def save_goldens(
    path: Path, inputs: Mapping[str, np.ndarray], outputs: Mapping[str, np.ndarray], *, batch: bool = True
) -> Path:
    """Write golden samples. Arrays are (N, …) with N ≥ 16, the same N everywhere.

    With `batch`, sample i is fed as `x[i:i+1]` (leading batch axis of 1), else as `x[i]`. `outputs` must have
    been computed by running the model file itself, in the same way, one sample at a time.
    """
    import numpy as np

    counts = {len(values) for values in (*inputs.values(), *outputs.values())}
    if len(counts) != 1 or min(counts) < GOLDENS_LEAST or not outputs:
        raise _few(path, f"{min(counts, default=0)} samples")
    arrays = {f"in_{at}": _stacked(values, batch) for at, values in enumerate(inputs.values())}
    arrays |= {f"out_{at}": _stacked(values, batch) for at, values in enumerate(outputs.values())}
    names = msgspec.json.encode({"inputs": list(inputs), "outputs": list(outputs)})
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as out:
        np.savez(out, allow_pickle=False, names=np.frombuffer(names, np.uint8), **arrays)
    return path


def golden_outputs(model: Path, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Run the file itself, one sample at a time on one thread, and give its outputs, each (N, …).

    Inputs are (N, …) with a leading sample axis; each sample is fed with a batch axis of 1.
    """
    import numpy as np
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    count = min(len(values) for values in inputs.values())
    runs = [session.run(names, {k: v[at : at + 1] for k, v in inputs.items()}) for at in range(count)]
    return {name: np.concatenate([run[at] for run in runs]) for at, name in enumerate(names)}


def release_id(name: str, manifest: str) -> str:
    """A name that is safe on every board: `stem-` and 12 digits of the manifest's sha256."""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(name).stem).strip("-")[:40] or "model"
    return f"{stem}-{hashlib.sha256(manifest.encode()).hexdigest()[:12]}"


def sha256_of(path: Path) -> str:
    """Digest of a file, as 64 hex digits; `BoardError` where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BoardError(
            str(path), f"cannot be read ({error.strerror})", "Build or export it again."
        ) from error


def _stacked(values: np.ndarray, batch: bool) -> np.ndarray:
    return values[:, None] if batch else values


def _samples(goldens: Path) -> int:
    import numpy as np

    try:
        with np.load(goldens, allow_pickle=False) as arrays:
            count = len(arrays["out_0"])
    except (OSError, ValueError, KeyError) as error:
        raise BoardError(
            str(goldens), f"not a file of goldens ({error})", "Make it with save_goldens."
        ) from error
    if count < GOLDENS_LEAST:
        raise _few(goldens, f"{count} samples")
    return count


def _few(path: Path, cause: str) -> BoardError:
    return BoardError(
        str(path),
        f"goldens need at least {GOLDENS_LEAST} samples, the same number for all: {cause}",
        "Give more samples.",
    )
