"""Layout: no overlaps, everything flows down, equal input gives equal output."""

from __future__ import annotations

from itertools import combinations, pairwise
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.graph.layout import order as layout_order
from studio.graph.layout.nested import arrange
from studio.graph.layout.route import Path
from studio.graph.layout.sugiyama import Layout, layout
from studio.graph.scopes import Diagram, Outline

Edges = list[tuple[int, int]]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[tuple[float, float]], Edges]:
    count = draw(st.integers(1, 24))
    sizes = draw(
        st.lists(
            st.tuples(st.sampled_from([40.0, 124.0, 188.0]), st.sampled_from([26.0, 38.0])),
            min_size=count,
            max_size=count,
        )
    )
    number = st.integers(0, count - 1)
    pairs = draw(st.lists(st.tuples(number, number), max_size=40))
    return sizes, sorted({(min(a, b), max(a, b)) for a, b in pairs if a != b})


def overlaps(made: Layout, boxes: list[int]) -> list[tuple[int, int]]:
    def meet(a: int, b: int) -> bool:
        ax, ay, aw, ah = made.boxes[a]
        bx, by, bw, bh = made.boxes[b]
        return ax < bx + bw and bx < ax + aw and ay < by + bh and by < ay + ah

    return [(a, b) for a, b in combinations(boxes, 2) if meet(a, b)]


def joins(path: Path, source: tuple[float, ...], end: tuple[float, ...]) -> bool:
    """Whether a path leaves from a box's lower edge and ends on the other's upper edge."""
    leaves = source[0] <= path[0] <= source[0] + source[2] and abs(path[1] - source[1] - source[3]) < 0.01
    enters = end[0] <= path[-2] <= end[0] + end[2] and abs(path[-1] - end[1]) < 0.01
    return leaves and enters


@pytest.mark.slow
@given(graphs())
@settings(max_examples=120, deadline=None)
def test_boxes_keep_apart_and_edges_go_down(graph: tuple[list[tuple[float, float]], Edges]) -> None:
    sizes, edges = graph
    made = layout(sizes, edges)
    assert not overlaps(made, list(range(len(sizes))))
    for (a, b), path in zip(edges, made.paths, strict=True):
        assert joins(path, made.boxes[a], made.boxes[b])
        assert all(y <= below for y, below in pairwise(path[1::2]))
    for x, y, width, height in made.boxes:
        assert -0.01 <= x <= x + width <= made.width + 0.01
        assert -0.01 <= y <= y + height <= made.height + 0.01


@pytest.mark.slow
@given(graphs())
@settings(max_examples=40, deadline=None)
def test_no_line_runs_through_a_box(graph: tuple[list[tuple[float, float]], Edges]) -> None:
    sizes, edges = graph
    made = layout(sizes, edges)
    for path in made.paths:
        points = list(zip(path[::2], path[1::2], strict=True))
        for (x, y), (to, below) in pairwise(points):
            if x == to:
                assert not [
                    box for box in made.boxes
                    if box[0] < x < box[0] + box[2] and y < box[1] + box[3] - 0.01 and below > box[1] + 0.01
                ]  # fmt: skip


@given(graphs())
@settings(max_examples=30, deadline=None)
def test_equal_input_gives_equal_output(graph: tuple[list[tuple[float, float]], Edges]) -> None:
    assert layout(*graph) == layout(*graph)


@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=40))
@settings(max_examples=60, deadline=None)
def test_cycles_and_loops_end(edges: Edges) -> None:
    made = layout([(60.0, 30.0)] * 12, edges)
    assert not overlaps(made, list(range(12)))
    assert len(made.paths) == len(edges)


def test_nothing() -> None:
    assert layout([], []).boxes == ()


def diagram_of(nets: ModuleType, name: str) -> Diagram:
    outline = Outline(getattr(nets, name)())
    return outline.view(outline.initial())


def arranged(diagram: Diagram, aspect: float | None) -> Layout:
    return arrange(
        diagram, [(124.0, 38.0 if box.kind != "frame" else 0.0) for box in diagram.boxes], None, aspect
    )


@pytest.mark.parametrize("aspect", [None, 1.4])
@pytest.mark.parametrize("name", ["residual", "unet", "dense"])
def test_frames_hold_their_boxes_and_nothing_else(nets: ModuleType, name: str, aspect: float | None) -> None:
    diagram = diagram_of(nets, name)
    made = arranged(diagram, aspect)
    for parent in {box.parent for box in diagram.boxes}:
        inside = [at for at, box in enumerate(diagram.boxes) if box.parent == parent]
        assert not overlaps(made, inside)
        if parent >= 0:
            x, y, width, height = made.boxes[parent]
            for at in inside:
                bx, by, bw, bh = made.boxes[at]
                assert x <= bx <= bx + bw <= x + width
                assert y <= by <= by + bh <= y + height


@pytest.mark.parametrize("aspect", [None, 1.4])
@pytest.mark.parametrize("name", ["residual", "unet", "dense"])
def test_paths_join_their_boxes_through_frames_and_columns(
    nets: ModuleType, name: str, aspect: float | None
) -> None:
    diagram = diagram_of(nets, name)
    made = arranged(diagram, aspect)
    for (source, end), path in zip(diagram.edges, made.paths, strict=True):
        assert joins(path, made.boxes[source], made.boxes[end])


def test_columns_bring_a_tall_drawing_into_shape(nets: ModuleType) -> None:
    diagram = diagram_of(nets, "residual")
    tall, folded = arranged(diagram, None), arranged(diagram, 1.4)
    assert tall.height / tall.width > 4
    assert folded.height / folded.width < 2


@pytest.mark.parametrize("name", ["residual", "transformer"])
def test_no_crossings(nets: ModuleType, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = nets.residual() if name == "residual" else nets.transformer(4)
    seen: list[bool] = []
    order = layout_order.order

    def watched(graph: layout_order.Proper) -> None:
        order(graph)
        seen.extend(graph.clean)

    monkeypatch.setattr(layout_order, "order", watched)
    layout([(124.0, 38.0)] * len(facts.nodes), facts.edges)
    assert all(seen)


def test_spine_of_a_residual_network_is_straight(nets: ModuleType) -> None:
    facts = nets.transformer(6)
    made = layout([(124.0, 38.0)] * len(facts.nodes), facts.edges)
    blocks = [node for node in facts.nodes if node.scope[:1] == ("h",) and len(node.scope) == 2]
    sums = [node.index for node in blocks if node.op == "Add"]
    assert len(sums) == 12
    assert len({made.boxes[node][0] for node in sums}) == 1


def test_very_long_lines_take_one_lane_beside_the_drawing(nets: ModuleType) -> None:
    facts = nets.transformer(30, mask=True)
    names = {tensor.name: len(facts.nodes) + i for i, tensor in enumerate(facts.inputs)}
    edges = [*facts.edges]
    edges += [(names[name], node.index) for node in facts.nodes for name in node.inputs if name in names]
    made = layout([(124.0, 38.0)] * (len(facts.nodes) + 2), edges)
    assert made.width < 1000


@pytest.mark.slow
def test_twenty_thousand_nodes(nets: ModuleType) -> None:
    facts = nets.transformer(400)
    made = layout([(124.0, 38.0)] * len(facts.nodes), facts.edges)
    assert len(made.boxes) == len(facts.nodes)
