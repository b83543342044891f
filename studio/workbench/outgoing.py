"""Files that leave: exports, and golden samples for boards."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from studio.artifact import Artifact
from studio.control import Control
from studio.data.reference import DataRef
from studio.errors import DataError, ExportError, MeasureError
from studio.workbench.api import Candidate, Goldens, Job, ModelRef, Written
from studio.workbench.measuring import Measuring, digest

if TYPE_CHECKING:
    from studio.data.samples import Arrays

GOLDEN_SAMPLES = 32


class Outgoing(Measuring):
    """Writes what was measured."""

    def export(self, artifact: Artifact, out: str, job: Job, control: Control) -> Written:
        from studio.formats.onnx_out import export

        model = self._model(job.model, control)
        _spare_inputs(Path(out), job)
        control.step(0.1, "checking what will be written")
        sample = self._samples(model, job.data, 4, control)
        done = export(artifact, Path(out), sample)
        control.step(1.0, "written")
        return Written(str(done.path), done.sha256, done.bytes)

    def goldens(
        self, model: ModelRef, candidate: Candidate, data: DataRef | None, control: Control
    ) -> Goldens:
        from studio.boards.release.package import record_goldens
        from studio.formats.session_faults import faults

        inputs = self._need_samples(self._model(model, control), data, GOLDEN_SAMPLES, control)
        _demand_sample_axis(inputs)
        drawn = hashlib.sha256(b"".join(inputs[name].tobytes() for name in sorted(inputs))).hexdigest()
        name = f"{digest(Path(candidate.path))[:24]}-{drawn[:12]}.npz"
        try:
            path = record_goldens(self._made("goldens") / name, Path(candidate.path), inputs)
        except faults() as error:
            cause = f"it does not run on samples one by one ({' '.join(str(error).split())[:200]})"
            fix = "Export it with a free batch axis, or with one fixed batch for all inputs."
            raise MeasureError(Path(candidate.path).name, cause, fix) from error
        return Goldens(str(path), len(next(iter(inputs.values()))))


def _spare_inputs(out: Path, job: Job) -> None:
    """Never write over what was read."""
    for source in (job.model.path, job.data.path if job.data else ""):
        if source and out.exists() and Path(source).exists() and out.samefile(source):
            raise ExportError(str(out), "the model or its data is read from it", "Choose another path.")


def _demand_sample_axis(inputs: Arrays) -> None:
    count = max((len(array) for array in inputs.values() if array.ndim), default=0)
    for name, array in inputs.items():
        if not array.ndim or len(array) != count:
            cause = "it has no leading batch axis, so that it cannot be proved sample by sample"
            raise DataError(f"input {name!r}", cause, "Export the model with that input as a constant.")
