"""F1: what the panel under the cursor is for, from `resources/help`."""

from __future__ import annotations

from PySide6.QtWidgets import QTextBrowser, QWidget

from studio.gui.panel import Panel
from studio.gui.texts import LANGUAGE, T
from studio.paths import resource

_TOPIC = "topic"


class HelpPanel(Panel):
    """Shows one page of help at a time."""

    def __init__(self) -> None:
        self.text = QTextBrowser()
        self.text.setOpenExternalLinks(False)
        self.text.setAccessibleName(T.help)
        self.text.setFrameShape(QTextBrowser.Shape.NoFrame)
        self.text.document().setDocumentMargin(14)
        super().__init__(T.help, self.text)
        self.topic = ""

    def show_topic(self, topic: str) -> None:
        """Show the page of a panel; in English where it is not translated."""
        translated = resource("help", LANGUAGE, f"{topic}.md")
        path = translated if translated.is_file() else resource("help", f"{topic}.md")
        self.topic = topic
        self.text.setMarkdown(path.read_text("utf-8"))


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
