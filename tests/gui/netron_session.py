"""Open a model in the Netron tab, click a node, and print what came of it as JSON: run by test_netron.py.

python tests/gui/netron_session.py MODEL
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from studio.gui.netron.tab import NetronTab

_SIZE = "window.__view__ && window.__view__.target && window.__view__.target._table.size"
_CLICK = """
[...document.querySelectorAll('.node-item-type')].find((each) => each.textContent.startsWith('Relu'))
    .dispatchEvent(new MouseEvent('click', { bubbles: true }))
"""
_CHOSEN = "[...window.__view__.target.selection].map((each) => each.value.name).join()"
_NETWORK = "fetch('https://example.com').then(() => 1, () => 0)"


def wait(app: QApplication, until: Callable[[], bool], seconds: float = 120) -> bool:
    end = time.monotonic() + seconds
    while not until() and time.monotonic() < end:
        app.processEvents()
        time.sleep(0.02)
    return until()


def main() -> None:
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    app, tab = QApplication([]), NetronTab()
    picked: list[str] = []
    sizes: list[object] = []
    tab.picked.connect(picked.append)
    tab.resize(800, 600)
    tab.show()
    tab.set_files(sys.argv[1], "")
    browser = tab.browser
    assert browser is not None

    def drawn() -> bool:
        browser.page().runJavaScript(_SIZE, 0, sizes.append)
        return bool(sizes and sizes[-1])

    opened = wait(app, drawn)
    quiet = list(browser.fence.refused)
    browser.page().runJavaScript(_NETWORK, 0, lambda _: None)
    browser.page().runJavaScript(_CLICK, 0, lambda _: None)
    wait(app, lambda: bool(picked and browser.fence.refused), 60)
    chosen: list[object] = []
    tab.show_node("head/fc")

    def shown() -> bool:
        browser.page().runJavaScript(_CHOSEN, 0, chosen.append)
        return bool(chosen and chosen[-1] == "head/fc")

    wait(app, shown, 60)
    told = {"opened": opened, "quiet": quiet, "picked": picked, "refused": browser.fence.refused}
    print(json.dumps({**told, "found": chosen[-1] if chosen else ""}))
    tab.end()
    tab.close()


if __name__ == "__main__":
    main()
