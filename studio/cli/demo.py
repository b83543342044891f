"""`trimtab demo`: the main job, once, on the bundled sample."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from studio.cli import demo_sshd, tables
from studio.cli.board.told import pushed_text
from studio.cli.optimize import optimized_json, optimized_text
from studio.cli.shell import Report, Shell, verb
from studio.data.reference import DataRef
from studio.errors import BoardError, WorkerError
from studio.metrics import Sensitivity
from studio.paths import resource
from studio.recipe.settings import Settings
from studio.session.pushing import Terms

if TYPE_CHECKING:
    from studio.boards.book import Board
    from studio.boards.report import Pushed

ALLOWED_DROP = 0.8
PRUNE = 0.25


@dataclass
class _Told:
    """What the demo did so far, for the table at its end and for `--json`."""

    data: dict[str, Any] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)


@click.command()
@click.option("--headless", is_flag=True, help="Do the job without a window, even where there is a display.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("trimtab-demo"),
    help="Where results go.",
    show_default=True,
)
@verb
def demo(shell: Shell, headless: bool, out: Path) -> Report:
    """The main job on the bundled sample: in the window, or headless where there is no display."""
    if not headless and has_display():
        shell.note("Opening the window with the sample. Close it to end the demo.")
        status = subprocess.call([sys.executable, "-m", "studio", "sample"])
        if status:
            raise WorkerError(
                "the window", f"it ended with status {status}", "Try `trimtab demo --headless`."
            )
        return Report({"window": status}, "The window was closed.")
    if not headless:
        shell.note("There is no display here: doing the same job without the window.")
    out.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    told = _Told()
    _compress(shell, out, told)
    _ship(shell, told)
    _write(shell, out, told)
    told.data["seconds"] = round(time.monotonic() - began, 1)
    told.texts.append(f"Done in {told.data['seconds']} s. Everything lies in {out}/")
    return Report(told.data, "\n\n".join(told.texts))


def has_display() -> bool:
    """Whether a window can be shown: X11 or Wayland, or a system that always has one."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _compress(shell: Shell, out: Path, told: _Told) -> None:
    session = shell.session
    shell.note("1. Opening the sample and its data")
    session.open(resource("samples", "fashion.onnx"), shell.control())
    session.attach_data(DataRef(str(resource("samples", "fashion.npz"))), shell.control())
    shell.note("2. Measuring what each group can bear")
    found = session.sensitivity(shell.control(), rounds=2).value
    told.data["sensitivity"] = [msgspec.to_builtins(each) for each in found]
    shell.note("3. int8 everywhere, channels removed where that was cheap; every step is measured")
    session.measure(shell.control())
    session.apply_preset("int8")
    measured = session.measure(shell.control()).value
    for group in prunable(found):
        session.set_layers([group], Settings(sparsity=PRUNE))
        measured = session.measure(shell.control()).value
    pair = session.latency(shell.control()).value
    shell.note("4. Writing the measured file")
    written = session.export(out / "fashion-int8.onnx", shell.control()).value
    facts, artifact, found_ = session.facts, measured.artifact, measured.comparison
    told.data["optimize"] = optimized_json(written, facts, artifact, found_, artifact.seconds)
    told.data["latency"] = msgspec.to_builtins(pair)
    times = f"{pair.original.p50:.3f} → {pair.optimized.p50:.3f} ms (× {pair.ratio.value:.2f})"
    told.texts += [optimized_text(written, facts, artifact, found_), f"latency here, p50  {times}"]


def prunable(found: tuple[Sensitivity, ...]) -> list[str]:
    """Groups that lost at most 0.8 points when 30 % of their channels went, the cheapest first."""
    rows = [each for each in found if each.setting.startswith("sparsity")]
    cheap = [each for each in rows if each.difference.value >= -ALLOWED_DROP]
    return [each.group for each in sorted(cheap, key=lambda each: -each.difference.value)[:3]]


def _ship(shell: Shell, told: _Told) -> None:
    shell.note("5. Pushing it to a board, proving it there with golden samples, running it there")
    try:
        pushed = _push_over_ssh(shell)
    except BoardError as error:
        shell.note(f"   no board over SSH here: {error}\n   pushing to this computer by the same protocol")
        pushed = shell.session.push("this-computer", shell.control(), Terms(confirm=True)).value
    told.data["board"] = msgspec.to_builtins(pushed)
    told.texts.append(pushed_text(pushed))


def _push_over_ssh(shell: Shell) -> Pushed:
    if reason := demo_sshd.missing():
        raise BoardError("sshd", reason, "Install it to see the demo push over SSH.")
    with (
        tempfile.TemporaryDirectory(prefix="trimtab-demo-") as name,
        demo_sshd.loopback_board(Path(name)) as board,
        _boards_of_its_own(shell, Path(name), board),
    ):
        return shell.session.push(board.name, shell.control(), Terms(confirm=True)).value


@contextmanager
def _boards_of_its_own(shell: Shell, folder: Path, board: Board) -> Iterator[None]:
    """The demo's board goes into a book of its own: the user's boards are not touched."""
    from studio.boards.api import Boards
    from studio.boards.book import BoardBook
    from studio.boards.links.hostkeys import KnownHosts

    boards = Boards(BoardBook(folder / "boards.json"), KnownHosts(folder / "known", folder / "none"))
    with shell.session.with_boards(boards):
        key = boards.host_key(board)
        assert key is not None  # an SSH server shows one
        boards.trust(board, key)
        boards.add(board)
        yield


def _write(shell: Shell, out: Path, told: _Told) -> None:
    shell.note("6. Report, project and pictures of the window")
    report = shell.session.report(out / "report.html", shell.control()).value
    project = shell.session.save(out / "fashion.trimtab").value
    told.data |= {"report": str(report), "project": str(project)}
    told.data["screenshots"] = [str(path) for path in screenshots(shell, project, out)]
    told.texts.append(
        tables.pairs(
            [
                ("report", str(report)),
                ("project", str(project)),
                ("pictures", ", ".join(told.data["screenshots"]) or "none"),
            ]
        )
    )


def screenshots(shell: Shell, project: Path, out: Path) -> list[Path]:
    """The window with the project loaded, light and dark, drawn without a screen in a process of its own."""
    wanted = [out / f"window-{theme}.png" for theme in ("light", "dark")]
    command = [sys.executable, "-m", "studio.gui.looks.pictures", str(project), str(out)]
    with tempfile.TemporaryDirectory(
        prefix="trimtab-demo-"
    ) as home:  # the user's own settings stay as they are
        around = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "TRIMTAB_HOME": home}
        done = subprocess.run(command, env=around, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()
        shell.note(f"   no pictures: {last[-1] if last else 'the window did not start'}")
    return [path for path in wanted if path.exists()]
