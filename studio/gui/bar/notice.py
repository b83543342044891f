"""Errors and notes as a bar in the window: thing, cause, next step, and a way to copy them. Never modal."""

from __future__ import annotations

import traceback

from PySide6.QtCore import QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QGuiApplication, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from studio.errors import StudioError
from studio.gui.looks import icons
from studio.gui.looks.theme import Look
from studio.gui.panel import label
from studio.gui.texts.texts import T

_NOTE_MS = 6000
_ABOVE = 12  # room between the toolbar and the bar


class Notice(QFrame):
    """One message at a time; the newest replaces an older one. Notes leave by themselves, errors stay."""

    def __init__(self, look: Look, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look, self._tone, self._details = look, "bad", ""
        self._title, self._text = label(strong=True), label()
        self._copy = self._button(T.copy_details, self._to_clipboard)
        self._shut = self._button(T.close, self.hide)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        self._arrange()
        self.hide()

    def _arrange(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(2)
        for each in (self._title, self._text):
            each.setWordWrap(True)
            each.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            each.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            words.addWidget(each)
        row = QHBoxLayout(self)
        row.setContentsMargins(50, 9 + _ABOVE, 12, 9)
        row.addLayout(words, 1)
        row.addWidget(self._copy, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._shut, 0, Qt.AlignmentFlag.AlignTop)

    def _button(self, text: str, act: object) -> QToolButton:
        made = QToolButton()
        made.setText(text)
        made.clicked.connect(act)
        return made

    def show_error(self, error: BaseException) -> None:
        """An expected failure in its three parts; anything else as the fault it is, with its trace."""
        if isinstance(error, StudioError):
            self._show("bad", f"{error.thing}: {error.cause}", error.fix, str(error))
            return
        trace = "".join(traceback.format_exception(error))
        last = traceback.format_exception_only(error)[-1].strip()
        self._show("bad", f"{T.bug_thing}: {last}", T.bug_fix, trace)

    def show_note(self, text: str, stays: bool = False) -> None:
        """Good news, or something to know."""
        self._show("good", text, "", text)
        if not stays:
            self._timer.start(_NOTE_MS)

    @property
    def text(self) -> str:
        """Everything it says."""
        return f"{self._title.text()}\n{self._text.text()}".strip()

    def _show(self, tone: str, title: str, text: str, details: str) -> None:
        self._timer.stop()
        self._tone, self._details = tone, details
        self._title.setText(title)
        self._text.setText(text)
        self._text.setVisible(bool(text))
        self._copy.setVisible(tone == "bad")
        self._copy.setText(T.copy_details)
        self.setAccessibleName(self.text)
        self.show()
        self.update()

    def _to_clipboard(self) -> None:
        QGuiApplication.clipboard().setText(self._details)
        self._copy.setText(T.copied)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, painter = self._look.theme, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(QColor(getattr(theme, f"{self._tone}_soft")))
        painter.setPen(QPen(QColor(getattr(theme, self._tone)), 1))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, _ABOVE + 0.5, -0.5, -0.5), 9, 9)
        name = "error" if self._tone == "bad" else "check"
        icons.paint(painter, name, getattr(theme, self._tone), QRectF(17, 10 + _ABOVE, 19, 19))
        painter.end()
