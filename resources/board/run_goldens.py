"""Runs a release's golden samples on the board, then times it. Needs Python 3.7, numpy and onnxruntime.

    python3 run_goldens.py FOLDER --runs N --warm-up N --threads N

Prints progress as `step FRACTION TEXT` on standard error and one JSON object on standard output.
Exits 69 where numpy or onnxruntime is there but cannot be loaded.
"""

# ruff: noqa: B905, PTH118, PTH123 - `zip(strict=)` is not in the Python of older boards

import argparse
import json
import os
import resource
import sys
import time

try:
    import numpy as np
    import onnxruntime as ort
except (ImportError, OSError) as error:
    sys.stderr.write(f"{error}\n")
    sys.exit(69)


def main():
    wish = arguments()
    with open(os.path.join(wish.folder, "meta.json")) as file:
        meta = json.load(file)
    start = time.perf_counter()
    session = opened(os.path.join(wish.folder, "model.onnx"), wish.threads)
    load = (time.perf_counter() - start) * 1e3
    with np.load(os.path.join(wish.folder, "goldens.npz"), allow_pickle=False) as arrays:
        names = json.loads(arrays["names"].tobytes().decode())
        inputs = [arrays[f"in_{at}"] for at in range(len(names["inputs"]))]
        wanted = [arrays[f"out_{at}"] for at in range(len(names["outputs"]))]
    feeds = [dict(zip(names["inputs"], row)) for row in zip(*inputs)]
    first, differences = goldens(session, names["outputs"], feeds, wanted)
    times = timed(session, names["outputs"], feeds, wish.runs, wish.warm_up)
    report = {
        "ort": ort.__version__,
        "python": sys.version.split()[0],
        "samples": len(feeds),
        "tolerance": meta["tolerance"],
        "outputs": differences,
        "load_ms": load,
        "first_ms": first,
        "times_ms": times,
        "peak_bytes": peak_bytes(),
    }
    json.dump(report, sys.stdout)
    sys.stdout.write("\n")


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--warm-up", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def opened(path, threads):
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def goldens(session, names, feeds, wanted):
    """Time of the first run in ms, and per output how far it is off."""
    got = [[] for _ in names]
    first = 0.0
    for at, feed in enumerate(feeds):
        start = time.perf_counter()
        for seen, value in zip(got, session.run(names, feed)):
            seen.append(value)
        first = first or (time.perf_counter() - start) * 1e3
        step(0.3 * (at + 1) / len(feeds), f"golden {at + 1} of {len(feeds)}")
    return first, [dict(difference(a, b), name=name) for name, a, b in zip(names, got, wanted)]


def difference(got, wanted):
    """`worst`: largest difference as a share of the wanted output's range; `why` where it cannot be said."""
    if any(value.shape != want.shape for value, want in zip(got, wanted)):
        return {"worst": None, "why": f"shape {got[0].shape} instead of {wanted[0].shape}"}
    values = np.stack(got)
    if values.dtype != wanted.dtype:
        return {"worst": None, "why": f"{values.dtype} instead of {wanted.dtype}"}
    if values.dtype.kind != "f":
        off = np.argwhere(values != wanted)
        return {"worst": float(len(off)), "exact": True, "sample": int(off[0][0]) if len(off) else 0}
    return spread(values.astype(np.float64), wanted.astype(np.float64))


def spread(values, wanted):
    same = (values == wanted) | (np.isnan(values) & np.isnan(wanted))
    finite = np.isfinite(values) & np.isfinite(wanted)
    if not np.all(same | finite):
        sample = int(np.argwhere(~(same | finite))[0][0])
        return {"worst": None, "why": f"not a number in sample {sample}", "sample": sample}
    if same.all():
        return {"worst": 0.0, "sample": 0}
    gap = np.where(same, 0.0, np.abs(np.where(finite, values, 0) - np.where(finite, wanted, 0)))
    known = wanted[np.isfinite(wanted)]
    scale = max(float(known.max() - known.min()), float(np.abs(known).max()), 1e-30)
    sample = int(np.unravel_index(int(gap.argmax()), gap.shape)[0])
    return {"worst": float(gap.max()) / scale, "sample": sample}


def timed(session, names, feeds, runs, warm_up):
    """Milliseconds of each run after the warm-up."""
    for at in range(warm_up):
        session.run(names, feeds[at % len(feeds)])
    times = []
    for at in range(runs):
        feed = feeds[at % len(feeds)]
        start = time.perf_counter()
        session.run(names, feed)
        times.append((time.perf_counter() - start) * 1e3)
        if at % max(1, runs // 50) == 0:
            step(0.3 + 0.7 * at / runs, f"run {at + 1} of {runs}")
    return times


def peak_bytes():
    """High-water mark of this process; what `exec` inherited from a bigger parent does not count."""
    try:
        with open("/proc/self/status") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def step(fraction, text):
    sys.stderr.write(f"step {fraction:.4f} {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
