"""`python drag_source.py X Y FILE…`: a small window, as a file manager's, to drag these files out of."""

from __future__ import annotations

import sys

from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QDrag, QMouseEvent, QPaintEvent
from PySide6.QtWidgets import QApplication, QLabel


class Source(QLabel):
    """Starts a drag as soon as the pressed pointer moves; says `shown` once it is on the screen."""

    def __init__(self, paths: list[str]) -> None:
        super().__init__("\n".join(paths))
        self._urls = [QUrl.fromLocalFile(path) for path in paths]
        self._told = False

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._told:
            self._told = True
            print("shown", flush=True)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            mime, drag = QMimeData(), QDrag(self)
            mime.setUrls(self._urls)
            drag.setMimeData(mime)
            drag.exec(Qt.DropAction.CopyAction)


if __name__ == "__main__":
    app = QApplication(sys.argv[:1])
    source = Source(sys.argv[3:])
    source.setGeometry(int(sys.argv[1]), int(sys.argv[2]), 260, 120)
    source.show()
    app.exec()
