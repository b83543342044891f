"""Search, colour mode and the few buttons above the canvas."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QLineEdit, QMenu, QToolButton, QWidget

from studio.gui.graph.heat import MODES
from studio.gui.looks import icons
from studio.gui.looks.theme import Theme
from studio.gui.texts.texts import T

_BUTTONS = (("zoom", T.graph_zoom), ("fit", T.graph_fit))
_SCOPES = (("expand", T.graph_expand), ("collapse", T.graph_collapse))
_SAVED = (("svg", T.graph_save_svg), ("png", T.graph_save_png), ("copy", T.graph_copy))


class Toolbar(QWidget):
    """Sends wishes; knows nothing of the graph."""

    sought = Signal(str)
    went = Signal(str)
    mode = Signal(str)
    columns = Signal(bool)
    lasso = Signal(bool)
    saved = Signal(str)
    zoom = Signal()
    fit = Signal()
    expand = Signal()
    collapse = Signal()
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = QLineEdit(self)
        self.field.setPlaceholderText(T.graph_find)
        self.field.setAccessibleName(T.graph_find_tip)
        self.field.setClearButtonEnabled(True)
        self.field.setMaximumWidth(220)
        self.field.setMinimumWidth(110)
        self.field.setToolTip(T.graph_find_tip)
        self.field.textChanged.connect(self.sought)
        self.field.returnPressed.connect(self._go)
        self.field.installEventFilter(self)
        self.hits = QLabel(self)
        self.hits.setAccessibleName(T.graph_find)
        self.combo = QComboBox(self)
        self.combo.setAccessibleName(T.graph_colour_by)
        for key, label in MODES.items():
            self.combo.addItem(label, key)
        self.combo.setToolTip(T.graph_colour_by)
        self.combo.activated.connect(self._chosen)
        self.buttons: dict[str, QToolButton] = {}
        self.catch = self._button("lasso", T.graph_lasso)
        self.catch.setCheckable(True)
        self.catch.toggled.connect(self.lasso)
        self.wrap = QAction(T.graph_columns, self)
        self.wrap.setCheckable(True)
        self.wrap.setChecked(True)
        self.wrap.toggled.connect(self.columns)
        self._line()

    def _line(self) -> None:
        line = QHBoxLayout(self)
        line.setContentsMargins(10, 6, 10, 6)
        line.setSpacing(6)
        line.addWidget(self.field, 3)
        line.addWidget(self.hits)
        line.addStretch(1)
        line.addWidget(self.combo)
        line.addWidget(self.catch)
        for name, tip in _BUTTONS:
            button = self._button(name, tip)
            button.clicked.connect(getattr(self, name))
            line.addWidget(button)
        line.addWidget(self._more())

    def _more(self) -> QToolButton:
        """A menu of what is wanted less often: scopes, columns, pictures."""
        button, menu = self._button("more", T.more), QMenu(self)
        for name, text in _SCOPES:
            menu.addAction(text).triggered.connect(getattr(self, name))
        menu.addAction(self.wrap)
        menu.addSeparator()
        for key, text in _SAVED:
            menu.addAction(text).triggered.connect(partial(self.saved.emit, key))
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        return button

    def _button(self, name: str, tip: str) -> QToolButton:
        button = self.buttons[name] = QToolButton(self)
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setAutoRaise(True)
        return button

    def _go(self) -> None:
        self.went.emit(self.field.text())

    def _chosen(self, index: int) -> None:
        self.mode.emit(self.combo.itemData(index))

    def show_mode(self, mode: str) -> None:
        self.combo.setCurrentIndex(max(self.combo.findData(mode), 0))

    def focus_search(self, text: str = "") -> None:
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()

    def tell(self, matches: int | None) -> None:
        """Say how many boxes match; None where nothing is sought."""
        self.hits.setText(
            "" if matches is None else T.graph_hits.format(n=matches) if matches else T.graph_no_hits
        )

    def count(self, text: str) -> None:
        self.hits.setToolTip(text)

    def set_theme(self, theme: Theme) -> None:
        self.hits.setStyleSheet(f"color: {theme.muted}")
        for name, button in self.buttons.items():
            button.setIcon(icons.icon(name, theme.text, theme.ghost))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            watched is self.field
            and event.type() == QEvent.Type.KeyPress
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Escape
        ):
            self.field.clear()
            self.left.emit()
            return True
        return super().eventFilter(watched, event)
