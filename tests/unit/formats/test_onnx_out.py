from __future__ import annotations

import hashlib
import os
import resource as limits
import signal
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from studio.artifact import Artifact
from studio.errors import ExportError
from studio.formats.onnx_out import OnnxExporter, export
from studio.paths import resource
from studio.stages import Exporter

SAMPLE_FILE = resource("samples", "fashion.onnx")


@pytest.fixture
def artifact(tmp_path: Path) -> Artifact:
    content = SAMPLE_FILE.read_bytes()
    path = tmp_path / "built.onnx"
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    return Artifact(str(path), digest, len(content), "{}", "onnxruntime-cpu", "", "", (), 0.0)


@pytest.fixture
def sample() -> dict[str, np.ndarray]:
    with np.load(resource("samples", "fashion.npz")) as data:
        session = onnxruntime.InferenceSession(str(SAMPLE_FILE), providers=["CPUExecutionProvider"])
        return {session.get_inputs()[0].name: data["x"][:3].astype(np.float32)}


def left_over(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.endswith(".part")]


def test_the_written_file_is_the_artifact(tmp_path: Path, artifact: Artifact, sample) -> None:
    done = export(artifact, tmp_path / "out.onnx", sample)
    assert done.sha256 == artifact.sha256
    assert hashlib.sha256(done.path.read_bytes()).hexdigest() == artifact.sha256
    assert done.bytes == artifact.bytes
    assert left_over(tmp_path) == []


def test_it_is_an_exporter(tmp_path: Path, artifact: Artifact) -> None:
    exporter = OnnxExporter()
    assert isinstance(exporter, Exporter)
    assert exporter.write(artifact, tmp_path / "out.onnx", None) == artifact.sha256


def test_an_existing_file_keeps_its_rights_and_a_link_survives(tmp_path: Path, artifact: Artifact) -> None:
    old = tmp_path / "old.onnx"
    old.write_bytes(b"old")
    old.chmod(0o640)
    link = tmp_path / "link.onnx"
    link.symlink_to(old)
    export(artifact, link)
    assert link.is_symlink()
    assert old.stat().st_size == artifact.bytes
    assert old.stat().st_mode & 0o777 == 0o640


def changed(artifact: Artifact) -> str:
    Path(artifact.path).write_bytes(b"something else")
    return "has changed since it was measured"


def gone(artifact: Artifact) -> str:
    Path(artifact.path).unlink()
    return "is gone"


@pytest.mark.parametrize("spoil", [changed, gone])
def test_what_was_not_measured_is_not_written(tmp_path: Path, artifact: Artifact, spoil) -> None:
    out = tmp_path / "out.onnx"
    out.write_bytes(b"precious")
    words = spoil(artifact)
    with pytest.raises(ExportError, match=words):
        export(artifact, out)
    assert out.read_bytes() == b"precious"
    assert left_over(tmp_path) == []


def test_what_onnx_cannot_read_never_takes_the_name(tmp_path: Path) -> None:
    path = tmp_path / "built.onnx"
    path.write_bytes(b"not a model")
    digest = hashlib.sha256(b"not a model").hexdigest()
    fake = Artifact(str(path), digest, 11, "{}", "onnxruntime-cpu", "", "", (), 0.0)
    with pytest.raises(ExportError, match=r"onnx\.checker"):
        export(fake, tmp_path / "out.onnx")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["built.onnx"]


def test_places_that_cannot_be_written(tmp_path: Path, artifact: Artifact) -> None:
    with pytest.raises(ExportError, match="folder does not exist"):
        export(artifact, tmp_path / "no" / "out.onnx")
    with pytest.raises(ExportError, match="this is a folder"):
        export(artifact, tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ExportError, match="device or pipe"):
        export(artifact, tmp_path / "pipe")


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, artifact: Artifact) -> None:
    out = tmp_path / "out.onnx"
    out.write_bytes(b"precious")
    before = limits.getrlimit(limits.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits.setrlimit(limits.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(ExportError, match="could not be written"):
            export(artifact, out)
    finally:
        limits.setrlimit(limits.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert out.read_bytes() == b"precious"
    assert left_over(tmp_path) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes anywhere")
def test_a_read_only_folder(tmp_path: Path, artifact: Artifact) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    with pytest.raises(ExportError, match="cannot be written"):
        export(artifact, folder / "out.onnx")
