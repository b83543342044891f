"""`trimtab board …`: the boards, and what runs on them."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from studio.cli import options, tables
from studio.cli.shell import Report, Shell, verb
from studio.errors import BoardError

if TYPE_CHECKING:
    from studio.boards.asking import Answer, Question
    from studio.boards.book import Board
    from studio.boards.facts import BoardFacts
    from studio.boards.hostkeys import HostKey
    from studio.boards.report import BoardRun, BoardStatus, Pushed

NAME = click.argument("name")


@click.group()
def board() -> None:
    """Boards: add, probe, push to, time, confirm, roll back."""


def asking(shell: Shell) -> Shell:
    """The shell, its session asking on this terminal."""
    shell.session.ask = ask
    return shell


def ask(question: Question) -> Answer | None:
    """Ask on the terminal, where there is one; the answer is never shown nor stored."""
    from studio.boards.asking import Answer

    if not sys.stdin.isatty():
        return None
    again = "Wrong. " if question.again else ""
    text: str = click.prompt(
        f"{again}{question.kind.capitalize()} of {question.of}", hide_input=True, err=True
    )
    return Answer(text)


@board.command("list")
@verb
def list_(shell: Shell) -> Report:
    """Every known board."""
    boards = shell.session.board_list()
    rows = [[each.name, each.kind, each.address, each.folder] for each in boards]
    told = [msgspec.structs.asdict(each) for each in boards]
    return Report({"boards": told}, tables.table(("name", "kind", "address", "folder"), rows))


@board.command()
@NAME
@click.argument("address")
@click.option("--port", type=click.IntRange(1, 65535), help="SSH port.")
@click.option("--user", default="", help="Login name.")
@click.option("--key", "key", type=click.Path(path_type=Path), help="Private key to offer first.")
@click.option("--folder", default="trimtab", help="Where releases go on the board.")
@click.option("--python", default="", help="The interpreter there that has onnxruntime.")
@click.option(
    "--runner", type=click.Choice(("auto", "python", "native")), default="auto", help="What runs it."
)
@click.option("--fingerprint", default="", help="Accept the host key if it is this one (SHA256:…).")
@click.option("--yes", is_flag=True, help="Accept the host key that is shown.")
@click.option("--replace", is_flag=True, help="Replace a board of this name, and a changed host key.")
@verb
def add(
    shell: Shell,
    name: str,
    address: str,
    port: int | None,
    user: str,
    key: Path | None,
    folder: str,
    python: str,
    runner: str,
    fingerprint: str,
    yes: bool,
    replace: bool,
) -> Report:
    """Add the board NAME at ADDRESS ([user@]host[:port]) after you have seen its host key."""
    from studio.boards.book import Board

    host, user, port = split_address(address, user, port or 0)
    path = str(key.expanduser().resolve()) if key else ""
    new = Board(name, "ssh", host, port, user, path, folder, python, runner=runner)
    shown = shell.session.boards.host_key(new)
    if shown is not None and shown.state != "known":
        accept_key(shell, new, shown, fingerprint, yes)
        shell.session.boards.trust(new, shown, replace)
    shell.session.board_add(new, replace)
    told = msgspec.structs.asdict(new) | {"fingerprint": shown.fingerprint if shown else ""}
    return Report(told, f"Added {new.name} ({new.address}). Next: trimtab board probe {new.name}")


@board.command()
@NAME
@verb
def remove(shell: Shell, name: str) -> Report:
    """Forget a board; its releases stay on it."""
    gone = shell.session.board_remove(name).value
    return Report({"removed": gone.name}, f"Forgot {gone.name}; its releases stay on the board.")


@board.command()
@NAME
@verb
def probe(shell: Shell, name: str) -> Report:
    """Ask the board what it is."""
    facts = asking(shell).session.board_probe(name, shell.control()).value
    return Report(msgspec.to_builtins(facts), _facts_text(facts))


@board.command()
@NAME
@options.MODEL
@options.DATA
@options.PREPROCESSING
@click.option("--confirm", is_flag=True, help="Confirm at once when the golden check passed there.")
@click.option("--allow-unproved", is_flag=True, help="Activate although it could not be run there.")
@verb
def push(
    shell: Shell,
    name: str,
    model: Path,
    data: Path | None,
    preprocessing: Path | None,
    confirm: bool,
    allow_unproved: bool,
) -> Report:
    """Push the file MODEL to the board NAME as it is, prove it there with golden samples, switch to it."""
    options.open_model(asking(shell), model, data, preprocessing, 0)
    done = shell.session.push_opened(name, shell.control(), confirm, allow_unproved).value
    return Report(pushed_json(done), pushed_text(done))


@board.command()
@NAME
@click.option("--runs", type=click.IntRange(min=1), default=500, show_default=True)
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--release", default="", help="Default: the active one.")
@click.option("--seconds", type=click.FloatRange(min=0), default=0.0, help="End after that long.")
@click.option("--cores", default="", help="Cores to run on, e.g. 0,1.")
@click.option("--profile", is_flag=True, help="Also tell which operators take the time.")
@verb
def bench(
    shell: Shell,
    name: str,
    runs: int,
    threads: int,
    release: str,
    seconds: float,
    cores: str,
    profile: bool,
) -> Report:
    """Time a release on the board; goes on there when the connection drops, and is picked up again."""
    session, control = asking(shell).session, shell.control()
    run = session.board_bench(name, control, runs, threads, release, seconds, cores, profile).value
    return Report(msgspec.to_builtins(run), run_text(run))


@board.command()
@click.argument("names", nargs=-1)
@click.option("--seconds", type=click.FloatRange(min=0), default=4.0, help="How long to listen.")
@verb
def find(shell: Shell, names: tuple[str, ...], seconds: float) -> Report:
    """Look for boards: announced ones, hosts of your ssh config, and NAMES (also as NAME.local)."""
    places = shell.session.board_find(names, seconds, shell.control())
    rows = [[each.name, each.host, str(each.port or ""), each.source] for each in places]
    told = [msgspec.to_builtins(each) for each in places]
    return Report({"found": told}, tables.table(("name", "host", "port", "source"), rows))


@board.command()
@NAME
@click.option("--stop", is_flag=True, help="End it.")
@click.option("--state", is_flag=True, help="Only tell how it does.")
@verb
def serve(shell: Shell, name: str, stop: bool, state: bool) -> Report:
    """Keep the active release running on the board, and whatever becomes active after it."""
    session = asking(shell).session
    if stop:
        found = session.board_stop_serving(name).value
    else:
        found = session.board_serving(name) if state else session.board_serve(name, shell.control()).value
    told: dict[str, Any] = msgspec.to_builtins(found)
    return Report(told, tables.pairs([(key, str(value)) for key, value in told.items()]))


@board.command("require-signatures")
@NAME
@click.option(
    "--key", "keys", multiple=True, type=click.Path(path_type=Path), help="A public key; may repeat."
)
@verb
def require_signatures(shell: Shell, name: str, keys: tuple[Path, ...]) -> Report:
    """Take only releases signed by one of these keys from now on; without --key, anything."""
    asking(shell).session.board_require_signatures(name, keys, shell.control())
    text = f"{name} takes only releases signed by {len(keys)} keys." if keys else f"{name} takes any release."
    return Report({"board": name, "keys": [str(key) for key in keys]}, text)


@board.command()
@NAME
@verb
def status(shell: Shell, name: str) -> Report:
    """What is on the board and what is active."""
    return _status(asking(shell).session.board_status(name))


@board.command()
@NAME
@verb
def confirm(shell: Shell, name: str) -> Report:
    """The active release is good: it stays."""
    return _status(asking(shell).session.board_confirm(name).value)


@board.command()
@NAME
@verb
def rollback(shell: Shell, name: str) -> Report:
    """Go back to the last confirmed release."""
    return _status(asking(shell).session.board_rollback(name).value)


def split_address(address: str, user: str, port: int) -> tuple[str, str, int]:
    """`[user@]host[:port]`, or `[user@][v6]:port`, as (host, user, port); what is given apart wins."""
    before, at, rest = address.rpartition("@")
    user = user or (before if at else "")
    match = re.fullmatch(r"\[([^\]]+)\](?::(\d+))?|([^:]+):(\d+)", rest)
    if match is None:
        return rest, user, port
    host = match[1] or match[3]
    return host, user, port or int(match[2] or match[4] or 0)


def accept_key(shell: Shell, board: Board, key: HostKey, fingerprint: str, yes: bool) -> None:
    """Show the host key and have it accepted; raises `BoardError` where it is not."""
    shell.note(f"{board.address} shows a {key.state} {key.kind} key:\n  {key.fingerprint}")
    if key.known_fingerprint:
        shell.note(f"expected was\n  {key.known_fingerprint}")
    if fingerprint and fingerprint == key.fingerprint:
        return
    if not fingerprint and (yes or _asked()):
        return
    cause = "its host key was not accepted"
    if fingerprint:
        cause = f"its host key is {key.fingerprint}, not {fingerprint}"
    raise BoardError(board.name, cause, "Compare it with the board's own, then add --yes or --fingerprint.")


def _asked() -> bool:
    if not sys.stdin.isatty():
        return False
    return click.confirm("Is this the board's key?", err=True)


def pushed_json(done: Pushed) -> dict[str, Any]:
    """What a push did, as plain data."""
    told: dict[str, Any] = msgspec.to_builtins(done)
    return told


def pushed_text(done: Pushed) -> str:
    """What a push did, in lines."""
    state = "active and confirmed" if done.confirmed else "active, not confirmed yet"
    lines = [
        ("release", done.release),
        ("sent", f"{tables.size(done.sent)} of {tables.size(done.bytes)} in {done.seconds:.1f} s"),
        ("state", state if done.activated else f"waits on the board: {done.reason}"),
    ]
    return f"{tables.pairs(lines)}\n{run_text(done.run)}"


def run_text(run: BoardRun) -> str:
    """Proof and times of a run on a board, in lines."""
    lines = [("goldens", _proof_text(run))]
    if run.ran:
        lines += [
            (
                "latency",
                f"p50 {run.p50:.3f} ms, p95 {run.p95:.3f} ms, {run.runs} runs",
            ),
            ("peak memory", tables.size(run.peak_bytes)),
            ("runtime", run.runtime),
        ]
    lines += [(f"{one.op} ({one.nodes})", f"{one.ms:.3f} ms") for one in run.ops[:8]]
    if run.joules is not None:
        lines.append(("energy", f"{run.joules * 1000:.2f} mJ per inference"))
    if run.invalid:
        lines.append(("beware", run.invalid))
    return tables.pairs(lines)


def _proof_text(run: BoardRun) -> str:
    if not run.proved:
        return f"not proved: {run.reason}"
    return f"{run.samples} samples equal (worst {run.worst:.2g}, allowed {run.tolerance:g} of the range)"


def _facts_text(facts: BoardFacts) -> str:
    told: dict[str, Any] = msgspec.to_builtins(facts)
    remarks = told.pop("remarks")
    lines = [(name, _value_text(value)) for name, value in told.items() if value]
    return "\n".join([tables.pairs(lines), *(f"• {remark}" for remark in remarks)])


def _value_text(value: object) -> str:
    return ", ".join(str(each) for each in value) if isinstance(value, list | tuple) else str(value)


def _status(found: BoardStatus) -> Report:
    told: dict[str, Any] = msgspec.to_builtins(found)
    head = tables.pairs(
        [
            ("board", found.board),
            ("state", found.state),
            ("active", found.active or "–"),
            ("previous", found.previous or "–"),
        ]
    )
    rows = [[each.id, str(each.number), f"{each.kib:,}", each.proof, each.state] for each in found.releases]
    text = f"{head}\n\n{tables.table(('release', 'push', 'KiB', 'proof', 'state'), rows)}" if rows else head
    return Report(told, text)
