"""Boards nearby: what announces itself by DNS-SD, what `~/.ssh/config` names, and whether a name answers."""

from __future__ import annotations

import importlib.util
import socket
import threading
from dataclasses import dataclass
from pathlib import Path

from studio.control import Control

# DNS-SD types that boards announce: OpenSSH by avahi's ssh.service, and avahi's own workstation record.
TYPES = ("_ssh._tcp.local.", "_workstation._tcp.local.")
SECONDS = 4.0
_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Found:
    """A place to try: `source` is `announced`, `ssh config` or `name`; `port` 0 where it is not told."""

    name: str
    host: str
    port: int
    source: str


def find(names: tuple[str, ...], seconds: float, control: Control) -> tuple[Found, ...]:
    """Everything found, announced ones first; `names` are tried as they are and as NAME.local."""
    control.step(0.0, f"listening for {seconds:.0f} s")
    found = [*_announced(seconds, control), *ssh_config(Path.home() / ".ssh" / "config")]
    found += [place for name in names if (place := _resolved(name)) is not None]
    control.step(1.0, f"{len(found)} found")
    seen: dict[tuple[str, int], Found] = {}
    for place in found:
        seen.setdefault((place.host, place.port or 22), place)
    return tuple(seen.values())


def ssh_config(path: Path, depth: int = 0) -> tuple[Found, ...]:
    """The hosts that an ssh config file names outright, without patterns; `Include` is followed."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    found: list[Found] = []
    for line in lines:
        key, _, rest = line.strip().replace("=", " ", 1).partition(" ")
        words = rest.split()
        if key.lower() == "host":
            plain = [word for word in words if not set(word) & set("*?!")]
            found += [Found(word, word, 0, "ssh config") for word in plain]
        elif key.lower() == "include" and depth < _DEPTH:
            for word in words:
                for more in sorted(_included(path.parent, word)):
                    found += ssh_config(more, depth + 1)
    return tuple(found)


def _included(folder: Path, pattern: str) -> list[Path]:
    whole = Path(pattern).expanduser()
    if whole.is_absolute():
        return [path for path in whole.parent.glob(whole.name) if path.is_file()]
    return [path for path in folder.glob(pattern) if path.is_file()]


def _resolved(name: str) -> Found | None:
    for host in dict.fromkeys((name, f"{name.removesuffix('.local')}.local")):
        try:
            socket.getaddrinfo(host, 22, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            continue
        return Found(name, host, 0, "name")
    return None


def _announced(seconds: float, control: Control) -> list[Found]:
    """What answers a DNS-SD browse; nothing where the optional `zeroconf` is not installed."""
    if importlib.util.find_spec("zeroconf") is None:
        return []
    from zeroconf import ServiceBrowser, Zeroconf

    heard = _Heard()
    try:
        net = Zeroconf()
    except OSError:
        return []  # no network that can be asked
    try:
        browser = ServiceBrowser(net, list(TYPES), listener=heard)
        for tick in range(max(1, int(seconds * 10))):
            control.step(min(0.9, tick / (seconds * 10)))
            threading.Event().wait(0.1)
        browser.cancel()
    finally:
        net.close()
    return sorted(heard.found.values(), key=lambda place: place.name)


class _Heard:
    """Collects services as zeroconf's threads report them."""

    def __init__(self) -> None:
        self.found: dict[str, Found] = {}

    def add_service(self, net: object, kind: str, name: str) -> None:
        info = net.get_service_info(kind, name, 1500)  # type: ignore[attr-defined]  # untyped library
        if info is None or not info.server:
            return
        port = int(info.port or 0) if kind.startswith("_ssh") else 0
        short = name.removesuffix(f".{kind}").split(" ")[0]
        self.found.setdefault(info.server, Found(short, info.server.rstrip("."), port, "announced"))

    def update_service(self, net: object, kind: str, name: str) -> None:
        self.add_service(net, kind, name)

    def remove_service(self, net: object, kind: str, name: str) -> None:
        """Gone again; it stays listed, as it was there a moment ago."""
