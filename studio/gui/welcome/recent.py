"""What was open lately, as cards: a picture of the graph, the name, how far the work had come."""

from __future__ import annotations

import hashlib
from pathlib import Path

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QPainter, QPainterPath, QPaintEvent, QPixmap
from PySide6.QtWidgets import QAbstractButton, QGridLayout, QLabel, QVBoxLayout, QWidget

from studio.gui.looks import fonts, icons
from studio.gui.looks.theme import Look
from studio.gui.panel import label
from studio.gui.texts.texts import T
from studio.paths import data_dir

COLUMNS, SHOWN, _GAP, _HEIGHT, _PICTURE = 3, 6, 12, 158, 98
_SCALE = 2


def thumbnail(path: Path) -> Path:
    """Where the picture of what was open at `path` lies, or will lie."""
    name = hashlib.sha256(str(path).encode()).hexdigest()[:24]
    return data_dir() / "thumbnails" / f"{name}.png"


def keep_thumbnail(path: Path, view: QWidget) -> None:
    """Keep a small picture of `view` for what is open at `path`."""
    out = thumbnail(path)
    out.parent.mkdir(parents=True, exist_ok=True)
    small = view.grab().scaledToHeight(_PICTURE * _SCALE, Qt.TransformationMode.SmoothTransformation)
    small.save(str(out))


class _Card(QAbstractButton):
    """One thing to open again."""

    def __init__(self, path: Path, said: str, look: Look) -> None:
        super().__init__()
        self._path, self._said, self._look = path, said, look
        self._picture = QPixmap(str(thumbnail(path)))
        self.setFixedHeight(_HEIGHT)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(f"{path.name}, {said}" if said else str(path))
        self.setToolTip(str(path))
        look.changed.connect(self.update)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, painter = self._look.theme, QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        lit = self.underMouse() or self.hasFocus()
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QColor(theme.accent_text if lit else theme.line))
        painter.setBrush(QColor(theme.surface))
        painter.drawRoundedRect(frame, 10, 10)
        self._draw_picture(painter, QRectF(frame.left(), frame.top(), frame.width(), _PICTURE))
        box = frame.adjusted(12, _PICTURE + 6, -12, -8)
        self._line(painter, box.adjusted(0, 0, 0, -22), self._path.name, theme.text, True)
        self._line(painter, box.adjusted(0, 22, 0, 0), self._said or str(self._path.parent), theme.muted)
        painter.end()

    def _draw_picture(self, painter: QPainter, box: QRectF) -> None:
        theme, clip = self._look.theme, QPainterPath()
        clip.addRoundedRect(box.adjusted(1, 1, -1, 8), 9, 9)
        painter.save()
        painter.setClipPath(clip)
        painter.setClipRect(box, Qt.ClipOperation.IntersectClip)
        painter.fillRect(box, QColor(theme.sunken))
        if self._picture.isNull():
            icons.paint(
                painter, "model", theme.ghost, QRectF(box.center().x() - 18, box.center().y() - 18, 36, 36)
            )
        else:
            width = self._picture.width() * box.height() / self._picture.height()
            place = QRectF(box.center().x() - width / 2, box.top(), width, box.height())
            painter.drawPixmap(place, self._picture, QRectF(self._picture.rect()))
        painter.restore()

    def _line(self, painter: QPainter, box: QRectF, text: str, colour: str, strong: bool = False) -> None:
        painter.setFont(fonts.medium() if strong else fonts.font(12))
        painter.setPen(QColor(colour))
        line = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, int(box.width()))
        painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, line)


class Recent(QWidget):
    """The models and projects that were open lately, newest first."""

    picked = Signal(str)

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(label(T.start_recent, strong=True))
        self._none: QLabel = label(T.start_no_recent, quiet=True)
        whole.addWidget(self._none)
        self._grid = QGridLayout()
        self._grid.setSpacing(_GAP)
        whole.addLayout(self._grid)
        for column in range(COLUMNS):
            self._grid.setColumnStretch(column, 1)

    def show_paths(self, paths: tuple[Path, ...], said: dict[str, str] | None = None) -> None:
        """Show these; `said` tells how far the work of each had come."""
        while (item := self._grid.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        for place, path in enumerate(paths[:SHOWN]):
            card = _Card(path, (said or {}).get(str(path), ""), self._look)
            card.clicked.connect(lambda _=False, path=path: self.picked.emit(str(path)))
            self._grid.addWidget(card, place // COLUMNS, place % COLUMNS)
        self._none.setVisible(not paths)
