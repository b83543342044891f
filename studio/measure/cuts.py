"""Where a graph can be cut in two without a kernel noticing, and the activations kept at such cuts."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock
from typing import TYPE_CHECKING

from studio.measure.wiring import Wired, needed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BUDGET = 256 << 20
# onnxruntime fuses nothing across these outputs: codes, and what activations and pools give.
BORDERS = frozenset(
    {
        "QuantizeLinear",
        "Relu",
        "Clip",
        "MaxPool",
        "AveragePool",
        "GlobalAveragePool",
        "LayerNormalization",
        "Softmax",
    }
)
Place = tuple[bytes, str, int, int]


class CutCache:
    """Activations by (tensor's digest, data key, first sample, end), as the integers they are.

    At most `budget` bytes. What belongs to another cut than the newest goes first; the newest is
    never evicted for itself: what does not fit is not kept, and is run whole. Safe between threads.
    """

    def __init__(self, budget: int = BUDGET) -> None:
        self._kept: OrderedDict[Place, NDArray[np.generic]] = OrderedDict()
        self._budget, self._bytes = budget, 0
        self._newest: frozenset[bytes] = frozenset()
        self._lock = Lock()

    @property
    def used(self) -> int:
        """Bytes held now."""
        return self._bytes

    @property
    def budget(self) -> int:
        """Bytes that may be held."""
        return self._budget

    def begin(self, digests: frozenset[bytes]) -> None:
        """Make room for a cut of these tensors, where need be, at the cost of older ones."""
        with self._lock:
            self._newest = digests

    def holds(self, digest: bytes, data: str) -> bool:
        """Whether anything of this tensor is kept for this data."""
        with self._lock:
            return any(place[0] == digest and place[1] == data for place in self._kept)

    def known(self, data: str) -> frozenset[bytes]:
        """Digests of all tensors that are kept for this data."""
        with self._lock:
            return frozenset(place[0] for place in self._kept if place[1] == data)

    def get(self, place: Place) -> NDArray[np.generic] | None:
        with self._lock:
            return self._kept.get(place)

    def put(self, place: Place, array: NDArray[np.generic]) -> None:
        """Keep `array` as far as there is room."""
        with self._lock:
            if place in self._kept:
                return
            self._shrink(array.nbytes)
            if self._bytes + array.nbytes <= self._budget:
                self._kept[place] = array
                self._bytes += array.nbytes

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
            self._bytes = 0

    def _shrink(self, wanted: int) -> None:
        for place in [each for each in self._kept if each[0] not in self._newest]:
            if self._bytes + wanted <= self._budget:
                return
            self._bytes -= self._kept.pop(place).nbytes


def changed(wired: Wired, other: Wired) -> set[int]:
    """Nodes on the way from input to output whose value `other` does not have."""
    there = set(other.digests.values())
    return {
        index
        for name, index in wired.makers.items()
        if name not in wired.constants and wired.digests[name] not in there
    }


def border_before(wired: Wired, behind: set[int]) -> tuple[str, ...]:
    """The tensors to cut at so that all of `behind` lies behind the cut; () where none is left.

    The latest such cut that only goes through `BORDERS` and graph inputs.
    """
    inside = {wired.makers[name] for name in wired.outputs if name in wired.makers} | behind
    border: dict[str, None] = {}
    waiting = [name for index in sorted(inside) for name in wired.feeders(index)]
    while waiting:
        name = waiting.pop()
        maker = wired.makers.get(name)
        if maker in inside:
            continue
        if maker is None or wired.model.graph.node[maker].op_type in BORDERS:
            border[name] = None
            continue
        inside.add(maker)
        waiting.extend(wired.feeders(maker))
    return tuple(name for name in border if name in wired.makers and wired.makers[name] not in inside)


def earlier(wired: Wired, border: tuple[str, ...], sizes: Mapping[str, int], room: int) -> tuple[str, ...]:
    """The cheapest cut ahead of `border` that fits into `room` bytes per sample; () where none does.

    `sizes` holds bytes per sample of every possible border.
    """
    last = min((wired.makers[name] for name in border), default=0)
    running = _running(wired)
    tried = {border_before(wired, {i for i in running if i >= start}) for start in range(1, last)}
    costs = {cut: sum(sizes[name] for name in cut) for cut in tried if cut and all(n in sizes for n in cut)}
    fitting = [cut for cut, cost in costs.items() if cost <= room]
    return min(fitting, key=lambda cut: (costs[cut], len(needed(wired, wired.outputs, set(cut)))), default=())


def possible(wired: Wired) -> tuple[str, ...]:
    """Every tensor that a cut may go through."""
    return tuple(
        name
        for name, index in wired.makers.items()
        if name not in wired.constants and wired.model.graph.node[index].op_type in BORDERS
    )


def reachable(wired: Wired, known: frozenset[bytes]) -> tuple[str, ...]:
    """The kept tensors that are met first on the way back from the outputs; () where there are none."""
    found: dict[str, None] = {}
    seen: set[str] = set()
    waiting = list(wired.outputs)
    while waiting:
        name = waiting.pop()
        if name in seen or name in wired.constants:
            continue
        seen.add(name)
        if wired.digests[name] in known and name not in wired.outputs:
            found[name] = None
        elif name in wired.makers:
            waiting.extend(wired.feeders(wired.makers[name]))
    return tuple(found)


def _running(wired: Wired) -> list[int]:
    return sorted({index for name, index in wired.makers.items() if name not in wired.constants})
