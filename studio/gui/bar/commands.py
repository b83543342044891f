"""What the palette offers: the verbs that can be done now, the presets, the targets, the layers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from studio.gui.bar.palette import Entry
from studio.gui.bar.targets import words
from studio.gui.texts.texts import T
from studio.recipe import presets

if TYPE_CHECKING:
    from studio.gui.main_window import MainWindow


def entries(window: MainWindow) -> Iterator[Entry]:
    """Verbs first, in the order of their table; greyed ones are left out."""
    for action in window.actions_.all():
        if action.isEnabled() and action is not window.actions_["palette"]:
            yield Entry(action.text(), action.shortcut().toString(), action.trigger)
    if window.bridge.session.document is None:
        return
    for name in presets.names():
        yield Entry(name, T.presets, partial(window.bridge.apply_preset, name))
    for each in window.bridge.session.targets():
        yield Entry(words(each), T.target, partial(window.bridge.set_target, each.key))
    for layer in window.bridge.session.facts.layers:
        yield Entry(layer.name, T.palette_layer, partial(_go_to, window, layer.name))


def _go_to(window: MainWindow, name: str) -> None:
    page = window.page
    page.layers.search.clear()
    page.layers.view.select((name,))
    page.graph.reveal(name)
    page.selection.choose((name,))
    page.layers.view.setFocus()
