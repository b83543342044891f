"""Signed releases: the manifest is signed here with the user's SSH key and checked on the board by its own
`ssh-keygen` (`-Y sign` and `-Y verify`, see ssh-keygen(1) and OpenSSH's PROTOCOL.sshsig)."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from studio.boards.release.package import Package
from studio.errors import BoardError

Signer = Callable[[str], str]
NAMESPACE = "trimtab"
_SECONDS = 60


def signer(key: Path) -> Signer:
    """Signs manifests with a private key, or with a public one whose private half is in the agent."""

    def sign(manifest: str) -> str:
        command = ["ssh-keygen", "-Y", "sign", "-f", str(key), "-n", NAMESPACE]
        try:
            done = subprocess.run(
                command, input=manifest, capture_output=True, text=True, timeout=_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BoardError(str(key), f"ssh-keygen cannot sign ({error})", "Install OpenSSH 8.1.") from error
        if done.returncode or not done.stdout.startswith("-----BEGIN SSH SIGNATURE"):
            said = (done.stderr.strip().splitlines() or ["no signature"])[-1]
            raise BoardError(
                str(key), f"it cannot sign ({said})", "Load the key into your agent, or give another one."
            )
        return done.stdout

    return sign


def signed(package: Package, sign: Signer | None) -> Package:
    """The package with its manifest signed; as it is without a signer."""
    return replace(package, signature=sign(package.manifest)) if sign else package


def allowed(keys: tuple[Path, ...]) -> str:
    """The lines of an allowed_signers file for these public keys."""
    lines = []
    for path in keys:
        try:
            words = path.read_text().split()
        except (OSError, UnicodeDecodeError) as error:
            raise BoardError(str(path), f"cannot be read ({error})", "Give a public key.") from error
        if len(words) < 2 or not words[0].startswith(("ssh-", "ecdsa-", "sk-")):
            raise BoardError(str(path), "not a public key", "Give the .pub file.")
        lines.append(f'trimtab namespaces="{NAMESPACE}" {words[0]} {words[1]}')
    return "\n".join(lines)
