"""Builds the C runner: with `ziglang` for any board's CPU, with `cc` for this computer's own."""

from __future__ import annotations

import hashlib
import importlib.util
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from studio.errors import BoardError
from studio.files import write_atomic
from studio.paths import cache_dir, resource

# glibc as old as a target can have it: 2.17 is of 2012; riscv64 begins with 2.27.
TARGETS = {
    "x86_64": "x86_64-linux-gnu.2.17",
    "aarch64": "aarch64-linux-gnu.2.17",
    "armhf": "arm-linux-gnueabihf.2.17",
    "riscv64": "riscv64-linux-gnu.2.27",
}
NAME = "trimtab-run"
_FLAGS = ("-std=gnu11", "-O2", "-s", "-Wall", "-Wextra")
_SECONDS = 300


def runner_for(arch: str) -> Path:
    """The runner for `arch` (a key of `TARGETS`): the shipped one, else built once into the user's cache."""
    shipped = resource("board", "runner", "bin", arch, NAME)
    if shipped.is_file():
        return shipped
    out = cache_dir() / "runner" / f"{arch}-{_source_key()}" / NAME
    if not out.is_file():
        build(arch, out)
    return out


def build(arch: str, out: Path) -> Path:
    """Compile the runner for `arch` to `out`. Raises `BoardError` where no compiler can or it fails."""
    out.parent.mkdir(parents=True, exist_ok=True)
    fresh = out.with_name(f".{out.name}.built")
    sources = [str(path) for path in _sources() if path.suffix == ".c"]
    command = [*_compiler(arch), *_FLAGS, "-o", str(fresh), *sources, "-ldl", "-lm"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BoardError(f"runner for {arch}", f"the compiler failed ({error})", "Try again.") from error
    if done.returncode:
        said = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr[-200:])
        raise BoardError(f"runner for {arch}", f"it does not compile: {said.strip()}", "Report this.")
    write_atomic(out, fresh.read_bytes())
    out.chmod(0o755)
    fresh.unlink()
    return out


def _compiler(arch: str) -> tuple[str, ...]:
    if importlib.util.find_spec("ziglang") is not None:
        return (sys.executable, "-m", "ziglang", "cc", "-target", TARGETS[arch])
    local = shutil.which("cc")
    if local and arch == platform.machine():
        return (local,)
    raise BoardError(
        f"runner for {arch}",
        "no compiler for that CPU here",
        "Install it once: pip install ziglang (or trimtab[boards]); the board needs nothing.",
    )


def _sources() -> list[Path]:
    return sorted(path for path in resource("board", "runner").iterdir() if path.suffix in (".c", ".h"))


def _source_key() -> str:
    digest = hashlib.sha256()
    for path in _sources():
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
