"""`board pull`: a release comes back as a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from studio.cli import tables
from studio.cli.board.asking import NAME, asking
from studio.cli.shell import Report, Shell, verb

if TYPE_CHECKING:
    from studio.boards.report import Pulled


@click.command()
@NAME
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Where the model goes.")
@click.option("--release", default="", help="This release; the active one by default.")
@click.option("--replace", is_flag=True, help="Write over files that are there and differ.")
@verb
def pull(shell: Shell, name: str, out: Path, release: str, replace: bool) -> Report:
    """Fetch a release from the board NAME, verified against its manifest.

    Beside the model come what the release says of itself (.release.json) and its recipe (.recipe.json).
    """
    done = asking(shell).session.board_pull(name, out, shell.control(), release, replace)
    return Report(msgspec.to_builtins(done), _text(done))


def _text(done: Pulled) -> str:
    lines = [
        ("release", done.release),
        ("model", f"{done.path} ({tables.size(done.bytes)})"),
        ("sha256", done.sha256),
        ("about it", done.meta),
        ("recipe", done.recipe or "–"),
        ("proof there", done.proof or "–"),
    ]
    return tables.pairs(lines)


COMMANDS = (pull,)
