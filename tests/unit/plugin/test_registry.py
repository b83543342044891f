"""Plug-ins come through one door; a broken one is a row with its error."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from studio.control import Control
from studio.formats.onnx_in import open_model
from studio.graph.model import Model
from studio.plugin.api import Plugin, read_checked
from studio.plugin.registry import GROUP, importers, installed


class Renamed:
    """Takes ONNX files under a suffix of its own."""

    name = "renamed"
    suffixes = (".net",)

    def accepts(self, path: Path, head: bytes) -> bool:
        return path.suffix == ".net"

    def read(self, path: Path, control: Control) -> Model:
        return read_checked(path, self.name, str(path), control)


def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> EntryPoint:
    (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    return EntryPoint(name, f"{name}:plugin", GROUP)


def test_a_plugin_that_fails_to_load_is_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = "from studio.plugin.api import Plugin\nplugin = Plugin('Good')"
    points = [
        module(tmp_path, monkeypatch, "plug_good", good),
        module(tmp_path, monkeypatch, "plug_broken", "import a_module_that_is_not_there"),
        module(tmp_path, monkeypatch, "plug_odd", "plugin = 3"),
    ]
    broken, fine, odd = installed(points)
    assert fine.plugin == Plugin("Good")
    assert "a_module_that_is_not_there" in broken.error
    assert "is no studio.plugin.api.Plugin" in odd.error
    assert importers((broken, fine, odd)) == ()


def test_an_importer_of_a_plugin_opens_its_files(tmp_path: Path, sample: Path) -> None:
    path = tmp_path / "model.net"
    path.write_bytes(sample.read_bytes())
    assert open_model(path, importers=(Renamed(),)).facts.format == "renamed"
