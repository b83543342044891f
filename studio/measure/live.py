"""Run only what an edit changed: the part of a file behind a cut, from activations kept at the cut.

The same file and the same kernels as in a run of the whole: cuts go through codes and other places
that onnxruntime fuses nothing across, and every cut is proven on a few samples before it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from studio.measure.cuts import BUDGET, CutCache, border_before, changed, earlier, possible, reachable
from studio.measure.folding import Folded
from studio.measure.sessions import Outputs, Runner, SessionSource, open_runner, open_session
from studio.measure.taps import load_graph
from studio.measure.wiring import Wired, needed, submodel, wire

if TYPE_CHECKING:
    import numpy as np
    import onnx
    from numpy.typing import NDArray

    from studio.data.samples import Arrays

PROOF = 2
_WORTH = 0.95
Inputs = Callable[[], "Arrays"]


class RangeRunner(Protocol):
    """Runs a range of a data set's samples; `inputs` reads them where they are needed."""

    def run(self, start: int, stop: int, inputs: Inputs) -> Outputs: ...


class Whole:
    """Every range through the whole file."""

    def __init__(self, source: SessionSource, threads: int) -> None:
        self._source, self._threads = source, threads
        self._runner: Runner | None = None

    def run(self, start: int, stop: int, inputs: Inputs) -> Outputs:
        self._runner = self._runner or open_runner(self._source, self._threads)
        return self._runner.run(inputs())


class Split:
    """One file cut in two: what is kept at the cut is not run again, what is not is kept from now on."""

    def __init__(
        self, source: SessionSource, wired: Wired, cut: tuple[str, ...], live: Live, threads: int
    ) -> None:
        self._source, self._wired, self._cut = source, wired, cut
        self._cache, self._folded, self._threads = live.cache, live.folded, threads
        self._front: Runner | None = None
        self._back: Runner | None = None
        behind = needed(wired, wired.outputs, set(cut))
        taken = {name for index in behind for name in wired.feeders(index)}
        self._given = tuple(name for name in wired.inputs if name in taken)

    def run(self, start: int, stop: int, inputs: Inputs, data: str) -> Outputs | None:
        """The outputs of samples start..stop; None where this file cannot be cut there."""
        feed = self.activations(start, stop, inputs, data)
        if not _by_sample(feed, stop - start):
            return None
        given = inputs() if self._given else {}
        feed = {**feed, **{name: given[name] for name in self._given}}
        self._back = self._back or self._open_back(feed)
        return self._back.run(feed)

    def activations(self, start: int, stop: int, inputs: Inputs, data: str) -> Arrays:
        """What flows through the cut for samples start..stop, kept under `data` ("": not kept)."""
        places = {name: (self._wired.digests[name], data, start, stop) for name in self._cut}
        kept = {name: self._cache.get(place) for name, place in places.items()}
        found = {name: array for name, array in kept.items() if array is not None}
        if len(found) == len(self._cut):
            return found
        self._front = self._front or self._open_front()
        made = dict(zip(self._cut, self._front.run(inputs()), strict=True))
        for name, array in made.items() if data else ():
            self._cache.put(places[name], array)
        return made

    def _open_front(self) -> Runner:
        given = [value for value in self._wired.model.graph.input if value.name in self._wired.inputs]
        return self._open(submodel(self._wired, given, self._cut), self._cut)

    def _open_back(self, feed: Arrays) -> Runner:
        declared = {value.name: value for value in self._wired.model.graph.input}
        batch = _batch(self._wired)
        given = [declared.get(name) or _declared(name, array, batch) for name, array in feed.items()]
        part = submodel(self._wired, given, self._wired.outputs, self._folded.of(self._wired))
        return self._open(part, self._wired.outputs)

    def _open(self, part: bytes, outputs: tuple[str, ...]) -> Runner:
        label = self._source.label
        session = open_session(part, 1, label=label, spelled_out=self._source.spelled_out)
        return Runner(session, label, outputs, lanes=self._threads)


class Live:
    """Cuts of the files last run, by content. `budget` bounds the bytes of kept activations."""

    def __init__(self, budget: int = BUDGET) -> None:
        self.cache, self.folded = CutCache(budget), Folded()
        self._last: dict[str, Wired] = {}
        self._unfit: set[bytes] = set()

    def runner(self, source: SessionSource, data: str, threads: int) -> RangeRunner:
        """A runner for `source`: behind the best cut that is kept, or, where the file shares its first
        part with the one run before, behind a cut that is made on the way; else the whole file.
        """
        wired, data = wire(load_graph(source.path)), data + source.way
        if wired is None:
            return Whole(source, threads)
        before, self._last = self._last.get(data), {data: wired}
        cut = reachable(wired, self.cache.known(data) - self._unfit)
        if not cut and before is not None:
            cut = self._begin(wired, border_before(wired, changed(wired, before)))
        return Ranges(self, source, wired, cut, data, threads)

    def prepared(
        self, source: SessionSource, others: Sequence[str], few: Arrays, data: str, samples: int, threads: int
    ) -> Ranges | None:
        """A runner that keeps a cut ahead of all that the files `others` have otherwise than `source`.

        `few` are inputs to tell sizes by. None where no cut saves anything or fits into the budget.
        """
        wired, data = wire(load_graph(source.path)), data + source.way
        if wired is None:
            return None
        wirings = [wire(load_graph(path)) for path in others]
        behind = {index for each in wirings if each is not None for index in changed(wired, each)}
        self._last = {data: wired}
        cut = border_before(wired, behind) if behind else ()
        if cut:
            cut = self._fitting(source, wired, cut, few, self.cache.budget // max(samples, 1), threads)
        cut = self._begin(wired, cut)
        if not cut:
            return None
        self.folded.learn(source, wired)
        return Ranges(self, source, wired, cut, data, threads)

    def doubt(self, wired: Wired, cut: tuple[str, ...]) -> None:
        """Never cut there again: its outputs were not those of the whole."""
        self._unfit |= {wired.digests[name] for name in cut}

    def _fitting(
        self,
        source: SessionSource,
        wired: Wired,
        cut: tuple[str, ...],
        few: Arrays,
        room: int,
        threads: int,
    ) -> tuple[str, ...]:
        sizes = bytes_per_sample(source, wired, few, threads)
        return cut if sum(sizes[name] for name in cut) <= room else earlier(wired, cut, sizes, room)

    def _begin(self, wired: Wired, cut: tuple[str, ...]) -> tuple[str, ...]:
        """The cut, where it saves anything and is trusted."""
        digests = frozenset(wired.digests[name] for name in cut)
        if not cut or digests & self._unfit or share_behind(wired, cut) > _WORTH:
            return ()
        self.cache.begin(digests)
        return cut


class Ranges:
    """Ranges through a proven cut where there is one, else through the whole file."""

    def __init__(
        self, live: Live, source: SessionSource, wired: Wired, cut: tuple[str, ...], data: str, threads: int
    ) -> None:
        self._live, self.wired, self.cut, self._data = live, wired, cut, data
        self._whole = Whole(source, threads)
        self._split = Split(source, wired, cut, live, threads) if cut else None
        self._proven = all(live.cache.holds(wired.digests[name], data) for name in cut)

    def run(self, start: int, stop: int, inputs: Inputs) -> Outputs:
        split = self._trusted(inputs)
        found = split.run(start, stop, inputs, self._data) if split is not None else None
        return self._whole.run(start, stop, inputs) if found is None else found

    def keep(self, start: int, stop: int, inputs: Inputs) -> None:
        """Run up to the cut and keep what flows through it."""
        split = self._trusted(inputs)
        if split is not None:
            split.activations(start, stop, inputs, self._data)

    def _trusted(self, inputs: Inputs) -> Split | None:
        """The cut, once it gave the outputs of the whole, bit by bit, on a few samples; else None."""
        if self._split is not None and not self._proven:
            self._proven = True
            if not self._agrees(self._split, {name: array[:PROOF] for name, array in inputs().items()}):
                self._live.doubt(self.wired, self.cut)
                self._split, self.cut = None, ()
        return self._split

    def _agrees(self, split: Split, few: Arrays) -> bool:
        count = len(next(iter(few.values())))
        cut = split.run(0, count, lambda: few, "")
        whole = self._whole.run(0, count, lambda: few)
        return cut is not None and all(_equal(one, other) for one, other in zip(cut, whole, strict=True))


def share_behind(wired: Wired, cut: tuple[str, ...]) -> float:
    """Share of the running nodes that lie behind `cut`."""
    every = [index for index in range(len(wired.model.graph.node)) if wired.feeders(index)]
    behind = needed(wired, wired.outputs, set(cut))
    return len([index for index in behind if wired.feeders(index)]) / max(len(every), 1)


def bytes_per_sample(source: SessionSource, wired: Wired, few: Arrays, threads: int) -> dict[str, int]:
    """Bytes per sample of every tensor that a cut may go through, seen on `few` samples."""
    names = possible(wired)
    given = [value for value in wired.model.graph.input if value.name in wired.inputs]
    part = submodel(wired, given, names)
    session = open_session(part, threads, label=source.label, spelled_out=source.spelled_out)
    count = len(next(iter(few.values())))
    found = Runner(session, source.label, names).run(few)
    return {name: array.nbytes // count for name, array in zip(names, found, strict=True)}


def _by_sample(arrays: Arrays, count: int) -> bool:
    return all(array.ndim > 0 and len(array) == count for array in arrays.values())


def _batch(wired: Wired) -> int | str:
    """The leading dimension of the first graph input: a number where the graph insists on it."""
    first = next(value for value in wired.model.graph.input if value.name in wired.inputs)
    dims = first.type.tensor_type.shape.dim
    return int(dims[0].dim_value) if dims and dims[0].dim_value > 0 else "N"


def _declared(name: str, array: NDArray[np.generic], batch: int | str) -> onnx.ValueInfoProto:
    import onnx

    kind = onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
    return onnx.helper.make_tensor_value_info(name, kind, [batch, *array.shape[1:]])


def _equal(one: NDArray[np.generic], other: NDArray[np.generic]) -> bool:
    return one.shape == other.shape and one.tobytes() == other.tobytes()
