"""What every quantizer's subprocess shares: the job on the command line, time and memory told as JSON.

Runs in the project's environment and in the peers', so nothing but numpy is imported here.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[Any]


@dataclass(frozen=True)
class Job:
    """Quantize `model` as `variant` says, with the samples x_calibration of `data`, into `out`."""

    model: Path
    data: Path
    variant: str
    out: Path

    def samples(self) -> Samples:
        """Calibration samples (N, …), of the dtype that the model takes."""
        with np.load(self.data) as arrays:
            return np.asarray(arrays["x_calibration"])

    def batches(self, size: int = 1) -> Iterator[Samples]:
        """The samples in their order, `size` at a time."""
        samples = self.samples()
        for start in range(0, len(samples), size):
            yield samples[start : start + size]


def run(quantize: Callable[[Job], None]) -> None:
    """Do the job of the command line and print what it took as JSON in the last line.

    `seconds` runs from the model's file to the result's file, `cpu_seconds` is the processor time of it;
    imports are paid before. `peak_mb` is the
    process's peak resident memory, `base_mb` what it held before it began (imports alone).
    """
    parser = argparse.ArgumentParser()
    for name in ("model", "data", "variant", "out"):
        parser.add_argument(name, type=str if name == "variant" else Path)
    job = Job(**vars(parser.parse_args()))
    base = _peak_mb()
    began, worked = perf_counter(), process_time()
    quantize(job)
    told = {
        "seconds": perf_counter() - began,
        "cpu_seconds": process_time() - worked,
        "base_mb": base,
        "peak_mb": _peak_mb(),
    }
    sys.stdout.flush()
    print("\n" + json.dumps(told))


def input_name(model: Path) -> str:
    """The name of the model's one input."""
    import onnx

    graph = onnx.load(model, load_external_data=False).graph
    constants = {each.name for each in graph.initializer}
    return next(str(each.name) for each in graph.input if each.name not in constants)


def _peak_mb() -> float:
    """Peak resident memory; Linux's own count, since getrusage also remembers the parent's at the fork."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(each for each in status.read_text().splitlines() if each.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
