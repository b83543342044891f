"""Shared by all tests: a home of its own for each session, and an engine that cannot see Qt when asked."""

from __future__ import annotations

import os
import sys
from importlib.abc import MetaPathFinder
from pathlib import Path

import pytest


class _NoQt(MetaPathFinder):
    """Makes `import PySide6` fail as on a board or a build server without it."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.split(".")[0] in ("PySide6", "shiboken6", "pyqtgraph"):
            raise ModuleNotFoundError(f"{name} is hidden from this test run", name=name)


if os.environ.get("TRIMTAB_TEST_WITHOUT_QT"):
    sys.meta_path.insert(0, _NoQt())


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's settings, boards or caches."""
    monkeypatch.setenv("TRIMTAB_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="session")
def sample() -> Path:
    """The bundled sample model."""
    return Path(__file__).parent.parent / "resources" / "samples" / "fashion.onnx"


@pytest.fixture(scope="session")
def sample_data(sample: Path) -> Path:
    """The bundled sample data set: x, y and x_calibration."""
    return sample.with_suffix(".npz")
