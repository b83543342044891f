"""The graph as a drawing (SVG) or a picture (PNG): all of it, as it is coloured now."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRectF, QSize
from PySide6.QtGui import QColor, QImage, QImageWriter, QPainter
from PySide6.QtSvg import QSvgGenerator

from studio.errors import StudioError
from studio.gui.graph import legend
from studio.gui.graph.boxes import NEAR, BoxPainter
from studio.gui.graph.scene import Scene
from studio.gui.graph.sizes import Faces
from studio.gui.graph.state import Shown
from studio.gui.graph.strokes import Strokes
from studio.gui.texts.texts import T

MARGIN, SHARP, MOST = 24.0, 2.0, 15_000
_LEAST_SCALE = 0.1
_PNG = QByteArray(b"PNG")


class PictureError(StudioError):
    """A picture could not be kept."""


def save(shown: Shown, faces: Faces, path: Path) -> None:
    """Write the whole graph to `path`, an .svg or a .png; raises `PictureError`."""
    vector = path.suffix.lower() == ".svg"
    held = QBuffer()
    held.open(QIODevice.OpenModeFlag.WriteOnly)
    done = svg(shown, faces, held) if vector else QImageWriter(held, _PNG).write(picture(shown, faces))
    try:
        path.write_bytes(held.data().data())
    except OSError as error:
        raise PictureError(str(path), error.strerror or T.graph_picture_cause, T.graph_picture_fix) from error
    if not done:
        raise PictureError(str(path), T.graph_picture_cause, T.graph_picture_fix)


def picture(shown: Shown, faces: Faces) -> QImage:
    """The graph at twice its size, smaller where that would be more than `MOST` pixels long."""
    size = _size(_scene(shown))
    scale = max(min(SHARP, MOST / max(size.width(), size.height())), _LEAST_SCALE)
    image = QImage(size * scale, QImage.Format.Format_RGB32)
    if image.isNull():
        raise PictureError(T.graph, T.graph_picture_large, T.graph_picture_fix)
    painter = QPainter(image)
    painter.scale(scale, scale)
    _draw(painter, shown, faces)
    painter.end()
    return image


def svg(shown: Shown, faces: Faces, out: QIODevice) -> bool:
    """A drawing whose texts stay texts; False where it cannot be written."""
    size = _size(_scene(shown))
    made = QSvgGenerator()
    made.setOutputDevice(out)
    made.setSize(size)
    made.setViewBox(QRectF(0, 0, size.width(), size.height()))
    made.setResolution(96)
    made.setTitle(shown.facts.name if shown.facts is not None else T.graph)
    painter = QPainter(made)
    _draw(painter, shown, faces)
    return painter.end()


def _scene(shown: Shown) -> Scene:
    if shown.scene is None:
        raise PictureError(T.graph, T.graph_empty, T.drop_fix)
    return shown.scene


def _size(scene: Scene) -> QSize:
    more = 2 * MARGIN
    return QSize(int(scene.bounds.width() + more), int(scene.bounds.height() + more + legend.HEIGHT))


def _draw(painter: QPainter, shown: Shown, faces: Faces) -> None:
    scene = _scene(shown)
    whole = QRectF(0, 0, _size(scene).width(), _size(scene).height())
    painter.fillRect(whole, QColor(shown.theme.sunken))
    strokes = Strokes(shown)
    painter.save()
    painter.translate(MARGIN, MARGIN)
    strokes.frames(painter, scene, scene.bounds, 1.0)
    strokes.edges(painter, scene, scene.bounds, 1.0)
    BoxPainter(shown, faces, strokes).paint(painter, scene, scene.bounds, NEAR)
    painter.restore()
    strip = QRectF(0, whole.height() - legend.HEIGHT, whole.width(), legend.HEIGHT)
    legend.draw(painter, strip, shown, faces)
