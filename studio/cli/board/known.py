"""`board list`, `add`, `remove`, `probe`, `find`, `require-signatures`: which boards there are."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from studio.cli import tables
from studio.cli.board.asking import NAME, asking
from studio.cli.shell import Report, Shell, verb
from studio.errors import BoardError

if TYPE_CHECKING:
    from studio.boards.book import Board
    from studio.boards.facts import BoardFacts
    from studio.boards.links.hostkeys import HostKey


@click.command("list")
@verb
def list_(shell: Shell) -> Report:
    """Every known board."""
    boards, seen = shell.session.board_list(), shell.session.board_last_seen()
    last = [str(seen.get(each.name, "")) for each in boards]
    rows = [
        [each.name, each.kind, each.address, each.folder, ", ".join(each.groups), when]
        for each, when in zip(boards, last, strict=True)
    ]
    told = [
        {**msgspec.structs.asdict(each), "last_seen": when} for each, when in zip(boards, last, strict=True)
    ]
    heads = ("name", "kind", "address", "folder", "groups", "last seen")
    return Report({"boards": told}, tables.table(heads, rows))


@click.command()
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
@click.option("--group", "groups", multiple=True, help="A group to push to together; may repeat.")
@click.option("--sign", type=click.Path(path_type=Path), help="SSH key that signs what is sent there.")
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
    groups: tuple[str, ...],
    sign: Path | None,
    fingerprint: str,
    yes: bool,
    replace: bool,
) -> Report:
    """Add the board NAME at ADDRESS ([user@]host[:port]) after you have seen its host key."""
    from studio.boards.book import Board

    host, user, port = split_address(address, user, port or 0)
    path, sign_key = (str(each.expanduser().resolve()) if each else "" for each in (key, sign))
    new = Board(name, "ssh", host, port, user, path, folder, python, runner=runner, groups=groups)
    new = msgspec.structs.replace(new, sign_key=sign_key)
    shown = shell.session.boards.host_key(new)
    if shown is not None and shown.state != "known":
        accept_key(shell, new, shown, fingerprint, yes)
        shell.session.boards.trust(new, shown, replace)
    shell.session.board_add(new, replace)
    told = msgspec.structs.asdict(new) | {"fingerprint": shown.fingerprint if shown else ""}
    return Report(told, f"Added {new.name} ({new.address}). Next: trimtab board probe {new.name}")


@click.command()
@NAME
@verb
def remove(shell: Shell, name: str) -> Report:
    """Forget a board; its releases stay on it."""
    gone = shell.session.board_remove(name).value
    return Report({"removed": gone.name}, f"Forgot {gone.name}; its releases stay on the board.")


@click.command()
@NAME
@verb
def probe(shell: Shell, name: str) -> Report:
    """Ask the board what it is."""
    facts = asking(shell).session.board_probe(name, shell.control()).value
    return Report(msgspec.to_builtins(facts), _facts_text(facts))


@click.command()
@click.argument("names", nargs=-1)
@click.option("--seconds", type=click.FloatRange(min=0), default=4.0, help="How long to listen.")
@verb
def find(shell: Shell, names: tuple[str, ...], seconds: float) -> Report:
    """Look for boards: announced ones, hosts of your ssh config, and NAMES (also as NAME.local)."""
    places = shell.session.board_find(names, seconds, shell.control())
    rows = [[each.name, each.host, str(each.port or ""), each.source] for each in places]
    told = [msgspec.to_builtins(each) for each in places]
    return Report({"found": told}, tables.table(("name", "host", "port", "source"), rows))


@click.command("require-signatures")
@NAME
@click.option(
    "--key", "keys", multiple=True, type=click.Path(path_type=Path), help="A public key; may repeat."
)
@click.option("--none", is_flag=True, help="Take any release again, signed or not.")
@verb
def require_signatures(shell: Shell, name: str, keys: tuple[Path, ...], none: bool) -> Report:
    """Take only releases signed by one of these keys from now on; with --none, anything."""
    if bool(keys) == none:
        raise click.UsageError("Say either --key FILE, once or more, or --none to take any release.")
    asking(shell).session.board_require_signatures(name, keys, shell.control())
    text = f"{name} takes only releases signed by {len(keys)} keys." if keys else f"{name} takes any release."
    return Report({"board": name, "keys": [str(key) for key in keys]}, text)


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


def _facts_text(facts: BoardFacts) -> str:
    told: dict[str, Any] = msgspec.to_builtins(facts)
    remarks = told.pop("remarks")
    lines = [(name, _value_text(value)) for name, value in told.items() if value]
    return "\n".join([tables.pairs(lines), *(f"• {remark}" for remark in remarks)])


def _value_text(value: object) -> str:
    return ", ".join(str(each) for each in value) if isinstance(value, list | tuple) else str(value)


COMMANDS = (list_, add, remove, probe, find, require_signatures)
