"""How near predicted latency comes to measured latency: random recipes on the sample, on this computer.

    python tests/bench/predict.py [--recipes 10] [--seed 0] [--threads 1] [--turns 5] [--out FILE.json]

Profiles the sample's layers on "This computer" (pushes one-layer nets and both whole nets, one job), builds
random recipes, then times all in turns, each beside the float net, on one core: a machine that is slower
by then is slower for both ("levelled"), and the median over the turns leaves out what disturbed one of them.
Prints a table for docs/bench.md.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
from pathlib import Path

from studio import predict, target
from studio.boards.api import Boards
from studio.boards.book import Board, BoardBook
from studio.boards.table.store import Store
from studio.boards.table.tables import Net, Options
from studio.control import Control
from studio.data.reference import DataRef
from studio.layer_times import LayerTable
from studio.paths import resource
from studio.recipe.settings import Recipe, Rule, Settings
from studio.session.session import Session
from studio.workbench.local import LocalWorkbench

BITS = (32, 32, 8, 8, 4, 2)
CUTS = (0.0, 0.0, 0.0, 0.25, 0.5)
BAR = 0.15
Row = dict[str, float]


def random_recipe(session: Session, chance: random.Random) -> Recipe:
    """Any width for each layer; channels of some groups go."""
    rules = [Rule(layer.name, Settings(bits=chance.choice(BITS))) for layer in session.facts.layers]
    cut = [group.name for group in session.facts.groups if group.prunable]
    rules += [Rule(name, Settings(sparsity=share)) for name in cut if (share := chance.choice(CUTS))]
    return Recipe(target=session.recipe.target, rules=tuple(rules))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipes", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--model", type=Path, default=resource("samples", "fashion.onnx"))
    parser.add_argument("--data", type=Path, default=resource("samples", "fashion.npz"))
    parser.add_argument("--out", type=Path)
    wish = parser.parse_args()
    chance = random.Random(wish.seed)
    with tempfile.TemporaryDirectory() as folder:
        board = Board("here", "local", folder=f"{folder}/board", runner="native")
        session = Session(
            LocalWorkbench(Path(folder, "built")), Boards(BoardBook(Path(folder, "boards.json")))
        )
        session.boards.layer_store = Store(Path(folder, "times"))
        try:
            rows = run(session, board, wish, chance)
        finally:
            session.close()
    report(rows, wish.out)
    return 0


def run(session: Session, board: Board, wish: argparse.Namespace, chance: random.Random) -> list[Row]:
    control = Control()
    session.open(wish.model, control)
    session.attach_data(DataRef(str(wish.data)), control)
    _keep_to_a_core()
    profiled = session.board_profile(board, control, wish.threads).value
    table = profiled.table
    told = f"{profiled.shapes} shapes; whole net {table.float_ms:.3f} ms, at 8 bits {table.int8_ms:.3f} ms"
    print(told, file=sys.stderr, flush=True)
    recipes = [random_recipe(session, chance) for _ in range(wish.recipes)]
    job = session.job()
    plain, *packed = (
        session._whole(job, recipe, control) for recipe in (Recipe(target=session.recipe.target), *recipes)
    )
    times: list[list[float]] = [[] for _ in recipes]
    for turn in range(wish.turns):
        for at, one in enumerate(packed):
            net = Net(session.facts, target.load(session.recipe.target), (plain, one))
            base, real = session.boards.layer_times(board, net, Options(wish.threads), control).wholes
            times[at].append(real * table.float_ms / base)
        print(f"turn {turn + 1} of {wish.turns}", file=sys.stderr, flush=True)
    return [_row(session, recipe, table, each) for recipe, each in zip(recipes, times, strict=True)]


def _row(session: Session, recipe: Recipe, table: LayerTable, times: list[float]) -> Row:
    session.apply_recipe(recipe)
    guess = predict.latency(session.facts, session.plan(), table)
    assert guess is not None
    whole = {"integer_layers": predict.integer_layers(session.plan()), "predicted": guess.value}
    return {**whole, "measured": statistics.median(times), "least": min(times), "most": max(times)}


def _keep_to_a_core() -> None:
    """The runner inherits it."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def report(rows: list[Row], out: Path | None) -> None:
    errors = [row["predicted"] / row["measured"] - 1 for row in rows]
    print("| recipe | integer layers | predicted ms | measured ms (turns) | off |")
    print("| --- | --- | --- | --- | --- |")
    for at, (row, error) in enumerate(zip(rows, errors, strict=True), 1):
        spread = f"{row['measured']:.4f} ({row['least']:.4f} to {row['most']:.4f})"
        print(f"| {at} | {row['integer_layers']:.0f} | {row['predicted']:.4f} | {spread} | {error:+.1%} |")
    sizes = [abs(error) for error in errors]
    within = sum(size <= BAR for size in sizes)
    print(f"\nMean error {statistics.mean(sizes):.1%}, worst {max(sizes):.1%}; ", end="")
    print(f"{within} of {len(rows)} within the bar of {BAR:.0%}.")
    if out:
        out.write_text(json.dumps({"rows": rows, "within": within}, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
