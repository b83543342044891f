"""Netron's view of one file in WebEngine: prints as JSON how long it took until it was drawn, and its memory.

    QT_QPA_PLATFORM=offscreen python tests/bench/netron_view.py MODEL [SECONDS]

Seconds are of the clock, from the wish to the drawn graph; memory is that of this process and of the
browser's, more than before the tab was made. `drawn` is false where SECONDS (180) ran out.
"""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import suppress

import psutil

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QTWEBENGINE_CHROMIUM_FLAGS", "--disable-gpu")

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from studio.gui.netron.tab import NetronTab

_DRAWN = "Boolean(window.__view__ && window.__view__.target && window.__view__.target._table.size)"
_LOOK = 0.05


def memory() -> float:
    """MB of this process and its children, shared pages counted once; children come and go."""
    here, found = psutil.Process(), 0.0
    for each in (here, *here.children(recursive=True)):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            found += each.memory_full_info().pss / 1e6
    return found


def main() -> None:
    limit = float(sys.argv[2]) if len(sys.argv) > 2 else 180.0
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    app, before = QApplication([]), memory()
    tab, told = NetronTab(), list[object]()
    tab.resize(1200, 800)
    tab.show()
    begun = time.monotonic()
    tab.set_files(sys.argv[1], "")
    asked = 0.0
    while not (told and told[-1]) and time.monotonic() - begun < limit:
        app.processEvents()
        if tab.browser is not None and time.monotonic() - asked > _LOOK:
            asked = time.monotonic()
            tab.browser.page().runJavaScript(_DRAWN, 0, told.append)
        time.sleep(0.005)
    seconds = time.monotonic() - begun
    drawn = bool(told and told[-1])
    print(json.dumps({"drawn": drawn, "seconds": seconds, "mb": memory() - before}))
    tab.end()
    tab.close()


if __name__ == "__main__":
    main()
