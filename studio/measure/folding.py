"""Constants made ready: what onnxruntime folds whenever it opens a file is folded once, and kept by content.

Unpacked weights, widened scales and products of scales take half of the time in which a small net opens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.errors import MeasureError
from studio.kept import KeptBytes
from studio.measure.sessions import Runner, SessionSource, open_session
from studio.measure.wiring import Wired, submodel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST = 128 << 20
_LEFT = frozenset({"DequantizeLinear", "QuantizeLinear"})  # what integer kernels are made of


class Folded:
    """Values of constants by their digest, at most `most` bytes. Safe between threads."""

    def __init__(self, most: int = MOST) -> None:
        self._kept: KeptBytes[NDArray[np.generic]] = KeptBytes(most)

    def learn(self, source: SessionSource, wired: Wired) -> None:
        """Fold what is not known yet; a file that onnxruntime cannot fold so is left as it is."""
        names = [name for name in foldable(wired) if self._kept.find(wired.digests[name]) is None]
        if not names:
            return
        try:
            session = open_session(submodel(wired, [], names), 1, label=source.label)
            found = Runner(session, source.label, tuple(names)).run({})
        except MeasureError:
            return
        for name, array in zip(names, found, strict=True):
            self._kept.put(wired.digests[name], array, array.nbytes)

    def of(self, wired: Wired) -> dict[str, NDArray[np.generic]]:
        """The known ones among the constants of this file, by their names there."""
        found = {name: self._kept.find(wired.digests[name]) for name in foldable(wired)}
        return {name: array for name, array in found.items() if array is not None}


def foldable(wired: Wired) -> tuple[str, ...]:
    """Constants that nodes make of constants alone, where something else reads them."""
    graph = wired.model.graph
    made: set[str] = set()
    for node in graph.node:
        plain = all(name in made or name not in wired.makers for name in node.input)
        if plain and node.op_type not in _LEFT and all(name in wired.constants for name in node.output):
            made.update(node.output)
    read: dict[str, None] = {}
    for node in graph.node:
        if node.output[0] not in made:
            read.update(dict.fromkeys(name for name in node.input if name in made))
    return tuple(read)
