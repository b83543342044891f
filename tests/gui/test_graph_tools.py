"""Tools of the graph: lasso, minimap, path of scopes, queries, light, pictures."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog, QToolButton
from pytestqt.qtbot import QtBot

from studio.gui.graph.query import Condition, Query
from studio.gui.graph.tips import tip
from studio.gui.graph.view import GraphView
from studio.metrics import CodedRange
from studio.recipe.resolve import LayerPlan, Plan

SHIFT = Qt.KeyboardModifier.ShiftModifier


def titles(view: GraphView, boxes: frozenset[int]) -> list[str]:
    """Text picture of some boxes."""
    scene = view.shown.scene
    assert scene is not None
    shown = [scene.diagram.boxes[at] for at in sorted(boxes)]
    return [f"{each.title} {each.subtitle}".strip() for each in shown]


def drag(qtbot: QtBot, view: GraphView, points: list[QPoint], key: Qt.KeyboardModifier) -> None:
    qtbot.mousePress(view.canvas, Qt.MouseButton.LeftButton, key, points[0])
    for point in points[1:]:
        qtbot.mouseMove(view.canvas, point)
    qtbot.mouseRelease(view.canvas, Qt.MouseButton.LeftButton, key, points[-1])


def around(view: GraphView, at: int) -> list[QPoint]:
    """A loop around a box on the canvas."""
    rect = view.canvas.camera.to_screen(view.canvas.camera_rect(at)).adjusted(-5, -5, 5, 5).toRect()
    return [rect.topLeft(), rect.topRight(), rect.bottomRight(), rect.bottomLeft(), rect.topLeft()]


def box(view: GraphView, title: str) -> int:
    scene = view.shown.scene
    assert scene is not None
    return next(at for at, each in enumerate(scene.diagram.boxes) if each.title == title)


def test_a_lasso_selects_what_it_encloses(qtbot: QtBot, view: GraphView) -> None:
    with qtbot.waitSignal(view.selected) as sent:
        drag(qtbot, view, around(view, box(view, "Conv 7×7")), SHIFT)
    assert sent.args == [("/conv1/Conv",)]
    assert view.shown.lasso is None
    drag(qtbot, view, around(view, box(view, "Gemm")), SHIFT)
    assert view.shown.names == ("/conv1/Conv", "/fc/Gemm")


def test_the_lasso_tool_needs_no_key_and_pans_nothing(qtbot: QtBot, view: GraphView) -> None:
    view.toolbar.catch.click()
    before = view.canvas.camera.place
    rect = view.canvas.rect().adjusted(1, 1, -1, -1)
    drag(
        qtbot,
        view,
        [rect.topLeft(), rect.topRight(), rect.bottomRight(), rect.bottomLeft()],
        Qt.KeyboardModifier(0),
    )
    assert view.canvas.camera.place == before
    assert len(view.shown.names) > 20
    view.toolbar.catch.click()
    drag(qtbot, view, [QPoint(50, 50), QPoint(90, 50)], Qt.KeyboardModifier(0))
    assert view.canvas.camera.place != before


def test_the_map_is_there_while_something_is_out_of_sight(qtbot: QtBot, view: GraphView) -> None:
    assert view.canvas.minimap.isHidden()
    view.canvas.zoom(3)
    assert view.canvas.minimap.isVisible()
    assert len(_colours(view.canvas.minimap.grab().toImage())) > 4
    before = view.canvas.camera.offset
    qtbot.mouseClick(view.canvas.minimap, Qt.MouseButton.LeftButton, pos=QPoint(8, 8))
    assert view.canvas.camera.offset != before
    seen = view.canvas.camera.seen(view.canvas.rect().toRectF())
    assert seen.contains(0, 0)
    view.fit()
    assert view.canvas.minimap.isHidden()


def _colours(image: QImage) -> set[int]:
    return {image.pixel(x, y) for x in range(image.width()) for y in range(image.height())}


@pytest.mark.slow
def test_the_path_leads_to_the_selection_and_back(qtbot: QtBot, view: GraphView) -> None:
    assert view.crumbs.texts() == ["residual"]
    view.set_selection(["/layer2/0/conv2/Conv"])
    assert view.crumbs.texts() == ["residual", "layer2", "layer2.0"]
    buttons = view.crumbs.findChildren(QToolButton)
    outer = next(each for each in buttons if each.text() == "layer2")
    outer.click()
    frame = view.canvas.camera.to_screen(view.canvas.camera_rect(box(view, "layer2")))
    middle = view.canvas.room().width() / 2
    assert frame.center().x() == pytest.approx(middle, abs=2)
    with qtbot.waitSignal(view.selected) as sent:
        view.crumbs.chose.emit(("layer2",))
    assert sent.args is not None
    assert len(sent.args[0]) == 5
    assert view.crumbs.texts() == ["residual", "layer2"]


QUERIES = {
    "Conv layer3": Query(("conv", "layer3")),
    "int8": Query((), (Condition("bits", "=", 8),)),
    "> 1 MB": Query((), (Condition("size", ">", 1e6),)),
    "conv >=1.5 KiB": Query(("conv",), (Condition("size", ">=", 1536),)),
    "bits<=4 attn": Query(("attn",), (Condition("bits", "<=", 4),)),
    "sparsity > 30%": Query((), (Condition("sparsity", ">", 0.3),)),
    "macs>2,5M fp16": Query((), (Condition("macs", ">", 2.5e6), Condition("bits", "=", 16))),
    "sqnr < 20": Query((), (Condition("sqnr", "<", 20),)),
    "a<b": Query(("a<b",)),
    "": Query(),
}


@pytest.mark.parametrize("text", QUERIES)
def test_queries_are_read(text: str) -> None:
    assert Query.read(text) == QUERIES[text]


@pytest.mark.slow
def test_queries_find_layers_by_their_figures(view: GraphView) -> None:
    view.set_plan(
        Plan((LayerPlan("/fc/Gemm", "", 8, 8, 0.0, "none", "channel", 32, True, "auto"),), "minmax", 200, ())
    )
    view.seek("int8")
    assert titles(view, view.shown.found) == ["Gemm fc"]
    view.seek("fp32 7×7")
    assert titles(view, view.shown.found) == ["Conv 7×7 conv1"]
    view.seek("> 500 kB conv2")
    assert titles(view, view.shown.found) == ["Conv 3×3 conv2", "Conv 3×3 conv2"]
    view.seek("sqnr<20")
    assert not view.shown.found
    view.set_values("sqnr", {"/fc/Gemm": 12.0, "/conv1/Conv": 40.0})
    view.seek("sqnr<20")
    assert titles(view, view.shown.found) == ["Gemm fc"]
    view.seek("x")
    assert "x 1×3×224×224" in titles(view, view.shown.found)


@pytest.mark.slow
def test_a_moving_slider_lights_the_whole_group(qtbot: QtBot, view: GraphView) -> None:
    dark = view.canvas.grab().toImage()
    view.light(("/layer2/0/conv2/Conv",))
    scene = view.shown.scene
    assert scene is not None
    assert {layer for at in view.shown.lit for layer in scene.diagram.boxes[at].layers} == {
        "/layer2/0/conv2/Conv",
        "/layer2/0/down/Conv",
        "/layer2/1/conv2/Conv",
    }
    assert view.canvas.grab().toImage() != dark
    qtbot.waitUntil(lambda: not view.shown.lit, timeout=5000)
    view.light(("layer2",))
    assert len(view.shown.lit) == 3


@pytest.mark.slow
def test_svg_keeps_texts_and_png_is_sharp(view: GraphView, tmp_path: Path) -> None:
    dialog = _ask(view, "svg")
    dialog.fileSelected.emit(str(tmp_path / "net.svg"))
    dialog.close()
    words = "".join(ElementTree.parse(tmp_path / "net.svg").getroot().itertext())
    assert "Conv 7×7" in words
    dialog = _ask(view, "png")
    dialog.fileSelected.emit(str(tmp_path / "net.png"))
    dialog.close()
    image, scene = QImage(str(tmp_path / "net.png")), view.shown.scene
    assert scene is not None
    assert image.width() == pytest.approx(2 * (scene.bounds.width() + 48), abs=3)
    view.toolbar.saved.emit("copy")
    assert QGuiApplication.clipboard().image().size() == image.size()


def _ask(view: GraphView, way: str) -> QFileDialog:
    view.toolbar.saved.emit(way)
    return view.findChildren(QFileDialog)[-1]


@pytest.mark.slow
def test_a_picture_that_cannot_be_written_is_told(qtbot: QtBot, view: GraphView, tmp_path: Path) -> None:
    for way in ("svg", "png"):
        dialog = _ask(view, way)
        with qtbot.waitSignal(view.failed) as sent:
            dialog.fileSelected.emit(str(tmp_path / "none" / f"net.{way}"))
        dialog.close()
        assert sent.args is not None
        assert f"net.{way}" in str(sent.args[0])


@pytest.mark.slow
def test_a_newer_model_cancels_the_layout_of_an_older_one(
    qtbot: QtBot, view: GraphView, nets: ModuleType
) -> None:
    view.set_facts(nets.transformer(150))
    assert view.shown.waiting
    assert view.canvas.grab().toImage().width() > 0
    view.set_facts(nets.unet())
    assert not view.shown.waiting
    qtbot.wait(300)
    assert view.shown.facts is not None
    assert view.shown.facts.name == "unet"
    assert view.shown.scene is not None
    assert view.shown.scene.diagram.shown < 40


@pytest.mark.slow
def test_big_layouts_leave_the_window_alone(qtbot: QtBot, view: GraphView, nets: ModuleType) -> None:
    turns = []
    timer = view.startTimer(5)
    view.timerEvent = lambda event: turns.append(event)  # type: ignore[method-assign]
    with qtbot.waitSignal(view.drawn, timeout=20_000):
        view.set_facts(nets.transformer(150))
    with qtbot.waitSignal(view.drawn, timeout=20_000):
        view.expand_all()
    view.killTimer(timer)
    assert len(turns) > 5
    scene = view.shown.scene
    assert scene is not None
    assert scene.diagram.shown > 5000


def test_tool_tips_tell_what_codes_can_hold(view: GraphView) -> None:
    assert view.shown.facts is not None
    node = next(each for each in view.shown.facts.nodes if each.op == "Conv")
    out = node.outputs[0]
    view.set_ranges({name: CodedRange(name, -1.25, 5.5, 256) for name in (out, *node.inputs)})
    assert view.shown.scene is not None
    box = view.shown.scene.diagram.boxes[view.shown.scene.box_of[node.index]]
    assert "−1.25 … 5.5, 256 levels" in tip(box, view.shown.facts, view.shown.figures)
