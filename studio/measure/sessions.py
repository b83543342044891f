"""onnxruntime sessions with nothing left to chance: CPU, stated threads, no spinning, named failures."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from studio.artifact import Artifact
from studio.errors import MeasureError
from studio.processor import SPELLED_OUT
from studio.target import spelled_out

if TYPE_CHECKING:
    import onnx
    import onnxruntime as ort
    from numpy.typing import NDArray

Outputs = tuple["NDArray[np.generic]", ...]
FATAL_ONLY = 4
PIECE = 32  # samples at most
PIECES = 4  # of a batch, at least where it has so many samples
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SessionSource:
    """A model file to run and the key of its content, under which its outputs may be kept.

    `name` is what messages call it; the file's name where it is "". `spelled_out`: quantized ops are run
    as ONNX defines them, not by this processor's integer kernels, whose sums would overflow.
    """

    path: str
    key: str
    name: str = ""
    spelled_out: bool = False

    @property
    def label(self) -> str:
        return self.name or Path(self.path).name

    @property
    def way(self) -> str:
        """Tells outputs of the two ways of running apart, where they are kept."""
        return "spelled out" if self.spelled_out else ""


def built(artifact: Artifact, name: str = "") -> SessionSource:
    """A built file, to be run so that its outputs are those of its target's processor."""
    return SessionSource(artifact.path, artifact.sha256, name, spelled_out(artifact.target))


class Runner:
    """An open session that takes any number of samples, whatever batch its graph insists on.

    With `lanes`, batches are run in pieces, so many at a time: several small runs on one core each are
    quicker than one run on all of them, and stay in its caches. Pieces depend on the batch alone: figures
    are the same with any number of lanes.
    """

    def __init__(
        self, session: ort.InferenceSession, label: str, outputs: tuple[str, ...] = (), lanes: int = 0
    ) -> None:
        self._session, self._label, self._lanes = session, label, lanes
        self.inputs = tuple(each.name for each in session.get_inputs())
        self.outputs = outputs or tuple(each.name for each in session.get_outputs())
        self.fixed_batch = _fixed_batch(session)

    def run(self, batch: Mapping[str, NDArray[np.generic]]) -> Outputs:
        """All outputs for `batch` (arrays (N, …) by input name), each (N, …); raises `MeasureError`.

        A graph with a fixed batch is run piece by piece; the last piece is filled up by repeating
        its last sample, and what the filling gave is dropped.
        """
        feed = self._feed(batch)
        step = self.fixed_batch
        count = next((len(array) for array in feed.values() if np.ndim(array)), step)
        if not step:
            return self._in_pieces(feed, count)
        if count == step:
            return self._once(feed)
        parts = self._side_by_side(lambda start: self._padded(feed, start, step), range(0, count, step))
        return tuple(np.concatenate(column)[:count] for column in zip(*parts, strict=True))

    def _in_pieces(self, feed: dict[str, NDArray[np.generic]], count: int) -> Outputs:
        """The batch piece by piece; whole where an input or output is not by sample."""
        size = min(PIECE, -(-count // PIECES))
        if not self._lanes or size >= count or any(np.shape(each)[:1] != (count,) for each in feed.values()):
            return self._once(feed)
        cut = [slice(start, start + size) for start in range(0, count, size)]
        parts = self._side_by_side(
            lambda at: self._once({name: each[at] for name, each in feed.items()}), cut
        )
        wanted = [(len(range(count)[at]),) for at in cut]
        if any(np.shape(each)[:1] != long for part, long in zip(parts, wanted, strict=True) for each in part):
            self._lanes = 0
            return self._once(feed)
        return tuple(np.concatenate(column) for column in zip(*parts, strict=True))

    def _side_by_side(self, run: Callable[[T], Outputs], places: Sequence[T]) -> list[Outputs]:
        """What `run` gives at each place, in their order."""
        lanes = min(self._lanes, len(places))
        if lanes < 2:
            return [run(place) for place in places]
        with ThreadPoolExecutor(lanes, thread_name_prefix="lane") as pool:
            return list(pool.map(run, places))

    def _padded(self, feed: dict[str, NDArray[np.generic]], start: int, step: int) -> Outputs:
        piece = {name: array[start : start + step] for name, array in feed.items()}
        short = step - len(next(iter(piece.values())))
        if short:
            piece = {
                name: np.concatenate([array, array[-1:].repeat(short, axis=0)])
                for name, array in piece.items()
            }
        return self._once(piece)

    def _feed(self, batch: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
        missing = [name for name in self.inputs if name not in batch]
        if missing:
            cause = f"it takes an input {missing[0]!r} that the data does not give"
            raise MeasureError(self._label, cause, "Compare models with the same inputs.")
        return {name: batch[name] for name in self.inputs}

    def _once(self, feed: dict[str, NDArray[np.generic]]) -> Outputs:
        with _named(self._label, "run", "See that the data is prepared as for training."):
            return tuple(self._session.run(self.outputs, feed))


def open_session(
    model: str | bytes,
    threads: int = 1,
    *,
    label: str = "",
    optimized_to: str = "",
    folder: str = "",
    spelled_out: bool = False,
) -> ort.InferenceSession:
    """A CPU session on a file (path) or serialized model (bytes); raises `MeasureError`.

    `threads` work inside one op, ops run one after another, idle threads sleep. `optimized_to` is
    a path to write the optimized graph to, `folder` where a serialized model's external data lies.
    `spelled_out`: see `SessionSource`.
    """
    import onnxruntime as ort

    label = label or (Path(model).name if isinstance(model, str) else "model")
    options = ort.SessionOptions()
    options.intra_op_num_threads = max(threads, 1)
    options.inter_op_num_threads = 1
    options.log_severity_level = FATAL_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if optimized_to:
        options.optimized_model_filepath = optimized_to
    if folder:
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", folder)
    for name in SPELLED_OUT if spelled_out else ():
        options.add_session_config_entry(name, "1")
    with _named(label, "open", "Check the file with `trimtab inspect`."):
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def open_runner(source: SessionSource, threads: int = 1) -> Runner:
    """A runner on `source` with as many lanes as `threads`; raises `MeasureError`."""
    session = open_session(source.path, 1, label=source.label, spelled_out=source.spelled_out)
    return Runner(session, source.label, lanes=threads)


def kernels(path: str) -> dict[str, int]:
    """Ops of the graph as onnxruntime optimized it → how often each occurs, most frequent first.

    Subgraphs are counted too. Raises `MeasureError`.
    """
    import onnx

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "optimized.onnx")
        open_session(path, optimized_to=str(out), label=Path(path).name)
        graph = onnx.load(out, load_external_data=False).graph
    return dict(Counter(_ops(graph)).most_common())


def _ops(graph: onnx.GraphProto) -> Iterator[str]:
    for node in graph.node:
        yield node.op_type
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _ops(attribute.g)
            for each in attribute.graphs:
                yield from _ops(each)


def _fixed_batch(session: ort.InferenceSession) -> int:
    """The leading size that the inputs insist on; 0 where the batch is free or is another axis."""
    shapes = [each.shape for each in session.get_inputs() if each.shape]
    free = {shape[0] for shape in shapes if not isinstance(shape[0], int)}
    for shape in shapes:
        if isinstance(shape[0], int) and shape[0] > 0 and free.isdisjoint(shape[1:]):
            return int(shape[0])
    return 0


@contextmanager
def _named(label: str, verb: str, fix: str) -> Iterator[None]:
    try:
        yield
    except _runtime_errors() as error:
        first = str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
        raise MeasureError(label, f"onnxruntime could not {verb} it ({first})", fix) from error


@cache
def _runtime_errors() -> tuple[type[Exception], ...]:
    """onnxruntime's exceptions have no base class of their own; its wrapper adds ordinary ones."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    own = [each for each in vars(state).values() if isinstance(each, type) and issubclass(each, Exception)]
    return (*own, ValueError, RuntimeError, TypeError)
