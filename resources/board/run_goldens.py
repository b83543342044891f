"""Runs a release's golden samples on the board, then times it. Needs Python 3.7, numpy and onnxruntime.

    python3 run_goldens.py FOLDER [--runs N] [--seconds S] [--warm-up N] [--threads N] [--cores LIST]
                           [--profile PREFIX]

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

TYPES = {
    "1": "float32",
    "2": "uint8",
    "3": "int8",
    "4": "uint16",
    "5": "int16",
    "6": "int32",
    "7": "int64",
    "9": "bool",
    "10": "float16",
    "11": "float64",
    "12": "uint32",
    "13": "uint64",
}


def main():
    wish = arguments()
    with open(os.path.join(wish.folder, "meta.json")) as file:
        meta = json.load(file)
    start = time.perf_counter()
    session = opened(os.path.join(wish.folder, "model.onnx"), wish)
    load = (time.perf_counter() - start) * 1e3
    sides = goldens_of(os.path.join(wish.folder, "goldens.bin"))
    given, wanted = sides["input"], sides["output"]
    feeds = [dict(zip(given, row)) for row in zip(*given.values())]
    first, differences = goldens(session, list(wanted), feeds, list(wanted.values()))
    times = timed(session, list(wanted), feeds, wish)
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
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--profile", default="")
    parser.add_argument("--cores", default="")
    parser.add_argument("--warm-up", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    wish = parser.parse_args()
    if wish.cores:
        os.sched_setaffinity(0, {int(word) for word in wish.cores.split(",")})
    return wish


def goldens_of(path):
    """{"input": {name: (N, ...) array}, "output": ...} of a file of goldens."""
    found = {"input": {}, "output": {}}
    with open(path, "rb") as file:
        content = file.read()
    head, _, _ = content.partition(b"\nend\n")
    lines = head.decode().split("\n")
    samples = int(lines[1].split()[1])
    at = len(head) + len("\nend\n")
    for line in lines[3:]:
        side, kind, rank, rest = line.split(" ", 3)
        words = rest.split(" ", int(rank))
        shape = (samples, *(int(word) for word in words[: int(rank)]))
        kind = np.dtype(TYPES[kind]).newbyteorder("<")
        at = -(-at // 64) * 64
        values = np.frombuffer(content, kind, int(np.prod(shape, dtype=np.int64)), at)
        found[side][words[-1]] = values.reshape(shape).astype(kind.newbyteorder("="))
        at += values.nbytes
    return found


def opened(path, wish):
    options = ort.SessionOptions()
    options.intra_op_num_threads = wish.threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if wish.profile:
        options.enable_profiling = True
        options.profile_file_prefix = wish.profile
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


def timed(session, names, feeds, wish):
    """Milliseconds of each run after the warm-up: so many runs, or what fits into so many seconds."""
    for at in range(wish.warm_up):
        session.run(names, feeds[at % len(feeds)])
    times, told = [], 0.0
    begin = time.perf_counter()
    while len(times) < max(wish.runs, 1):
        feed = feeds[len(times) % len(feeds)]
        start = time.perf_counter()
        session.run(names, feed)
        end = time.perf_counter()
        times.append((end - start) * 1e3)
        if wish.seconds and end - begin >= wish.seconds:
            break
        if end - told > 0.2:
            told = end
            share = (end - begin) / wish.seconds if wish.seconds else len(times) / wish.runs
            step(0.3 + 0.7 * min(share, 1.0), f"run {len(times)}")
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
