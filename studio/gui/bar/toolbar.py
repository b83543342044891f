"""The bar on top: open and data on the left, tools in the middle, export on the right."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QPushButton, QToolButton, QWidget

from studio.gui.bar.actions import Actions
from studio.gui.bar.targets import TargetMenu
from studio.gui.looks import fonts, icons
from studio.gui.looks.theme import MODES, Look
from studio.gui.panel import Elided
from studio.gui.texts.texts import T
from studio.recipe import presets

_ROOMY = 1420
_MORE = (
    ("new_window", "open_board", "save"),
    ("recipe_open", "recipe_save", "noise"),
    ("page_options", "help", "tour"),
)
_THEMES = {"system": T.theme_system, "light": T.theme_light, "dark": T.theme_dark}


class Toolbar(QFrame):
    """Sends presets, targets and themes by name; everything else is an action of the table."""

    preset_wanted = Signal(str)
    target_wanted = Signal(str)
    theme_wanted = Signal(str)

    def __init__(self, actions: Actions, look: Look, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("bar")
        self.setFixedHeight(54)
        self._actions, self._look = actions, look
        self._glyphs: list[tuple[QToolButton, str]] = []
        self.title, self.mark = Elided(pixels=14, strong=True), QLabel()
        self._worded: list[QToolButton] = []
        self.export = QPushButton(T.export)
        self.presets = self._presets_menu()
        self.targets = TargetMenu(self)
        self.targets.wanted.connect(self.target_wanted)
        self._arrange()
        look.changed.connect(self._dress)
        self._dress()

    def _arrange(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 0, 14, 0)
        row.setSpacing(4)
        row.addWidget(self.mark)
        row.addSpacing(8)
        row.addWidget(self._button("open"))
        row.addWidget(self._menu_button("data", T.data, self._data_menu()))
        _divide(row)
        row.addWidget(self._button("undo", text=False))
        row.addWidget(self._button("redo", text=False))
        _divide(row)
        row.addWidget(self._menu_button("presets", T.presets, self.presets))
        row.addWidget(self._menu_button("target", T.target, self.targets, T.target_tip))
        row.addWidget(self._button("sensitivity"))
        row.addWidget(self._button("latency"))
        self.auto = self._button("page_auto")
        row.addWidget(self.auto)
        row.addWidget(self._button("report"))
        row.addWidget(self._menu_button("more", "", self._more_menu(), T.more))
        row.addSpacing(12)
        row.addWidget(self.title, 1)
        self.title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        row.addSpacing(12)
        row.addWidget(self._menu_button("theme", "", self._theme_menu(), T.theme))
        row.addWidget(self._button("boards"))
        row.addSpacing(6)
        row.addWidget(self.export)
        self.export.setObjectName("primary")
        self.export.setFont(fonts.medium())
        self.export.clicked.connect(self._actions["export"].trigger)
        self._actions["export"].changed.connect(self._follow_export)
        self._follow_export()

    def _button(self, key: str, text: bool = True) -> QToolButton:
        made, style = QToolButton(), Qt.ToolButtonStyle
        made.setDefaultAction(self._actions[key])
        made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        made.setToolButtonStyle(style.ToolButtonTextBesideIcon if text else style.ToolButtonIconOnly)
        made.setIconSize(QSize(18, 18))
        made.setFont(fonts.medium())
        made.setAccessibleName(self._actions[key].text())
        if text:
            self._worded.append(made)
        return made

    def _menu_button(self, glyph: str, text: str, menu: QMenu, tip: str = "") -> QToolButton:
        made, style = QToolButton(), Qt.ToolButtonStyle
        made.setText(text)
        made.setMenu(menu)
        made.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        made.setToolButtonStyle(style.ToolButtonTextBesideIcon if text else style.ToolButtonIconOnly)
        made.setIconSize(QSize(18, 18))
        made.setFont(fonts.medium())
        made.setAccessibleName(text or tip)
        made.setToolTip(tip or text)
        if text:
            self._worded.append(made)
        self._glyphs.append((made, glyph))
        return made

    def _data_menu(self) -> QMenu:
        menu = QMenu(self)
        menu.addActions([self._actions["data_file"], self._actions["data_folder"]])
        return menu

    def _presets_menu(self) -> QMenu:
        menu = QMenu(self)
        for name in presets.names():
            made = menu.addAction(name)
            made.triggered.connect(lambda _=False, name=name: self.preset_wanted.emit(name))
        menu.addSeparator()
        menu.addAction(self._actions["reset"])
        return menu

    def _more_menu(self) -> QMenu:
        menu = QMenu(self)
        for part in _MORE:
            menu.addActions([self._actions[key] for key in part])
            menu.addSeparator()
        return menu

    def _theme_menu(self) -> QMenu:
        menu, group = QMenu(self), QActionGroup(self)
        for mode in MODES:
            made = QAction(_THEMES[mode], menu)
            made.setCheckable(True)
            made.setChecked(mode == self._look.mode)
            made.triggered.connect(lambda _=False, mode=mode: self.theme_wanted.emit(mode))
            group.addAction(made)
            menu.addAction(made)
        return menu

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A narrow bar does without words; the title keeps its room."""
        super().resizeEvent(event)
        style, roomy = Qt.ToolButtonStyle, self.width() >= _ROOMY
        for button in self._worded:
            button.setToolButtonStyle(style.ToolButtonTextBesideIcon if roomy else style.ToolButtonIconOnly)

    def allow(self, model: bool) -> None:
        """Grey the menus that need a model while none is open."""
        for button, glyph in self._glyphs:
            button.setEnabled(model or glyph in ("theme", "more"))

    def _follow_export(self) -> None:
        self.export.setEnabled(self._actions["export"].isEnabled())

    def _dress(self) -> None:
        theme = self._look.theme
        self.mark.setPixmap(icons.pixmap("trimtab", theme.text, 28, self.devicePixelRatioF()))
        self.export.setIcon(icons.icon("export", theme.on_accent, theme.ghost))
        for button, glyph in self._glyphs:
            button.setIcon(icons.icon(glyph, theme.text, theme.ghost))


def _divide(row: QHBoxLayout) -> None:
    made = QFrame()
    made.setObjectName("divider")
    made.setFixedSize(1, 22)
    row.addSpacing(6)
    row.addWidget(made)
    row.addSpacing(6)
