"""NNCF post-training quantization of an ONNX model. Variants: `fast`, `full` bias correction; `mixed` preset.

A variant may carry `+transformer`, which tells NNCF the kind of model, as its documentation asks.
"""

from __future__ import annotations

import nncf
import onnx
import peers_job


def quantize(job: peers_job.Job) -> None:
    name = peers_job.input_name(job.model)
    kind, _, model_type = job.variant.partition("+")
    samples = list(job.batches())
    dataset = nncf.Dataset(samples, lambda batch: {name: batch})
    done = nncf.quantize(
        onnx.load(job.model),
        dataset,
        preset=nncf.QuantizationPreset.MIXED if kind == "mixed" else None,
        subset_size=len(samples),
        fast_bias_correction=kind != "full",
        model_type=nncf.ModelType.TRANSFORMER if model_type else None,
    )
    onnx.save(done, job.out)


if __name__ == "__main__":
    peers_job.run(quantize)
