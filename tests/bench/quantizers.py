"""Our passes against the open quantizers: one run, the same models, samples, threads and clock.

    python tests/bench/nets.py --out NETS
    python tests/bench/quantizers.py NETS --out RESULTS --peers peers/bin/python

Each file is made by a process of its own: `peers_*.py` under the interpreter that has the tool (the
project's own for ours and onnxruntime's, else the first of `--peers` that can import it). Tools that no
interpreter has are named and left out. `--again` keeps the files and times them anew. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from peers_figures import measured, timed
from peers_machine import facts
from peers_table import markdown

Row = dict[str, Any]
HERE = Path(__file__).parent
NETS = ("residual", "depthwise", "spread", "transformer", "sample")
SAMPLE = HERE.parents[1] / "resources" / "samples" / "fashion.onnx"


CONVOLUTIONS = ("residual", "depthwise", "spread", "sample")
PRUNED = ("residual", "depthwise", "sample")


@dataclass(frozen=True)
class Tool:
    """One row: `script` with `variant`, run where `needs` can be imported."""

    name: str
    script: str
    variant: str
    needs: str = ""
    nets: tuple[str, ...] = NETS


def recipe(bits: int, **more: object) -> str:
    return json.dumps({"default": {"bits": bits}, **more})


def pruned(bits: int) -> str:
    return json.dumps({"default": {"bits": bits, "sparsity": 0.3, "structure": "channels"}})


TOOLS = (
    Tool("float", "", ""),
    Tool("ours, int8", "peers_trimtab.py", recipe(8)),
    Tool("ours, int8, no repair", "peers_trimtab.py", recipe(8, repair=[])),
    Tool("ours, int8, equalize only", "peers_trimtab.py", recipe(8, repair=["equalize"])),
    Tool("ours, int8, bias only", "peers_trimtab.py", recipe(8, repair=["bias"])),
    Tool("onnxruntime, per channel", "peers_onnxruntime.py", "channel"),
    Tool("onnxruntime, per tensor", "peers_onnxruntime.py", "tensor"),
    Tool("NNCF, fast bias", "peers_nncf.py", "fast", "nncf", CONVOLUTIONS),
    Tool("NNCF, full bias", "peers_nncf.py", "full", "nncf", CONVOLUTIONS),
    Tool("NNCF, fast bias", "peers_nncf.py", "fast+transformer", "nncf", ("transformer",)),
    Tool("AIMET, equalized", "peers_aimet.py", "8", "aimet_onnx"),
    Tool("Quark, equalized", "peers_quark.py", "8", "quark.onnx"),
    Tool("ours, w4", "peers_trimtab.py", recipe(4)),
    Tool("ours, w4, no repair", "peers_trimtab.py", recipe(4, repair=[])),
    Tool("onnxruntime, w4", "peers_onnxruntime.py", "int4"),
    Tool("AIMET, w4, equalized", "peers_aimet.py", "4", "aimet_onnx"),
    Tool("ours, w3", "peers_trimtab.py", recipe(3)),
    Tool("ours, w2", "peers_trimtab.py", recipe(2)),
    Tool("ours, prune 30 %", "peers_trimtab.py", pruned(32), "", PRUNED),
    Tool("ours, prune 30 % + int8", "peers_trimtab.py", pruned(8), "", PRUNED),
)


def main() -> None:
    options = _options()
    options.out.mkdir(parents=True, exist_ok=True)
    kept = options.out / "results.json"
    results = json.loads(kept.read_text()) if options.again else {}
    _state_threads()
    results["machine"] = facts(options.peers)
    for net in options.nets:
        if _model(net, options).exists():
            results[net] = _net(net, options, results.get(net))
            kept.write_text(json.dumps(results, indent=1) + "\n")
    print(markdown(results))
    (options.out / "results.md").write_text(markdown(results))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("models", type=Path, help="folder made by nets.py")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for files, results.json and results.md"
    )
    parser.add_argument(
        "--peers", action="append", default=[], help="an interpreter that has peers; may repeat"
    )
    parser.add_argument("--nets", nargs="+", default=list(NETS))
    parser.add_argument("--samples", type=int, default=200, help="calibration samples")
    parser.add_argument("--rounds", type=int, default=60, help="rounds of the latency loop")
    parser.add_argument("--again", action="store_true", help="time the files that are there; build nothing")
    return parser.parse_args()


def _model(net: str, options: argparse.Namespace) -> Path:
    """`sample` is the bundled network: residual and inverted-residual blocks with ReLU6."""
    path: Path = SAMPLE if net == "sample" else options.models / f"{net}.onnx"
    return path


def _state_threads() -> None:
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    root = str(HERE.parents[1])
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))


def _net(net: str, options: argparse.Namespace, known: Row | None) -> Row:
    folder = options.out / net
    folder.mkdir(exist_ok=True)
    rows: list[Row] = known["rows"] if known else _built(net, options, folder)
    files = {str(row["tool"]): folder / str(row["file"]) for row in rows if row.get("file")}
    with np.load(options.models / "data.npz") as arrays:
        x, y = arrays["x"], arrays["y"]
    if not known:
        _fill(rows, files, measured(files, x, y))
    times, load = timed(files, x[:1], options.rounds)
    _fill(rows, files, times)
    return {"rows": rows, "load": load, "samples": len(x), "calibration": options.samples}


def _fill(rows: list[Row], files: dict[str, Path], figures: dict[str, Row]) -> None:
    for row in rows:
        if row["tool"] in files:
            row.update(figures[row["tool"]])


def _built(net: str, options: argparse.Namespace, folder: Path) -> list[Row]:
    data = _data(options)
    rows: list[Row] = []
    for index, tool in enumerate(each for each in TOOLS if net in each.nets):
        row: Row = {"tool": tool.name, "variant": tool.variant}
        if not tool.script:
            path = folder / "float.onnx"
            path.write_bytes(_model(net, options).read_bytes())
            row.update(file=path.name)
        else:
            row.update(_make(tool, options, data, _model(net, options), folder / f"{index:02}.onnx"))
        if "failed" in row:
            print(f"{net}: {tool.name}: {row['failed']}", file=sys.stderr)
        rows.append(row)
    return rows


def _data(options: argparse.Namespace) -> Path:
    """The data with the calibration samples that every tool gets, and few others to read."""
    path: Path = options.out / f"calibration{options.samples}.npz"
    with np.load(options.models / "data.npz") as arrays:
        taken = arrays["x_calibration"][: options.samples]
        np.savez(path, x=arrays["x"][:16], y=arrays["y"][:16], x_calibration=taken)
    return path


def _make(tool: Tool, options: argparse.Namespace, data: Path, model: Path, out: Path) -> Row:
    python = _interpreter(tool.needs, options.peers)
    if python is None:
        return {"failed": "not installed"}
    command = [python, str(HERE / tool.script), *map(str, (model, data)), tool.variant, str(out)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    except subprocess.TimeoutExpired:
        return {"failed": "took longer than 600 s"}
    if done.returncode or not out.exists():
        return {"failed": (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1][:200]}
    told: Row = json.loads(done.stdout.strip().splitlines()[-1])
    return {"file": out.name, **told}


def _interpreter(needs: str, peers: list[str]) -> str | None:
    """The project's interpreter where nothing is needed, else the first peer that can import it."""
    if not needs:
        return sys.executable
    for python in peers:
        if (
            subprocess.run([python, "-c", f"import {needs}"], capture_output=True, check=False).returncode
            == 0
        ):
            return python
    return None


if __name__ == "__main__":
    main()
