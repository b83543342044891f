"""The optimized graph beside the original: marks, and the two looking at the same place."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import pytest
from PySide6.QtCore import QRectF
from pytestqt.qtbot import QtBot

from studio.graph.differences import between
from studio.graph.model import Facts
from studio.gui.graph.room import COMPARE
from studio.gui.graph.view import GraphView
from studio.gui.main_window import MainWindow


@pytest.fixture
def pair(nets: ModuleType) -> tuple[Facts, Facts]:
    """A residual net, and the same without its first batch norm, with a cast before its last layer."""
    net, x = nets.Net("net"), "x"
    for stage in range(3):
        x = nets.conv(net, (f"stage{stage}", "conv1"), x, 16)
    before = net.facts(net.add("Gemm", ("fc",), x, name="/fc/Gemm", params=640, group="fc"))
    net, x = nets.Net("net, smaller"), "x"
    x = net.add("Conv", ("stage0", "conv1"), x, name="/stage0/conv1/Conv", params=99, group="a")
    x = net.add("Relu", ("stage0",), x, name=before.nodes[2].name)
    for stage in (1, 2):
        x = nets.conv(net, (f"stage{stage}", "conv1"), x, 16)
    x = net.add("Cast", (), x, name="cast")
    after = net.facts(net.add("Gemm", ("fc",), x, name="/fc/Gemm", params=640, group="fc"))
    names = {node.index + 1: node.name for node in before.nodes[3:9]}
    kept = [replace(n, name=names.get(n.index + 2, n.name)) if 2 <= n.index < 8 else n for n in after.nodes]
    return before, replace(after, nodes=tuple(kept))


def test_differences_by_name_with_places_for_what_is_new(pair: tuple[Facts, Facts]) -> None:
    before, after = pair
    found = between(before, after)
    assert found.removed == (before.nodes[1].name,)
    assert found.inserted == ("cast",)
    assert found.changed == ("/stage0/conv1/Conv",)
    assert found.optimized.nodes[found.optimized.index_of["cast"]].scope == ("fc",)


def marks(view: GraphView) -> list[str]:
    """Text picture: what is marked."""
    scene = view.shown.scene
    assert scene is not None
    return [f"{mark} {scene.diagram.boxes[at].title}" for at, mark in sorted(view.shown.change.items())]


@pytest.mark.slow
def test_both_sides_are_marked_and_move_together(
    qtbot: QtBot, window: MainWindow, pair: tuple[Facts, Facts]
) -> None:
    room, (before, after) = window.page.room, pair
    window.page.show_model()
    room.original.set_facts(before)
    room.original.expand_all()
    room.switch.setChecked(True)
    window.bridge.cancel(COMPARE)
    room._show(between(before, after))
    assert marks(room.original) == ["changed Conv 3×3"]
    assert marks(room.optimized)[:2] == ["changed Conv", "inserted Cast"]
    assert "1 removed" in room.heads[0].text()
    assert "1 inserted" in room.heads[1].text()
    room.original.canvas.zoom(1.7)
    where = [_place(view, "Gemm") for view in (room.original, room.optimized)]
    assert room.original.canvas.camera.scale == room.optimized.canvas.camera.scale
    room.original.set_selection(("/fc/Gemm",))
    assert room.optimized.shown.names == ("/fc/Gemm",)
    room.original.zoom_to_selection()
    where = [_place(view, "Gemm") for view in (room.original, room.optimized)]
    assert (where[0].center() - where[1].center()).manhattanLength() < 2
    room.original.collapse_all()
    assert room.optimized.shown.expanded == frozenset()
    room.switch.setChecked(False)
    assert not room.original.shown.change
    assert room.optimized.shown.facts is None


def _place(view: GraphView, title: str) -> QRectF:
    scene = view.shown.scene
    assert scene is not None
    box = next(at for at, each in enumerate(scene.diagram.boxes) if each.title == title)
    return view.canvas.camera.to_screen(scene.rects[box])


@pytest.mark.slow
def test_the_real_file_is_read_and_followed(qtbot: QtBot, opened: MainWindow) -> None:
    room = opened.page.room
    opened.bridge.apply_preset("int8")
    room.switch.setChecked(True)
    qtbot.waitUntil(lambda: bool(room.optimized.shown.change), timeout=120_000)
    assert "removed" in room.heads[0].text()
    assert any(mark == "inserted" for mark in room.optimized.shown.change.values())
    assert room.original.shown.change
