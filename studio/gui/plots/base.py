"""What all plot panels share: words while there is nothing, CSV and pictures, and a pace of drawing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu, QStackedWidget, QToolButton, QWidget

from studio.errors import ProjectError
from studio.gui.asking import ask_out
from studio.gui.looks import icons
from studio.gui.looks.drawn import save_view
from studio.gui.looks.theme import Look
from studio.gui.panel import Panel, label
from studio.gui.texts.texts import T

if TYPE_CHECKING:
    from studio.gui.plots.canvas import Canvas

_EVERY_MS, _APART_MS = 100, 40


class PlotBase(Panel):
    """Draws at most ten times a second. pyqtgraph is loaded when there is something to draw, never before.

    Plots side by side have each a `place` of their own, so that they do not draw in one turn of the loop.
    """

    failed = Signal(object)

    def __init__(self, title: str, look: Look, place: int = 0) -> None:
        self.stack = QStackedWidget()
        super().__init__(title, self.stack)
        self.look = look
        self.canvas: Canvas | None = None
        self.empty = label(T.plot_empty, quiet=True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.stack.addWidget(self.empty)
        self._more = self._menu_button()
        self.tools.addWidget(self._more)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_EVERY_MS + _APART_MS * place)
        self._timer.timeout.connect(self.draw)
        look.changed.connect(self._dress)

    # Of each kind of plot.

    def make(self) -> Canvas:
        """The canvas, made when it is first needed."""
        raise NotImplementedError

    def paint_canvas(self) -> bool:
        """Draw onto the canvas; False where there is nothing to draw."""
        raise NotImplementedError

    def csv(self) -> str:
        """What is drawn, as comma-separated values with a head."""
        raise NotImplementedError

    # Of all.

    def soon(self) -> None:
        """Draw within a tenth of a second."""
        if not self._timer.isActive():
            self._timer.start()

    def draw(self) -> None:
        """Draw now what was shown last."""
        self._timer.stop()
        drawn = self.paint_canvas()
        shown = self.canvas.widget if drawn and self.canvas is not None else self.empty
        self.stack.setCurrentWidget(shown)

    def _menu_button(self) -> QToolButton:
        made, menu = QToolButton(), QMenu(self)
        menu.addAction(T.plot_copy, self.copy)
        menu.addAction(T.plot_picture, self._ask_picture)
        made.setMenu(menu)
        made.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        made.setIcon(icons.icon("more", self.look.theme.muted))
        made.setAccessibleName(T.plot_tools.format(plot=self.accessibleName()))
        made.setToolTip(T.plot_tools.format(plot=self.accessibleName()))
        return made

    def copy(self) -> None:
        """Put the figures on the clipboard as CSV."""
        QGuiApplication.clipboard().setText(self.csv())

    def save_picture(self, path: str) -> None:
        """Write the plot as SVG or PNG; where that cannot be, `failed` says why."""
        try:
            save_view(self.drawn_on().widget, path)
        except ProjectError as error:
            self.failed.emit(error)

    def _ask_picture(self) -> None:
        ask_out(self, T.plot_picture, T.plot_filter, Path(f"{self.accessibleName()}.png"), self.save_picture)

    def drawn_on(self) -> Canvas:
        """The canvas, put in its place when it is first needed."""
        if self.canvas is None:
            self.canvas = self.make()
            self.canvas.widget.setAccessibleName(self.accessibleName())
            self.stack.addWidget(self.canvas.widget)
        return self.canvas

    def _dress(self) -> None:
        self._more.setIcon(icons.icon("more", self.look.theme.muted))
        if self.canvas is not None:
            self.canvas.dress(self.look.theme)
            self.soon()

    def body(self) -> QWidget | None:
        """What is shown now: the chart, or the words instead of it."""
        return self.stack.currentWidget()
