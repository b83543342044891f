"""The report as PDF: the same page, drawn by Qt's own text engine (`python -m studio.gui.keep.pdf`)."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from PySide6.QtCore import QByteArray, QMarginsF, QRectF, QSizeF, QUrl
from PySide6.QtGui import (
    QFont,
    QImage,
    QPageLayout,
    QPageSize,
    QPainter,
    QPdfWriter,
    QTextDocument,
)
from PySide6.QtSvg import QSvgRenderer

from studio.errors import ProjectError
from studio.gui.looks import fonts

_DPI, _MARGIN, _SCALE = 150, 14.0, 3
_POINTS = 8.5
_SCREEN = 96  # dots per inch in which Qt reads the widths of pictures
_SHEET = """
h1 { font-size: 20pt; } h2 { font-size: 12pt; margin-top: 14px; } h3 { font-size: 9pt; color: #555; }
.muted, small, figcaption, dt, th { color: #555; } .good { color: #0c7a4b; } .bad { color: #b3261e; }
.warn { color: #8a5a00; } td, th { padding: 2px 6px 2px 0; } .n { text-align: right; }
b { font-size: 15pt; } th { font-size: 7.5pt; text-align: left; }
small { font-size: 7pt; } pre { background: #f2f4f7; } code, pre { font-family: monospace; font-size: 7pt;
 white-space: pre-wrap; }
.layers td, .layers th { font-size: 7.5pt; }
"""
_CHART = """
text { font-family: %s, sans-serif; font-size: 12px; fill: #1a1f29; } .label, .tick { fill: #555; }
.middle { text-anchor: middle; } .end { text-anchor: end; } .grid { stroke: #ccc; } .zero { stroke: #555; }
.after { fill: #2258d6; stroke: #2258d6; } .before { fill: #999; stroke: #999; }
.whisker { stroke-width: 2; } .stem { stroke: #9db8f2; stroke-width: 2; }
"""
_SVG = re.compile(r"<svg viewBox=\"0 0 (\d+) (\d+)\".*?</svg>", re.S)
_BASE = re.compile(r'(<text[^>]*? y=")([-\d.]+)"')
_HALF_LETTER = 4.0  # Qt's SVG has no central base line


def write(page: str, out: Path) -> Path:
    """Print the report's HTML `page` on A4 sheets; raises `ProjectError` where `out` cannot be written.

    May be called outside the GUI thread.
    """
    if not os.access(out.parent, os.W_OK):
        raise _unwritten(out)
    writer = QPdfWriter(str(out))
    writer.setResolution(_DPI)
    margins = QMarginsF(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
    size = QPageSize(QPageSize.PageSizeId.A4)
    writer.setPageLayout(
        QPageLayout(size, QPageLayout.Orientation.Portrait, margins, QPageLayout.Unit.Millimeter)
    )
    document = QTextDocument()
    document.setDocumentMargin(0)
    font = QFont(fonts.font().family())
    font.setPointSizeF(_POINTS)
    document.setDefaultFont(font)
    document.setDefaultStyleSheet(_SHEET)
    document.documentLayout().setPaintDevice(writer)
    width = writer.width()
    document.setPageSize(QSizeF(width, writer.height()))
    document.setHtml(_printable(page, document, width))
    document.print_(writer)
    if not out.is_file() or not out.stat().st_size:
        raise _unwritten(out)
    return out


def _unwritten(out: Path) -> ProjectError:
    return ProjectError(str(out), "the PDF cannot be written", "Choose another folder, or make room.")


def _printable(page: str, document: QTextDocument, width: int) -> str:
    """The page in what Qt's text engine knows: charts as pictures, tiles as a table, meters as words."""
    page = re.sub(r"<style>.*?</style>", "", page, flags=re.S)
    page = re.sub(r'<span class="meter"><i style="width: ([\d.]+)%"></i></span>', r"\1 %", page)
    page = re.sub(r"<details><summary>.*?</summary>", "", page).replace("</details>", "")
    page = page.replace("<table", '<table width="100%" cellspacing="0"')
    page = re.sub(r'<div class="tiles">(.*?)</div>\s*<section', _tiles, page, count=1, flags=re.S)
    charts = list(_SVG.finditer(page))
    for place, found in enumerate(charts):
        url = QUrl(f"chart:{place}")
        image = _picture(found[0], int(found[1]), int(found[2]))
        document.addResource(QTextDocument.ResourceType.ImageResource, url, image)
        page = page.replace(found[0], f'<img src="chart:{place}" width="{width * _SCREEN // _DPI}"/>', 1)
    return page


def _tiles(found: re.Match[str]) -> str:
    cells = found[1].replace('<div class="tile">', "<td>").replace("</div>", "</td>")
    cells = cells.replace("</small><b>", "</small><br/><b>").replace("</b>", "</b><br/>")
    return f'<table width="100%" cellpadding="4"><tr>{cells}</tr></table><section'


def _picture(svg: str, width: int, height: int) -> QImage:
    lowered = _BASE.sub(lambda found: f'{found[1]}{float(found[2]) + _HALF_LETTER:.1f}"', svg)
    named = lowered.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    styled = named.replace(">", f"><style>{_CHART % fonts.font().family()}</style>", 1)
    image = QImage(width * _SCALE, height * _SCALE, QImage.Format.Format_RGB32)
    image.fill(0xFFFFFFFF)
    painter = QPainter(image)
    QSvgRenderer(QByteArray(styled.encode())).render(painter, QRectF(image.rect()))
    painter.end()
    return image


if __name__ == "__main__":
    from studio.gui.app import application

    _app = application()
    write(Path(sys.argv[1]).read_text("utf-8"), Path(sys.argv[2]))
