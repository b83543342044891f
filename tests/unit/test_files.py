"""Files that are replaced whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from studio.files import replacing, write_atomic


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file.json"
    write_atomic(path, b"old")

    def cut(handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", cut)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_permissions_are_kept(tmp_path: Path) -> None:
    fresh, secret = tmp_path / "fresh", tmp_path / "secret"
    fresh.write_bytes(b"as usual")
    secret.write_bytes(b"mine")
    secret.chmod(0o600)
    write_atomic(tmp_path / "new", b"x")
    write_atomic(secret, b"x")
    assert (tmp_path / "new").stat().st_mode == fresh.stat().st_mode
    assert secret.stat().st_mode & 0o777 == 0o600


def test_a_failure_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(TypeError), replacing(path) as file:
        file.writelines([b"half", None])
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
