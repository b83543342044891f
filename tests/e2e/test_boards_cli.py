"""Many boards and signed releases from the command line, over a real SSH server."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sshd import Sshd, keygen, missing

from studio.boards.release.package import sha256_of
from studio.cli.main import cli

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing())]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    server = Sshd(tmp_path_factory.mktemp("sshd")).start()
    yield server
    server.stop()


def told(*words: object) -> dict[str, Any]:
    """What a command says with `--json`; it must end well."""
    done = CliRunner().invoke(cli, [*map(str, words), "--json"])
    assert done.exit_code == 0, done.output
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def refused(*words: object) -> dict[str, str]:
    """The error of a command that cannot do what it is asked."""
    done = CliRunner().invoke(cli, [*map(str, words), "--json"])
    assert done.exit_code == 1, done.output
    error: dict[str, str] = json.loads(done.stdout)["error"]
    return error


def add(server: Sshd, name: str, folder: Path, *more: object) -> None:
    address = ("127.0.0.1", "--port", server.port, "--key", server.key, "--folder", folder)
    told("board", "add", name, *address, "--python", sys.executable, "--yes", *more)


def test_a_group_goes_after_its_canary(server: Sshd, tmp_path: Path, net: Path, net_data: Path) -> None:
    for name in "abc":
        add(server, name, tmp_path / name, "--group", "lab", *(["--group", "ends"] if name != "b" else []))
    push = ("board", "push", net, "--data", net_data)
    seen = told(*push, "--group", "lab", "--dry-run")["boards"]
    assert [(one["board"], one["fresh"] == one["bytes"]) for one in seen] == [(name, True) for name in "abc"]
    assert not (tmp_path / "a" / "releases").exists()
    done = told(*push, "--group", "lab", "--confirm")["boards"]
    assert [(one["board"], one["state"]) for one in done] == [(name, "pushed") for name in "abc"]
    digests = {sha256_of(path) for path in tmp_path.glob("?/releases/*/model.onnx")}
    assert (digests, len(list(tmp_path.glob("?/releases/*")))) == ({sha256_of(net)}, 3)
    # The one that goes ahead breaks its budget: no other is touched.
    error = refused(*push, "--group", "ends", "--p95", "0.000001")
    assert "too slow" in error["cause"]
    assert "c: not tried" in error["cause"]
    states = [told("board", "status", name) for name in "abc"]
    assert [one["state"] for one in states] == ["confirmed"] * 3
    assert [len(one["releases"]) for one in states] == [2, 1, 1]
    assert "no board is in it" in refused(*push, "--group", "none")["cause"]


def test_a_board_that_wants_signatures(server: Sshd, tmp_path: Path, net: Path, net_data: Path) -> None:
    mine, other = keygen(tmp_path / "mine"), keygen(tmp_path / "other")
    add(server, "strict", tmp_path / "board")
    told("board", "require-signatures", "strict", "--key", f"{mine}.pub")
    push = ("board", "push", "strict", net, "--data", net_data)
    for more in ((), ("--sign", other)):
        error = refused(*push, *more)
        assert "signature is refused" in error["cause"]
        assert "--sign" in error["fix"]
    assert told("board", "status", "strict")["releases"] == []
    assert told(*push, "--sign", mine, "--confirm")["confirmed"]
    # Trials push too: one-layer nets, the net itself, a search's candidates.
    profile = ("board", "profile", "strict", net, "--data", net_data)
    assert "signature is refused" in refused(*profile)["cause"]
    add(server, "strict", tmp_path / "board", "--sign", mine, "--replace")
    assert told(*profile)["shapes"] > 0
    out = tmp_path / "found.onnx"
    told("search", net, "--data", net_data, "--max-latency", "1000ms@strict", "--out", out)
    assert told("board", "push", "strict", out, "--data", net_data)["activated"]
    signatures = list((tmp_path / "board" / "releases").glob("*/SHA256SUMS.sig"))
    assert len(signatures) == len(told("board", "releases", "strict")["releases"]) == 2
