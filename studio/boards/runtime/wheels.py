"""`libonnxruntime.so` for a board's CPU, taken out of the onnxruntime wheel of that CPU.

The Linux wheels carry the C library beside the Python module. For this computer's own CPU it is the installed
one; for another CPU pip fetches the wheel once, on this computer: the board never needs the internet.
"""

from __future__ import annotations

import platform
import subprocess
import sys
import zipfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from studio.control import Control
from studio.errors import BoardError
from studio.files import write_atomic
from studio.paths import cache_dir

LIBRARY = "libonnxruntime.so"
# What the libraries of the 1.2x and 1.3x wheels ask of a board (their version needs, read with readelf -V).
NEEDS_GLIBC = (2, 28)
NEEDS_LIBSTDCXX = (6, 0, 22)
WHEEL_CPUS = ("x86_64", "aarch64")
_TAGS = ("manylinux_2_17", "manylinux_2_27", "manylinux_2_28")
_SECONDS = 900


def library_for(arch: str, control: Control) -> Path:
    """The C library for `arch`, out of the installed onnxruntime or the cached wheel. Raises `BoardError`."""
    wanted = version("onnxruntime")
    if arch == platform.machine() and (own := _installed()) is not None:
        return own
    out = cache_dir() / "onnxruntime" / f"{arch}-{wanted}" / LIBRARY
    if not out.is_file():
        wheels = cache_dir() / "wheels"
        wheel = _wheel(wheels, arch, wanted) or _fetched(wheels, arch, wanted, control)
        _take_out(wheel, out)
    return out


def _installed() -> Path | None:
    spec = find_spec("onnxruntime")
    folders = spec.submodule_search_locations if spec else None
    for folder in folders or ():
        for path in sorted(Path(folder, "capi").glob(f"{LIBRARY}*")):
            return path
    return None


def _wheel(folder: Path, arch: str, wanted: str) -> Path | None:
    return next(iter(sorted(folder.glob(f"onnxruntime-{wanted}-*_{arch}.whl"))), None)


def _fetched(folder: Path, arch: str, wanted: str, control: Control) -> Path:
    thing = f"onnxruntime {wanted} for {arch}"
    control.step(0.0, f"fetching {thing} once with pip (about 20 MB)")
    platforms = [word for tag in _TAGS for word in ("--platform", f"{tag}_{arch}")]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += [*platforms, "--python-version", "3.11", "--dest", str(folder), f"onnxruntime=={wanted}"]
    folder.mkdir(parents=True, exist_ok=True)
    done = _run(command, thing)
    wheel = _wheel(folder, arch, wanted)
    if wheel is None:
        said = (done.stderr.strip().splitlines() or ["no such wheel"])[-1]
        raise BoardError(
            thing,
            f"pip could not fetch it ({said})",
            f"Connect this computer, or put the wheel into {folder}.",
        )
    return wheel


def _run(command: list[str], thing: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BoardError(thing, f"pip did not end ({error})", "Check the network, then try again.") from error


def _take_out(wheel: Path, out: Path) -> None:
    try:
        with zipfile.ZipFile(wheel) as packed:
            names = [name for name in packed.namelist() if f"/capi/{LIBRARY}" in name]
            if not names:
                raise BoardError(wheel.name, "it carries no C library", "Use another onnxruntime version.")
            content = packed.read(names[0])
    except (zipfile.BadZipFile, OSError) as error:
        wheel.unlink(missing_ok=True)
        raise BoardError(wheel.name, f"it is damaged ({error})", "Try again; it is fetched anew.") from error
    out.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(out, content)
