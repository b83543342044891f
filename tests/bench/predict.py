"""How near predicted latency comes to measured latency: random recipes on the sample, on this computer.

    python tests/bench/predict.py [--recipes 10] [--seed 0] [--threads 1] [--out FILE.json]

Profiles the sample's layers on "This computer" (pushes one-layer nets and both whole nets, one job), then
builds each random recipe and times it there in turns with the float net, so that a machine that is slower by
then is slower for both ("levelled"). Prints the error of each, and the mean and worst of all.
"""

from __future__ import annotations

import argparse
import json
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
from studio.paths import resource
from studio.recipe.settings import Recipe, Rule, Settings
from studio.session.session import Session
from studio.workbench.local import LocalWorkbench

BITS = (32, 32, 8, 8, 4, 2)
CUTS = (0.0, 0.0, 0.0, 0.25, 0.5)


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


def run(
    session: Session, board: Board, wish: argparse.Namespace, chance: random.Random
) -> list[dict[str, float]]:
    control = Control()
    session.open(wish.model, control)
    session.attach_data(DataRef(str(wish.data)), control)
    profiled = session.board_profile(board, control, wish.threads).value
    table = profiled.table
    print(f"{profiled.shapes} shapes; whole net {table.float_ms:.3f} ms, at 8 bits {table.int8_ms:.3f} ms")
    job = session.job()
    plain = session._whole(job, Recipe(target=session.recipe.target), control)
    rows = []
    for _ in range(wish.recipes):
        recipe = random_recipe(session, chance)
        session.apply_recipe(recipe)
        guess = predict.latency(session.facts, session.plan(), table)
        assert guess is not None
        packed = session._whole(job, recipe, control)
        net = Net(session.facts, target.load(recipe.target), (plain, packed))
        base, real = session.boards.layer_times(board, net, Options(wish.threads), control).wholes
        fair = real * table.float_ms / base
        rows.append({"predicted": guess.value, "measured": real, "levelled": fair})
        told = f"predicted {guess.value:.4f} ms, measured {real:.4f} ms, levelled {fair:.4f} ms"
        print(f"{told}: {guess.value / fair - 1:+.1%}", flush=True)
    return rows


def report(rows: list[dict[str, float]], out: Path | None) -> None:
    errors = [abs(row["predicted"] / row["levelled"] - 1) for row in rows]
    raw = [abs(row["predicted"] / row["measured"] - 1) for row in rows]
    told = {
        "recipes": len(rows),
        "mean_error": statistics.mean(errors),
        "worst_error": max(errors),
        "mean_error_raw": statistics.mean(raw),
        "worst_error_raw": max(raw),
        "rows": rows,
    }
    print(f"mean error {told['mean_error']:.1%}, worst {told['worst_error']:.1%}")
    print(f"not levelled {told['mean_error_raw']:.1%}, worst {told['worst_error_raw']:.1%}")
    if out:
        out.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
