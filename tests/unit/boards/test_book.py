"""The list of boards."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from studio.boards.book import THIS_COMPUTER, Board, BoardBook
from studio.errors import BoardError


@pytest.fixture
def book(tmp_path: Path) -> BoardBook:
    return BoardBook(tmp_path / "boards.json")


def test_remembers(book: BoardBook) -> None:
    board = book.add(Board("pi5", host="192.168.1.20", port=2222, user="pi", key_path="~/.ssh/id_ed25519"))
    assert BoardBook(book.path).get("pi5") == board
    assert [one.name for one in book.all()] == [THIS_COMPUTER, "pi5"]
    book.remove("pi5")
    assert [one.name for one in book.all()] == [THIS_COMPUTER]


@pytest.mark.parametrize(
    "board",
    [
        Board("", host="h"),
        Board("a b", host="h"),
        Board("../a", host="h"),
        Board(THIS_COMPUTER, host="h"),
        Board("a"),
        Board("a", host="-oProxyCommand=x"),
        Board("a", host="h", port=99999),
        Board("a", kind="telnet", host="h"),
        Board("a", host="h", folder=""),
    ],
)
def test_refuses(book: BoardBook, board: Board) -> None:
    with pytest.raises(BoardError):
        book.add(board)
    assert not book.path.exists()


def test_names_are_taken_once(book: BoardBook) -> None:
    book.add(Board("a", host="one"))
    with pytest.raises(BoardError, match="taken"):
        book.add(Board("a", host="two"))
    assert book.add(Board("a", host="two"), replace=True) == book.get("a")
    with pytest.raises(BoardError, match="no such board"):
        book.get("b")
    with pytest.raises(BoardError, match="always there"):
        book.remove(THIS_COMPUTER)


def test_many_writers_lose_nothing(book: BoardBook) -> None:
    threads = [threading.Thread(target=book.add, args=(Board(f"b{at}", host="h"),)) for at in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(book.all()) == 13


def test_a_spoilt_file_is_named(book: BoardBook) -> None:
    book.path.write_text("{")
    with pytest.raises(BoardError, match=r"boards\.json"):
        book.all()


def test_a_name_given_to_another_board_brings_nothing_along(tmp_path: Path) -> None:
    from studio.boards.api import Boards
    from studio.boards.table.store import Store
    from studio.layer_times import LayerTable

    with Boards(BoardBook(tmp_path / "boards.json")) as boards:
        boards.layer_store = Store(tmp_path / "times")

        def measured(board: Board) -> bool:
            boards.add(board, replace=True)
            known = boards.layer_store.table("pi", "net") is not None
            assert known == ("pi" in boards.seen.all())
            boards.layer_store.keep_table(LayerTable("pi", "net", "test", 1, ()))
            boards.seen.note("pi", what="Raspberry Pi 4")
            return known

        assert not measured(Board("pi", host="10.0.0.4"))
        assert measured(Board("pi", host="10.0.0.4", groups=("lab",)))
        assert not measured(Board("pi", host="10.0.0.5"))
        boards.remove("pi")
        assert not measured(Board("pi", host="10.0.0.5"))


def test_changes_at_the_same_moment_are_all_kept(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from studio.boards.links.hostkeys import HostKey, KnownHosts
    from studio.boards.seen import SeenBook

    def change(at: int) -> None:
        SeenBook(tmp_path / "seen.json").note(f"board{at}")
        KnownHosts(tmp_path / "hosts").accept(HostKey(f"10.0.0.{at}", "ssh-ed25519", "", "new", f"key {at}"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(change, range(40)))
    assert len(SeenBook(tmp_path / "seen.json").all()) == 40
    assert len((tmp_path / "hosts").read_text().splitlines()) == 40
