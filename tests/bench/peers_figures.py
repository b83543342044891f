"""What the benches measure of a file: accuracy, agreement, bytes, kernels, MACs, and times in turns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from studio.formats.onnx_in import open_model
from studio.measure.sessions import kernels, open_session

Array = NDArray[np.float32]
Row = dict[str, Any]
_BATCH = 500
_FLOAT = ("Conv", "FusedConv", "Gemm", "FusedGemm", "MatMul", "FusedMatMul", "MatMulNBits", "ConvTranspose")
_PAIR = ("QuantizeLinear", "DequantizeLinear")


def measured(files: Mapping[str, Path], x: Array, y: NDArray[np.int64]) -> dict[str, Row]:
    """Per file: top-1 in % over `x`, agreement with "float" in %, bytes, and the kernels it runs on."""
    guesses = {name: _guesses(path, x) for name, path in files.items()}
    found: dict[str, Row] = {}
    for name, path in files.items():
        ops = kernels(str(path))
        found[name] = {
            "top1": float((guesses[name] == y).mean() * 100),
            "agreement": float((guesses[name] == guesses["float"]).mean() * 100),
            "bytes": path.stat().st_size,
            "macs": _macs(path),
            "float_kernels": {op: count for op, count in ops.items() if op in _FLOAT},
            "pairs": sum(ops.get(op, 0) for op in _PAIR),
            "kernels": ops,
        }
    return found


def timed(files: Mapping[str, Path], one: Array, rounds: int) -> tuple[dict[str, Row], float]:
    """ms at batch 1 and 1 thread, all files in turns in this process; and the other processes' load.

    A turn is one untimed run and five timed ones, of which the median counts. `p50` is the median over
    turns; ratios are medians over turns of this file ÷ the other in the same turn. The load is in cores.
    """
    sessions = {name: open_session(str(path)) for name, path in files.items()}
    feeds = {name: {session.get_inputs()[0].name: one} for name, session in sessions.items()}
    turns: dict[str, list[float]] = {name: [] for name in files}
    clock, busy = perf_counter(), _others()
    for turn in range(rounds + 2):
        names = list(files) if turn % 2 else list(files)[::-1]
        for name in names:
            took = _turn(sessions[name], feeds[name])
            if turn > 1:
                turns[name].append(took)
    load = (_others() - busy) / (perf_counter() - clock)
    times = {name: np.array(each) for name, each in turns.items()}
    return {name: _ratios(name, times) for name in files}, load


def _ratios(name: str, times: Mapping[str, NDArray[np.float64]]) -> Row:
    own = times[name]
    row: Row = {"p50": float(np.median(own))}
    for other in ("float", "ours, int8"):
        if other in times:
            row[f"of {other}"] = float(np.median(own / times[other]))
    return row


def _turn(session: object, feed: dict[str, Array]) -> float:
    run = session.run  # type: ignore[attr-defined]  # onnxruntime ships no types
    run(None, feed)
    taken = []
    for _ in range(5):
        start = perf_counter()
        run(None, feed)
        taken.append((perf_counter() - start) * 1e3)
    return float(np.median(taken))


def _guesses(path: Path, x: Array) -> NDArray[np.int64]:
    session = open_session(str(path))
    name = session.get_inputs()[0].name
    parts = [session.run(None, {name: x[at : at + _BATCH]})[0] for at in range(0, len(x), _BATCH)]
    return np.asarray(np.concatenate(parts).argmax(axis=1))


def _macs(path: Path) -> int | None:
    """Multiply-accumulates of a float file; integer files keep their float file's shape or tell nothing."""
    known = [layer.macs for layer in open_model(path).facts.layers]
    return sum(each for each in known if each is not None) or None


def _others() -> float:
    """Processor seconds that everything but this process has used."""
    whole, own = psutil.cpu_times(), psutil.Process().cpu_times()
    used = sum(whole) - whole.idle - getattr(whole, "iowait", 0.0) - getattr(whole, "guest", 0.0)
    return float(used - own.user - own.system)
