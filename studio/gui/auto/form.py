"""The budgets as fields: tick what counts, say how much."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QDoubleSpinBox, QGridLayout, QPushButton, QWidget

from studio.gui.auto.effort import EffortFields
from studio.gui.looks import numbers
from studio.gui.texts.texts import T
from studio.search.budgets import Budgets

_KILO = 1000.0


@dataclass(frozen=True, slots=True)
class _Line:
    """One budget: `scale` units of `Budgets` are one of the field."""

    name: str
    text: str
    suffix: str
    digits: int
    most: float
    step: float
    scale: float = 1.0


_LINES = (
    _Line("max_drop", T.auto_drop, " pp", 2, 100.0, 0.1),
    _Line("max_bytes", T.auto_bytes, " KB", 1, 1e8, 10.0, _KILO),
    _Line("max_latency", T.auto_latency, " ms", 3, 1e6, 0.1),
)


class Form(QWidget):
    """Tells `changed` when a budget is another, `wanted` when the search shall begin or end."""

    changed = Signal()
    wanted = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.ticks: dict[str, QCheckBox] = {}
        self.fields: dict[str, QDoubleSpinBox] = {}
        self.effort = EffortFields(self)
        self.run = QPushButton(T.auto_run)
        self.run.setObjectName("primary")
        self.run.setCheckable(True)
        self.run.clicked.connect(self._ask)
        grid = QGridLayout(self)
        grid.setContentsMargins(14, 4, 10, 4)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(6)
        for place, line in enumerate(_LINES):
            self._row(grid, place, line)
        self.effort.lay(grid, 2)
        self.effort.changed.connect(self.changed)
        grid.addWidget(self.run, len(_LINES), 0, 1, 2)
        self.ticks["max_drop"].setChecked(True)
        self.fields["max_drop"].setValue(1.0)

    def _row(self, grid: QGridLayout, place: int, line: _Line) -> None:
        tick, field = QCheckBox(line.text), QDoubleSpinBox()
        field.setDecimals(line.digits)
        field.setRange(0.0, line.most)
        field.setSingleStep(line.step)
        field.setSuffix(line.suffix)
        field.setAlignment(Qt.AlignmentFlag.AlignRight)
        field.setKeyboardTracking(False)
        field.setFixedWidth(118)
        field.setEnabled(False)
        field.setAccessibleName(line.text)
        tick.toggled.connect(field.setEnabled)
        tick.toggled.connect(self._tell)
        field.valueChanged.connect(self._tell)
        grid.addWidget(tick, place, 0)
        grid.addWidget(field, place, 1)
        self.ticks[line.name], self.fields[line.name] = tick, field

    @property
    def budgets(self) -> Budgets:
        """What the fields say; None where a budget is not ticked."""
        given = {line.name: self._value(line) for line in _LINES}
        size = given["max_bytes"]
        least = None if size is None else round(size)
        return Budgets(given["max_drop"], least, given["max_latency"], self.effort.where)

    def _value(self, line: _Line) -> float | None:
        return self.fields[line.name].value() * line.scale if self.ticks[line.name].isChecked() else None

    def suggest(self, size: int) -> None:
        """Begin with a quarter of the original's bytes, not ticked, and no time."""
        self._put("max_bytes", size / 4)
        self._put("max_latency", 0.0)

    def suggest_latency(self, original: float) -> None:
        """Begin with half of the original's `original` ms, where nothing was said yet."""
        if not self.fields["max_latency"].value():
            self._put("max_latency", original / 2)

    def drag(self, name: str, value: float) -> None:
        """A budget was dragged to `value`, in units of `Budgets`."""
        self._put(name, max(value, 0.0))
        self.changed.emit()

    def _put(self, name: str, value: float) -> None:
        line = next(each for each in _LINES if each.name == name)
        blocked = self.fields[name].blockSignals(True)
        self.fields[name].setValue(value / line.scale)
        self.fields[name].blockSignals(blocked)

    def show_running(self, running: bool, possible: bool) -> None:
        """Name the button after what it does now."""
        self.run.setChecked(running)
        self.run.setText(T.cancel if running else T.auto_run)
        self.run.setAccessibleName(self.run.text())
        self.run.setEnabled(running or (possible and self.budgets.limited))

    def _ask(self, wanted: bool) -> None:
        self.wanted.emit(wanted)

    def _tell(self) -> None:
        self.changed.emit()


def line_text(name: str, value: float) -> str:
    """What stands beside a budget's line in the plot."""
    return numbers.size(value) if name == "max_bytes" else f"{numbers.signed(value, 2)} pp"
