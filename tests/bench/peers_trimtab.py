"""Our own passes as one more quantizer; the variant is a recipe in JSON."""

from __future__ import annotations

import shutil

import onnx  # noqa: F401  (imports are paid before the clock starts, as for every tool)
import onnx_ir.passes.common  # noqa: F401
import onnxruntime  # noqa: F401
import peers_job

from studio import target
from studio.compress.pipeline import build
from studio.control import Control
from studio.data.datasets import CalibrationSamples, open_data
from studio.data.reference import DataRef
from studio.formats.onnx_in import open_model
from studio.recipe.resolve import resolve
from studio.recipe.text import loads


def quantize(job: peers_job.Job) -> None:
    recipe = loads(job.variant)
    control = Control()
    model = open_model(job.model, control)
    data = open_data(DataRef(str(job.data)), model.facts, control)
    samples = CalibrationSamples(data, data.facts.calibration_n)
    plan = resolve(recipe, model.facts, target.load(recipe.target), True)
    folder = job.out.parent / "artifacts"
    artifact = build(model, plan, target.load(recipe.target), samples, folder, control, {})
    shutil.copyfile(artifact.path, job.out)


if __name__ == "__main__":
    peers_job.run(quantize)
