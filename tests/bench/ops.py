"""One op at a time: does int8 pay on this processor, and are its sums right?

    python tests/bench/ops.py [--json FILE] [--seconds 0.4] [OP ...]

For each op a float model and models on codes (uint8 × int8, uint8 × uint8, int8 × int8), timed in turns
on one thread (tenth percentile: others may share the machine). Read the ratios, float ÷ codes (above 1:
codes are faster). Codes go in and come out, so the price of getting there and back is not in it. `wrong`
is the share of output codes that differ from exact sums, for weights of 8 and of 7 bits: scales are
powers of two, so that floats hold every sum exactly.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import onnxruntime as ort
import peers_machine
from ops_models import FLOAT, KINDS, OPS, Op, kernel_of, model_of

CHECKS = ("u8s8 8", "u8s8 7", "u8u8 8")
HEAD = """| op | float ms | U8S8 | U8U8 | S8S8 | U8S8 wrong | 7 bits wrong | U8U8 wrong | kernel |
|---|---|---|---|---|---|---|---|---|"""


def session(content: bytes, optimized: bool = True, signed: bool = False) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    if signed:
        options.add_session_config_entry("session.qdqisint8allowed", "1")
    if not optimized:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def times(op: Op, seconds: float) -> dict[str, float]:
    """The tenth percentile of ms of each kind, run in turns: other work on the machine only adds."""
    made = {kind: model_of(op, kind, 8) for kind in op.kinds}
    runs = {kind: (session(model, signed=kind == "s8s8"), feed) for kind, (model, feed) in made.items()}
    taken: dict[str, list[float]] = {kind: [] for kind in runs}
    end = perf_counter() + seconds * len(runs)
    while perf_counter() < end or len(taken["float"]) < 5:
        for kind, (opened, feed) in runs.items():
            began = perf_counter()
            opened.run(None, feed)
            taken[kind].append((perf_counter() - began) * 1e3)
    return {kind: float(np.percentile(values, 10)) for kind, values in taken.items()}


def wrong(op: Op, kind: str, bits: int) -> float:
    """Share of output values that differ from those of exact sums."""
    model, feed = model_of(op, kind, bits)
    ours, exact = (
        session(model, optimized, kind == "s8s8").run(None, feed)[0] for optimized in (True, False)
    )
    return float(np.mean(ours != exact))


@dataclass(frozen=True)
class Row:
    """ms by kind, and the share of wrong outputs by kind and bits of weights."""

    op: str
    kernel: str
    ms: dict[str, float]
    wrong: dict[str, float]

    def __str__(self) -> str:
        ratios = [f"{self.ms[FLOAT] / self.ms[kind]:.2f}" if kind in self.ms else "–" for kind in KINDS[1:]]
        shares = [f"{self.wrong[key]:.1%}" if key in self.wrong else "–" for key in CHECKS]
        cells = [self.op, f"{self.ms[FLOAT]:.3f}", *ratios, *shares, self.kernel]
        return f"| {' | '.join(cells)} |"


def rows(names: Sequence[str], seconds: float) -> Iterator[Row]:
    """One row for each op whose name holds one of `names`, or for all where there are none."""
    for op in OPS:
        if names and not any(name.lower() in op.name.lower() for name in names):
            continue
        off = {f"{kind} {bits}": wrong(op, kind, bits) for kind, bits in op.checks}
        yield Row(op.name, kernel_of(op, "u8s8"), times(op, seconds), off)


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("names", nargs="*", help="Only ops whose name holds one of these.")
    parser.add_argument("--seconds", type=float, default=0.4, help="Per op and kind.")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    machine, found = peers_machine.facts(()), []
    print(f"{machine['cpu']}: {machine['flags']}\n\n{HEAD}")
    for row in rows(options.names, options.seconds):
        found.append(asdict(row))
        print(row, flush=True)
    if options.json:
        options.json.write_text(json.dumps({"machine": machine, "rows": found}, indent=1), "utf-8")


if __name__ == "__main__":
    main()
