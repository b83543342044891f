"""Scopes: collapse, open, split, first view."""

from __future__ import annotations

from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.graph import scope_split
from studio.graph.layout import rank as layout_rank
from studio.graph.scopes import Diagram, Outline, view


def picture(diagram: Diagram) -> list[str]:
    """The boxes, indented by frame."""
    lines = []
    for box in diagram.boxes:
        depth, at = 0, box.parent
        while at >= 0:
            depth, at = depth + 1, diagram.boxes[at].parent
        sign = {"scope": "+ ", "frame": "- ", "input": "> ", "output": "< "}.get(box.kind, "")
        lines.append("  " * depth + sign + box.title)
    return lines


def flows_down(diagram: Diagram) -> bool:
    above, below = layout_rank.adjacency(len(diagram.boxes), diagram.edges)
    return len(layout_rank.topological(above, below)) == len(diagram.boxes)


def test_collapsed(nets: ModuleType) -> None:
    assert picture(view(nets.residual((2, 2)), frozenset())) == [
        "> x", "Conv 7×7", "MaxPool", "+ layer1", "+ layer2", "GlobalAvgPool", "Flatten", "Gemm", "< t36",
    ]  # fmt: skip


def test_one_opened(nets: ModuleType) -> None:
    opened = frozenset({("layer2",), ("layer2", "0")})
    assert picture(view(nets.residual((2, 2)), opened)) == [
        "> x",
        "Conv 7×7",
        "MaxPool",
        "+ layer1",
        "- layer2",
        "  - layer2.0",
        "    Conv 3×3",
        "    Conv 3×3",
        "    Conv 1×1",
        "    Add",
        "  + layer2.1",
        "GlobalAvgPool",
        "Flatten",
        "Gemm",
        "< t36",
    ]


@pytest.mark.parametrize("name", ["residual", "unet", "dense"])
def test_first_view_is_neither_empty_nor_crowded(nets: ModuleType, name: str) -> None:
    outline = Outline(getattr(nets, name)())
    assert 15 <= outline.view(outline.initial()).shown <= 64


@pytest.mark.slow
@pytest.mark.parametrize("scoped", [True, False])
def test_many_equal_blocks_are_gathered(nets: ModuleType, scoped: bool) -> None:
    outline = Outline(nets.transformer(100, scoped=scoped))
    diagram = outline.view(outline.initial())
    assert 12 <= diagram.shown <= 64
    assert any(box.title in ("h.0 – 9", "block 1 – 10") for box in diagram.boxes)


def test_gathered_blocks_keep_their_own_names(nets: ModuleType) -> None:
    outline = Outline(nets.transformer(50))
    opened = frozenset({("h",), ("h", "8 – 15")})
    assert "h.9" in [box.title for box in outline.view(opened).boxes]


def test_every_node_is_in_one_box_at_any_depth(nets: ModuleType) -> None:
    facts = nets.transformer(3)
    outline = Outline(facts)
    for opened in (frozenset(), outline.initial(), outline.all_scopes()):
        boxes = outline.view(opened).boxes
        members = sorted(member for box in boxes if box.kind != "frame" for member in box.members)
        assert members == [node.index for node in facts.nodes]


def test_opened_scopes_show_a_node(nets: ModuleType) -> None:
    outline = Outline(nets.transformer(50))
    node = next(n.index for n in outline.facts.nodes if n.name == "/h/33/mlp/fc1/MatMul")
    boxes = outline.view(frozenset(outline.holding(node))).boxes
    assert [box.title for box in boxes if box.kind == "card" and node in box.members] == ["MatMul"]


def test_interleaved_scopes_are_split(nets: ModuleType) -> None:
    net = nets.Net("interleaved")
    x = "x"
    for turn in range(3):
        for scope in ("a", "b"):
            x = net.add("Exp", (scope,), x, name=f"{scope}{turn}")
            x = net.add("Log", (scope,), x, name=f"{scope}{turn} log")
    diagram = view(net.facts(x), frozenset())
    pieces = ["+ a (1)", "+ b (1)", "+ a (2)", "+ b (2)", "+ a (3)", "+ b (3)"]
    assert picture(diagram) == ["> x", *pieces, "< t11"]
    assert flows_down(diagram)


def test_convex_scopes_that_feed_each_other_are_split(nets: ModuleType) -> None:
    net = nets.Net("crossed")
    one = net.add("Exp", ("a",), "x")
    two = net.add("Exp", ("b",), "y")
    crossed = net.add("Log", ("a",), two), net.add("Log", ("b",), one)
    diagram = view(net.facts(net.add("Add", (), *crossed), ("x", "y")), frozenset())
    assert flows_down(diagram)
    assert sum(len(box.members) for box in diagram.boxes) == 5


@given(
    st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=60),
    st.lists(st.integers(0, 4), min_size=20, max_size=20),
)
def test_split_leaves_no_circle(pairs: list[tuple[int, int]], colours: list[int]) -> None:
    after: list[list[int]] = [[] for _ in range(20)]
    for a, b in pairs:
        if a != b:
            after[min(a, b)].append(max(a, b))
    groups = [[node for node in range(20) if colours[node] == colour] for colour in sorted(set(colours))]
    pieces = [piece for parts in scope_split.acyclic(groups, after) for piece in parts]
    assert sorted(node for piece in pieces for node in piece) == list(range(20))
    piece_of = {node: number for number, piece in enumerate(pieces) for node in piece}
    links = {(piece_of[a], piece_of[b]) for a in range(20) for b in after[a] if piece_of[a] != piece_of[b]}
    above, below = layout_rank.adjacency(len(pieces), sorted(links))
    assert len(layout_rank.topological(above, below)) == len(pieces)


def test_cyclic_nodes_end(nets: ModuleType) -> None:
    assert scope_split.acyclic([[0, 2], [1, 3]], [[1], [2], [3], [0]])


def test_hostile_depth_is_cut(nets: ModuleType) -> None:
    net = nets.Net("deep")
    x = "x"
    for depth in range(300):
        x = net.add("Exp", tuple("a" * depth), x)
    outline = Outline(net.facts(x))
    assert outline.view(outline.all_scopes()).shown == 302
