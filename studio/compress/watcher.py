"""Looks at the graph with calibration data when a pass needs it, and remembers what it saw by content."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from studio.compress.calibrate import watch
from studio.compress.ranges import Seen
from studio.compress.work import Work
from studio.control import Control
from studio.errors import BuildError
from studio.stages import CalibrationSource


class Watcher:
    """Calibration of one build. Statistics are cached by model, data, method and what passes did."""

    def __init__(self, work: Work, source: CalibrationSource | None, cache: MutableMapping[str, Any]) -> None:
        self._work, self._source, self._cache = work, source, cache

    def look(self, control: Control) -> dict[str, Seen]:
        """What every float tensor does on the graph as it stands, by name; {} without data.

        Raises `BuildError` where the plan cannot do without.
        """
        if self._source is None:
            if self._work.plan.needs_calibration:
                raise BuildError(
                    "calibration", "8-bit activations need data to find ranges on", "Attach a data set."
                )
            return {}
        key = self._key(self._source)
        if key not in self._cache:
            self._cache[key] = watch(self._work, self._source, control)
        return dict(self._cache[key])

    def _key(self, source: CalibrationSource) -> str:
        plan, work = self._work.plan, self._work
        wishes = work.prune_wishes() if "prune" in work.done else ""
        return f"seen:{source.key}:{plan.calibration}:{plan.calibration_samples}:{work.state()}:{wishes}"
