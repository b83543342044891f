"""Running models on a board without Python: the C runner and a C library, pushed once, shared by releases."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from studio.boards.facts import BoardFacts
from studio.boards.links.link import Link
from studio.boards.release.package import Package, release_id, sha256_of
from studio.boards.release.protocol import Releases
from studio.boards.release.upload import put_shared
from studio.boards.runtime.compile import NAME, runner_for
from studio.boards.runtime.wheels import LIBRARY, NEEDS_GLIBC, NEEDS_LIBSTDCXX, WHEEL_CPUS, library_for
from studio.control import Control

_CPUS = {
    "x86_64": "x86_64",
    "amd64": "x86_64",
    "aarch64": "aarch64",
    "arm64": "aarch64",
    "riscv64": "riscv64",
}
# Debian and others package the C library for CPUs that have no wheel.
_PLACES = (
    "/usr/lib/*/libonnxruntime.so*",
    "/usr/lib/libonnxruntime.so*",
    "/usr/local/lib/libonnxruntime.so*",
)


@dataclass(frozen=True, slots=True)
class Native:
    """Paths on the board of the C runner and the C library it opens.

    `missing` says in plain words why it cannot be had; then the paths are "".
    """

    runner: str
    library: str
    missing: str = ""


def cpu_of(facts: BoardFacts) -> str:
    """The board's CPU as the runner's targets name it; "" where there is no runner for it."""
    if facts.machine in ("aarch64", "arm64", "armv7l", "armv8l") and facts.bits == 32:
        return "armhf"
    return "" if facts.bits == 32 else _CPUS.get(facts.machine, "")


def cannot(facts: BoardFacts, own_library: str) -> str:
    """Why the board cannot run the C runner, in plain words, before anything is sent; else ""."""
    arch = cpu_of(facts)
    if not arch:
        return f"there is no runner for a {facts.bits}-bit {facts.machine} system"
    if facts.libc.startswith("musl"):
        return "the board has musl libc; runner and onnxruntime need glibc"
    if own_library:
        return ""
    if arch not in WHEEL_CPUS:
        return f"there is no onnxruntime wheel for {arch}, and no libonnxruntime is installed on the board"
    glibc, libstdcxx = _numbers(facts.libc), _numbers(facts.libstdcxx)
    if glibc and glibc < NEEDS_GLIBC:
        return f"onnxruntime needs glibc {_dotted(NEEDS_GLIBC)}, the board has {_dotted(glibc)}"
    if not facts.libstdcxx:
        return "onnxruntime needs libstdc++, which the board lacks"
    if libstdcxx < NEEDS_LIBSTDCXX:
        return (
            f"onnxruntime needs libstdc++.so.{_dotted(NEEDS_LIBSTDCXX)}, the board has {_dotted(libstdcxx)}"
        )
    return ""


def native(link: Link, releases: Releases, facts: BoardFacts, control: Control) -> Native:
    """Put runner and library on the board where they are not there yet."""
    own = own_library(link)
    why = cannot(facts, own)
    if why:
        return Native("", "", why)
    arch = cpu_of(facts)
    runner = share(releases, NAME, runner_for(arch), control.part(0.0, 0.1))
    library = own or share(
        releases, LIBRARY, library_for(arch, control.part(0.1, 0.4)), control.part(0.4, 1.0)
    )
    return Native(runner, library)


def share(releases: Releases, name: str, path: Path, control: Control) -> str:
    """Put one file into the board's `shared` folder, under its digest; gives its path there."""
    return f"{put_shared(releases, bundle_of(name, path), control)}/{name}"


def bundle_of(name: str, path: Path) -> Package:
    """One file as it is shared."""
    digest = sha256_of(path)
    manifest = f"{digest}  {name}\n"
    return Package(release_id(name, manifest), {name: path}, {name: digest}, manifest, 0.0, 0)


def own_library(link: Link) -> str:
    """A C library that the board's own system has, else ""."""
    script = f'for f in {" ".join(_PLACES)}; do [ ! -f "$f" ] || {{ echo "$f"; exit; }}; done'
    found = link.run(f"sh -c {shlex.quote(script)}").out.strip()
    return found.splitlines()[0] if found.startswith("/") else ""


def _numbers(text: str) -> tuple[int, ...]:
    found = re.search(r"\d+(\.\d+)+", text)
    return tuple(int(part) for part in found.group().split(".")) if found else ()


def _dotted(numbers: tuple[int, ...]) -> str:
    return ".".join(str(number) for number in numbers)
