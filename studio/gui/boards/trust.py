"""The host key, shown and confirmed; a changed one is refused, and replacing it is a deliberate step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QMessageBox, QPushButton, QVBoxLayout, QWidget

from studio.gui.boards.words import BREAK, breakable
from studio.gui.looks import fonts
from studio.gui.looks.theme import Look
from studio.gui.panel import label
from studio.gui.texts.texts import T

if TYPE_CHECKING:
    from studio.boards.links.hostkeys import HostKey


class TrustBox(QFrame):
    """Sends `trusted(key, replace)` once the user has said yes to what is shown."""

    trusted = Signal(object, bool)

    def __init__(self, look: Look, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look, self._name = look, ""
        self._key: HostKey | None = None
        self._title, self._prints = label(strong=True), label(pixels=12)
        self._why = label(quiet=True, pixels=12)
        self.button = QPushButton()
        self.button.clicked.connect(self._say_yes)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 4, 0, 4)
        whole.setSpacing(8)
        for each in (self._title, self._prints, self._why):
            each.setWordWrap(True)
            whole.addWidget(each)
        self._prints.setFont(fonts.medium(12))
        whole.addWidget(self.button)
        self.hide()

    def show_key(self, name: str, key: HostKey | None) -> None:
        """Show what there is to decide; hidden where the key is known."""
        self._name, self._key = name, key
        self.setVisible(key is not None and key.state != "known")
        if key is None or key.state == "known":
            return
        new = key.state == "new"
        self._title.setText(_TITLES[key.state].format(name=name))
        self._ink("text" if new else "bad")
        shown = f"{key.kind}\n{key.fingerprint}"
        expected = f"{T.key_was}\n{key.known_fingerprint}\n{T.key_is}, {shown}"
        text = expected if key.known_fingerprint else shown
        self._prints.setText(breakable(text))
        self._why.setText(T.key_hint if new else T.key_changed_why)
        self.button.setText(T.key_trust if new else T.key_replace)
        self.button.setObjectName("primary" if new else "")
        self.button.style().polish(self.button)
        self.button.setVisible(key.state != "revoked")

    @property
    def text(self) -> str:
        """Everything it says."""
        return f"{self._title.text()}\n{self._prints.text().replace(BREAK, '')}"

    def _ink(self, tone: str) -> None:
        self._title.setStyleSheet(f"color: {getattr(self._look.theme, tone)};")

    def _say_yes(self) -> None:
        if self._key is None:
            return
        if self._key.state == "new":
            self.trusted.emit(self._key, False)
            return
        ask = QMessageBox(self)
        ask.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        ask.setText(T.key_replace_ask.format(name=self._name))
        ask.setInformativeText(self._prints.text().replace(BREAK, ""))
        ask.setStandardButtons(QMessageBox.StandardButton.Cancel | QMessageBox.StandardButton.Yes)
        ask.finished.connect(self._answered)
        ask.open()

    def _answered(self, button: int) -> None:
        if button == QMessageBox.StandardButton.Yes.value:
            self.trusted.emit(self._key, True)


_TITLES = {"new": T.key_new, "changed": T.key_changed, "revoked": T.key_revoked}
