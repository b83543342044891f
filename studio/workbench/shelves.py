"""What the workbench has open: models, data sets and what was made of them, keyed by content."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from studio.artifact import Artifact
from studio.control import Control
from studio.data.reference import DataRef
from studio.errors import DataError, ModelError, ProjectError
from studio.graph.model import Facts, Model
from studio.kept import Kept, stamp
from studio.paths import cache_dir
from studio.workbench.api import Candidate, Job, ModelRef
from studio.workbench.tuning import CUT_MEMORY

if TYPE_CHECKING:
    from studio.data.datasets import Dataset
    from studio.data.samples import Arrays, CalibrationSamples
    from studio.measure.sessions import SessionSource
    from studio.plugin.registry import Row
    from studio.stages import Importer


def fair_threads() -> int:
    """Threads inside one op where nothing else is said: one core stays free for the window."""
    return max((os.cpu_count() or 2) - 1, 1)


class Shelves:
    """`folder` takes built files (default: the user's cache); `threads` work inside one op (default: all
    cores but one, so that the rest of the computer stays usable). `cut_budget` bounds the bytes of
    activations kept ahead of a change; `tight` (points) ends measurements early, see `Tuning`.
    """

    def __init__(
        self,
        folder: Path | None = None,
        threads: int = 0,
        cut_budget: int = CUT_MEMORY,
        tight: float = 0.0,
    ) -> None:
        self._folder = folder
        self._cut_budget, self._tight = cut_budget, tight
        self._threads = threads or fair_threads()
        self._builds = 0
        self._reset()

    def _reset(self) -> None:
        from studio.compress.lending import Pool
        from studio.measure.live import Live
        from studio.measure.outputs import OutputCache

        self._plugins: tuple[Row, ...] | None = None
        self._models: Kept[Model] = Kept(2)
        self._stamps: Kept[tuple[int, int]] = Kept(8)
        self._datasets: Kept[Dataset] = Kept(3)
        self._built: Kept[Artifact] = Kept(256)
        self._passes = Pool()
        self._outputs = OutputCache()
        self._live = Live(self._cut_budget)

    def _importers(self) -> tuple[Importer, ...]:
        from studio.plugin.registry import importers, installed

        if self._plugins is None:
            self._plugins = installed()
        return importers(self._plugins)

    def open(self, path: str, control: Control) -> Facts:
        from studio.formats.onnx_in import open_model

        model = open_model(path, control, self._importers())
        self._models.put(model.facts.key, model)
        self._stamps.put(model.facts.key, stamp(Path(path)))
        return model.facts

    # What is kept.

    def _model(self, ref: ModelRef, control: Control) -> Model:
        """The model, read again where it is not kept; what is on disk must still be what was opened."""
        from studio.formats.onnx_in import open_model

        if self._stamps.find(ref.key) != stamp(Path(ref.path)):
            self._models.drop(ref.key)
        model = self._models.get(
            ref.key, lambda: open_model(ref.path, control.part(0.0, 0.0), self._importers())
        )
        if model.facts.key != ref.key:
            self._models.drop(ref.key)
            raise ModelError(ref.path, "the file has changed since it was opened", "Open it again.")
        self._stamps.put(ref.key, stamp(Path(ref.path)))
        return model

    def _dataset(self, ref: DataRef, facts: Facts, control: Control) -> Dataset:
        from studio.data.datasets import open_data

        key = (ref, facts.key, stamp(Path(ref.path)))
        return self._datasets.get(key, lambda: open_data(ref, facts, control))

    def _calibration(self, job: Job, facts: Facts, control: Control) -> CalibrationSamples | None:
        from studio.data.datasets import CalibrationSamples

        if job.data is None:
            return None
        dataset = self._dataset(job.data, facts, control)
        return CalibrationSamples(dataset, job.recipe.calibration_samples)

    def _original(self, model: Model) -> SessionSource:
        """The original as a file that onnxruntime opens: its own, or written once where it is none."""
        from studio.graph.onnx_edge import IR_MAX, OPSET_MAX, serialize
        from studio.measure.sessions import SessionSource

        facts = model.facts
        if facts.format == "onnx" and facts.ir_version <= IR_MAX and facts.opset <= OPSET_MAX:
            return SessionSource(facts.path, facts.key)
        path = self._made("originals") / f"{facts.key}.onnx"
        if not path.exists():
            from studio.files import write_atomic

            write_atomic(path, serialize(model.ir))
        return SessionSource(str(path), facts.key, Path(facts.path).name)

    def _source(self, candidate: Candidate, control: Control) -> SessionSource:
        """The candidate to run; a file from elsewhere is opened like any untrusted model first."""
        from studio.formats.onnx_in import open_model
        from studio.measure.sessions import built

        if candidate.artifact is not None:
            return built(candidate.artifact)
        key = ("file", candidate.path, stamp(Path(candidate.path)))
        return self._original(
            self._models.get(
                key, lambda: open_model(candidate.path, control.part(0.0, 0.0), self._importers())
            )
        )

    def _samples(self, model: Model, data: DataRef | None, count: int, control: Control) -> Arrays | None:
        """The first samples of the data; without data made-up ones, None where the model takes none."""
        from studio.measure.trial import made_up_for

        if data is None:
            return made_up_for(self._original(model), model.facts, count)
        dataset = self._dataset(data, model.facts, control)
        return dataset.inputs(0, min(count, len(dataset)))

    def _need_samples(self, model: Model, data: DataRef | None, count: int, control: Control) -> Arrays:
        samples = self._samples(model, data, count, control)
        if samples is None:
            cause = "it takes none of the samples that were made up for it"
            raise DataError(model.facts.path, cause, "Attach a data set.")
        return samples

    def _made(self, name: str) -> Path:
        folder = (self._folder or cache_dir()) / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            fix = "Make room there, or set TRIMTAB_HOME to a folder that can be written."
            raise ProjectError(str(folder), f"it cannot be made ({error.strerror})", fix) from error
        return folder
