"""The loop of a user of another quantizer, edit by edit: quantize, open a session, evaluate the same samples.

    python live_peer.py onnxruntime|nncf MODEL DATA SAMPLES CALIBRATION LAYER THREADS

Each line on stdin is an edit: `out` leaves LAYER in float, `in` quantizes it too. Each answer is a line of
JSON with milliseconds to the built file, the first 32 answers and all of them. Imports nothing of ours,
for NNCF lives in an environment of its own.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

FIRST, BATCH = 32, 256
Quantize = Callable[[list[str], Path], None]


def with_onnxruntime(model: Path, samples: NDArray[Any], folder: Path) -> Quantize:
    """quantize_static on a preprocessed model, per channel, as its documentation has it."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared = folder / "prepared.onnx"
    quant_pre_process(str(model), str(prepared), skip_symbolic_shape=True)
    name = _session(prepared).get_inputs()[0].name

    class Reader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime ships no types
        def __init__(self) -> None:
            self._left: Iterator[dict[str, Any]] = ({name: each[None]} for each in samples)

        def get_next(self) -> dict[str, Any] | None:
            return next(self._left, None)

    def quantize(left_out: list[str], out: Path) -> None:
        kinds = {"activation_type": QuantType.QUInt8, "weight_type": QuantType.QInt8}
        more: dict[str, Any] = {"quant_format": QuantFormat.QDQ, "per_channel": True, **kinds}
        quantize_static(str(prepared), str(out), Reader(), nodes_to_exclude=left_out, **more)

    return quantize


def with_nncf(model: Path, samples: NDArray[Any], folder: Path) -> Quantize:
    """nncf.quantize with its defaults."""
    import nncf
    import onnx

    name, loaded = _session(model).get_inputs()[0].name, onnx.load(model)

    def quantize(left_out: list[str], out: Path) -> None:
        dataset = nncf.Dataset([each[None] for each in samples], lambda sample: {name: sample})
        scope = nncf.IgnoredScope(names=left_out) if left_out else None
        onnx.save(nncf.quantize(loaded, dataset, subset_size=len(samples), ignored_scope=scope), out)

    return quantize


def edit(
    quantize: Quantize, left_out: list[str], x: NDArray[Any], folder: Path, threads: int
) -> dict[str, float]:
    began = perf_counter()
    quantize(left_out, folder / "made.onnx")
    built = perf_counter()
    session = _session(folder / "made.onnx", threads)
    name = session.get_inputs()[0].name
    session.run(None, {name: x[:FIRST]})
    first = perf_counter()
    for start in range(FIRST, len(x), BATCH):
        session.run(None, {name: x[start : start + BATCH]})
    times = {"built": built, "first": first, "all": perf_counter()}
    return {place: 1000 * (time - began) for place, time in times.items()}


def _session(path: Path, threads: int = 1) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def main() -> None:
    tool, model, data, count, calibration, layer, threads = sys.argv[1:]
    with np.load(data) as arrays, tempfile.TemporaryDirectory() as folder:
        x = arrays["x"][: int(count)].astype(np.float32)
        key = "x_calibration" if "x_calibration" in arrays else "x"
        samples = arrays[key][: int(calibration)].astype(np.float32)
        make = with_nncf if tool == "nncf" else with_onnxruntime
        quantize = make(Path(model), samples, Path(folder))
        for line in sys.stdin:
            left_out = [layer] if line.strip() == "out" else []
            told = edit(quantize, left_out, x, Path(folder), int(threads))
            print("\n" + json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
