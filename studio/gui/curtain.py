"""What lies over the window while a file hovers above it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from studio.gui.looks import fonts, icons
from studio.gui.looks.theme import Look
from studio.gui.texts.texts import T


class Curtain(QWidget):
    """Covers its parent; lets every mouse event through."""

    def __init__(self, look: Look, parent: QWidget) -> None:
        super().__init__(parent)
        self._look = look
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()
        parent.installEventFilter(self)

    def lift(self, shown: bool) -> None:
        """Show or hide it."""
        parent = self.parentWidget()
        if shown and parent is not None:
            self.setGeometry(parent.rect())
            self.raise_()
        self.setVisible(shown)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        parent = self.parentWidget()
        if event.type() == QEvent.Type.Resize and parent is not None:
            self.setGeometry(parent.rect())
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, painter = self._look.theme, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = QColor(theme.window)
        ground.setAlpha(225)
        painter.fillRect(self.rect(), ground)
        frame = QRectF(self.rect()).adjusted(18, 18, -18, -18)
        painter.setPen(QPen(QColor(theme.accent_text), 2, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(frame, 18, 18)
        middle = frame.center()
        icons.paint(painter, "drop", theme.accent_text, QRectF(middle.x() - 24, middle.y() - 62, 48, 48))
        painter.setPen(QColor(theme.text))
        painter.setFont(fonts.strong(20))
        painter.drawText(frame.adjusted(0, 30, 0, 0), Qt.AlignmentFlag.AlignCenter, T.drop_here)
        painter.end()
