"""Samples as tiles: a picture with a line below it, side by side."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QIcon, QImage, QPixmap
from PySide6.QtWidgets import QListView, QListWidget

from studio.data.thumbnails import Thumbnail

_SIDE = 72


class Tiles(QListWidget):
    """A list of tiles that flows into the room it has; assistive technology knows it by `name`."""

    def __init__(self, name: str, wider: int = 48) -> None:
        super().__init__()
        self.setObjectName("answers")
        self.setAccessibleName(name)
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setIconSize(QSize(_SIDE, _SIDE))
        self.setGridSize(QSize(_SIDE + wider, _SIDE + 48))
        self.setUniformItemSizes(True)


def icon(picture: Thumbnail) -> QIcon:
    """The sample, sharp at 1× and 2×; it looks the same when it is chosen."""
    kind = QImage.Format.Format_Grayscale8 if picture.planes == 1 else QImage.Format.Format_RGB888
    image = QImage(picture.pixels, picture.width, picture.height, picture.width * picture.planes, kind)
    keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    made = QPixmap.fromImage(image.copy()).scaled(2 * _SIDE, 2 * _SIDE, keep, smooth)
    icon = QIcon()
    for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):
        icon.addPixmap(made, mode)
    return icon


def blank(colour: str) -> QIcon:
    """What stands in for a picture that is still to come."""
    made = QPixmap(_SIDE, _SIDE)
    made.fill(QColor(colour))
    return QIcon(made)
