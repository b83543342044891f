"""Findings in the language of the window."""

from __future__ import annotations

from studio.doctor import words
from studio.doctor.findings import Diagnosis, Evidence, Finding
from studio.gui.looks import numbers
from studio.gui.texts.texts import T


def cause(finding: Finding) -> str:
    """What is wrong."""
    return _text("cause", finding.cause)


def where(finding: Finding) -> str:
    """The layer that is worst, and how many others."""
    if len(finding.where) < 2:
        return finding.where[0] if finding.where else "–"
    return T.doctor_more.format(layer=finding.where[0], n=len(finding.where) - 1)


def evidence(figures: tuple[Evidence, ...]) -> str:
    """The figures with their names."""
    return "  ·  ".join(f"{_text('figure', each.name)}: {words.number(each)}" for each in figures)


def fix(finding: Finding) -> str:
    """What to do."""
    return _text("fix", finding.fix.key).format(given=finding.fix.given)


def gain(finding: Finding) -> str:
    """What it wins, with its interval."""
    if finding.gain is None:
        return T.doctor_unproven
    return f"{numbers.signed(finding.gain.value, 2)} {numbers.interval(finding.gain)}".rstrip()


def tip(finding: Finding) -> str:
    """All of a finding."""
    sign = numbers.MINUS if finding.bytes < 0 else "+"
    return T.doctor_tip.format(
        cause=cause(finding),
        evidence=evidence(finding.evidence),
        fix=fix(finding),
        gain=gain(finding),
        n=finding.gain.n if finding.gain else 0,
        bytes=f"{sign}{numbers.size(abs(finding.bytes))}",
    )


def nothing(found: Diagnosis) -> str:
    """What is said where nothing was found, figures included."""
    figure = found.comparison.difference
    said = T.doctor_nothing if found.tried else T.doctor_healthy
    difference = f"{numbers.signed(figure.value, 2)} {numbers.interval(figure)}".rstrip()
    line = said.format(difference=difference, n=f"{figure.n:,}", tried=found.tried)
    return f"{line}\n{evidence(found.evidence)}".rstrip()


def _text(kind: str, key: str) -> str:
    found: str = getattr(T, f"doctor_{kind}_{key}")
    return found
