"""Findings as an item model, the most probable first."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from studio.doctor.findings import Finding
from studio.gui.doctor import words
from studio.gui.texts import T

Index = QModelIndex | QPersistentModelIndex
_Role = Qt.ItemDataRole
FINDING = _Role.UserRole + 1


class Column(IntEnum):
    CAUSE = 0
    WHERE = 1
    EVIDENCE = 2
    FIX = 3
    GAIN = 4


_TITLES = (T.doctor_cause, T.doctor_where, T.doctor_evidence, T.doctor_fix, T.doctor_gain)


class FindingsModel(QAbstractTableModel):
    """Read only: a finding is applied by the panel's button."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.findings: tuple[Finding, ...] = ()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.findings)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(Column)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _Role.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == _Role.DisplayRole:
            return _TITLES[section]
        if role == _Role.TextAlignmentRole:
            return int(_alignment(Column(section)))
        return None

    def data(self, index: Index, role: int = _Role.DisplayRole) -> Any:
        if not index.isValid():
            return None
        finding, column = self.findings[index.row()], Column(index.column())
        if role == _Role.DisplayRole:
            return text(finding, column)
        if role == FINDING:
            return finding
        if role in (_Role.ToolTipRole, _Role.AccessibleTextRole):
            return words.tip(finding)
        return int(_alignment(column)) if role == _Role.TextAlignmentRole else None

    def show_findings(self, findings: tuple[Finding, ...]) -> None:
        """Show these instead."""
        self.beginResetModel()
        self.findings = findings
        self.endResetModel()


def text(finding: Finding, column: Column) -> str:
    """The text of a cell."""
    match column:
        case Column.CAUSE:
            return words.cause(finding)
        case Column.WHERE:
            return words.where(finding)
        case Column.EVIDENCE:
            return words.evidence(finding.evidence)
        case Column.FIX:
            return words.fix(finding)
        case Column.GAIN:
            return words.gain(finding)


def _alignment(column: Column) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column == Column.GAIN else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
