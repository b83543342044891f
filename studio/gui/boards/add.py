"""The dialog that adds a board: a table of fields. It blocks nothing."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QIntValidator
from PySide6.QtWidgets import (
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from studio.gui.asking import ask_in
from studio.gui.boards.found import Place, Places
from studio.gui.panel import label
from studio.gui.texts.texts import T

_FIELDS = (
    ("name", T.board_name, T.board_name_hint),
    ("host", T.board_host, T.board_host_hint),
    ("user", T.board_user, T.board_user_hint),
    ("key_path", T.board_key, T.board_key_hint),
    ("sign_key", T.board_sign, T.board_sign_hint),
)


class AddBoard(QDialog):
    """Sends `wanted(name, host, port, user, key_path, sign_key)`; checks are the board book's."""

    wanted = Signal(str, str, int, str, str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(T.board_add_title)
        self.setMinimumWidth(480)
        self.fields = {name: _field(text, hint) for name, text, hint in _FIELDS}
        self.port = _field(T.board_port, T.board_port_auto)
        self.port.setValidator(QIntValidator(1, 65535, self))
        self.places = Places(self.fields["host"])
        self.places.picked.connect(self._pick)
        self.accept_button = QPushButton(T.board_add_title)
        self.accept_button.setObjectName("primary")
        self.accept_button.setDefault(True)
        self._arrange()
        self._complete()

    def _arrange(self) -> None:
        form = QFormLayout()
        form.setSpacing(10)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        rows: dict[str, QWidget] = {
            "host": self.places,
            "key_path": self._with_browse("key_path", T.board_key_title),
            "sign_key": self._with_browse("sign_key", T.board_sign_title),
        }
        for name, text, _ in _FIELDS:
            form.addRow(text, rows.get(name, self.fields[name]))
            if name == "host":
                form.addRow(T.board_port, self.port)
            self.fields[name].textChanged.connect(self._complete)
        cancel = QPushButton(T.cancel)
        cancel.clicked.connect(self.reject)
        self.accept_button.clicked.connect(self._send)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(self.accept_button)
        note = label(T.board_add_note, quiet=True, pixels=12)
        note.setWordWrap(True)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(20, 20, 20, 16)
        whole.setSpacing(14)
        whole.addLayout(form)
        whole.addWidget(note)
        whole.addLayout(buttons)

    def _with_browse(self, name: str, title: str) -> QWidget:
        both, row = QWidget(), QHBoxLayout()
        both.setLayout(row)
        row.setContentsMargins(0, 0, 0, 0)
        browse = QPushButton(T.board_browse)
        browse.setAutoDefault(False)
        browse.clicked.connect(lambda: self._browse(name, title))
        row.addWidget(self.fields[name], 1)
        row.addWidget(browse)
        return both

    def _browse(self, name: str, title: str) -> None:
        ask_in(self, title, T.any_filter, self.fields[name].setText)

    def _pick(self, place: Place) -> None:
        """Fill in what is told of a place; a name that was typed stays."""
        self.fields["host"].setText(place.host)
        self.port.setText(str(place.port or ""))
        if not self.fields["name"].text().strip():
            self.fields["name"].setText(place.name)

    def _complete(self) -> None:
        self.accept_button.setEnabled(all(self.fields[name].text().strip() for name in ("name", "host")))

    def _send(self) -> None:
        name, host, user, key, sign = (self.fields[each].text().strip() for each, _, _ in _FIELDS)
        self.wanted.emit(name, host, int(self.port.text() or 0), user, key, sign)
        self.accept()


def _field(text: str, hint: str) -> QLineEdit:
    made = QLineEdit()
    made.setPlaceholderText(hint)
    made.setAccessibleName(text)
    return made
