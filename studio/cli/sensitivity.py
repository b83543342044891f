"""`sensitivity`: what each setting of each group alone costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from studio.cli import options, tables
from studio.cli.models import interval
from studio.cli.shell import Report, Shell, verb
from studio.metrics import Sensitivity


@click.command()
@options.MODEL
@options.DATA
@options.PREPROCESSING
@options.LIMIT
@options.TARGET
@click.option("--rounds", type=click.IntRange(1, 3), default=3, help="1: three stops a group; 3: every stop.")
@options.CLUSTER
@verb
def sensitivity(
    shell: Shell,
    model: Path,
    data: Path | None,
    preprocessing: Path | None,
    limit: int,
    target: str | None,
    rounds: int,
    cluster: str,
) -> Report:
    """What each setting of each group alone does to accuracy; what was measured before is not repeated."""
    options.open_model(shell, model, data, preprocessing, limit)
    options.demand_data(shell, model)
    if target is not None:
        shell.session.set_target(target)
    done = shell.session.sensitivity(shell.control(), rounds=rounds, cluster=cluster)
    return Report({"rows": [_row_json(each) for each in done.value]}, _rows_text(done.value), done.notes)


def _row_json(row: Sensitivity) -> dict[str, Any]:
    return {
        "group": row.group,
        "setting": row.setting,
        "difference": row.difference.value,
        "interval": interval(row.difference),
        "n": row.difference.n,
        "sqnr_db": row.sqnr_db,
        "bytes": row.bytes,
    }


def _rows_text(rows: tuple[Sensitivity, ...]) -> str:
    cells = [
        [
            row.group,
            row.setting,
            tables.figure(row.difference, signed=True),
            "–" if row.sqnr_db is None else f"{row.sqnr_db:.1f}",
            tables.count(row.bytes),
        ]
        for row in rows
    ]
    return tables.table(("group", "setting", "difference", "SQNR dB", "bytes"), cells)
