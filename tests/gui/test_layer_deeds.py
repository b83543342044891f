"""Lock, copy, paste and reset in the layer table, by its own actions."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from studio.gui.layers import track
from studio.gui.layers.model import Column
from studio.gui.main_window import MainWindow
from studio.recipe.settings import Settings
from tests.gui.as_text import picture


def _chosen(window: MainWindow, *names: str) -> None:
    window.page.layers.view.select(names)


@pytest.mark.slow
def test_settings_are_copied_from_one_layer_to_others(opened: MainWindow) -> None:
    session, doing = opened.bridge.session, opened.page.doing
    first, second, third = (layer.name for layer in session.facts.layers[1:4])
    opened.bridge.edit((first,), Settings(bits=4))
    _chosen(opened, first)
    doing.copy()
    assert QGuiApplication.clipboard().text() == 'trimtab-settings {"bits":4,"sparsity":0.0}'
    _chosen(opened, second, third)
    doing.paste()
    assert [session.plan().of(name).bits for name in (second, third)] == [4, 4]
    doing.original()
    assert [session.plan().of(name).bits for name in (first, second, third)] == [4, 32, 32]
    QGuiApplication.clipboard().setText("trimtab-settings {nonsense")
    doing.paste()
    assert session.plan().of(second).bits == 32


@pytest.mark.slow
def test_a_locked_layer_has_no_slider_and_no_preset_moves_it(opened: MainWindow, qtbot: QtBot) -> None:
    session, view, doing = opened.bridge.session, opened.page.layers.view, opened.page.doing
    first, second = (layer.name for layer in session.facts.layers[1:3])
    _chosen(opened, first)
    doing.lock()
    opened.bridge.apply_preset("int8")
    qtbot.waitUntil(lambda: view.source.rows[2].bits == 8)
    rows = {row.name: row for row in view.source.rows}
    assert (rows[first].bits, rows[second].bits) == (32, 8)
    assert not track.movable(rows[first], Column.BITS)
    lines = picture(view.source, (Column.NAME, Column.BITS)).splitlines()
    assert lines[2:4] == [f"{first} | FP32", f"{second} | INT8"]
    assert "Locked" in view.source.index(1, Column.NAME).data(3)
    doing.lock()
    assert session.recipe.locks == ()


@pytest.mark.slow
def test_a_preset_for_the_chosen_layers(opened: MainWindow) -> None:
    session, doing = opened.bridge.session, opened.page.doing
    first, second = (layer.name for layer in session.facts.layers[1:3])
    _chosen(opened, first)
    doing.as_preset("w4a8")
    assert [session.plan().of(name).bits for name in (first, second)] == [4, 32]
    assert [action.text() for action in doing.menu().actions()][-1] == "As in a preset"
