"""The Protocols of the rooms above: what an importer, exporter, pass, metric or link must offer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from studio.artifact import Artifact
from studio.control import Control
from studio.graph.model import Facts, Model
from studio.metrics import Comparison

if TYPE_CHECKING:
    import numpy as np

Batch = Mapping[str, "np.ndarray"]


@runtime_checkable
class Importer(Protocol):
    """Reads one kind of file into a Model. Bad files end in one `ModelError`, in bounded time and memory."""

    name: str
    suffixes: tuple[str, ...]

    def accepts(self, path: Path, head: bytes) -> bool:
        """Whether the file with these first bytes is of this kind."""
        ...

    def read(self, path: Path, control: Control) -> Model:
        """Read the file; raises `ModelError`."""
        ...


@runtime_checkable
class Exporter(Protocol):
    """Writes an artifact out, atomically and proven; raises `ExportError`."""

    name: str
    suffix: str

    def write(self, artifact: Artifact, out: Path, sample: Batch | None) -> str:
        """Write the file and return its sha256."""
        ...


class CalibrationSource(Protocol):
    """Samples to find ranges on. `key` names their content and order."""

    key: str

    def batches(self) -> Iterator[Batch]:
        """Batches of model inputs, each array (N, …) in the dtype that the model takes."""
        ...


class Dataset(Protocol):
    """Samples read lazily by index. Arrays have a leading sample axis."""

    def inputs(self, start: int, stop: int) -> Batch:
        """Model inputs for samples start..stop."""
        ...

    def labels(self, start: int, stop: int) -> np.ndarray | None:
        """int64 (N,) classes, int64 (N, …) masks or tokens, float (N, …) targets; None without labels."""
        ...

    def __len__(self) -> int: ...


class Metric(Protocol):
    """Folds batches of outputs into a comparison; works on any number of samples seen so far.

    What it keeps between batches is its own affair, so any task fits: counts (top-1), sums (regression),
    confusion per picture (mean IoU), surprise per text (perplexity), matched boxes with their scores
    (mean average precision). All figures are told so that a difference below 0 means worse, with an
    interval that is paired: both models saw the same samples.
    """

    name: str

    def add(
        self,
        original: tuple[np.ndarray, ...],
        optimized: tuple[np.ndarray, ...],
        labels: np.ndarray | None,
    ) -> None:
        """Take one batch of all outputs of both models, each (N, …), and what is known of the truth.

        `labels` has a leading sample axis: class numbers, targets, masks, padded boxes, next tokens.
        Samples come in order, starting at 0. Raises `MeasureError` or `DataError` where they do not fit.
        """
        ...

    def comparison(self, final: bool) -> Comparison:
        """The comparison over everything added so far: at least one batch. May be asked after every one."""
        ...


class Pass(Protocol):
    """One step from graph to graph; a failure names the pass and the layer."""

    name: str

    def requires(self, facts: Facts) -> str:
        """Why this pass cannot run on such a model, or "" where it can."""
        ...
