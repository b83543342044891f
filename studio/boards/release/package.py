"""What is pushed: the model file, golden inputs with the outputs measured here, and what they must meet."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from studio.artifact import Artifact
from studio.boards.release.goldens import golden_outputs, pack_goldens, record_goldens, save_goldens
from studio.errors import BoardError
from studio.files import write_atomic

QUANTIZED_TOLERANCE = 0.02
__all__ = [
    "Package",
    "golden_outputs",
    "package",
    "record_goldens",
    "release_id",
    "save_goldens",
    "sha256_of",
]
MODEL, GOLDENS, META = "model.onnx", "goldens.bin", "meta.json"


@dataclass(frozen=True, slots=True)
class Package:
    """A release before it is sent. `id` names its content, so pushing the same twice sends nothing.

    `tolerance` is the largest difference allowed, as a share of each output's range over the goldens
    (integers must be equal). `p95_ms` and `peak_bytes` are budgets; 0 means none. `meta` is for people and
    for the release list: recipe, accuracy, source. `signature` is of the manifest ("" = unsigned).
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
    signature: str = ""

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
    """Make a Package of a built model file and its goldens; writes what is sent beside it into `folder`.

    `goldens` is a file of `save_goldens`. Raises `BoardError` where they are too few, or where the model is
    not the bytes that the artifact names.
    """
    model = Path(artifact.path) if isinstance(artifact, Artifact) else artifact
    folder.mkdir(parents=True, exist_ok=True)
    samples = pack_goldens(goldens, folder / GOLDENS, tolerance)
    told: dict[str, object] = {
        "tolerance": tolerance,
        "samples": samples,
        "p95_ms": p95_ms,
        "peak_bytes": peak_bytes,
    }
    if isinstance(artifact, Artifact):
        told |= {"recipe": artifact.recipe, "target": artifact.target, "parent": artifact.parent}
    told |= {"model": model.name, **(meta or {})}
    # Sorted and without times: the same content must give the same id, or an interrupted push cannot resume.
    write_atomic(folder / META, msgspec.json.format(msgspec.json.encode(told, order="sorted"), indent=1))
    files = {GOLDENS: folder / GOLDENS, META: folder / META, MODEL: model}
    sums = {name: sha256_of(path) for name, path in files.items()}
    if isinstance(artifact, Artifact) and sums[MODEL] != artifact.sha256:
        raise BoardError(str(model), "it is not the file that was measured any more", "Build it again.")
    manifest = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
    name = release_id(str(told["model"]), manifest)
    return Package(name, files, sums, manifest, tolerance, samples, told, p95_ms, peak_bytes)


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
