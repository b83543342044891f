"""The layer table under scopes, as text pictures; sorting, searching and editing go on as they did."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QItemSelectionModel, QPointF, QRectF, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from studio.gui.layers import track
from studio.gui.layers.groups import Group, assigned
from studio.gui.layers.model import ROW, Column
from studio.gui.layers.order import Wish, lines
from studio.gui.layers.panel import LayersPanel
from studio.gui.layers.rows import Row
from studio.gui.looks.theme import Look
from studio.predict import LayerTimes
from studio.recipe.settings import Settings
from tests.gui.as_text import picture
from tests.gui.test_layers import _rows

_SHOWN = (Column.NAME, Column.PARAMS, Column.BYTES, Column.BITS)


def _layer(name: str, params: int, bits: int = 8) -> Row:
    row = _rows()[0]
    scope = tuple(name.split("/")[:-1])
    return replace(
        row, name=name, group=name, members=(name,), scope=scope, params=params, before=params * 4,
        after=params, bits=bits,
    )  # fmt: skip


_LAYERS = (
    _layer("stem/conv", 100),
    _layer("a/one/x/conv", 400),
    _layer("b/conv", 50),
    _layer("a/one/y/conv", 200, 4),
    _layer("b/fc", 1000),
)


@pytest.fixture
def panel(qtbot: QtBot, look: Look) -> LayersPanel:
    made = LayersPanel(look)
    qtbot.addWidget(made)
    made.resize(940, 400)
    made.set_rows(_LAYERS)
    made.show()
    made.grouping.click()
    return made


def test_a_layer_goes_to_the_innermost_scope_that_holds_another() -> None:
    expected = {"a/one/x/conv": "a/one", "a/one/y/conv": "a/one", "b/conv": "b", "b/fc": "b"}
    assert assigned(_LAYERS) == expected


def test_layers_stand_under_the_sums_of_their_scopes(panel: LayersPanel) -> None:
    assert picture(panel.view.proxy, _SHOWN) == (
        "Layer | Params | Bytes | Bits\n"
        "stem/conv | 100 | 400 B → 100 B | INT8\n"
        "▾ a/one (2) | 600 | 2.40 KB → 600 B | INT4–INT8\n"
        "a/one/x/conv | 400 | 1.60 KB → 400 B | INT8\n"
        "a/one/y/conv | 200 | 800 B → 200 B | INT4\n"
        "▾ b (2) | 1.05K | 4.20 KB → 1.05 KB | INT8\n"
        "b/conv | 50 | 200 B → 50 B | INT8\n"
        "b/fc | 1.00K | 4.00 KB → 1.00 KB | INT8"
    )
    head = panel.view.proxy.index(1, Column.NAME)
    assert head.data(Qt.ItemDataRole.AccessibleTextRole) == "a/one, 2 layers, open"
    panel.grouping.click()
    assert [line.partition(" ")[0] for line in picture(panel.view.proxy).splitlines()[1:]] == [
        row.name for row in _LAYERS
    ]


def test_scopes_are_sorted_by_their_sums_and_layers_within_them(panel: LayersPanel) -> None:
    panel.view.sortByColumn(Column.PARAMS, Qt.SortOrder.DescendingOrder)
    assert picture(panel.view.proxy, (Column.NAME,)).splitlines()[1:] == [
        "▾ b (2)",
        "b/fc",
        "b/conv",
        "▾ a/one (2)",
        "a/one/x/conv",
        "a/one/y/conv",
        "stem/conv",
    ]
    for column in Column:
        panel.view.sortByColumn(column, Qt.SortOrder.AscendingOrder)
        assert panel.view.proxy.rowCount() == 7
    panel.view.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
    assert panel.view.proxy.index(0, 0).data() == "stem/conv"


def test_a_scope_is_shut_by_click_and_key_and_a_search_looks_inside(panel: LayersPanel) -> None:
    view = panel.view
    place = view.visualRect(view.proxy.index(1, Column.NAME)).topLeft()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place + QPointF(10, 12).toPoint())
    assert view.proxy.rowCount() == 5
    assert view.proxy.index(1, 0).data() == "▸ a/one (2)"
    assert panel.remark.text() == "5"
    view.setCurrentIndex(view.proxy.index(2, Column.NAME))
    QTest.keyClick(view, Qt.Key.Key_Right)
    assert view.proxy.rowCount() == 5
    view.setCurrentIndex(view.proxy.index(1, Column.NAME))
    QTest.keyClick(view, Qt.Key.Key_Right)
    assert view.proxy.rowCount() == 7
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert view.proxy.rowCount() == 5
    panel.search.setText("y/conv")
    assert picture(view.proxy, (Column.NAME,)).splitlines()[1:] == ["▾ a/one (2)", "a/one/y/conv"]
    assert panel.remark.text() == "1 of 5"


def test_the_head_stands_for_its_layers(panel: LayersPanel) -> None:
    view, heard = panel.view, list[tuple[tuple[str, ...], Settings]]()
    view.edited.connect(lambda names, settings, _: heard.append((names, settings)))
    flag = QItemSelectionModel.SelectionFlag
    view.selectionModel().select(view.proxy.index(1, 0), flag.ClearAndSelect | flag.Rows)
    assert view.names() == ("a/one/x/conv", "a/one/y/conv")
    line = track.track(QRectF(view.visualRect(view.proxy.index(2, Column.BITS))))
    spot = QPointF(line.right(), line.center().y()).toPoint()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert heard[0][0] == ("a/one/x/conv", "a/one/y/conv")
    on_head = view.visualRect(view.proxy.index(1, Column.BITS)).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=on_head)
    assert len(heard) == 1


def test_what_is_selected_elsewhere_opens_its_scope(panel: LayersPanel) -> None:
    panel.view.proxy.open("a/one", False)
    panel.view.select(("a/one/y/conv",))
    assert panel.view.names() == ("a/one/y/conv",)
    assert panel.view.proxy.rowCount() == 7


def test_a_selection_outlives_sorting_and_grouping(panel: LayersPanel) -> None:
    panel.view.select(("b/fc",))
    panel.view.sortByColumn(Column.PARAMS, Qt.SortOrder.DescendingOrder)
    panel.grouping.click()
    assert panel.view.names() == ("b/fc",)


def test_sums_follow_the_layers(panel: LayersPanel) -> None:
    panel.set_rows((*_LAYERS[:3], replace(_LAYERS[3], bits=2, after=50), _LAYERS[4]))
    assert panel.view.proxy.index(1, Column.BITS).data() == "INT2–INT8"
    assert panel.view.proxy.index(1, Column.BYTES).data() == "2.40 KB → 450 B"


def test_times_add_up_where_all_are_known() -> None:
    timed = [replace(row, times=LayerTimes(row.name, 0.5, 0.25)) for row in _LAYERS[:2]]
    assert Group("s", tuple(timed)).times == LayerTimes("s", 1.0, 0.5)
    assert Group("s", (timed[0], _LAYERS[4])).times is None


def test_the_sign_is_drawn(panel: LayersPanel) -> None:
    view, theme = panel.view, panel.view.painter_of_rows.look.theme
    image = view.viewport().grab(view.visualRect(view.proxy.index(1, Column.NAME))).toImage()
    wanted = QColor(theme.muted)
    assert any(image.pixelColor(x, y) == wanted for x in range(24) for y in range(image.height()))
    assert isinstance(view.proxy.index(1, 0).data(ROW), Group)


def test_2500_layers_are_put_in_order_by_their_sums() -> None:
    rows = tuple(_layer(f"h/{place // 6}/fc{place}", place) for place in range(2500))
    found = lines(rows, assigned(rows), Wish(Column.PARAMS, falling=True, grouped=True))
    assert found[:3] == ["h/415", 2495, 2494]
    assert len(found) == 2500 + 417
