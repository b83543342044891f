"""Threads and memory, in the foot: what the program takes of this computer."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QLabel

from studio.gui.looks import fonts, numbers
from studio.gui.texts.texts import T
from studio.workbench.shelves import fair_threads

_EVERY_MS = 3000


class Vitals(QLabel):
    """Looks every three seconds, while it is seen."""

    def __init__(self) -> None:
        super().__init__()
        self.setFont(fonts.font(12))
        self.setObjectName("muted")
        self.setToolTip(T.vitals_tip)
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self.look)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def look(self) -> None:
        """Look now."""
        window, engine = memory()
        form = T.vitals if engine else T.vitals_alone
        self.setText(
            form.format(threads=fair_threads(), window=numbers.size(window), engine=numbers.size(engine))
        )


def memory() -> tuple[int, int]:
    """Bytes in use by this process, and by its children together."""
    import psutil

    here = psutil.Process()
    children = 0
    for child in here.children(recursive=True):
        try:
            children += child.memory_info().rss
        except psutil.NoSuchProcess:
            continue  # it ended meanwhile
    return here.memory_info().rss, children
