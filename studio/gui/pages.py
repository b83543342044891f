"""The panels below the layers, as a table: foot, palette, keys and page read it. A new panel is a new row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtWidgets import QWidget

from studio.gui.auto.panel import AutoPanel
from studio.gui.data.panel import DataPanel
from studio.gui.desk import Desk
from studio.gui.doctor.panel import DoctorPanel
from studio.gui.figures.answers import Answers
from studio.gui.history import History
from studio.gui.inspector.panel import Inspector
from studio.gui.jobs.panel import JobsPanel
from studio.gui.options.panel import OptionsPanel
from studio.gui.plots.bars_panel import BarsPanel
from studio.gui.plots.page import PlotsPage
from studio.gui.texts.texts import T
from studio.gui.welcome.help import HelpPanel


@dataclass(frozen=True, slots=True)
class Page:
    """One row. `tall` ones ask for more height than a row of plots, `alone` ones are of use before a model
    is open. `resources/help/KEY.md` tells of it.
    """

    key: str
    title: str
    icon: str
    make: Callable[[Desk], QWidget]
    tall: bool = False
    alone: bool = False

    @property
    def action(self) -> str:
        """Key of the action that shows it."""
        return f"page_{self.key}"


PAGES = (
    Page("plots", T.plots, "gauge", lambda desk: PlotsPage(desk.look)),
    Page("bars", T.bars, "bars", BarsPanel),
    Page("layer", T.inspector, "presets", Inspector),
    Page("auto", T.auto, "play", AutoPanel, tall=True),
    Page("doctor", T.doctor, "search", DoctorPanel, tall=True),
    Page("data", T.samples, "data", DataPanel, tall=True),
    Page("answers", T.answers, "data", lambda desk: Answers(desk.bridge, desk.look)),
    Page("history", T.history, "undo", lambda desk: History(desk.bridge)),
    Page("jobs", T.jobs, "clock", lambda desk: JobsPanel(desk.bridge, desk.look), alone=True),
    Page("options", T.options, "columns", OptionsPanel, tall=True, alone=True),
    Page("help", T.help, "info", lambda _: HelpPanel(), alone=True),
)
