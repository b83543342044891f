"""The layer table: what it shows as small text pictures, and sliders under mouse and keys."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QModelIndex, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from studio.artifact import Refusal
from studio.graph.model import Facts, GroupFact, LayerFact
from studio.gui.layers import track
from studio.gui.layers.columns import widths
from studio.gui.layers.model import Column, LayersModel
from studio.gui.layers.panel import LayersPanel
from studio.gui.layers.rows import Row, rows
from studio.gui.layers.view import LayersView
from studio.gui.looks.theme import Look
from studio.metrics import HERE, Figure, Sensitivity
from studio.predict import LayerTimes
from studio.recipe.resolve import resolve
from studio.recipe.settings import Recipe, Settings
from studio.target import load
from tests.gui.as_text import picture


def _layer(name: str, op: str, group: str, prunable: bool = True) -> LayerFact:
    shape = (16, 8, 3, 3) if op == "Conv" else (10, 16)
    params = 1152 if op == "Conv" else 160
    why = "" if prunable else "it feeds the output"
    return LayerFact(
        name, op, 0, f"{name}.w", None, shape, 0, 1, 1, params, params * 4, 1000, 32, group, prunable, why
    )


def _facts() -> Facts:
    layers = (_layer("a", "Conv", "g1"), _layer("b", "Conv", "g1"), _layer("head", "Gemm", "g2", False))
    groups = (
        GroupFact("g1", ("a", "b"), ("head",), 16, True),
        GroupFact("g2", ("head",), (), 10, False, "it feeds the output"),
    )
    return Facts(
        key="k",
        name="tiny",
        path="tiny.onnx",
        format="onnx",
        file_bytes=10_000,
        ir_version=10,
        opsets=(("", 18),),
        producer="",
        inputs=(),
        outputs=(),
        tensors=(),
        nodes=(),
        layers=layers,
        groups=groups,
    )


def _rows(recipe: Recipe = Recipe(), sensitivity: tuple[Sensitivity, ...] = ()) -> tuple[Row, ...]:  # noqa: B008
    facts, target = _facts(), load("onnxruntime-cpu")
    return rows(facts, resolve(recipe, facts, target, True), target, None, sensitivity)


def _picture(model: LayersModel) -> str:
    lines = [
        " | ".join(str(model.index(row, column).data()) for column in Column)
        for row in range(model.rowCount())
    ]
    return "\n".join(line.rstrip(" |") for line in lines)


def test_an_untouched_model_as_a_picture(look: Look) -> None:
    model = LayersModel()
    model.set_rows(_rows())
    assert _picture(model) == (
        "a | Conv | 1.15K | 4.61 KB → 4.61 KB | FP32 | 0 %\n"
        "b | Conv | 1.15K | 4.61 KB → 4.61 KB | FP32 | 0 %\n"
        "head | Gemm | 160 | 640 B → 640 B | FP32 | 0 %"
    )


def test_bits_and_group_sparsity_as_a_picture(look: Look) -> None:
    model = LayersModel()
    recipe = Recipe(default=Settings(bits=8)).with_rule("a", Settings(bits=4))
    effect = Sensitivity("g1", "bits=4", Figure(-1.25, "pp", 256, HERE, -2.0, -0.5), 20.0, 5000)
    model.set_rows(_rows(recipe.with_rule("g1", Settings(sparsity=0.5)), (effect,)))
    assert _picture(model) == (
        "a | Conv | 1.15K | 4.61 KB → 328 B | INT4 | 50 % | −1.25 pp\n"
        "b | Conv | 1.15K | 4.61 KB → 616 B | INT8 | 50 % | −1.25 pp\n"
        "head | Gemm | 160 | 640 B → 210 B | INT8 | 0 %"
    )


def test_a_refusal_is_told_in_place(look: Look) -> None:
    model = LayersModel()
    model.set_rows(_rows(Recipe().with_rule("head", Settings(sparsity=0.3, structure="channels"))))
    cell = model.index(2, Column.SPARSITY)
    assert "it feeds the output" in cell.data(Qt.ItemDataRole.ToolTipRole)
    assert "Refused" in cell.data(Qt.ItemDataRole.ToolTipRole)
    assert "head, sparsity 30 %" in cell.data(Qt.ItemDataRole.AccessibleTextRole)


def test_held_cells_ignore_the_echo_until_they_are_let_go(look: Look) -> None:
    model = LayersModel()
    model.set_rows(_rows())
    model.hold(["a"], bits=4)
    model.set_rows(_rows(Recipe().with_rule("a", Settings(bits=8))))
    assert model.index(0, Column.BITS).data() == "INT4"
    model.let_go()
    assert model.index(0, Column.BITS).data() == "INT8"


def test_only_changed_rows_are_drawn_again(look: Look) -> None:
    model, drawn = LayersModel(), []
    model.set_rows(_rows())
    model.dataChanged.connect(lambda first, last: drawn.append((first.row(), last.row())))
    model.set_rows(_rows(Recipe().with_rule("b", Settings(bits=8))))
    assert drawn == [(1, 1)]


@pytest.fixture
def panel(qtbot: QtBot, look: Look) -> LayersPanel:
    made = LayersPanel(look)
    qtbot.addWidget(made)
    made.resize(940, 300)
    made.set_rows(_rows())
    made.show()
    return made


def _listen(view: LayersView) -> list[tuple[tuple[str, ...], Settings, str]]:
    heard: list[tuple[tuple[str, ...], Settings, str]] = []
    view.edited.connect(lambda names, settings, drag: heard.append((names, settings, drag)))
    return heard


def _spot(view: LayersView, row: int, column: Column, share: float) -> QPoint:
    line = track.track(QRectF(view.visualRect(view.proxy.index(row, column))))
    return QPointF(line.left() + share * line.width(), line.center().y()).toPoint()


def _drag(view: LayersView, row: int, column: Column, *shares: float) -> None:
    port = view.viewport()
    QTest.mousePress(port, Qt.MouseButton.LeftButton, pos=_spot(view, row, column, shares[0]))
    for share in shares[1:]:
        QTest.mouseMove(port, _spot(view, row, column, share))
    QTest.mouseRelease(port, Qt.MouseButton.LeftButton, pos=_spot(view, row, column, shares[-1]))


def test_a_drag_is_one_token_and_stops_at_the_targets_widths(panel: LayersPanel) -> None:
    heard = _listen(panel.view)
    _drag(panel.view, 0, Column.BITS, 0.0, 0.23, 0.67)
    assert [settings.bits for _, settings, _ in heard] == [8, 4]
    assert {names for names, _, _ in heard} == {("a",)}
    tokens = {drag for _, _, drag in heard}
    assert len(tokens) == 1
    assert tokens != {""}
    _drag(panel.view, 0, Column.BITS, 0.0, 0.23)
    assert heard[-1][2] not in tokens


def test_a_press_that_moves_nothing_edits_nothing(panel: LayersPanel) -> None:
    heard = _listen(panel.view)
    _drag(panel.view, 0, Column.BITS, 0.0, 0.0)
    assert heard == []


def test_the_sparsity_slider_speaks_for_its_group(panel: LayersPanel) -> None:
    heard = _listen(panel.view)
    port = panel.view.viewport()
    QTest.mousePress(port, Qt.MouseButton.LeftButton, pos=_spot(panel.view, 0, Column.SPARSITY, 0.53))
    partner = panel.view.source.index(1, Column.SPARSITY)
    assert partner.data() == "50 %"
    QTest.mouseRelease(port, Qt.MouseButton.LeftButton, pos=_spot(panel.view, 0, Column.SPARSITY, 0.53))
    assert [(names, settings.sparsity) for names, settings, _ in heard] == [(("g1",), 0.5)]
    assert partner.data() == "0 %"


def test_an_edit_takes_all_selected_rows(panel: LayersPanel) -> None:
    heard = _listen(panel.view)
    panel.view.selectAll()
    _drag(panel.view, 1, Column.BITS, 0.23)
    assert heard[0][0] == ("a", "b", "head")
    assert panel.view.names() == ("a", "b", "head")


def test_arrow_keys_step_the_slider(panel: LayersPanel) -> None:
    heard = _listen(panel.view)
    panel.view.setCurrentIndex(panel.view.proxy.index(0, Column.BITS))
    QTest.keyClick(panel.view, Qt.Key.Key_Right)
    panel.view.setCurrentIndex(panel.view.proxy.index(0, Column.SPARSITY))
    QTest.keyClick(panel.view, Qt.Key.Key_Right)
    QTest.keyClick(panel.view, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    given = [settings.given() for _, settings, _ in heard]
    assert given == [{"bits": 16}, {"sparsity": 0.05}, {"sparsity": 0.01}]
    assert {drag for _, _, drag in heard} == {""}


def test_search_finds_name_op_and_group(panel: LayersPanel) -> None:
    shown = panel.view.proxy.rowCount
    panel.search.setText("gemm")
    assert shown() == 1
    panel.search.setText("g1 conv")
    assert shown() == 2
    assert panel.remark.text() == "2 of 3"
    panel.search.setText("nothing such")
    assert shown() == 0
    panel.search.clear()
    assert shown() == 3


def test_sorting_goes_by_values_not_by_text(panel: LayersPanel) -> None:
    panel.view.sortByColumn(Column.PARAMS, Qt.SortOrder.AscendingOrder)
    first = panel.view.proxy.index(0, Column.NAME)
    assert first.data() == "head"


def test_selecting_from_outside_is_not_told(panel: LayersPanel) -> None:
    heard: list[object] = []
    panel.view.chosen.connect(heard.append)
    panel.view.select(("b",))
    assert panel.view.names() == ("b",)
    assert panel.view.painter_of_rows.lit == {"a", "b"}
    assert heard == []


@pytest.mark.parametrize(
    ("room", "effects", "hidden"),
    [
        (620, False, {Column.OP, Column.PARAMS, Column.EFFECT, Column.SQNR, Column.TIME}),
        (620, True, {Column.OP, Column.PARAMS, Column.EFFECT, Column.SQNR, Column.TIME}),
        (880, False, {Column.EFFECT, Column.SQNR, Column.TIME}),
        (880, True, {Column.SQNR, Column.TIME}),
        (1500, True, {Column.SQNR, Column.TIME}),
    ],
)
def test_columns_share_the_room(room: int, effects: bool, hidden: set[Column]) -> None:
    made = widths(room, 208, effects)
    assert {column for column, width in made.items() if not width} == hidden
    assert sum(made.values()) == room
    assert made[Column.SPARSITY] >= 132
    assert made[Column.NAME] >= 150


def test_a_layer_that_8_bits_slow_on_the_board_is_red_and_has_a_sign(panel: LayersPanel) -> None:
    facts, target = _facts(), load("onnxruntime-cpu")
    times = LayerTimes("a", 0.2, 0.08), LayerTimes("b", 0.02, 0.023), LayerTimes("head", 0.1, 0.131)
    made = rows(facts, resolve(Recipe(), facts, target, True), target, times=times, timed_on="pi")
    assert [row.likely_ms for row in made] == [0.2, 0.02, 0.1]
    panel.set_rows(made)
    columns = Column.NAME, Column.TIME
    assert picture(panel.view.source, columns) == (
        "Layer | Float → 8 bits, ms\na | 0.200 → 0.080\nb | 0.020 → 0.023\nhead | 0.100 → 0.131 ⚠"
    )
    head = panel.view.source.index(2, Column.TIME)
    assert "Slower at 8 bits" in head.data(Qt.ItemDataRole.ToolTipRole)
    assert "on pi" in head.data(Qt.ItemDataRole.ToolTipRole)
    assert _has_ink(panel, head, panel.view.painter_of_rows.look.theme.bad)
    assert not _has_ink(panel, head.siblingAtRow(1), panel.view.painter_of_rows.look.theme.bad)


def _has_ink(panel: LayersPanel, index: QModelIndex, colour: str) -> bool:
    panel.resize(1400, 300)
    panel.show()
    place = panel.view.visualRect(panel.view.proxy.mapFromSource(index))
    image = panel.view.viewport().grab(place).toImage()
    wanted = QColor(colour)
    return any(image.pixelColor(x, y) == wanted for x in range(image.width()) for y in range(image.height()))


def test_a_refusal_says_what_was_given() -> None:
    assert str(Refusal("bits", "1", "2", "too few")) == "bits 1 → 2: too few"
