"""Reads what onnxruntime's profiler said of one-layer nets."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from studio.boards.table.nets import END, NULL
from studio.layer_times import Cost

# What `sed` on the board leaves of each kernel event: microseconds and the node's name.
FILTER = 's/.*"dur" *: *\\([0-9]*\\).*"name" *: *"\\([^"]*\\)_kernel_time".*/\\1 \\2/p'
_KEPT = 0.25
_NAME = re.compile(r"t(\d+)\.(\w+)")
_ENTRY, _CORE, _EXIT = range(3)


@dataclass
class _Pass:
    """One run through all nets: microseconds and nodes of each part of each layer."""

    null: float = 0.0
    times: dict[int, list[float]] = field(default_factory=lambda: defaultdict(lambda: [0.0, 0.0, 0.0]))
    nodes: dict[int, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0, 0]))

    def add(self, layer: int, part: int, times: Sequence[float]) -> None:
        self.times[layer][part] += sum(times)
        self.nodes[layer][part] += len(times)


def costs(rounds: Iterable[Iterable[str]], skip: int) -> dict[int, Cost]:
    """Cost by the layer's place in the list, from `MICROSECONDS NODE` lines in the order they were run.

    The first `skip` passes of each round warm up. Each part is the mean of its fastest quarter, as
    interruptions only ever add, less what the profiler itself costs a node.
    """
    passes = [each for lines in rounds for each in list(_passes(lines))[skip:]]
    if not passes:
        return {}
    null = _mean([each.null for each in passes])
    return {layer: _cost(passes, layer, null) for layer in passes[0].times}


def _cost(passes: Sequence[_Pass], layer: int, null: float) -> Cost:
    parts = []
    for part in (_CORE, _ENTRY, _EXIT):
        whole = _mean([each.times[layer][part] for each in passes])
        parts.append(max(whole - null * passes[0].nodes[layer][part], 0.0) / 1000)
    return Cost(*parts)


def _passes(lines: Iterable[str]) -> Iterator[_Pass]:
    """Nodes that fusion made have names of their own: they belong to the next layer that is named."""
    now, nameless = _Pass(), list[float]()
    for line in lines:
        text, _, name = line.partition(" ")
        if not text.isdecimal():
            continue
        time = float(text)
        found = _NAME.match(name)
        if name.startswith(END):
            yield now
            now, nameless = _Pass(), []
        elif name.startswith(NULL):
            now.null = time
        elif found is None:
            nameless.append(time)
        elif found[2] != "spread":
            _place(now, int(found[1]), found[2], time, nameless)
            nameless = []


def _place(now: _Pass, layer: int, part: str, time: float, before: Sequence[float]) -> None:
    if part == "enter":
        now.add(layer, _ENTRY, [*before, time])
    elif part == "leave":
        now.add(layer, _EXIT, [*before, time])
    elif part == "end":
        now.add(layer, _EXIT, before)
    else:
        # What comes before the kernel's first node brings its input into shape.
        now.add(layer, _CORE if now.nodes[layer][_CORE] else _ENTRY, before)
        now.add(layer, _CORE, [time])


def _mean(values: Sequence[float]) -> float:
    kept = sorted(values)[: max(round(len(values) * _KEPT), 1)]
    return sum(kept) / len(kept)
