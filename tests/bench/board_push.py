"""How a push compares with `scp`, what a new head sends, and whether a cut push resumes: over a real sshd.

    python tests/bench/board_push.py [--mb 500] [--rounds 5] [--out FILE.json]

Everything runs on loopback, in turns, in one run: ratios are what counts. A push stores, makes durable and
verifies what it sends (sha256 on the board, fsync); `scp` does neither. Prints a table for docs/bench.md; the
processor time is of both ends together, which other work on the machine hardly stretches.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

import numpy as np
import onnx
from board_parts import repack
from onnx import TensorProto, helper, numpy_helper
from sshd import Sshd, _descendants

from studio.boards.api import Boards
from studio.boards.book import Board, BoardBook
from studio.boards.links.hostkeys import KnownHosts
from studio.boards.release.blocks import remember
from studio.boards.release.delta import deliver, forecast
from studio.boards.release.package import MODEL, Package
from studio.boards.release.protocol import Releases, manifest_digest
from studio.control import Cancelled, Control

WIDE, LAYERS, HEAD = 64, 10, 256
TICK = os.sysconf("SC_CLK_TCK")


def net(path: Path, megabytes: int, head: int) -> Path:
    """A chain of equal layers of random weights and a small head that `head` seeds."""
    chance = np.random.default_rng(1)
    hidden = max(megabytes * 1_000_000 // (4 * WIDE * 2 * LAYERS), 16)
    tensors, nodes, value = [], [], "x"
    for at in range(LAYERS):
        for name, shape in ((f"up{at}", (WIDE, hidden)), (f"down{at}", (hidden, WIDE))):
            tensors.append(
                numpy_helper.from_array(chance.normal(size=shape).astype(np.float32) / hidden, name)
            )
            nodes.append(helper.make_node("MatMul", [value, name], [f"{name}_out"]))
            value = f"{name}_out"
    last = np.random.default_rng(head).normal(size=(WIDE, HEAD)).astype(np.float32)
    tensors.append(numpy_helper.from_array(last, "head"))
    nodes.append(helper.make_node("MatMul", [value, "head"], ["y"]))
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", WIDE])
    graph = helper.make_graph(
        nodes, "net", [given], [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", HEAD])], tensors
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, and of processor time at both ends."""

    clock: float
    cpu: float


class Watch:
    """What passes while it is open: `with Watch(server) as watch: …; watch.cost`."""

    def __init__(self, server: Sshd) -> None:
        assert server.process is not None
        self._pid = server.process.pid

    def __enter__(self) -> Watch:
        self._start, self._cpu = time.perf_counter(), self._spent()
        return self

    def __exit__(self, *_: object) -> None:
        self.cost = Cost(time.perf_counter() - self._start, self._spent() - self._cpu)

    def _spent(self) -> float:
        own = os.times()
        ticks = sum(_ticks(pid) for pid in (self._pid, *_descendants(self._pid)))
        return own.user + own.system + own.children_user + own.children_system + ticks / TICK


def _ticks(pid: int) -> int:
    """Processor time of a process and of its children that have ended."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return sum(int(word) for word in words[11:15])


def scp(server: Sshd, path: Path) -> Cost:
    """What `scp` costs to the same server, with the same key."""
    there = server.home / "by-scp"
    options = ["-q", "-i", str(server.key), "-P", str(server.port), "-o", "StrictHostKeyChecking=no"]
    options += ["-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
    with Watch(server) as watch:
        subprocess.run(["scp", *options, str(path), f"127.0.0.1:{there}"], check=True)
    there.unlink()
    return watch.cost


def sent(server: Sshd, releases: Releases, package: Package) -> tuple[Cost, int]:
    """What delivering and committing a package costs, and its bytes on the wire."""
    with Watch(server) as watch:
        count = deliver(releases, package, Control())
        releases.verb("commit", package.id, manifest_digest(package.manifest))
    return watch.cost, count


class _Cut(Control):
    """Cancels half-way."""

    def __init__(self) -> None:
        super().__init__(self._seen)

    def _seen(self, fraction: float, text: str) -> None:
        if fraction > 0.5:
            self.cancel()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = Sshd(folder / "sshd").start()
        try:
            told = measured(folder, server, wish)
        finally:
            server.stop()
    print(table(told))
    if wish.out:
        wish.out.write_text(json.dumps(told, indent=1) + "\n")
    return 0


def measured(folder: Path, server: Sshd, wish: argparse.Namespace) -> dict[str, Any]:
    one, two = (_packed(folder, name, wish.mb, head) for name, head in (("one", 1), ("two", 2)))
    with Boards(BoardBook(folder / "boards.json"), KnownHosts(folder / "known")) as boards:
        releases = _board(boards, server, folder / "there")
        rounds = [in_turn(server, releases, one, at) for at in range(wish.rounds)]
        _cut(releases, one)
        _, resumed = sent(server, releases, one)
        remember(one.id, one.files[MODEL])
        guess = forecast(releases, two).fresh
        _, head = sent(server, releases, two)
    return {
        "bytes": one.bytes,
        "push_over_scp": statistics.median(ours.clock / theirs.clock for ours, theirs in rounds),
        "push_over_scp_cpu": statistics.median(ours.cpu / theirs.cpu for ours, theirs in rounds),
        "rounds": [{"push": asdict(ours), "scp": asdict(theirs)} for ours, theirs in rounds],
        "resumed_share": resumed / one.bytes,
        "new_head_share": head / two.bytes,
        "new_head_forecast_share": guess / two.bytes,
    }


def in_turn(server: Sshd, releases: Releases, package: Package, at: int) -> tuple[Cost, Cost]:
    """A push and an scp of the same file, every other time the other way round."""
    theirs = scp(server, package.files[MODEL]) if at % 2 else None
    ours, _ = sent(server, releases, package)
    releases.verb("delete", package.id)
    theirs = theirs or scp(server, package.files[MODEL])
    print(f"push {ours.clock:.2f} s, scp {theirs.clock:.2f} s", file=sys.stderr, flush=True)
    return ours, theirs


def table(told: dict[str, Any]) -> str:
    """The rounds and what follows from them, in Markdown."""
    lines = ["| round | push s (CPU) | scp s (CPU) | push / scp (CPU) |", "| --- | --- | --- | --- |"]
    for at, each in enumerate(told["rounds"], 1):
        ours, theirs = Cost(**each["push"]), Cost(**each["scp"])
        ratio = f"{ours.clock / theirs.clock:.2f} ({ours.cpu / theirs.cpu:.2f})"
        cells = (f"{one.clock:.2f} ({one.cpu:.2f})" for one in (ours, theirs))
        lines.append(f"| {at} | {' | '.join(cells)} | {ratio} |")
    lines += [
        f"| median | | | **{told['push_over_scp']:.2f}** ({told['push_over_scp_cpu']:.2f}) |",
        "",
        f"{told['bytes']:,} bytes, {os.cpu_count()} cores; the bar is 0.65. After a cut half-way "
        f"{told['resumed_share']:.0%} of the bytes were sent again; a new head alone sends "
        f"{told['new_head_share']:.2%} (foretold {told['new_head_forecast_share']:.2%}, bar 6 %).",
    ]
    return "\n".join(lines)


def _packed(folder: Path, name: str, megabytes: int, head: int) -> Package:
    model = net(folder / f"{name}.onnx", megabytes, head)
    return repack(folder / name, model, model)


def _board(boards: Boards, server: Sshd, there: Path) -> Releases:
    address = {"host": "127.0.0.1", "port": server.port, "key_path": str(server.key)}
    board = boards.add(Board("loop", folder=str(there), aes=True, **address))
    key = boards.host_key(board)
    assert key is not None
    boards.trust(board, key)
    releases = Releases(boards._link(board), board)
    releases.prepare(Control())
    return releases


def _cut(releases: Releases, package: Package) -> None:
    """Send about a half, then end."""
    try:
        deliver(releases, package, _Cut())
    except Cancelled:
        return
    raise AssertionError("it was to be cut")


if __name__ == "__main__":
    sys.exit(main())
