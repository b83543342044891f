"""What a report is made of: values that were measured elsewhere, and where."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from studio.artifact import Artifact
from studio.boards.report import BoardRun
from studio.data.reference import DataFacts
from studio.graph.model import Facts
from studio.metrics import Comparison, Latency, LatencyPair, LayerDrift, Sensitivity
from studio.recipe.settings import Recipe


@dataclass(frozen=True, slots=True)
class ReportData:
    """Everything that a report shows; what is None or empty is left out of it.

    `out` is where the artifact was exported to, `commands` are shell lines that do it again (made
    up from the rest where empty), `made` is the date and time as text, `environment` pairs of name
    and value. `latencies` are the original's and the artifact's, or `pair` where they were timed in turns;
    `held_out` is on samples that had no say in the choice.
    """

    model: Facts
    recipe: Recipe
    artifact: Artifact
    data: DataFacts | None = None
    comparison: Comparison | None = None
    held_out: Comparison | None = None
    drift: tuple[LayerDrift, ...] = ()
    latencies: tuple[Latency, ...] = ()
    pair: LatencyPair | None = None
    sensitivity: tuple[Sensitivity, ...] = ()
    boards: tuple[BoardRun, ...] = ()
    kernels: tuple[tuple[str, int], ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    commands: tuple[str, ...] = ()
    out: str = ""
    made: str = ""

    @property
    def ratio(self) -> float:
        """Size of the artifact ÷ size of the original file."""
        return self.artifact.bytes / max(self.model.file_bytes, 1)


def environment() -> tuple[tuple[str, str], ...]:
    """This computer and the versions that decide a measurement, as pairs of name and value."""
    import psutil

    cores = psutil.cpu_count(logical=False) or 0
    memory = psutil.virtual_memory().total / 2**30
    return (
        ("Trimtab Studio", _version("trimtab")),
        ("onnxruntime", _version("onnxruntime")),
        ("onnx", _version("onnx")),
        ("Python", platform.python_version()),
        ("System", f"{platform.system()} {platform.release()} ({platform.machine()})"),
        ("Processor", _processor()),
        ("Cores", f"{cores or '?'} physical, {psutil.cpu_count() or '?'} logical"),
        ("Memory", f"{memory:.1f} GiB"),
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    if sys.platform.startswith("linux"):
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
        for key in ("model name", "Model", "Hardware"):
            found = next((line for line in lines if line.startswith(key)), "")
            if ":" in found:
                return found.split(":", 1)[1].strip()
    return platform.processor() or "unknown"
