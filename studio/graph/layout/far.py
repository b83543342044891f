"""Lanes beside the drawing for lines so long that they would push everything else aside.

An attention mask that feeds every block of a deep network is one lane at the right edge, with a
branch to each block, instead of a kink in every rank.
"""

from __future__ import annotations

from collections.abc import Mapping

FAR = 64
Span = tuple[int, int]


def lanes(spans: Mapping[int, Span]) -> dict[int, int]:
    """A lane for each trunk, nearest first; `spans` are its first and last rank.

    Short ones stay inside, so that nested lines nest; lanes are shared where ranks do not meet.
    """
    taken: list[list[Span]] = []
    chosen = {}
    for trunk, (first, last) in sorted(spans.items(), key=lambda each: (each[1][1] - each[1][0], each[0])):
        for lane, others in enumerate(taken):  # noqa: B007
            if all(last < other[0] or other[1] < first for other in others):
                break
        else:
            lane = len(taken)
            taken.append([])
        taken[lane].append((first, last))
        chosen[trunk] = lane
    return chosen
