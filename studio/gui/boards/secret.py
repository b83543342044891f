"""The question for a password or a passphrase: it stands in the panel, and blocks nothing."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio.gui.boards.words import BREAK, breakable
from studio.gui.looks import fonts
from studio.gui.looks.theme import Look
from studio.gui.panel import label
from studio.gui.questions import Asked, Settled
from studio.gui.texts.texts import T

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class SecretBox(QFrame):
    """Sends `answered(ticket, Answer or None)`. Of several questions that wait, the oldest is shown."""

    answered = Signal(int, object)
    asked = Signal()  # a question is shown, for which the box must be in sight
    left = Signal()  # it is hidden, and had the focus

    def __init__(self, look: Look, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look, self._waiting = look, dict[int, Asked]()
        self._shown: Asked | None = None
        self.declined = ""  # the board whose question was last declined
        self._title, self._of = label(strong=True), label(pixels=12)
        self._of.setFont(fonts.medium(12))
        self._wrong, self._note = label(T.secret_wrong, pixels=12), label(quiet=True, pixels=12)
        self.field, self.show_button = QLineEdit(), QToolButton()
        self.keep = QCheckBox(T.secret_keep)
        self.ok, self.cancel = QPushButton(T.secret_ok), QPushButton(T.cancel)
        self._arrange()
        self._wire()
        look.changed.connect(self._dress)
        self._dress()
        self.hide()

    def _arrange(self) -> None:
        typed, buttons, whole = QHBoxLayout(), QHBoxLayout(), QVBoxLayout(self)
        self.show_button.setCheckable(True)
        self.show_button.setText(T.secret_show)
        self.show_button.setAccessibleName(T.secret_show_tip)
        self.show_button.setToolTip(T.secret_show_tip)
        self.ok.setObjectName("primary")
        typed.addWidget(self.field, 1)
        typed.addWidget(self.show_button)
        buttons.addWidget(self.ok, 1)
        buttons.addWidget(self.cancel, 1)
        whole.setContentsMargins(14, 4, 14, 6)
        whole.setSpacing(8)
        for each in (self._title, self._of, self._wrong):
            each.setWordWrap(True)
            whole.addWidget(each)
        whole.addLayout(typed)
        whole.addWidget(self.keep)
        self._note.setWordWrap(True)
        whole.addWidget(self._note)
        whole.addLayout(buttons)

    def _wire(self) -> None:
        self.show_button.toggled.connect(self._unmask)
        self.field.textChanged.connect(self._allow)
        self.keep.toggled.connect(self._say_where)
        self.ok.clicked.connect(self._say_yes)
        self.cancel.clicked.connect(self._say_no)

    def take(self, asked: Asked) -> None:
        """A question that waits."""
        self._waiting[asked.ticket] = asked
        self._show_oldest()

    def settle(self, settled: Settled) -> None:
        """It waits no more."""
        self._waiting.pop(settled.ticket, None)
        self._show_oldest()

    @property
    def text(self) -> str:
        """Everything it says, "" while nothing is asked."""
        lines = (each.text() for each in (self._title, self._of, self._wrong) if not each.isHidden())
        return "" if self.isHidden() else "\n".join(lines).replace(BREAK, "")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter answers and Esc declines, wherever in the box the focus is."""
        if event.key() == Qt.Key.Key_Escape:
            self._say_no()
        elif event.key() in _ENTER:
            (self.cancel if self.cancel.hasFocus() else self.ok).click()
        else:
            super().keyPressEvent(event)

    def _show_oldest(self) -> None:
        oldest = next(iter(self._waiting.values()), None)
        if oldest is self._shown:
            return
        self._shown = oldest
        self._clear()
        if oldest is not None:
            self._show(oldest)
            return
        now = QApplication.focusWidget()
        held = now is not None and self.isAncestorOf(now)
        self.hide()
        if held:
            self.left.emit()

    def _clear(self) -> None:
        """Nothing of an answer stays in a widget."""
        self.field.clear()
        self.show_button.setChecked(False)
        self.keep.setChecked(False)
        self._unmask(False)

    def _show(self, asked: Asked) -> None:
        question = asked.question
        title = _TITLES[question.kind].format(name=question.board)
        self._title.setText(title)
        self.field.setAccessibleName(title)
        self.setAccessibleName(title)
        self._of.setText(breakable(question.of))
        self._wrong.setVisible(question.again)
        self.keep.setVisible(question.can_keep)
        self._say_where()
        self._allow()
        self.declined = ""
        self.show()
        self.asked.emit()
        # What is being typed elsewhere must not end up in here.
        if not isinstance(QApplication.focusWidget(), QLineEdit | QPlainTextEdit):
            self.field.setFocus()

    def _unmask(self, shown: bool) -> None:
        modes = QLineEdit.EchoMode
        self.field.setEchoMode(modes.Normal if shown else modes.Password)

    def _say_where(self) -> None:
        self._note.setText(T.secret_kept if self.keep.isChecked() else T.secret_held)

    def _allow(self) -> None:
        """No key has an empty passphrase; boards with an empty password there are."""
        empty = self._shown is not None and self._shown.question.kind == "password"
        self.ok.setEnabled(empty or bool(self.field.text()))

    def _say_yes(self) -> None:
        from studio.boards.links.asking import Answer

        self._say(Answer(self.field.text(), self.keep.isChecked()))

    def _say_no(self) -> None:
        if self._shown is not None:
            self.declined = self._shown.question.board
        self._say(None)

    def _say(self, answer: object) -> None:
        """Hidden at once: the asking thread settles it a moment later."""
        shown = self._shown
        if shown is not None:
            self.answered.emit(shown.ticket, answer)
            self.settle(Settled(shown.ticket))

    def _dress(self) -> None:
        self._wrong.setStyleSheet(f"color: {self._look.theme.bad};")


_TITLES = {"password": T.secret_password, "passphrase": T.secret_passphrase}
