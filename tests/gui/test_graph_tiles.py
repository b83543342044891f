"""Tiles: together they are the whole picture, kept while panning, dropped with their colours."""

from __future__ import annotations

from types import ModuleType

import pytest
from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QColor, QImage, QPainter
from pytestqt.qtbot import QtBot

from studio.gui.graph.camera import Camera
from studio.gui.graph.state import Shown
from studio.gui.graph.tiles import SIDE, Tiles
from studio.gui.graph.view import GraphView

_ROOM = QSize(700, 500)


class _Field:
    """A scene of stripes by position, which counts how often it is painted."""

    def __init__(self) -> None:
        self.painted = 0

    def paint(self, painter: QPainter, seen: QRectF, scale: float) -> None:
        self.painted += 1
        for x in range(int(seen.left() // 40) * 40, int(seen.right()) + 40, 40):
            painter.fillRect(QRectF(x, seen.top() - 1, 20, seen.height() + 2), QColor(x % 255, 90, 30))


def _frame(tiles: Tiles, camera: Camera, ratio: float = 1.0) -> QImage:
    image = QImage(_ROOM * ratio, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(QColor("white"))
    painter = QPainter(image)
    for _ in range(2):  # at a new scale a small scene is painted directly once
        painter.fillRect(QRectF(0, 0, _ROOM.width(), _ROOM.height()), QColor(tiles.shown.theme.sunken))
        tiles.draw(painter, camera, QRectF(0, 0, _ROOM.width(), _ROOM.height()), ratio)
    painter.end()
    return image


def _whole(field: _Field, shown: Shown, camera: Camera) -> QImage:
    image = QImage(_ROOM, QImage.Format.Format_RGB32)
    image.fill(QColor(shown.theme.sunken))
    painter = QPainter(image)
    painter.setTransform(camera.transform())
    field.paint(painter, camera.seen(QRectF(image.rect())), camera.scale)
    painter.end()
    return image


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_tiles_put_together_are_the_whole(qtbot: QtBot, scale: float) -> None:
    shown, field, camera = Shown(), _Field(), Camera()
    camera.scale, camera.offset = scale, QPointF(-333, -217)
    tiles = Tiles(shown, field.paint, lambda: None)
    assert _frame(tiles, camera) == _whole(field, shown, camera)


def test_a_pan_paints_only_what_comes_into_sight(qtbot: QtBot) -> None:
    field, camera = _Field(), Camera()
    tiles = Tiles(Shown(), field.paint, lambda: None)
    _frame(tiles, camera)
    first = field.painted
    camera.pan(-30, 0)
    _frame(tiles, camera)
    assert field.painted == first
    camera.pan(-SIDE, 0)
    _frame(tiles, camera)
    assert first < field.painted <= first + 4
    tiles.forget()
    _frame(tiles, camera)
    assert field.painted >= 2 * first


def test_tiles_are_sharp_on_a_fine_screen_and_not_kept_for_ever(qtbot: QtBot) -> None:
    field, camera = _Field(), Camera()
    tiles = Tiles(Shown(), field.paint, lambda: None)
    assert _frame(tiles, camera, 2.0).size() == _ROOM * 2
    assert {pixmap.width() for pixmap in tiles._kept.values()} == {2 * SIDE}
    for _ in range(60):
        camera.pan(-SIDE, -SIDE)
        _frame(tiles, camera)
    assert len(tiles._kept) * SIDE * SIDE * 4 <= 44 << 20


@pytest.mark.slow
def test_a_large_scene_is_filled_frame_by_frame(qtbot: QtBot, look: object, nets: ModuleType) -> None:
    view = GraphView()
    qtbot.addWidget(view)
    view.resize(900, 700)
    view.show()
    view.set_facts(nets.transformer(104))
    qtbot.waitUntil(lambda: view.shown.scene is not None and not view.shown.waiting, timeout=20_000)
    view.expand_all()
    qtbot.waitUntil(lambda: not view.shown.waiting, timeout=20_000)
    view.canvas.zoom(0.3 / view.canvas.camera.scale)
    view.canvas.grab()
    first = len(view.canvas.painter.tiles._kept)
    qtbot.waitUntil(lambda: _full(view), timeout=20_000)
    assert len(view.canvas.painter.tiles._kept) > first
    image = view.canvas.grab().toImage()
    view.canvas.painter.tiles.forget()
    qtbot.waitUntil(lambda: _full(view), timeout=20_000)
    assert view.canvas.grab().toImage() == image
    view.end()


def _full(view: GraphView) -> bool:
    """Whether two frames in a row are the same: nothing is to come."""
    before = len(view.canvas.painter.tiles._kept)
    view.canvas.grab()
    return before > 0 and len(view.canvas.painter.tiles._kept) == before
