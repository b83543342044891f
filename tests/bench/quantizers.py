"""Our passes against the open quantizers: one run, the same models, samples, threads and clock.

    python tests/bench/nets.py --out NETS
    python tests/bench/quantizers.py NETS --out RESULTS --peers peers/bin/python --write docs/bench.md

Each file is made by a process of its own: `peers_*.py` under the interpreter that has the tool (the
project's own for ours and onnxruntime's, else the first of `--peers` that can import it). Tools that no
interpreter has are named and left out; models kept aside (`aside.py`) are fetched, and left out with the
reason where they cannot be. `--again` keeps the files and times them anew. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import aside
import numpy as np
import peers_machine
from peers_bars import bars
from peers_figures import measured, timed
from peers_rows import ASIDE, NETS, Row, rows
from peers_table import document, publish

from studio import target

Found = dict[str, Any]
HERE = Path(__file__).parent
SAMPLE = HERE.parents[1] / "resources" / "samples" / "fashion.onnx"
_FIND = "import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)"


def main() -> None:
    options = _options()
    options.out.mkdir(parents=True, exist_ok=True)
    options.out, options.models = options.out.resolve(), options.models.resolve()
    options.peers = [str(Path(each).absolute()) for each in options.peers]
    kept = options.out / "results.json"
    known = json.loads(kept.read_text()) if kept.exists() else {"nets": {}}
    _state_threads()
    results = {"machine": peers_machine.facts(options.peers, options.target), "nets": known["nets"]}
    for net in options.nets:
        before = known["nets"].get(net, {}) if options.again else {}
        results["nets"][net] = _net(net, options, before)
        results["bars"] = bars(results["nets"])
        kept.write_text(json.dumps(results, indent=1) + "\n")
        (options.out / "results.md").write_text(document(results))
    print(document(results))
    if options.write:
        publish(options.write, document(results))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("models", type=Path, help="folder made by nets.py")
    parser.add_argument("--out", type=Path, required=True, help="for files, results.json and results.md")
    parser.add_argument("--peers", action="append", default=[], help="an interpreter that has peers; repeat")
    parser.add_argument("--nets", nargs="+", default=list(NETS), choices=NETS)
    parser.add_argument(
        "--target", default=target.here().name, help="what ours is made for; default: this computer"
    )
    parser.add_argument("--samples", type=int, default=200, help="calibration samples")
    parser.add_argument("--rounds", type=int, default=60, help="rounds of the latency loop")
    parser.add_argument("--again", action="store_true", help="time the files that are there; build nothing")
    parser.add_argument("--only", help="rows whose name holds this, and float")
    parser.add_argument("--write", type=Path, help="a document whose results are replaced by these")
    return parser.parse_args()


def _state_threads() -> None:
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    root = str(HERE.parents[1])
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))


def _net(net: str, options: argparse.Namespace, known: Found) -> Found:
    why = aside.prepare(net, options.models) if net in ASIDE else ""
    if not why and not _model(net, options).exists():
        why = f"{_model(net, options).name} is not in the folder"
    if why:
        print(f"{net}: {why}", file=sys.stderr)
        return {"skipped": why}
    folder = options.out / net
    folder.mkdir(exist_ok=True)
    made: list[Found] = known.get("rows") or _built(net, options, folder)
    files = {str(row["tool"]): folder / str(row["file"]) for row in made if row.get("file")}
    with np.load(_arrays(net, options)) as arrays:
        x, y = arrays["x"], arrays["y"]
    if "rows" not in known:
        _fill(made, files, measured(files, x, y))
        files = {row["tool"]: files[row["tool"]] for row in made if "top1" in row}
    times, load = timed(files, x[:1], options.rounds)
    _fill(made, files, times)
    commit = str(known.get("commit") or peers_machine.commit())
    return {"rows": made, "load": load, "samples": len(x), "commit": commit}


def _model(net: str, options: argparse.Namespace) -> Path:
    """`sample` is the bundled network: residual and inverted-residual blocks with ReLU6."""
    path: Path = SAMPLE if net == "sample" else options.models / f"{net}.onnx"
    return path


def _arrays(net: str, options: argparse.Namespace) -> Path:
    """The data of `net`: its own, or Fashion-MNIST's."""
    path: Path = options.models / (f"{net}.npz" if net in ASIDE else "data.npz")
    return path


def _fill(made: list[Found], files: dict[str, Path], figures: dict[str, Found]) -> None:
    for row in made:
        if row["tool"] in files:
            row.update(figures[row["tool"]])


def _built(net: str, options: argparse.Namespace, folder: Path) -> list[Found]:
    data = _calibration(net, options, folder)
    wanted = [each for each in rows(options.target) if net in each.nets]
    if options.only:
        wanted = [each for each in wanted if options.only in each.name or not each.script]
    made: list[Found] = []
    for index, each in enumerate(wanted):
        done = _make(each, options, data, _model(net, options), folder / f"{index:02}.onnx")
        made.append({"tool": each.name, "of": each.tool, "bits": each.bits, "variant": each.variant, **done})
        if "failed" in done:
            print(f"{net}: {each.name}: {done['failed']}", file=sys.stderr)
    return made


def _calibration(net: str, options: argparse.Namespace, folder: Path) -> Path:
    """The data with the calibration samples that every tool gets, and few others to read."""
    path = folder / "calibration.npz"
    with np.load(_arrays(net, options)) as arrays:
        taken = arrays["x_calibration"][: options.samples]
        np.savez(path, x=arrays["x"][:16], y=arrays["y"][:16], x_calibration=taken)
    return path


def _make(row: Row, options: argparse.Namespace, data: Path, model: Path, out: Path) -> Found:
    if not row.script:
        out.write_bytes(model.read_bytes())
        return {"file": out.name}
    python = _interpreter(row.needs, tuple(options.peers))
    if python is None:
        return {"failed": "not installed"}
    out.unlink(missing_ok=True)
    command = [python, str(HERE / row.script), *map(str, (model, data)), row.variant, str(out)]
    try:
        # In the folder of the files, because Quark leaves a report where it runs.
        done = subprocess.run(
            command, cwd=out.parent, capture_output=True, text=True, timeout=600, check=False
        )
    except subprocess.TimeoutExpired:
        return {"failed": "took longer than 600 s"}
    if done.returncode or not out.exists():
        return {"failed": (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1][:200]}
    told: Found = json.loads(done.stdout.strip().splitlines()[-1])
    return {"file": out.name, **told}


@cache
def _interpreter(needs: str, peers: tuple[str, ...]) -> str | None:
    """The project's interpreter where nothing is needed, else the first peer that has it."""
    if not needs:
        return sys.executable
    for python in peers:
        done = subprocess.run([python, "-c", _FIND, needs], capture_output=True, check=False)
        if done.returncode == 0:
            return python
    return None


if __name__ == "__main__":
    main()
