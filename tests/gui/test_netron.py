"""The Netron tab: its page stays offline, a click comes back, and a missing extra is named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.gui.netron import pages, tab
from studio.gui.netron.tab import NetronTab

_LACKING = tab.missing()


def test_a_missing_extra_is_named(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, sample: Path) -> None:
    monkeypatch.setattr(tab, "NEEDED", ("no_such_package",))
    made = NetronTab()
    qtbot.addWidget(made)
    made.show()
    made.set_files(str(sample), "")
    assert "no_such_package" in made.note.text()
    assert "pip install 'trimtab[netron]'" in made.note.text()
    assert made.browser is None
    assert not made.choices[1].isEnabled()
    made.end()


def test_the_page_is_neither_dated_nor_counted() -> None:
    pytest.importorskip("netron", reason="the extra netron is not installed")
    text = pages.page('evil"><script>.onnx', dark=True).decode()
    assert 'name="date"' not in text
    assert 'content="0.0.0"' in text
    assert "prefers-color-scheme" not in text
    assert "<script>.onnx" not in text
    assert pages.part("index.js", True) is not None
    for outside in ("../__init__.py", "__init__.py", "server.py", "none.js"):
        assert pages.part(outside, True) is None


@pytest.mark.slow
@pytest.mark.skipif(bool(_LACKING), reason=f"not installed: {', '.join(_LACKING)}")
def test_a_real_page_opens_offline_sends_its_clicks_and_finds_nodes(sample: Path) -> None:
    script = Path(__file__).with_name("netron_session.py")
    environment = {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "QTWEBENGINE_CHROMIUM_FLAGS": "--disable-gpu",
    }
    done = subprocess.run(
        [sys.executable, str(script), str(sample)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["opened"]
    assert not told["quiet"], "the page itself asked for the network"
    assert told["picked"] == ["stem/relu"]
    assert told["refused"] == ["https://example.com/"]
    assert told["found"] == "head/fc"
