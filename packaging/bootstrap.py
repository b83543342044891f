"""Set up Trimtab Studio and run it: `demo` does the main job once, `test` runs the whole test suite.

Needs Python 3.11 or newer and pip's usual access to a package index; nothing else. Makes `.venv`
beside `pyproject.toml`, installs what `packaging/constraints.txt` pins, and starts the command in it.
A second run finds everything in place and starts at once.
"""

import argparse
import ctypes
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
CONSTRAINTS = ROOT / "packaging" / "constraints.txt"
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"

# What Qt's wheels expect of the system: shared library → Debian package.
OFFSCREEN = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libxkbcommon.so.0": "libxkbcommon0",
}
WINDOW = {
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-shape.so.0": "libxcb-shape0",
}
# What the tests use when it is there: command → Debian package.
TEST_COMMANDS = {
    "sshd": "openssh-server",
    "ssh-keygen": "openssh-client",
    "busybox": "busybox",
    "mksh": "mksh",
    "shellcheck": "shellcheck",
    "dropbear": "dropbear-bin",
}


class SetupError(Exception):
    """Setting up failed for a reason that the user can mend."""


def say(text):
    print(f"trimtab: {text}", file=sys.stderr, flush=True)


def is_root():
    return hasattr(os, "geteuid") and os.geteuid() == 0


def loads(library):
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def found(command):
    return shutil.which(command, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") is not None


def missing_packages(command):
    """Debian packages that `command` needs and this system lacks; must-haves, then nice-to-haves."""
    if not sys.platform.startswith("linux"):
        return [], []
    libraries = {**OFFSCREEN, **(WINDOW if os.environ.get("DISPLAY") else {})}
    must = [package for library, package in libraries.items() if not loads(library)]
    tools = TEST_COMMANDS if command == "test" else {"sshd": "openssh-server"} if is_root() else {}
    return must, [package for tool, package in tools.items() if not found(tool)]


def system_packages(command):
    """Install what is missing as root on Debian, else name the line that does it."""
    must, nice = missing_packages(command)
    if (must or nice) and is_root() and shutil.which("apt-get"):
        apt_install(must + nice)
        must, nice = missing_packages(command)
    line = "sudo apt-get update && sudo apt-get install --no-install-recommends "
    if must:
        raise SetupError(f"Qt needs system libraries that are not installed. Run:\n  {line}{' '.join(must)}")
    if nice:
        say(f"some steps will be skipped; to have them:  {line}{' '.join(nice)}")


def apt_install(packages):
    say(f"installing system packages: {' '.join(packages)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for action in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
        done = subprocess.run(["apt-get", *action], env=environment, capture_output=True, text=True)
        if done.returncode:
            say(f"apt-get {action[0]} failed: {done.stderr.strip()[-300:]}")
            return


def interpreter():
    folder, name = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    return VENV / folder / name


def works():
    if not interpreter().exists():
        return False
    check = [str(interpreter()), "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"]
    return subprocess.run(check, capture_output=True).returncode == 0


def make_venv():
    if works():
        return
    say(f"making {VENV}")
    if created():
        return
    if is_root() and shutil.which("apt-get"):
        apt_install(["python3-venv"])
    if not created():
        fix = "On Debian and Ubuntu: sudo apt-get install python3-venv"
        raise SetupError(f"cannot make a virtual environment in {VENV}. {fix}")


def created():
    # Debian's Python without python3-venv has the module but not the pip to put in.
    make = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    return subprocess.run(make, capture_output=True).returncode == 0


def pip(*arguments, capture=False):
    command = [str(interpreter()), "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=capture, text=True)


def pip_install(*arguments):
    return pip("install", "--quiet", "--constraint", str(CONSTRAINTS), *arguments).returncode == 0


def fingerprint(extras):
    """Changes whenever what must be installed changes."""
    digest = hashlib.sha256(extras.encode())
    for path in (ROOT / "pyproject.toml", CONSTRAINTS, Path(__file__)):
        digest.update(path.read_bytes())
    digest.update(str(ROOT).encode())
    return digest.hexdigest()


def install(extras, torch):
    stamp, wanted = VENV / ".trimtab-install", fingerprint(f"{extras},{torch}")
    if stamp.exists() and wanted in stamp.read_text():
        return
    say("installing (the first time this downloads some 250 MB, with PyTorch 450 MB) …")
    if torch and install_torch():
        extras = f"{extras},torch".strip(",")
    if not pip_install("--editable", f".[{extras}]" if extras else "."):
        raise SetupError("pip could not install the dependencies (see above). Check the network, run again.")
    with stamp.open("a") as file:
        file.write(wanted + "\n")


def install_torch():
    """Install the CPU build of PyTorch; False (and a word why) where only a CUDA build is offered."""
    pinned = next(row.strip() for row in CONSTRAINTS.read_text().splitlines() if row.startswith("torch=="))
    for index in ([], ["--index-url", TORCH_CPU_INDEX]):
        if is_cpu_build(pinned, index):
            return pip_install(*torch_source(pinned, index))
    say("no CPU build of PyTorch is offered here: .pt2 and TorchScript files cannot be opened. ONNX works.")
    return False


def torch_source(pinned, index):
    # The CPU index does not carry everything that torch needs: the usual one stays beside it.
    return [f"{pinned}+cpu", "--extra-index-url", index[1]] if index else [pinned]


def is_cpu_build(pinned, index):
    """Whether pip would take a build of `pinned` that brings no CUDA packages along."""
    if pip("show", "--quiet", "torch", capture=True).returncode == 0:
        return True
    look = ("--dry-run", "--no-deps", "--ignore-installed", "--report", "-")
    done = pip("install", "--quiet", *look, *index, pinned, capture=True)
    if done.returncode:
        return False
    needs = json.loads(done.stdout)["install"][0]["metadata"].get("requires_dist", [])
    cuda = any(need.lower().startswith(("nvidia-", "cuda-")) for need in needs)
    return not (cuda and sys.platform.startswith("linux"))


def run(*arguments, **extra):
    return subprocess.run([str(interpreter()), *arguments], env={**os.environ, **extra}).returncode


def demo(rest):
    return run("-m", "studio", "demo", *rest)


def test(rest):
    """Style, types, the engine where Qt cannot be imported, then window and end-to-end tests."""
    os.chdir(ROOT)
    steps = (
        (["-m", "ruff", "check", "."], {}),
        (["-m", "ruff", "format", "--check", "."], {}),
        (["-m", "mypy", "studio"], {}),
        (["-m", "pytest", "-q", "-p", "no:pytest-qt", "tests/unit", *rest], {"TRIMTAB_TEST_WITHOUT_QT": "1"}),
        (["-m", "pytest", "-q", "tests/gui", "tests/e2e", *rest], {"QT_QPA_PLATFORM": "offscreen"}),
    )
    codes = [run(*arguments, **extra) for arguments, extra in steps]
    return next((code for code in codes if code), 0)


def main():
    if sys.version_info < (3, 11):
        version = platform.python_version()
        sys.exit(f"trimtab: Python 3.11 or newer is needed; this is {version}. Try python3.11 or python3.12.")
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("command", choices=("demo", "test", "install"))
    parser.add_argument("--without-torch", action="store_true", help="leave PyTorch (and .pt2 files) out")
    options, rest = parser.parse_known_args()
    try:
        system_packages(options.command)
        make_venv()
        install(
            "dev,boards,cluster,search,netron" if options.command == "test" else "", not options.without_torch
        )
    except SetupError as error:
        sys.exit(f"trimtab: {error}")
    sys.exit({"demo": demo, "test": test, "install": lambda rest: 0}[options.command](rest))


if __name__ == "__main__":
    main()
