"""x and y for the boxes and lines of a deep, narrow graph: layered drawing after Sugiyama.

Ranks by longest path with slack pull (`rank`), lines that leave one source share their way
and sit in narrow lanes (`order`), Brandes and Köpf places with real widths
(`place`), one cubic per bend. Equal input gives equal output; cycles are drawn with their
closing line going up.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from studio.control import Control
from studio.graph.layout import order as layout_order
from studio.graph.layout import place as layout_place
from studio.graph.layout import rank as layout_rank
from studio.graph.layout.route import Drawing, Layout, Link, Node, Spacing, Ways

__all__ = ["Layout", "Link", "Node", "Spacing", "layout", "place"]


def layout(
    sizes: Sequence[tuple[float, float]], edges: Sequence[tuple[int, int]], spacing: Spacing | None = None
) -> Layout:
    """Lay out boxes of `sizes` (width, height) joined by `edges` (source, end)."""
    nodes = [Node(width / 2, width / 2, height) for width, height in sizes]
    return place(nodes, [Link(source, end) for source, end in edges], spacing or Spacing())


def place(
    nodes: Sequence[Node],
    links: Sequence[Link],
    spacing: Spacing,
    top: Collection[int] = (),
    bottom: Collection[int] = (),
    control: Control | None = None,
) -> Layout:
    """Like `layout`, with axes, ports and ports that come first (`top`) or last (`bottom`).

    Ports are the last of `nodes`. Raises `Cancelled` once `control` is cancelled.
    """
    control = control or Control()
    pairs = [(link.source, link.end) for link in links]
    above, below = layout_rank.adjacency(len(nodes), pairs)
    turned: set[int] = set()
    if len(layout_rank.topological(above, below)) < len(nodes):
        turned = layout_rank.back_links(len(nodes), pairs)
        pairs = [(b, a) if i in turned else (a, b) for i, (a, b) in enumerate(pairs)]
        pairs = [(a, b) for a, b in pairs if a != b]
        above, below = layout_rank.adjacency(len(nodes), pairs)
    rank = layout_rank.ranks(above, below, top, bottom)
    ways = Ways(links, rank, turned)
    graph = layout_order.proper(rank, ways.trunks, len(nodes) - len(top) - len(bottom))
    control.check()
    layout_order.order(graph)
    control.check()
    left, right = _extents(graph, nodes, spacing)
    xs = layout_place.places(graph, left, right) if nodes else []
    control.check()
    return Drawing(nodes, spacing, graph, xs, ways).finish()


def _extents(
    graph: layout_order.Proper, nodes: Sequence[Node], spacing: Spacing
) -> tuple[list[float], list[float]]:
    lane = [spacing.lane / 2] * (len(graph.up) - graph.nodes)
    left = [node.left + spacing.beside / 2 for node in nodes]
    right = [node.right + spacing.beside / 2 for node in nodes]
    return left + lane, right + lane
