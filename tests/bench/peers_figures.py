"""What the benches measure of a file: accuracy, agreement, bytes, kernels, MACs, and times in turns."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from math import prod
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import onnx
import psutil
from numpy.typing import NDArray

from studio.errors import MeasureError
from studio.formats.onnx_in import open_model
from studio.measure.sessions import SessionSource, kernels, open_runner, open_session
from studio.measure.statistics import Interval, Pairs, paired_difference

Array = NDArray[np.float32]
Row = dict[str, Any]
_BATCH = 100
_LIMIT = 40.0
_FLOAT = ("Conv", "FusedConv", "Gemm", "FusedGemm", "MatMul", "FusedMatMul", "MatMulNBits", "ConvTranspose")
_PAIR = ("QuantizeLinear", "DequantizeLinear")


def measured(files: Mapping[str, Path], x: Array, y: NDArray[np.int64]) -> dict[str, Row]:
    """Per file: top-1 in % over `x`, agreement with "float" in %, bytes, and the kernels it runs on.

    A file that does not run has `failed` alone. `right` packs which samples were right, one bit each, as
    hexadecimal: for paired differences.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        guesses = dict(zip(files, pool.map(lambda path: _guesses(path, x), files.values()), strict=True))
    found: dict[str, Row] = {}
    for name, path in files.items():
        if isinstance(guesses[name], str):
            found[name] = {"failed": guesses[name]}
            continue
        ops = kernels(str(path))
        found[name] = {
            "top1": float((guesses[name] == y).mean() * 100),
            "agreement": float((guesses[name] == guesses["float"]).mean() * 100),
            "right": np.packbits(guesses[name] == y).tobytes().hex(),
            "bytes": path.stat().st_size,
            "macs": _macs(path),
            "float_kernels": {op: count for op, count in ops.items() if op in _FLOAT},
            "pairs": sum(ops.get(op, 0) for op in _PAIR),
            "float_bytes": float_bytes(path),
        }
    return found


def timed(files: Mapping[str, Path], one: Array, rounds: int) -> tuple[dict[str, Row], float]:
    """ms at batch 1 and 1 thread, all files in turns in this process; and the other processes' load.

    A turn is one untimed run and five timed ones, of which the median counts. `p50` is the median over
    turns, `turns` are all of them. After `_LIMIT` seconds no turn begins, but ten are always made. The
    load is in cores.
    """
    sessions = {name: open_session(str(path)) for name, path in files.items()}
    feeds = {name: {session.get_inputs()[0].name: one} for name, session in sessions.items()}
    turns: dict[str, list[float]] = {name: [] for name in files}
    clock, busy = perf_counter(), _others()
    for turn in range(rounds + 2):
        if turn > 11 and perf_counter() - clock > _LIMIT:
            break
        names = list(files) if turn % 2 else list(files)[::-1]
        for name in names:
            took = _turn(sessions[name], feeds[name])
            if turn > 1:
                turns[name].append(took)
    load = (_others() - busy) / (perf_counter() - clock)
    rows: dict[str, Row] = {
        name: {"p50": float(np.median(each)), "turns": [round(took, 5) for took in each]}
        for name, each in turns.items()
    }
    return rows, load


def ratio(row: Row, other: Row) -> float:
    """Time of `row` ÷ time of `other`: the median over the turns that both were timed in."""
    return float(np.median(np.array(row["turns"]) / np.array(other["turns"])))


def difference(row: Row, other: Row, samples: int) -> Interval:
    """Top-1 of `row` − top-1 of `other` in points on the same samples, with its 95 % interval."""
    ours, theirs = (
        np.unpackbits(np.frombuffer(bytes.fromhex(each["right"]), np.uint8))[:samples].astype(bool)
        for each in (row, other)
    )
    counts = (ours & theirs, theirs & ~ours, ours & ~theirs, ~(ours | theirs))
    return paired_difference(Pairs(*(int(each.sum()) for each in counts))).scaled(100)


def float_bytes(path: Path) -> int:
    """Bytes of the weights that stay float32: float initializers that are no scale of Q/DQ nodes."""
    graph = onnx.load(path).graph
    scales = {node.input[1] for node in graph.node if node.op_type in _PAIR}
    kept = (each for each in graph.initializer if each.data_type == onnx.TensorProto.FLOAT)
    return sum(4 * prod(each.dims) for each in kept if each.name not in scales)


def _turn(session: object, feed: dict[str, Array]) -> float:
    run = session.run  # type: ignore[attr-defined]  # onnxruntime ships no types
    run(None, feed)
    taken = []
    for _ in range(5):
        start = perf_counter()
        run(None, feed)
        taken.append((perf_counter() - start) * 1e3)
    return float(np.median(taken))


def _guesses(path: Path, x: Array) -> NDArray[np.int64] | str:
    """The class of each sample, or why the file does not run."""
    try:
        runner = open_runner(SessionSource(str(path), ""))
        name = runner.inputs[0]
        parts = [runner.run({name: x[at : at + _BATCH]})[0] for at in range(0, len(x), _BATCH)]
    except MeasureError as error:
        return f"made, but does not run: {error.cause}"[:240]
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
