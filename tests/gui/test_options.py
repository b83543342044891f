"""Settings as a table: shown as text, changed by their fields, kept where the command line reads them."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QWidget

from studio.gui.keep import preferences
from studio.gui.main_window import MainWindow
from studio.gui.options.model import Column
from studio.gui.options.panel import OptionsPanel
from studio.workbench import tuning
from tests.gui.as_text import picture


def _change(panel: OptionsPanel, row: int, value: object) -> None:
    """As a person does: open the field, set it, leave it."""
    index, delegate = panel.source.index(row, Column.VALUE), panel.table.itemDelegateForColumn(Column.VALUE)
    field = delegate.createEditor(panel.table.viewport(), None, index)
    assert isinstance(field, QWidget)
    delegate.setEditorData(field, index)
    if isinstance(field, QDoubleSpinBox):
        field.setValue(float(str(value)))
    elif isinstance(field, QComboBox):
        field.setCurrentIndex(field.findData(value))
    delegate.setModelData(field, panel.source, index)
    field.deleteLater()


@pytest.mark.slow
def test_options_are_shown_and_kept(window: MainWindow) -> None:
    panel = window.page.of(OptionsPanel)
    panel.show_kept()
    assert picture(panel.source, (Column.TITLE, Column.VALUE)) == (
        "Option | Value\n"
        "Threads | all cores but one\n"
        "Memory for live figures | 537 MB\n"
        "Tight enough | never: all samples\n"
        "Theme | as the system\n"
        "Language | as the system"
    )
    for row, value in enumerate((3, 200, 0.5, "light", "zh_CN")):
        _change(panel, row, value)
    assert tuning.read() == tuning.Tuning(cut_memory=200_000_000, tight=0.5, threads=3)
    assert (preferences.read().theme, preferences.read().language) == ("light", "zh_CN")
    assert window.look.theme.name == "light"
    shown = [panel.source.index(row, Column.VALUE).data() for row in range(panel.source.rowCount())]
    assert shown == ["3", "200 MB", "± 0.5 pp", "light", "简体中文"]
    window.choose_theme("dark")
    assert panel.source.index(3, Column.VALUE).data() == "dark"
