"""How a push compares with `scp`, what a new head sends, and whether a cut push resumes: over a real sshd.

    python tests/bench/board_push.py [--mb 500] [--rounds 3] [--out FILE.json]

Everything runs on loopback, in turns, in one run: ratios are what counts. A push stores, makes durable and
verifies what it sends (sha256 on the board, fsync); `scp` does neither.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

import numpy as np
import onnx
from board_parts import repack
from onnx import TensorProto, helper, numpy_helper
from sshd import Sshd

from studio.boards.api import Boards
from studio.boards.blocks import remember
from studio.boards.book import Board, BoardBook
from studio.boards.delta import deliver, forecast
from studio.boards.hostkeys import KnownHosts
from studio.boards.package import MODEL, Package
from studio.boards.protocol import Releases, manifest_digest
from studio.control import Cancelled, Control

WIDE, LAYERS, HEAD = 64, 10, 256


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


def scp(server: Sshd, path: Path) -> float:
    """Seconds of `scp` to the same server, with the same key."""
    there = server.home / "by-scp"
    options = ["-q", "-i", str(server.key), "-P", str(server.port), "-o", "StrictHostKeyChecking=no"]
    options += ["-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
    start = time.perf_counter()
    subprocess.run(["scp", *options, str(path), f"127.0.0.1:{there}"], check=True)
    seconds = time.perf_counter() - start
    there.unlink()
    return seconds


def sent(releases: Releases, package: Package, control: Control) -> tuple[float, int]:
    """(seconds, bytes) of delivering and committing a package."""
    start = time.perf_counter()
    count = deliver(releases, package, control)
    releases.verb("commit", package.id, manifest_digest(package.manifest))
    return time.perf_counter() - start, count


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
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = Sshd(folder / "sshd").start()
        try:
            told = measured(folder, server, wish)
        finally:
            server.stop()
    print(json.dumps(told, indent=1))
    if wish.out:
        wish.out.write_text(json.dumps(told, indent=1) + "\n")
    return 0


def measured(folder: Path, server: Sshd, wish: argparse.Namespace) -> dict[str, object]:
    first = net(folder / "net.onnx", wish.mb, head=1)
    one = repack(folder / "one", first, first)
    second = net(folder / "net2.onnx", wish.mb, head=2)
    two = repack(folder / "two", second, second)
    with Boards(BoardBook(folder / "boards.json"), KnownHosts(folder / "known")) as boards:
        address = {"host": "127.0.0.1", "port": server.port, "key_path": str(server.key)}
        board = boards.add(Board("loop", folder=str(folder / "there"), aes=True, **address))
        key = boards.host_key(board)
        assert key is not None
        boards.trust(board, key)
        releases = Releases(boards._link(board), board)
        releases.prepare(Control())
        pairs = []
        for _ in range(wish.rounds):
            theirs = scp(server, first)
            ours, _ = sent(releases, one, Control())
            pairs.append((ours, theirs))
            print(f"push {ours:.2f} s, scp {theirs:.2f} s: {ours / theirs:.2f}", flush=True)
            releases.verb("delete", one.id)
        try:
            deliver(releases, one, _Cut())
            raise AssertionError("it was to be cut")
        except Cancelled:
            _, resumed = sent(releases, one, Control())
        remember(one.id, one.files[MODEL])
        guess = forecast(releases, two).fresh
        _, head = sent(releases, two, Control())
    return {
        "bytes": one.bytes,
        "push_over_scp": statistics.median(ours / theirs for ours, theirs in pairs),
        "rounds": [{"push_s": ours, "scp_s": theirs} for ours, theirs in pairs],
        "push_mb_per_s": one.bytes / 1e6 / min(ours for ours, _ in pairs),
        "resumed_share": resumed / one.bytes,
        "new_head_share": head / two.bytes,
        "new_head_forecast_share": guess / two.bytes,
    }


if __name__ == "__main__":
    sys.exit(main())
