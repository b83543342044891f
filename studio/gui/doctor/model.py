"""Findings as an item model, the most probable first."""

from __future__ import annotations

from enum import IntEnum

from studio.doctor.findings import Finding
from studio.gui.doctor import words
from studio.gui.tables import TableModel
from studio.gui.texts.texts import T


class Column(IntEnum):
    CAUSE = 0
    WHERE = 1
    EVIDENCE = 2
    FIX = 3
    GAIN = 4


class FindingsModel(TableModel[Finding]):
    """Read only: a finding is applied by the panel's button."""

    titles = (T.doctor_cause, T.doctor_where, T.doctor_evidence, T.doctor_fix, T.doctor_gain)
    right = frozenset({Column.GAIN})

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(self._rows)

    def text(self, row: Finding, column: int) -> str:
        return text(row, Column(column))

    def tip(self, row: Finding) -> str:
        return words.tip(row)


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
