"""AIMET on ONNX: BatchNorm folding, cross-layer equalization, min-max encodings per channel, QDQ export.

The variant is the width of the weights, 8 or 4.
"""

from __future__ import annotations

from pathlib import Path

import aimet_onnx
import onnx
import peers_job
from aimet_onnx.cross_layer_equalization import equalize_model
from aimet_onnx.quantsim import QuantizationSimModel


def quantize(job: peers_job.Job) -> None:
    name = peers_job.input_name(job.model)
    model = onnx.load(job.model)
    equalize_model(model)
    config = (
        Path(aimet_onnx.__file__).parent / "common" / "quantsim_config" / "default_config_per_channel.json"
    )
    sim = QuantizationSimModel(
        model,
        param_type=f"int{job.variant}",
        activation_type="int8",
        quant_scheme="min_max",
        config_file=str(config),
        providers=["CPUExecutionProvider"],
    )
    sim.compute_encodings([{name: batch} for batch in job.batches()])
    onnx.save(sim.to_onnx_qdq(export_int32_bias=True, prequantize_constants=True), job.out)


if __name__ == "__main__":
    peers_job.run(quantize)
