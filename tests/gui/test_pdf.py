"""The report as PDF: pages, their words, and a clear failure."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QTextDocument
from pytestqt.qtbot import QtBot

from studio.errors import ProjectError
from studio.gui.keep import pdf
from studio.gui.looks.theme import Look

_PAGE = """<html><head><style>.x { color: red }</style></head><body>
<div class="tiles"><div class="tile"><small>Size</small><b>294 KB</b>
<small>was 1.1 MB</small></div></div>

<section><table><tr><td><span class="meter"><i style="width: 27.9%"></i></span></td></tr></table>
<svg viewBox="0 0 940 26" role="img"><text class="label" x="0" y="13.0">Original</text></svg>
<pre>trimtab optimize</pre></section></body></html>"""


@pytest.mark.slow
def test_the_page_becomes_a_pdf_with_pictures(qtbot: QtBot, look: Look, tmp_path: Path) -> None:
    out = pdf.write(_PAGE, tmp_path / "report.pdf")
    content = out.read_bytes()
    assert content.startswith(b"%PDF-")
    assert b"/Subtype /Image" in content


@pytest.mark.slow
def test_what_qt_cannot_draw_is_put_in_other_words(qtbot: QtBot, look: Look) -> None:
    document = QTextDocument()
    document.setHtml(pdf._printable(_PAGE, document, 1000))
    text = document.toPlainText()
    assert "27.9 %" in text
    assert "color: red" not in text
    assert "294 KB" in text


@pytest.mark.slow
def test_a_folder_that_is_not_there_is_told(qtbot: QtBot, look: Look, tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="cannot be written"):
        pdf.write(_PAGE, tmp_path / "none" / "report.pdf")
