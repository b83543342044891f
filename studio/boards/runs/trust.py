"""Whether times measured on a board just now can be trusted."""

from __future__ import annotations

from dataclasses import replace

from studio.boards.facts import BoardFacts
from studio.boards.links.link import Link
from studio.boards.report import BoardRun, Condition
from studio.boards.runtime.tools import look

# The clock may step a little between two looks; a tenth less is a board that has slowed down.
DROPPED = 0.9


def condition(link: Link) -> Condition:
    """The board's temperature, clock and load now."""
    return _condition(look(link, ""))


def doubts(link: Link, run: BoardRun, before: Condition) -> BoardRun:
    """The run with the board's state around it, marked invalid where its times cannot be trusted."""
    if not run.ran:
        return run
    after, invalid = doubt(link, run.board, before)
    return replace(run, before=before, after=after, invalid=invalid)


def doubt(link: Link, board: str, before: Condition) -> tuple[Condition, str]:
    """The board's state now, and why times taken since `before` cannot be trusted ("": they can)."""
    facts = look(link, board)
    after = _condition(facts)
    reasons = [facts.times_mean_nothing, *_changes(before, after)]
    return after, "; ".join(reason for reason in reasons if reason)


def _condition(facts: BoardFacts) -> Condition:
    hottest = max((zone.celsius for zone in facts.zones), default=None)
    return Condition(
        hottest, facts.frequency_khz, facts.allowed_khz, facts.governor, facts.throttled, facts.load
    )


def _changes(before: Condition, after: Condition) -> list[str]:
    reasons = []
    if 0 < after.allowed_khz < before.allowed_khz:
        reasons.append(
            f"the allowed clock fell from {before.allowed_khz // 1000} to {after.allowed_khz // 1000} MHz"
        )
    # Under another governor the clock follows the load, and is low again by the time it is looked at.
    if after.governor == "performance" and after.frequency_khz < before.frequency_khz * DROPPED:
        reasons.append(
            f"the clock dropped from {before.frequency_khz // 1000} to {after.frequency_khz // 1000} MHz"
        )
    if before.throttled != after.throttled:
        reasons.append(f"it was throttled meanwhile ({before.throttled} to {after.throttled})")
    return reasons
