"""Ranks for a layered drawing: longest path, with slack pulled out of the nodes that only feed others."""

from __future__ import annotations

from collections.abc import Collection, Sequence

Link = tuple[int, int]


def adjacency(count: int, links: Sequence[Link]) -> tuple[list[list[int]], list[list[int]]]:
    """(`above`, `below`): for each of `count` nodes those it is fed by and those it feeds."""
    above: list[list[int]] = [[] for _ in range(count)]
    below: list[list[int]] = [[] for _ in range(count)]
    for source, end in links:
        below[source].append(end)
        above[end].append(source)
    return above, below


def topological(above: list[list[int]], below: list[list[int]]) -> list[int]:
    """Kahn's order, smallest rank first; nodes on a cycle or behind one are missing from it."""
    waiting = [len(each) for each in above]
    order = [node for node, count in enumerate(waiting) if not count]
    for node in order:
        for end in below[node]:
            waiting[end] -= 1
            if not waiting[end]:
                order.append(end)
    return order


def back_links(count: int, links: Sequence[Link]) -> set[int]:
    """Positions in `links` that close a cycle, found depth first; without them the graph has none."""
    leaving: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for position, (source, end) in enumerate(links):
        leaving[source].append((position, end))
    state, found = bytearray(count), set[int]()
    for start in range(count):
        if not state[start]:
            _search(start, leaving, state, found)
    return found


def _search(start: int, leaving: list[list[tuple[int, int]]], state: bytearray, found: set[int]) -> None:
    state[start] = 1
    stack = [(start, iter(leaving[start]))]
    while stack:
        node, rest = stack[-1]
        for position, end in rest:
            if state[end] == 1:
                found.add(position)
            elif not state[end]:
                state[end] = 1
                stack.append((end, iter(leaving[end])))
                break
        else:
            state[node] = 2
            stack.pop()


def ranks(
    above: list[list[int]],
    below: list[list[int]],
    top: Collection[int] = (),
    bottom: Collection[int] = (),
) -> list[int]:
    """A rank for each node of an acyclic graph, every link going to a greater one.

    `top` nodes get the first rank for themselves, `bottom` nodes the last.
    """
    order = topological(above, below)
    rank = [1 if top else 0] * len(above)
    for node in top:
        rank[node] = 0
    for node in order:
        for end in below[node]:
            rank[end] = max(rank[end], rank[node] + 1)
    _pull(order, above, below, rank, {*top, *bottom})
    if bottom:
        inner = [rank[node] for node in order if node not in bottom]
        last = max([max(inner, default=-1) + 1, *(rank[node] for node in bottom)])
        for node in bottom:
            rank[node] = last
    return rank


def _pull(
    order: list[int], above: list[list[int]], below: list[list[int]], rank: list[int], pinned: set[int]
) -> None:
    """Move nodes down to what they feed where that makes no line longer."""
    far = [max((rank[end] for end in ends), default=0) for ends in below]
    for node in reversed(order):
        if not below[node] or node in pinned:
            continue
        goal = min(rank[end] for end in below[node]) - 1
        if goal > rank[node] and all(far[source] >= goal for source in above[node]):
            rank[node] = goal
