"""F1: what the panel under the cursor is for, from `resources/help`."""

from __future__ import annotations

from PySide6.QtGui import QTextBlockFormat, QTextCharFormat, QTextCursor, QTextDocument
from PySide6.QtWidgets import QHBoxLayout, QTextBrowser, QWidget

from studio.gui.looks import fonts
from studio.gui.panel import Panel
from studio.gui.texts.texts import LANGUAGE, T
from studio.paths import resource

_TOPIC = "topic"
_WIDTH, _LINE_PERCENT, _PARAGRAPH, _ITEM = 820, 130, 10, 3
_HEADING = 18


class HelpPanel(Panel):
    """Shows one page of help at a time, in lines that are not too long to read."""

    def __init__(self) -> None:
        self.text = QTextBrowser()
        self.text.setOpenExternalLinks(False)
        self.text.setAccessibleName(T.help)
        self.text.setFrameShape(QTextBrowser.Shape.NoFrame)
        self.text.document().setDocumentMargin(14)
        self.text.setMaximumWidth(_WIDTH)
        body = QWidget()
        row = QHBoxLayout(body)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.text, 1000)
        row.addStretch(1)
        super().__init__(T.help, body)
        self.topic = ""

    def show_topic(self, topic: str, language: str = LANGUAGE) -> None:
        """Show the page of a panel; in English where it is not translated."""
        translated = resource("help", language, f"{topic}.md")
        path = translated if translated.is_file() else resource("help", f"{topic}.md")
        self.topic = topic
        self.text.setMarkdown(path.read_text("utf-8"))
        _space(self.text.document())


def _space(document: QTextDocument) -> None:
    """Room between lines and paragraphs, which Markdown comes without, and headings of the house's size."""
    block = document.begin()
    while block.isValid():
        cursor, heading = QTextCursor(block), block.blockFormat().headingLevel()
        look = QTextBlockFormat()
        look.setLineHeight(_LINE_PERCENT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        inside = block.textList() is not None and block.next().textList() is not None
        look.setBottomMargin(_ITEM if inside else _PARAGRAPH)
        cursor.mergeBlockFormat(look)
        if heading:
            letters = QTextCharFormat()
            letters.setFont(fonts.strong(_HEADING))
            cursor.select(QTextCursor.SelectionType.BlockUnderCursor)
            cursor.mergeCharFormat(letters)
        block = block.next()


def name_topic(widget: QWidget, topic: str) -> None:
    """Say which page of help this widget, and all in it, belongs to."""
    widget.setProperty(_TOPIC, topic)


def topic_of(widget: QWidget | None, fallback: str) -> str:
    """The page of help of the nearest widget around that has one."""
    while widget is not None:
        topic = widget.property(_TOPIC)
        if topic:
            return str(topic)
        widget = widget.parentWidget()
    return fallback
