"""Split groups of nodes until the graph between the groups has no cycle."""

from __future__ import annotations

from collections.abc import Sequence

from studio.graph.layout import rank as layout_rank


def acyclic(groups: Sequence[list[int]], after: Sequence[Sequence[int]]) -> list[list[list[int]]]:
    """For each group the pieces that it must be split into; most stay one piece.

    `after[i]` lists what node i feeds. Groups that feed each other in a circle are cut where a
    schedule that stays inside a group as long as it can has to leave it: pieces then follow one
    another in that schedule, so no circle is left (unless the nodes themselves form one).
    """
    group_of = {node: number for number, group in enumerate(groups) for node in group}
    links = {
        (group_of[node], group_of[end])
        for node in group_of
        for end in after[node]
        if end in group_of and group_of[end] != group_of[node]
    }
    above, below = layout_rank.adjacency(len(groups), sorted(links))
    pieces = [[list(group)] for group in groups]
    if len(layout_rank.topological(above, below)) == len(groups):
        return pieces
    for ring in _rings(below):
        for number in ring:
            pieces[number] = []
        for number, run in _Schedule(ring, groups, group_of, after).runs():
            pieces[number].append(run)
    return pieces


def _rings(below: list[list[int]]) -> list[list[int]]:
    """Strongly connected components of more than one group (Tarjan 1972, without recursion)."""
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    open_: list[int] = []
    inside: set[int] = set()
    found = []
    for start in range(len(below)):
        stack = [(start, iter(below[start]))] if start not in index else []
        while stack:
            node, rest = stack[-1]
            if node not in index:
                index[node] = low[node] = len(index)
                open_.append(node)
                inside.add(node)
            for end in rest:
                if end not in index:
                    stack.append((end, iter(below[end])))
                    break
                if end in inside:
                    low[node] = min(low[node], index[end])
            else:
                stack.pop()
                if stack:
                    low[stack[-1][0]] = min(low[stack[-1][0]], low[node])
                if low[node] == index[node]:
                    ring = _cut(open_, inside, node)
                    if len(ring) > 1:
                        found.append(sorted(ring))
    return found


def _cut(open_: list[int], inside: set[int], node: int) -> list[int]:
    ring = []
    while True:
        top = open_.pop()
        inside.discard(top)
        ring.append(top)
        if top == node:
            return ring


class _Schedule:
    """An order of all nodes in a ring of groups that changes group as rarely as it can."""

    def __init__(
        self,
        ring: list[int],
        groups: Sequence[list[int]],
        group_of: dict[int, int],
        after: Sequence[Sequence[int]],
    ) -> None:
        self.group_of = group_of
        self.left = {node for number in ring for node in groups[number]}
        self.after = {node: [end for end in after[node] if end in self.left] for node in self.left}
        self.waiting = dict.fromkeys(self.left, 0)
        for ends in self.after.values():
            for end in ends:
                self.waiting[end] += 1
        self.ready: dict[int, list[int]] = {number: [] for number in ring}
        for node in sorted(self.left, reverse=True):
            if not self.waiting[node]:
                self.ready[group_of[node]].append(node)

    def runs(self) -> list[tuple[int, list[int]]]:
        """Runs (group, nodes) in that order."""
        found = []
        while self.left:
            open_ = [number for number, nodes in self.ready.items() if nodes]
            if not open_:  # the nodes themselves form a circle: cut it anywhere
                node = min(self.left)
                open_ = [self.group_of[node]]
                self.ready[open_[0]].append(node)
            number = min(open_, key=lambda each: min(self.ready[each]))
            run = self._run(self.ready[number])
            if run:
                found.append((number, sorted(run)))
        return found

    def _run(self, ready: list[int]) -> list[int]:
        run = []
        while ready:
            node = ready.pop()
            if node not in self.left:
                continue
            self.left.discard(node)
            run.append(node)
            for end in self.after[node]:
                self.waiting[end] -= 1
                if not self.waiting[end]:
                    self.ready[self.group_of[end]].append(end)
        return run
