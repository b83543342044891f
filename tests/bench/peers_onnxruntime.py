"""onnxruntime.quantization, static QDQ: min-max ranges, U8S8, its own pre-processing first.

Variants: `channel`, `tensor` (8-bit weights), `int4` (QInt4 weights per channel), `dynamic`. `+reduced` keeps
weights to 7 bits, which its documentation asks for on x86 without VNNI.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import peers_job
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process


class Reader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime ships no types
    """One sample at a time, as its documentation shows."""

    def __init__(self, name: str, batches: Iterator[peers_job.Samples]) -> None:
        self._name, self._batches = name, batches

    def get_next(self) -> dict[str, peers_job.Samples] | None:
        batch = next(self._batches, None)
        return None if batch is None else {self._name: batch}


def quantize(job: peers_job.Job) -> None:
    kind, _, reduced = job.variant.partition("+")
    if kind == "dynamic":  # per channel, and after pre-processing, it stumbles over a transposed Gemm
        quantize_dynamic(str(job.model), str(job.out), reduce_range=True)
        return
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder, "prepared.onnx")
        quant_pre_process(str(job.model), str(prepared), skip_symbolic_shape=True)
        quantize_static(
            str(prepared),
            str(job.out),
            Reader(peers_job.input_name(job.model), job.batches()),
            quant_format=QuantFormat.QDQ,
            per_channel=kind != "tensor",
            reduce_range=bool(reduced),
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt4 if kind == "int4" else QuantType.QInt8,
        )


if __name__ == "__main__":
    peers_job.run(quantize)
