"""A release comes back from a board as the file that was pushed: over a real SSH server."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from board_parts import WIDE, net
from click.testing import CliRunner
from sshd import Sshd, missing

from studio.boards.api import Boards
from studio.boards.book import Board, BoardBook
from studio.boards.links.hostkeys import KnownHosts
from studio.boards.release.package import Package, golden_outputs, package, save_goldens, sha256_of
from studio.cli.main import cli
from studio.control import Cancelled, Control
from studio.errors import BoardError
from studio.paths import config_dir
from studio.recipe import text
from studio.recipe.settings import Recipe, Settings

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing())]
RECIPE = Recipe(default=Settings(bits=8))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    server = Sshd(tmp_path_factory.mktemp("sshd")).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the user's list of boards and their keys."""
    return tmp_path_factory.mktemp("known")


@pytest.fixture(scope="module")
def pushed(server: Sshd, known: Path, tmp_path_factory: pytest.TempPathFactory) -> Package:
    """What is active on the board."""
    folder = tmp_path_factory.mktemp("pushed")
    model = net(folder / "net.onnx", ballast=2 << 20)
    inputs = {"x": _inputs()}
    goldens = save_goldens(folder / "goldens.npz", inputs, golden_outputs(model, inputs))
    release = package(model, goldens, folder / "meta", meta={"recipe": text.dumps(RECIPE), "accuracy": 91.5})
    with _boards(known) as boards:
        board = Board("loop", host="127.0.0.1", port=server.port, key_path=str(server.key))
        board = msgspec.structs.replace(board, folder=str(server.home / "trimtab"), python=sys.executable)
        key = boards.host_key(boards.add(board))
        assert key is not None
        boards.trust(board, key)
        with pytest.raises(BoardError, match="no release on it"):
            boards.pull("loop", folder / "none.onnx")
        assert boards.push("loop", release, runs=1).activated
    return release


@pytest.fixture
def boards(known: Path, pushed: Package) -> Iterator[Boards]:
    with _boards(known) as boards:
        yield boards


def _boards(known: Path) -> Boards:
    return Boards(BoardBook(known / "boards.json"), KnownHosts(known / "known_hosts"))


def _inputs() -> object:
    import numpy as np

    return np.random.default_rng(7).normal(size=(16, WIDE)).astype(np.float32)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_active_release_comes_back_byte_for_byte(boards: Boards, pushed: Package, tmp_path: Path) -> None:
    steps: list[float] = []
    got = boards.pull("loop", tmp_path / "back.onnx", Control(lambda fraction, _: steps.append(fraction)))
    assert (got.release, got.sha256) == (pushed.id, pushed.sha256["model.onnx"])
    assert (tmp_path / "back.onnx").read_bytes() == pushed.files["model.onnx"].read_bytes()
    assert Path(got.meta).read_bytes() == pushed.files["meta.json"].read_bytes()
    assert text.loads(Path(got.recipe).read_text()) == RECIPE
    assert got.proof.startswith("proved by 16 goldens")
    assert steps == sorted(steps)
    assert _names(tmp_path) == ["back.onnx", "back.recipe.json", "back.release.json"]
    # The same again writes over nothing else.
    assert boards.pull("loop", tmp_path / "back.onnx") == got


def test_a_file_that_is_there_is_left_alone(boards: Boards, pushed: Package, tmp_path: Path) -> None:
    mine = tmp_path / "mine.onnx"
    mine.write_bytes(b"years of work")
    with pytest.raises(BoardError, match="holds other bytes"):
        boards.pull("loop", mine)
    assert mine.read_bytes() == b"years of work"
    (tmp_path / "other.recipe.json").write_text("{}")
    with pytest.raises(BoardError, match=r"other\.recipe\.json.*holds other bytes"):
        boards.pull("loop", tmp_path / "other.onnx")
    assert _names(tmp_path) == ["mine.onnx", "other.recipe.json"]
    assert boards.pull("loop", mine, replace=True).sha256 == sha256_of(mine)
    with pytest.raises(BoardError, match="cannot be written"):
        boards.pull("loop", tmp_path / "no" / "such" / "folder.onnx")


def test_which_release(boards: Boards, pushed: Package, tmp_path: Path) -> None:
    assert boards.pull("loop", tmp_path / "a.onnx", release=pushed.id).release == pushed.id
    with pytest.raises(BoardError, match="not on loop"):
        boards.pull("loop", tmp_path / "b.onnx", release="net-000000000000")
    assert not (tmp_path / "b.onnx").exists()


@pytest.mark.parametrize("name", ["model.onnx", "meta.json", "SHA256SUMS"])
def test_altered_bytes_never_arrive(
    boards: Boards, pushed: Package, server: Sshd, tmp_path: Path, name: str
) -> None:
    path = server.home / "trimtab" / "releases" / pushed.id / name
    whole = path.read_bytes()
    old = tmp_path / "model.onnx"
    old.write_bytes(b"old")
    path.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    try:
        with pytest.raises(BoardError, match=f"{name} there is not what was pushed"):
            boards.pull("loop", old, replace=True)
        path.unlink()
        with pytest.raises(BoardError, match=f"reading {name} .*No such file"):
            boards.pull("loop", old, replace=True)
    finally:
        path.write_bytes(whole)
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"model.onnx": b"old"}


def test_cancelled_or_cut_leaves_nothing(
    boards: Boards, pushed: Package, server: Sshd, tmp_path: Path
) -> None:
    path = server.home / "trimtab" / "releases" / pushed.id / "model.onnx"
    whole = path.read_bytes()
    # A pipe that nobody fills: the transfer stands still in the middle for as long as the test wants.
    path.unlink()
    os.mkfifo(path)

    def cut(fraction: float, said: str) -> None:
        if "MB" in said:
            server.cut()

    def cancel(fraction: float, said: str) -> None:
        if "MB" in said:
            control.cancel()

    control = Control(cancel)
    try:
        with pytest.raises(Cancelled):
            boards.pull("loop", tmp_path / "model.onnx", control)
        with pytest.raises(BoardError, match="lost"):
            boards.pull("loop", tmp_path / "model.onnx", Control(cut))
    finally:
        path.unlink()
        path.write_bytes(whole)
    assert _names(tmp_path) == []
    assert boards.pull("loop", tmp_path / "model.onnx").bytes == len(whole)


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root and setpriv")
def test_another_login_may_not_read(boards: Boards, pushed: Package, tmp_path: Path) -> None:
    server = Sshd(tmp_path / "sshd")
    server.options = ('ForceCommand setpriv --reuid 65534 --clear-groups sh -c "$SSH_ORIGINAL_COMMAND"',)
    server.start()
    try:
        stranger = msgspec.structs.replace(boards.book.get("loop"), name="stranger", port=server.port)
        stranger = msgspec.structs.replace(stranger, key_path=str(server.key))
        key = boards.host_key(stranger)
        assert key is not None
        boards.trust(stranger, key)
        with pytest.raises(BoardError, match="may not be read with this login"):
            boards.pull(stranger, tmp_path / "model.onnx")
    finally:
        server.stop()


def test_on_this_computer(pushed: Package, tmp_path: Path) -> None:
    with Boards() as boards:
        assert boards.push("this-computer", pushed, runs=1).activated
        got = boards.pull("this-computer", tmp_path / "model.onnx")
        assert got.sha256 == sha256_of(tmp_path / "model.onnx") == pushed.sha256["model.onnx"]
        stored = Path(boards.book.get("this-computer").folder, "releases", pushed.id, "model.onnx")
        stored.write_bytes(stored.read_bytes()[:-1])
        with pytest.raises(BoardError, match="not what was pushed"):
            boards.pull("this-computer", tmp_path / "again.onnx")


def test_on_the_command_line(known: Path, pushed: Package, tmp_path: Path) -> None:
    for name in ("boards.json", "known_hosts"):
        shutil.copy(known / name, config_dir() / name)
    out = tmp_path / "back.onnx"
    done = CliRunner().invoke(cli, ["board", "pull", "loop", "--out", str(out), "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["release"], told["bytes"]) == (pushed.id, out.stat().st_size)
    assert sha256_of(out) == told["sha256"] == pushed.sha256["model.onnx"]
    out.write_bytes(b"mine")
    done = CliRunner().invoke(cli, ["board", "pull", "loop", "--out", str(out)])
    assert done.exit_code == 1
    assert "holds other bytes" in done.stderr
    done = CliRunner().invoke(cli, ["board", "pull", "loop", "--out", str(out), "--replace"])
    assert done.exit_code == 0, done.output
    assert pushed.id in done.stdout
