"""A search limited by the time of a board behind a real SSH server; nothing on the board changes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sshd import Sshd, keygen, missing

from studio.boards.api import Boards
from studio.boards.book import Board
from studio.boards.facts import BoardFacts
from studio.control import Control
from studio.data.reference import DataRef
from studio.errors import BoardError
from studio.metrics import ESTIMATED
from studio.search.budgets import Budgets, Effort
from studio.session.pushing import Terms
from studio.session.session import Session
from studio.workbench.local import LocalWorkbench

pytestmark = [pytest.mark.skipif(bool(missing()), reason=missing()), pytest.mark.slow]


@pytest.fixture
def boards(tmp_path: Path) -> Iterator[Boards]:
    """A user's boards, with one on a real server that has this Python."""
    server = Sshd(tmp_path / "sshd").start()
    boards = Boards()
    fresh = Board(
        "pi",
        host="127.0.0.1",
        port=server.port,
        key_path=str(server.key),
        folder=str(tmp_path / "on the board"),
        python=sys.executable,
    )
    boards.trust(boards.add(fresh), boards.host_key(fresh))
    yield boards
    boards.close()
    server.stop()


@pytest.fixture
def session(boards: Boards, net: Path, net_data: Path, tmp_path: Path) -> Iterator[Session]:
    session = Session(LocalWorkbench(tmp_path / "here", threads=1), boards)
    session.open(net, Control())
    session.attach_data(DataRef(str(net_data)), Control())
    yield session
    session.close()


def test_the_best_was_timed_on_the_board_which_stays_as_it_was(session: Session, boards: Boards) -> None:
    before = session.push("pi", Control(), Terms(confirm=True)).value.status
    done = session.search(Budgets(max_drop=3.0, max_latency=1000.0, place="pi"), Control())
    found = done.value
    assert not found.fails
    assert found.best.timed == "measured on pi"
    assert found.best.latency
    assert {each.timed for each in found.visited} == {"measured on pi", ESTIMATED}
    assert boards.status("pi") == before


def test_a_board_that_wants_signatures_gets_them_with_every_trial(
    session: Session, boards: Boards, tmp_path: Path
) -> None:
    key = keygen(tmp_path / "signer")
    session.board_require_signatures("pi", (Path(f"{key}.pub"),), Control())
    budgets = Budgets(max_drop=3.0, max_latency=1000.0, place="pi")
    with pytest.raises(BoardError, match="not signed"):
        session.search(budgets, Control())
    assert session.search(budgets, Control(), sign=str(key)).value.best.timed == "measured on pi"
    assert boards.status("pi").releases == ()


def test_an_unmet_limit_of_a_board_says_by_how_much(session: Session) -> None:
    budgets = Budgets(max_drop=3.0, max_latency=1e-6, place="pi")
    done = session.search(budgets, Control(), effort=Effort(trials=2))
    assert "max_latency" in {each.budget for each in done.value.fails}
    assert any("max latency of 1e-06 ms is missed by" in note for note in done.notes)


def test_a_board_that_nobody_knows_is_named_before_anything_is_measured(session: Session) -> None:
    with pytest.raises(BoardError, match="no such board"):
        session.search(Budgets(max_latency=3.0, place="nobody"), Control())
    assert session.state.visited == ()


def test_times_that_the_board_itself_doubts_are_not_searched_by(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BoardFacts, "times_mean_nothing", property(lambda _: "the board is throttled now"))
    with pytest.raises(BoardError, match="its times cannot be trusted: the board is throttled now"):
        session.search(Budgets(max_drop=3.0, max_latency=1000.0, place="pi"), Control())
