"""The one interface to heavy work. Requests and answers are frozen values: they cross processes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from studio.artifact import Artifact
from studio.control import Control
from studio.data.reference import DataFacts, DataRef
from studio.data.thumbnails import Thumbnail
from studio.doctor.findings import Diagnosis, Finding
from studio.graph.model import Facts
from studio.metrics import (
    ActivationView,
    CodedRange,
    Comparison,
    Figure,
    LatencyPair,
    LayerDrift,
    Prepared,
    SampleLook,
    Sensitivity,
    WeightView,
)
from studio.recipe.settings import Recipe
from studio.search.budgets import Wish
from studio.search.front import Found, Visited


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A model by path and content key: where the file has changed since, `ModelError` says so."""

    path: str
    key: str

    @classmethod
    def to(cls, facts: Facts) -> ModelRef:
        return cls(facts.path, facts.key)


@dataclass(frozen=True, slots=True)
class Job:
    """All that decides a result: the model, the recipe and the data, by reference."""

    model: ModelRef
    recipe: Recipe
    data: DataRef | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file held against the original: a built artifact, or any other ONNX file (`artifact` None)."""

    path: str
    artifact: Artifact | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One model on a data set. `metric` is that of `Comparison`."""

    metric: str
    figure: Figure
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was written and proven: opens in stock onnxruntime, equal outputs, equal sha256."""

    path: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Goldens:
    """Golden samples of an artifact: an .npz at `path` with its inputs and the outputs seen here."""

    path: str
    samples: int


class Workbench(Protocol):
    """Heavy work and its caches, keyed by content. Blocking; every verb may be called from any thread.

    All raise `StudioError` kinds, `Cancelled` once `control` is cancelled, and `WorkerError` where
    the work ran in a process that died. `emit` is called on the calling thread with results so far.
    """

    def open(self, path: str, control: Control) -> Facts:
        """Read a model file; raises `ModelError`."""
        ...

    def attach(self, model: ModelRef, data: DataRef, control: Control) -> DataFacts:
        """Open a data set and see that it fits the model; raises `DataError`."""
        ...

    def build(self, job: Job, control: Control) -> Artifact:
        """Build the artifact; the data's calibration part, where given, finds the ranges."""
        ...

    def prepare(self, job: Job, layers: tuple[str, ...], control: Control) -> Prepared:
        """Keep what flows into `layers`, so that `compare` after an edit of them runs the rest alone."""
        ...

    def compare(
        self,
        model: ModelRef,
        candidate: Candidate,
        data: DataRef,
        emit: Callable[[Comparison], None],
        control: Control,
    ) -> Comparison:
        """Run original and candidate on the same samples, streaming the paired comparison."""
        ...

    def evaluate(
        self, model: ModelRef, data: DataRef, emit: Callable[[Evaluation], None], control: Control
    ) -> Evaluation:
        """Run one model on the samples."""
        ...

    def drift(
        self, model: ModelRef, candidate: Candidate, data: DataRef, control: Control
    ) -> tuple[LayerDrift, ...]:
        """Per-layer signal to quantization-noise ratio of the candidate against the original."""
        ...

    def latency(
        self, model: ModelRef, candidate: Candidate, data: DataRef | None, control: Control
    ) -> LatencyPair:
        """Time candidate and original here, in turns, at batch 1 on one thread."""
        ...

    def sensitivity(
        self,
        job: Job,
        rounds: int,
        cluster: str,
        emit: Callable[[Sensitivity], None],
        control: Control,
    ) -> tuple[Sensitivity, ...]:
        """Effect of one setting on one group alone, in the first `rounds` of 3, finer each time.

        `cluster` is the address of a Dask scheduler whose workers build and measure ("": here).
        """
        ...

    def search(self, job: Job, wish: Wish, emit: Callable[[Visited], None], control: Control) -> Found:
        """The recipe that meets the budgets, or the nearest; `emit` gets every recipe measured.

        What was measured is kept by content: a search that broke off passes over it when run again.
        """
        ...

    def diagnose(self, job: Job, emit: Callable[[Finding], None], control: Control) -> Diagnosis:
        """Causes of a loss of accuracy, with fixes that were measured; `emit` gets each as it is proven."""
        ...

    def export(self, artifact: Artifact, out: str, job: Job, control: Control) -> Written:
        """Write the artifact to `out`, checked on the way; raises `ExportError`."""
        ...

    def goldens(
        self, model: ModelRef, candidate: Candidate, data: DataRef | None, control: Control
    ) -> Goldens:
        """Golden inputs, and what the candidate answers to them here, for the check on a board."""
        ...

    def kernels(self, path: str, control: Control) -> tuple[tuple[str, int], ...]:
        """Ops of the graph as onnxruntime optimized it, with how often each occurs."""
        ...

    def weights(self, job: Job, layer: str, control: Control) -> WeightView:
        """The weights of `layer` in the built file, beside those of the file built without compression.

        Raises `MeasureError` where they are no constants of it.
        """
        ...

    def activations(self, job: Job, layer: str, control: Control) -> ActivationView:
        """What `layer` gives out in the built file and in the original, on the first samples of the data.

        Raises `DataError` without data, `MeasureError` where the two cannot be held side by side.
        """
        ...

    def ranges(self, path: str, control: Control) -> tuple[CodedRange, ...]:
        """What the tensors of a built file can hold that are codes, by name."""
        ...

    def thumbnails(
        self, model: ModelRef, data: DataRef, samples: tuple[int, ...], control: Control
    ) -> tuple[Thumbnail, ...]:
        """Pictures of these samples; none for samples that are no pictures."""
        ...

    def look(self, model: ModelRef, data: DataRef, samples: tuple[int, ...], control: Control) -> SampleLook:
        """What the model itself answers to these samples."""
        ...

    def close(self) -> None:
        """Let go of everything held; further calls start afresh."""
        ...
