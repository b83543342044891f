"""Host keys: what is trusted, what changed, what was revoked. Nothing is ever accepted unseen.

Our own `known_hosts` in the settings folder comes first; the user's `~/.ssh/known_hosts` is only read.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from studio.errors import BoardError
from studio.files import locked, write_atomic
from studio.paths import config_dir

if TYPE_CHECKING:
    import asyncssh

State = Literal["new", "known", "changed", "revoked"]
Trusted = tuple[list["asyncssh.SSHKey"], list["asyncssh.SSHKey"], list["asyncssh.SSHKey"]]


@dataclass(frozen=True, slots=True)
class HostKey:
    """The key that a server showed. Fingerprints are `SHA256:…` as ssh prints them.

    `host` is the name that it is filed under (`[name]:port` off port 22), `line` the public key in OpenSSH
    text. `known_fingerprint` is what was expected, where `state` is `changed`.
    """

    host: str
    kind: str
    fingerprint: str
    state: State
    line: str
    known_fingerprint: str = ""


class KnownHosts:
    """Looks host keys up and stores accepted ones."""

    def __init__(self, own: Path | None = None, users: Path | None = None) -> None:
        self.own = own or config_dir() / "known_hosts"
        self.users = users or Path.home() / ".ssh" / "known_hosts"

    def trusted(self, host: str, _address: str, port: int | None) -> Trusted:
        """(trusted, authority, revoked) keys of a host; our own file wins, revocations of both count."""
        name = filed_as(host, port)
        own, users = _lookup(self.own, name), _lookup(self.users, name)
        keys = own if own[0] else users
        return keys[0], keys[1], [*own[2], *users[2]]

    def judge(self, host: str, port: int, key: asyncssh.SSHKey) -> HostKey:
        """Compare the key that a server showed with what is known of it."""
        known, _, revoked = self.trusted(host, "", port)
        state: State = "changed" if known else "new"
        if key in revoked:
            state = "revoked"
        elif key in known:
            state = "known"
        before = known[0].get_fingerprint() if state == "changed" else ""
        line = key.export_public_key("openssh").decode().strip()
        kind = key.get_algorithm()
        return HostKey(
            filed_as(host, port), kind, key.get_fingerprint(), state, " ".join(line.split()[:2]), before
        )

    def accept(self, key: HostKey, replace: bool = False) -> None:
        """Trust a key from now on. A changed key needs `replace`; a revoked one is never accepted."""
        if key.state == "revoked" or (key.state == "changed" and not replace):
            raise refusal(key.host, key)
        if key.state != "known":
            self._store(key)

    def _store(self, key: HostKey) -> None:
        with locked(self.own):
            old = self.own.read_text().splitlines() if self.own.exists() else []
            kept = [line for line in old if line.split(None, 1)[:1] != [key.host]]
            write_atomic(self.own, "\n".join([*kept, f"{key.host} {key.line}", ""]).encode())


def filed_as(host: str, port: int | None) -> str:
    """The name under which OpenSSH files a host's key."""
    return host if port in (None, 0, 22) else f"[{host}]:{port}"


def refusal(thing: str, key: HostKey) -> BoardError:
    """Why a connection with this key is refused, and what the user can do."""
    if key.state == "revoked":
        return BoardError(
            thing,
            f"its host key {key.fingerprint} is marked as revoked",
            "Do not connect; ask who revoked it.",
        )
    if key.state == "changed":
        return BoardError(
            thing,
            f"its host key changed: known {key.known_fingerprint}, shown {key.fingerprint} ({key.kind})",
            "If the board was re-flashed, replace the key deliberately; otherwise someone may be in between.",
        )
    return BoardError(
        thing,
        f"its host key is not known yet: {key.fingerprint} ({key.kind})",
        "Compare the fingerprint with the board's own (ssh-keygen -lf on the board), then trust it.",
    )


def _lookup(path: Path, name: str) -> Trusted:
    import asyncssh

    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return [], [], []
    except OSError as error:
        raise BoardError(str(path), f"cannot be read ({error})", "Check its permissions.") from error
    found: Trusted = ([], [], [])
    for line in text.splitlines():
        # One line at a time: a line that nobody can parse must not hide the others.
        try:
            match = asyncssh.import_known_hosts(line).match(name, "", None)
        except ValueError:
            continue
        for keys, more in zip(found, match[:3], strict=True):
            keys.extend(more)
    return found
