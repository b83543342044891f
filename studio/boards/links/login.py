"""How to log in: the key to offer, its passphrase, a password where the server takes one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from studio.boards.book import Board
from studio.boards.links.asking import TRIES, Question, Secrets, has_keyring
from studio.errors import BoardError


class Password:
    """The password of one login, handed to asyncssh when the server asks for it."""

    def __init__(self, secrets: Secrets, board: Board) -> None:
        self._secrets, self._board = secrets, board
        self.wanted, self._tried = False, False

    def __call__(self) -> str | None:
        """What is known; called by asyncssh, which must not wait for a human (servers hang up)."""
        self.wanted = True
        known = self._secrets.known("password", self._board.address)
        self._tried = known is not None
        return known

    def ask(self) -> bool:
        """Ask after a refused login; False where that cannot help. May wait for a human."""
        if not self.wanted:
            return False
        again, self._tried = self._tried, False
        if again:
            self._secrets.wrong("password", self._board.address)
        question = Question("password", self._board.name, self._board.address, again, has_keyring())
        return self._secrets.asked(question) is not None


def credentials(board: Board, secrets: Secrets) -> dict[str, Any]:
    """The key to offer. An encrypted key whose passphrase nobody gives is left to the agent."""
    import asyncssh

    if not board.key_path:
        return {}
    path = Path(board.key_path).expanduser()
    try:
        return {"client_keys": [_read(path, None)]}
    except (asyncssh.KeyEncryptionError, asyncssh.KeyImportError) as error:
        if not _encrypted(error):
            raise BoardError(
                str(path), f"not a private key ({error})", "Give the private key file, not .pub."
            ) from error
    except OSError as error:
        raise BoardError(
            str(path), f"the key cannot be read ({error.strerror})", "Choose another key."
        ) from error
    key = _unlocked(path, board, secrets)
    return {"client_keys": [key]} if key is not None else {}


def _unlocked(path: Path, board: Board, secrets: Secrets) -> Any:
    import asyncssh

    passphrase, again = secrets.known("passphrase", str(path)), False
    for _ in range(TRIES):
        if passphrase is None:
            question = Question("passphrase", board.name, str(path), again, has_keyring())
            passphrase = secrets.asked(question)
        if passphrase is None:
            return None
        try:
            return _read(path, passphrase)
        except (asyncssh.KeyEncryptionError, asyncssh.KeyImportError):
            secrets.wrong("passphrase", str(path))
            passphrase, again = None, True
    raise BoardError(str(path), "the passphrase is wrong", "Try again, or load the key into your agent.")


def _read(path: Path, passphrase: str | None) -> Any:
    import asyncssh

    return asyncssh.read_private_key(path, passphrase)


def _encrypted(error: Exception) -> bool:
    import asyncssh

    return isinstance(error, asyncssh.KeyEncryptionError) or "passphrase" in str(error).lower()
