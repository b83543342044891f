"""Passwords and passphrases: asked for, kept in memory or in the system's keyring, in no file of ours."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

SERVICE = "trimtab"
TRIES = 3


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for: the password of `user@host:port`, or the passphrase of a key file.

    `again` is True where the last answer was wrong. `can_keep` tells whether there is a keyring.
    """

    kind: Literal["password", "passphrase"]
    board: str
    of: str
    again: bool = False
    can_keep: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """`keep` stores it in the system's keyring; else it is forgotten with this process."""

    text: str
    keep: bool = False


Ask = Callable[[Question], Answer | None]


class Secrets:
    """Finds secrets in memory, then in the keyring, and asks for the rest, from a worker thread."""

    def __init__(self, ask: Ask | None = None) -> None:
        self.ask = ask
        self._held: dict[str, str] = {}
        self._guard = threading.Lock()

    def known(self, kind: str, of: str) -> str | None:
        """What is held or in the keyring; nobody is asked."""
        name = f"{kind} {of}"
        with self._guard:
            if name not in self._held and (kept := _from_keyring(name)) is not None:
                self._held[name] = kept
            return self._held.get(name)

    def asked(self, question: Question) -> str | None:
        """Ask the user; None where nobody can be asked or no answer was given."""
        answer = self.ask(question) if self.ask is not None else None
        if answer is None:
            return None
        name = f"{question.kind} {question.of}"
        with self._guard:
            self._held[name] = answer.text
        if answer.keep:
            _to_keyring(name, answer.text)
        return answer.text

    def wrong(self, kind: str, of: str) -> None:
        """What was tried is wrong: forget it, in the keyring too."""
        name = f"{kind} {of}"
        with self._guard:
            if self._held.pop(name, None) is not None:
                _to_keyring(name, None)


def has_keyring() -> bool:
    """Whether there is a keyring that stores: the optional package, over a service of this system."""
    if importlib.util.find_spec("keyring") is None:
        return False
    import keyring
    from keyring.backends.fail import Keyring as NoKeyring

    return not isinstance(keyring.get_keyring(), NoKeyring)


def _from_keyring(name: str) -> str | None:
    if not has_keyring():
        return None
    import keyring
    from keyring.errors import KeyringError

    try:
        found: str | None = keyring.get_password(SERVICE, name)
    except KeyringError:
        return None
    return found


def _to_keyring(name: str, text: str | None) -> None:
    """Store, or delete where `text` is None; a keyring that refuses is as none."""
    if not has_keyring():
        return
    import keyring
    from keyring.errors import KeyringError

    try:
        if text is not None:
            keyring.set_password(SERVICE, name, text)
        elif keyring.get_password(SERVICE, name) is not None:
            keyring.delete_password(SERVICE, name)
    except KeyringError:
        return
