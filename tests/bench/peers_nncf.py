"""NNCF post-training quantization of an ONNX model. Variants: `fast`, `full` bias correction; `mixed` preset.

A variant may carry `+transformer`, which tells NNCF the kind of model, as its documentation asks, and
`+reduced`: weights of 7 bits in all layers (its `overflow_fix`), meant for x86 without VNNI.
"""

from __future__ import annotations

import nncf
import onnx
import peers_job
from nncf.quantization.advanced_parameters import OverflowFix


def quantize(job: peers_job.Job) -> None:
    name = peers_job.input_name(job.model)
    kind, *more = job.variant.split("+")
    fix = OverflowFix.ENABLE if "reduced" in more else OverflowFix.FIRST_LAYER
    samples = list(job.batches())
    dataset = nncf.Dataset(samples, lambda batch: {name: batch})
    done = nncf.quantize(
        onnx.load(job.model),
        dataset,
        preset=nncf.QuantizationPreset.MIXED if kind == "mixed" else None,
        subset_size=len(samples),
        fast_bias_correction=kind != "full",
        model_type=nncf.ModelType.TRANSFORMER if "transformer" in more else None,
        advanced_parameters=nncf.AdvancedQuantizationParameters(overflow_fix=fix),
    )
    onnx.save(done, job.out)


if __name__ == "__main__":
    peers_job.run(quantize)
