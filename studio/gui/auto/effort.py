"""How hard to look, and where files are timed: the fields beside the budgets."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QGridLayout, QLabel, QSpinBox, QWidget

from studio.gui.panel import label
from studio.gui.texts.texts import T
from studio.search.budgets import HERE, Effort

_WIDE = 118
_MOST_TRIALS, _MOST_MINUTES = 100_000, 10_000.0


class EffortFields(QObject):
    """Minutes, trials, a held-out half, and the place of the time budget; `changed` when that is another."""

    changed = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.minutes, self.trials = QDoubleSpinBox(), QSpinBox()
        self.holdout, self.place = QCheckBox(T.auto_holdout), QComboBox()
        self.minutes.setDecimals(1)
        self.minutes.setRange(0.0, _MOST_MINUTES)
        self.trials.setRange(0, _MOST_TRIALS)
        for field, text, tip in (
            (self.minutes, T.auto_minutes, T.auto_minutes_tip),
            (self.trials, T.auto_trials, T.auto_trials_tip),
        ):
            field.setSpecialValueText(T.auto_unset)
            field.setAlignment(Qt.AlignmentFlag.AlignRight)
            field.setKeyboardTracking(False)
            _name(field, text, tip)
        self.holdout.setToolTip(T.auto_holdout_tip)
        _name(self.place, T.auto_place, T.auto_place_tip)
        self.show_places(())
        self.place.currentIndexChanged.connect(self.changed)

    def lay(self, grid: QGridLayout, column: int) -> None:
        """Put the fields into two columns of `grid`, from its first row on."""
        rows = ((T.auto_place, self.place), (T.auto_minutes, self.minutes), (T.auto_trials, self.trials))
        for row, (text, field) in enumerate(rows):
            name: QLabel = label(text)
            name.setBuddy(field)
            grid.addWidget(name, row, column)
            grid.addWidget(field, row, column + 1)
        grid.addWidget(self.holdout, len(rows), column, 1, 2)

    @property
    def effort(self) -> Effort:
        """What the fields say."""
        return Effort(self.trials.value(), self.minutes.value(), holdout=self.holdout.isChecked())

    @property
    def where(self) -> str:
        """`here`, or the board's name."""
        return str(self.place.currentData())

    def show_places(self, boards: tuple[str, ...]) -> None:
        """This computer and these boards; what was chosen stays so where it is still there."""
        wanted = (HERE, *boards)
        if [self.place.itemData(at) for at in range(self.place.count())] == list(wanted):
            return
        before = self.place.currentData()
        blocked = self.place.blockSignals(True)
        self.place.clear()
        for name in wanted:
            self.place.addItem(T.auto_here if name == HERE else f"@{name}", name)
        self.place.setCurrentIndex(max(self.place.findData(before), 0))
        self.place.blockSignals(blocked)


def _name(field: QWidget, text: str, tip: str) -> None:
    field.setFixedWidth(_WIDE)
    field.setAccessibleName(text)
    field.setToolTip(tip)
