"""When boards were last seen: a hint that survives everything, and that nothing depends on."""

from __future__ import annotations

from pathlib import Path

from studio.boards.facts import parse
from studio.boards.seen import SeenBook, headline


def test_what_was_seen_stays_until_something_else_is_seen(tmp_path: Path) -> None:
    book = SeenBook(tmp_path / "new" / "seen.json")
    assert book.all() == {}
    book.note("pi", what="Raspberry Pi 5")
    book.note("pi", state="confirmed")
    seen = SeenBook(book.path).all()["pi"]
    assert (seen.what, seen.state) == ("Raspberry Pi 5", "confirmed")
    assert str(seen).startswith("Raspberry Pi 5 · confirmed · 20")
    book.forget("pi")
    assert SeenBook(book.path).all() == {}


def test_a_broken_file_is_as_good_as_none(tmp_path: Path) -> None:
    path = tmp_path / "seen.json"
    path.write_text("{broken")
    book = SeenBook(path)
    assert book.all() == {}
    book.note("pi", what="a board")
    assert book.all()["pi"].what == "a board"


def test_a_board_in_a_few_words() -> None:
    facts = parse("pi", "model=Raspberry Pi 5\nmachine=aarch64\nfeatures=asimd asimddp aes\n")
    assert headline(facts) == "Raspberry Pi 5 aarch64 asimddp"
