"""One net on its walk from layer to layer, which a later build may take up where it stood."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from studio.compress.pruning.walk import State, Walk
from studio.compress.stamps import stamps
from studio.compress.work import Array
from studio.kept import KeptBytes

if TYPE_CHECKING:
    import onnx_ir as ir

Cut = tuple[Array, int]  # rows (G, places, K), and how many of the first places are to learn from
_KEPT = 1 << 28  # bytes of rows, and of states, that one cache holds


class Shelf:
    """What walks leave for later builds, by content: rows of float nets, and where rounded ones stood."""

    def __init__(self) -> None:
        self.rows: KeptBytes[Cut] = KeptBytes(_KEPT)
        self.states: KeptBytes[State] = KeptBytes(_KEPT)


class Side:
    """One of the nets on its walk; `stamps` tells what decides each tensor, by name."""

    def __init__(self, model: ir.Model, runs: list[dict[str, Array]], names: list[str]) -> None:
        self.stamps = stamps(model)
        self.names, self._turn = names, 0
        self._walk = Walk(model, runs, names)

    def upto(self, index: int) -> list[Array]:
        """What a layer takes in, run by run; every step that leads there is made in its turn."""
        for turn in range(self._turn, index):
            self._walk.upto(self.names[turn])
        self._turn = index + 1
        return self._walk.upto(self.names[index])

    def leave(self, key: str, index: int, values: list[Array], kept: KeptBytes[State]) -> None:
        """Keep where the walk stands, and the `values` that it has just told: that step is not made again."""
        state = {**self._walk.state(), self.names[index]: values}
        kept.put(key, state, sum(array.nbytes for arrays in state.values() for array in arrays))

    def resume(self, keys: Sequence[str], kept: KeptBytes[State]) -> None:
        """Go on from the last of the layers named by `keys` that some walk was left at."""
        for index in range(len(keys) - 1, self._turn - 1, -1):
            state = kept.find(keys[index])
            if state is not None:
                self._walk.resume(state, self.names[index:])
                self._turn = index
                return
