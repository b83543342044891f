"""The graph view with a real mouse and keyboard (offscreen)."""

from __future__ import annotations

from types import ModuleType

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.gui.graph.view import GraphView
from studio.gui.looks.theme import DARK, LIGHT, contrast
from studio.recipe.resolve import LayerPlan, Plan


def box(view: GraphView, title: str, subtitle: str = "") -> int:
    scene = view.shown.scene
    assert scene is not None
    return next(
        at
        for at, each in enumerate(scene.diagram.boxes)
        if each.title == title and each.subtitle.startswith(subtitle)
    )


def click(
    qtbot: QtBot, view: GraphView, at: int, key: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
) -> None:
    qtbot.mouseClick(view.canvas, Qt.MouseButton.LeftButton, key, view.canvas.place_of(at).toPoint())


def titles(view: GraphView) -> list[str]:
    scene = view.shown.scene
    assert scene is not None
    return [each.title for each in scene.diagram.boxes]


def colours(image: QImage) -> set[int]:
    return {image.pixel(x, y) for x in range(0, image.width(), 3) for y in range(0, image.height(), 3)}


def test_everything_is_seen_after_opening(view: GraphView) -> None:
    scene, canvas = view.shown.scene, view.canvas
    assert scene is not None
    seen = canvas.camera.to_screen(scene.bounds)
    assert canvas.rect().contains(seen.toAlignedRect())
    assert 15 <= scene.diagram.shown <= 64


def test_click_selects_a_layer(qtbot: QtBot, view: GraphView) -> None:
    with qtbot.waitSignal(view.selected) as sent:
        click(qtbot, view, box(view, "Conv 7×7"))
    assert sent.args == [("/conv1/Conv",)]


def test_click_beside_clears(qtbot: QtBot, view: GraphView) -> None:
    click(qtbot, view, box(view, "Conv 7×7"))
    with qtbot.waitSignal(view.selected) as sent:
        qtbot.mouseClick(view.canvas, Qt.MouseButton.LeftButton, pos=QPoint(2, 2))
    assert sent.args == [()]


def test_shift_and_control_add_and_take_away(qtbot: QtBot, view: GraphView) -> None:
    first, other = box(view, "Conv 7×7"), box(view, "Gemm")
    click(qtbot, view, first)
    click(qtbot, view, other, Qt.KeyboardModifier.ShiftModifier)
    assert view.shown.names == ("/conv1/Conv", "/fc/Gemm")
    click(qtbot, view, first, Qt.KeyboardModifier.ControlModifier)
    assert view.shown.names == ("/fc/Gemm",)


def test_selection_from_outside_is_not_sent_back(qtbot: QtBot, view: GraphView) -> None:
    with qtbot.assertNotEmitted(view.selected):
        view.set_selection(["/layer1/0/conv2/Conv"])
    assert len(view.shown.selected) == 1


def test_partners_of_the_group_are_marked(view: GraphView) -> None:
    view.set_selection(["/layer2/0/conv2/Conv"])
    scene = view.shown.scene
    assert scene is not None
    marked = {layer for at in view.shown.partners for layer in scene.diagram.boxes[at].layers}
    assert marked == {"/layer2/0/conv2/Conv", "/layer2/0/down/Conv", "/layer2/1/conv2/Conv"}


def test_double_click_opens_and_closes_in_place(qtbot: QtBot, view: GraphView) -> None:
    view.collapse_all()
    at = box(view, "layer2")
    before = view.canvas.place_of(at)
    qtbot.mouseDClick(view.canvas, Qt.MouseButton.LeftButton, pos=before.toPoint())
    assert "layer2.0" in titles(view)
    frame = box(view, "layer2")
    corner = view.canvas.camera.to_screen(view.canvas.camera_rect(frame)).topLeft()
    assert (corner - before).manhattanLength() < 250
    view.canvas.toggle.emit(frame)
    assert "layer2.0" not in titles(view)


def test_sign_of_a_scope_toggles_at_one_click(qtbot: QtBot, view: GraphView) -> None:
    view.collapse_all()
    rect = view.canvas.camera.to_screen(view.canvas.camera_rect(box(view, "layer1")))
    qtbot.mouseClick(view.canvas, Qt.MouseButton.LeftButton, pos=(rect.topLeft() + QPointF(10, 9)).toPoint())
    assert "layer1.0" in titles(view)


def test_arrows_travel_along_edges(qtbot: QtBot, view: GraphView) -> None:
    scene = view.shown.scene
    assert scene is not None
    walked = []
    for key in (Qt.Key.Key_Home, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up):
        qtbot.keyClick(view.canvas, key)
        assert view.shown.current is not None
        walked.append(scene.diagram.boxes[view.shown.current].title)
    assert walked == ["x", "Conv 7×7", "MaxPool", "Conv 3×3", "MaxPool"]


def test_arrows_travel_sideways(qtbot: QtBot, view: GraphView) -> None:
    view.set_selection(["/layer2/0/conv1/Conv"])
    qtbot.keyClick(view.canvas, Qt.Key.Key_Right)
    assert view.shown.names == ("/layer2/0/down/Conv",)
    qtbot.keyClick(view.canvas, Qt.Key.Key_Left)
    assert view.shown.names == ("/layer2/0/conv1/Conv",)


def test_enter_opens_and_backspace_closes(qtbot: QtBot, view: GraphView) -> None:
    view.collapse_all()
    view.canvas.pick.emit(box(view, "layer3"), False)
    qtbot.keyClick(view.canvas, Qt.Key.Key_Return)
    assert "layer3.0" in titles(view)
    view.canvas.pick.emit(box(view, "layer3.0"), False)
    qtbot.keyClick(view.canvas, Qt.Key.Key_Backspace)
    assert "layer3.0" not in titles(view)


def test_zoom_keys(qtbot: QtBot, view: GraphView) -> None:
    fitted = view.canvas.camera.scale
    qtbot.keyClick(view.canvas, Qt.Key.Key_Plus)
    assert view.canvas.camera.scale == pytest.approx(fitted * 1.25)
    qtbot.keyClick(view.canvas, Qt.Key.Key_Minus)
    qtbot.keyClick(view.canvas, Qt.Key.Key_Minus)
    assert view.canvas.camera.scale == pytest.approx(fitted / 1.25)
    qtbot.keyClick(view.canvas, Qt.Key.Key_0)
    assert view.canvas.camera.scale == pytest.approx(fitted)
    qtbot.keyClick(view.canvas, Qt.Key.Key_1)
    assert view.canvas.camera.scale == pytest.approx(1)


def test_zoom_to_selection(qtbot: QtBot, view: GraphView) -> None:
    view.set_selection(["/fc/Gemm"])
    qtbot.keyClick(view.canvas, Qt.Key.Key_F)
    middle = QPointF(view.canvas.rect().center())
    assert (view.canvas.place_of(box(view, "Gemm")) - middle).manhattanLength() < 20


def wheel(view: GraphView, place: QPointF, angle: int, key: Qt.KeyboardModifier) -> None:
    event = QWheelEvent(
        place, view.canvas.mapToGlobal(place), QPoint(), QPoint(0, angle), Qt.MouseButton.NoButton, key,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(view.canvas, event)


def test_wheel_pans_and_zooms_about_the_pointer(view: GraphView) -> None:
    place = QPointF(300, 200)
    under = view.canvas.camera.to_scene(place)
    wheel(view, place, 120, Qt.KeyboardModifier.ControlModifier)
    assert (view.canvas.camera.to_scene(place) - under).manhattanLength() < 0.01
    offset = view.canvas.camera.offset
    wheel(view, place, -120, Qt.KeyboardModifier.NoModifier)
    assert view.canvas.camera.offset.y() < offset.y()


def test_drag_pans_and_selects_nothing(qtbot: QtBot, view: GraphView) -> None:
    before = view.canvas.camera.offset
    qtbot.mousePress(view.canvas, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    for step in (110, 140, 180):
        qtbot.mouseMove(view.canvas, QPoint(step, 100))
    with qtbot.assertNotEmitted(view.selected):
        qtbot.mouseRelease(view.canvas, Qt.MouseButton.LeftButton, pos=QPoint(180, 100))
    assert view.canvas.camera.offset.x() == pytest.approx(before.x() + 80)


def test_search_finds_names_and_ops(qtbot: QtBot, view: GraphView) -> None:
    view.toolbar.field.setText("gemm")
    assert view.shown.found == {box(view, "Gemm")}
    assert view.toolbar.hits.text() == "1 found"
    view.toolbar.field.setText("layer3 conv2")
    assert len(view.shown.found) == 2
    qtbot.keyClick(view.toolbar.field, Qt.Key.Key_Return)
    assert view.shown.names == ("/layer3/0/conv2/Conv",)
    view.toolbar.field.setText("no such thing")
    assert view.toolbar.hits.text() == "nothing found"
    qtbot.keyClick(view.toolbar.field, Qt.Key.Key_Escape)
    assert not view.shown.found


def test_reveal_opens_the_scopes_around_a_layer(qtbot: QtBot, view: GraphView, nets: ModuleType) -> None:
    with qtbot.waitSignal(view.drawn):
        view.set_facts(nets.transformer(60))
    assert "fc1" not in titles(view)
    with qtbot.waitSignal(view.drawn):
        view.reveal("/h/33/mlp/fc1/MatMul")
    scene = view.shown.scene
    assert scene is not None
    chosen = [scene.diagram.boxes[at] for at in view.shown.selected]
    assert [(each.title, each.subtitle) for each in chosen] == [("MatMul", "fc1")]
    assert view.canvas.rect().contains(view.canvas.place_of(min(view.shown.selected)).toPoint())


def test_tool_tip_tells_shapes_and_escapes_names(view: GraphView, nets: ModuleType) -> None:
    net = nets.Net("hostile")
    view.set_facts(net.facts(net.add("Conv", (), "x", name="<img src=x>", params=9, group="g")))
    text = view.canvas.tip_at(view.canvas.place_of(box(view, "Conv")))
    assert "&lt;img" in text
    assert "<img" not in text
    assert "1×3×224×224 float" in text
    assert "1×1000 float" in text


def test_colour_by_figures(view: GraphView) -> None:
    for mode, expected in (("size", "9.47 KB"), ("macs", "464K"), ("bits", "32 bit")):
        view.set_mode(mode)
        assert view.shown.heat.text(box(view, "Conv 3×3", "conv1")).startswith(expected)
    view.set_mode("sensitivity")
    assert not view.shown.heat.values
    view.set_values("sensitivity", {"/conv1/Conv": 1.5, "/fc/Gemm": 0.1})
    assert view.shown.heat.fraction(box(view, "Conv 7×7")) == 1
    assert view.shown.heat.fraction(box(view, "Gemm")) == 0


def test_plan_shows_bits_and_sparsity(view: GraphView) -> None:
    row = LayerPlan("/conv1/Conv", "", 4, 32, 0.5, "channels", "channel", 32, True, "auto")
    before = view.canvas.grab().toImage()
    view.set_plan(Plan((row,), "minmax", 200, ()))
    view.set_mode("bits")
    assert view.shown.heat.text(box(view, "Conv 7×7")) == "4 bit"
    view.set_mode("op")
    assert view.canvas.grab().toImage() != before


@pytest.mark.slow
def test_draws_at_every_scale_in_both_themes(view: GraphView) -> None:
    for theme in (LIGHT, DARK):
        view.set_theme(theme)
        for scale in (2.0, 1.0, 0.6, 0.4, 0.2, 0.05):
            view.fit()
            view.canvas.zoom(scale / view.canvas.camera.scale)
            assert len(colours(view.canvas.grab().toImage())) > 3
        assert contrast(theme.text, theme.sunken) > 7


def test_empty_state_speaks(qtbot: QtBot) -> None:
    view = GraphView()
    qtbot.addWidget(view)
    view.resize(500, 400)
    view.show()
    assert "Drop a model" in view.canvas.accessibleDescription()
    assert len(colours(view.canvas.grab().toImage())) > 2
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Plus, Qt.Key.Key_0, Qt.Key.Key_F, Qt.Key.Key_Return):
        qtbot.keyClick(view.canvas, key)
    view.seek("conv")
    view.collapse_all()


def test_closing_the_model_empties_the_view(view: GraphView) -> None:
    view.set_selection(["/fc/Gemm"])
    view.set_facts(None)
    assert view.shown.scene is None
    assert not view.shown.selected


def test_names_for_assistive_technology(view: GraphView) -> None:
    assert view.canvas.accessibleName()
    assert "34 boxes for 69 nodes" in view.canvas.accessibleDescription()
    assert view.toolbar.field.accessibleName()
    assert view.toolbar.combo.accessibleName()
