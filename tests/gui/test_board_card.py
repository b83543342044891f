"""What the window says of one board: its facts, what runs there, how far a job is, and what is nearby."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QColor, QPixmap
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from studio.boards.book import Board
from studio.boards.facts import parse
from studio.boards.links.find import Found
from studio.boards.remarks import graded
from studio.boards.report import BoardStatus, Release
from studio.boards.runs.serving import Serving
from studio.boards.seen import LastSeen
from studio.gui.boards import asking, found
from studio.gui.boards.add import AddBoard
from studio.gui.boards.card import FactsCard
from studio.gui.boards.detail import Detail
from studio.gui.boards.served import ServedBox
from studio.gui.looks.theme import Look
from studio.jobs import Advance

_PROBE = """model=Raspberry Pi 4 Model B
machine=aarch64
bits=32
cores=4
frequency_khz=1500000
most_khz=1800000
allowed_khz=1800000
governor=ondemand
features=asimd aes
memory_kib=3884000
free_kib=2800000
throttled=0x4
emulated=qemu
os=Debian 12
libc=glibc 2.36
"""
_CARD = """Raspberry Pi 4 Model B
aarch64 · 4 cores · 1500 MHz · ondemand
asimd, aes
2.87 GB of 3.98 GB memory free
Debian 12 · glibc 2.36
✗ emulated (qemu): times mean nothing
· governor ondemand: the clock follows the load, so short runs look slow
! no dotprod: expect little from int8; measure
✗ 32-bit userland under a 64-bit kernel: 64-bit runtimes cannot run here
· no Python on the board: the C runner is used, and pushed there once"""


def test_the_card_says_what_a_board_is_and_what_that_means(qtbot: QtBot, look: Look) -> None:
    facts, card = parse("pi", _PROBE), FactsCard(look)
    qtbot.addWidget(card)
    card.show_facts(facts, graded(facts))
    assert card.text == _CARD
    card.resize(360, 300)
    card.show()
    assert _has_ink(card, look.theme.bad)
    card.show_facts(None, ())
    assert card.isHidden()


def test_a_throttled_board_is_told_first(qtbot: QtBot) -> None:
    facts = parse("pi", "machine=aarch64\nthrottled=0x50004\nfeatures=asimd asimddp\n")
    first, *rest = graded(facts)
    assert (first.tone, first.text[:14]) == ("bad", "throttled now ")
    assert [each.tone for each in rest if each.text.startswith("dotprod")] == ["good"]


def test_what_is_served_is_told_with_its_log(qtbot: QtBot) -> None:
    box = ServedBox()
    qtbot.addWidget(box)
    box.show_served(asking.Served("pi", Serving("pi", "stopped"), ""))
    assert box.text == "Nothing is kept running there."
    assert not box.running
    running = Serving("pi", "running", "ok", "abcdef0123456789", 3, 7, 1.25)
    box.show_served(asking.Served("pi", running, "started\nchecked"))
    assert box.text == (
        "abcdef012345 runs, its outputs are right\n3 golden checks, the last in 1.25 ms; 7 requests\n"
        "started\nchecked"
    )


@pytest.mark.slow
def test_the_log_is_asked_for_while_it_is_seen(qtbot: QtBot) -> None:
    box = ServedBox()
    qtbot.addWidget(box)
    box.show_served(asking.Served("pi", Serving("pi", "running", "ok"), "started"))
    box.show()
    with qtbot.waitSignal(box.due, timeout=8000):
        pass
    box.hide()
    assert not box._clock.isActive()


def test_stop_is_offered_where_something_can_be_stopped(qtbot: QtBot, look: Look) -> None:
    detail = Detail(look)
    qtbot.addWidget(detail)
    release = Release("new", 1, 290, "proved by 32 goldens", "active")
    status = BoardStatus("pi", "confirmed", "new", "", 0, "", (release,))
    detail.show_seen(asking.Seen("pi", None, status))
    detail.allow(True)
    assert not detail.stop.isEnabled()
    assert detail.likely.isHidden()
    detail.job.begin("Pushing to pi")
    detail.job.advance(Advance("board-push", 1, "Pushing to pi", 0.5, "model.onnx: 5.0 of 10.0 MB, 2.0 MB/s"))
    detail.allow(True, busy=True, job=True)
    assert detail.stop.isEnabled()
    assert "5.0 of 10.0 MB, 2.0 MB/s" in detail.text
    assert detail.job.bar.value() == 500
    with qtbot.waitSignal(detail.stop_wanted, timeout=1000):
        detail.stop.click()
    detail.job.end()
    assert detail.job.text == ""


def _nearby() -> asking.Nearby:
    places = Found("pi5", "pi5.local", 22, "announced"), Found("lab", "lab", 0, "ssh config")
    known = (Board("kitchen", host="pi5.local"),)
    seen = {"kitchen": LastSeen("2026-01-02 10:00", "Raspberry Pi 5 aarch64 asimddp", "confirmed")}
    return asking.Nearby(places, known, seen)


def test_hosts_nearby_are_offered_with_what_was_seen_of_them(qtbot: QtBot) -> None:
    dialog = AddBoard()
    qtbot.addWidget(dialog)
    dialog.places.search()
    assert not dialog.places.button.isEnabled()
    dialog.places.show_places(found.rows(_nearby()))
    first, *rest = dialog.places.menu.actions()
    listed = [first.text(), rest[0].text()]
    assert "\n".join(listed) == (
        "pi5 · pi5.local · announced · added as kitchen · "
        "last seen Raspberry Pi 5 aarch64 asimddp · confirmed · 2026-01-02 10:00\n"
        "lab · ssh config"
    )
    assert dialog.fields["host"].text() == ""
    first.trigger()
    assert (dialog.fields["host"].text(), dialog.fields["name"].text()) == ("pi5.local", "pi5")
    assert dialog.port.text() == "22"


def _has_ink(widget: QWidget, colour: str) -> bool:
    picture = QPixmap(widget.size())
    widget.render(picture)
    image, wanted = picture.toImage(), QColor(colour)
    return any(image.pixelColor(x, y) == wanted for x in range(image.width()) for y in range(image.height()))
