"""The path of scopes to what is selected, from the model inwards; and how much is shown."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from studio.graph.scopes import Scope
from studio.gui.graph.scene import Scene
from studio.gui.graph.state import Shown
from studio.gui.looks import fonts
from studio.gui.looks.theme import Theme
from studio.gui.panel import Elided
from studio.gui.texts.texts import T

_DEEPEST = 6


class Crumbs(QWidget):
    """A click goes to a scope (`went`, the empty scope for all), with Shift it selects it (`chose`)."""

    went = Signal(object)
    chose = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._path: list[tuple[str, Scope]] = []
        self._line, self._line_colour = QHBoxLayout(self), ""
        self._line.setContentsMargins(8, 0, 12, 2)
        self._line.setSpacing(0)
        self._count = Elided(11)
        self._count.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._count.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._line.addWidget(self._count, 1)
        self._parts: list[QWidget] = []
        self._said = ""
        self.setFixedHeight(26)

    def texts(self) -> list[str]:
        """The path as it is written."""
        return [label for label, _ in self._path]

    def show_path(self, shown: Shown) -> None:
        """The path to what is selected."""
        path = path_of(shown)
        many = len(shown.names)
        said = T.graph_selected.format(n=many) if many > 1 else self._said
        self._count.setText(said)
        if path != self._path:
            self._path = path
            self._build()

    def count(self, text: str) -> None:
        """How much is shown."""
        self._said = text
        self._count.setText(text)
        self._count.setToolTip(text)

    def set_theme(self, theme: Theme) -> None:
        self._count.setStyleSheet(f"color: {theme.muted}")
        self._line_colour = theme.muted
        self._build()

    def _build(self) -> None:
        for part in self._parts:
            self._line.removeWidget(part)
            part.hide()
            part.deleteLater()
        self._parts = []
        for place, (label, scope) in enumerate(self._path):
            if place:
                self._parts.append(self._arrow())
            self._parts.append(self._crumb(label, scope, last=place == len(self._path) - 1))
        for at, part in enumerate(self._parts):
            self._line.insertWidget(at, part)

    def _arrow(self) -> QLabel:
        made = QLabel("›")
        made.setFont(fonts.font(13))
        made.setStyleSheet(f"color: {self._line_colour}")
        return made

    def _crumb(self, label: str, scope: Scope, last: bool) -> QToolButton:
        made = QToolButton()
        made.setText(label if len(label) <= 28 else f"{label[:13]}…{label[-13:]}")
        made.setFont(fonts.strong(12) if last else fonts.font(12))
        made.setStyleSheet("padding: 1px 5px;")
        made.setToolTip(T.graph_crumb.format(scope=".".join(scope)) if scope else T.graph_whole)
        made.setAccessibleName(made.toolTip())
        made.setAutoRaise(True)
        made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        made.clicked.connect(lambda: self._clicked(scope))
        return made

    def _clicked(self, scope: Scope) -> None:
        shift = QApplication.keyboardModifiers() & Qt.KeyboardModifier.ShiftModifier
        (self.chose if shift else self.went).emit(scope)


def path_of(shown: Shown) -> list[tuple[str, Scope]]:
    """(label, scope) from the model to the scopes that hold all that is selected."""
    if shown.facts is None:
        return []
    head: list[tuple[str, Scope]] = [(shown.facts.name, ())]
    if shown.scene is None or not shown.selected:
        return head
    ways = [_around(shown.scene, box) for box in sorted(shown.selected)[:64]]
    shared = [each for at, each in enumerate(ways[0]) if all(way[at : at + 1] == [each] for way in ways)]
    boxes = shown.scene.diagram.boxes
    return head + [(boxes[at].title, boxes[at].scope) for at in shared][-_DEEPEST:]


def _around(scene: Scene, box: int) -> list[int]:
    """The frames around a box, outermost first, and the box itself where it is a scope."""
    boxes, found = scene.diagram.boxes, list[int]()
    at = box if boxes[box].kind in ("scope", "frame") else boxes[box].parent
    while at >= 0:
        found.append(at)
        at = boxes[at].parent
    return found[::-1]
