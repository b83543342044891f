"""Which host keys are trusted."""

from __future__ import annotations

import asyncssh
import pytest

from studio.boards.links.hostkeys import KnownHosts
from studio.errors import BoardError


def _key() -> asyncssh.SSHKey:
    return asyncssh.generate_private_key("ssh-ed25519").convert_to_public()


def _line(key: asyncssh.SSHKey) -> str:
    return key.export_public_key("openssh").decode().strip()


@pytest.fixture
def hosts(tmp_path) -> KnownHosts:
    return KnownHosts(tmp_path / "own", tmp_path / "users")


def test_new_then_known_then_changed(hosts: KnownHosts) -> None:
    first, second = _key(), _key()
    seen = hosts.judge("board", 2222, first)
    assert (seen.state, seen.host, seen.fingerprint) == ("new", "[board]:2222", first.get_fingerprint())
    hosts.accept(seen)
    assert hosts.judge("board", 2222, first).state == "known"
    assert hosts.judge("board", 22, first).state == "new"
    changed = hosts.judge("board", 2222, second)
    assert (changed.state, changed.known_fingerprint) == ("changed", first.get_fingerprint())
    with pytest.raises(BoardError, match="changed") as refused:
        hosts.accept(changed)
    assert first.get_fingerprint() in str(refused.value)
    assert second.get_fingerprint() in str(refused.value)
    hosts.accept(changed, replace=True)
    assert hosts.judge("board", 2222, second).state == "known"
    assert hosts.judge("board", 2222, first).state == "changed"


def test_the_users_own_file_is_read_and_never_written(hosts: KnownHosts) -> None:
    key = _key()
    text = f"# mine\nnonsense line\nboard {_line(key)}\n"
    hosts.users.write_text(text)
    assert hosts.judge("board", 22, key).state == "known"
    hosts.accept(hosts.judge("board", 22, _key()), replace=True)
    assert hosts.judge("board", 22, key).state == "changed"
    assert hosts.users.read_text() == text


def test_hashed_names_are_found(hosts: KnownHosts) -> None:
    import base64
    import hashlib
    import hmac

    key, salt = _key(), b"0123456789abcdef0123"
    name = hmac.new(salt, b"[board]:2222", hashlib.sha1).digest()
    hashed = "|1|" + "|".join(base64.b64encode(part).decode() for part in (salt, name))
    hosts.users.write_text(f"{hashed} {_line(key)}\n")
    assert hosts.judge("board", 2222, key).state == "known"


@pytest.mark.parametrize("where", ["own", "users"])
def test_revoked_is_always_refused(hosts: KnownHosts, where: str) -> None:
    key = _key()
    getattr(hosts, where).write_text(f"@revoked * {_line(key)}\n")
    seen = hosts.judge("board", 22, key)
    assert seen.state == "revoked"
    with pytest.raises(BoardError, match="revoked"):
        hosts.accept(seen, replace=True)
