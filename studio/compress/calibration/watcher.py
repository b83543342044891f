"""Looks at the graph with calibration data when a pass needs it, and remembers what it saw by content."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from studio.compress.calibration.calibrate import watch
from studio.compress.calibration.ranges import Seen
from studio.compress.work import Array, Work
from studio.control import Control
from studio.errors import BuildError
from studio.stages import CalibrationSource


class Watcher:
    """Calibration of one build. Statistics are cached by model, data, method and what passes did."""

    def __init__(self, work: Work, source: CalibrationSource | None, cache: MutableMapping[str, Any]) -> None:
        self._work, self._source, self._cache = work, source, cache
        self._last: dict[str, Seen] = {}

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
        self._last = dict(self._cache[key])
        return dict(self._last)

    def divide(self, exponents: Mapping[str, Array]) -> None:
        """Tell what the next look would see once tensors were divided by 2^exponents, channel by channel.

        The division is exact, and so is what follows for extremes, means and rows; for anything else the next
        look runs the data through the net again.
        """
        if self._source is None or not exponents or self._work.plan.calibration != "minmax":
            return
        key = self._key(self._source)
        if key in self._cache:
            return
        seen: dict[str, Seen] = dict(self._last)
        for name, exponent in exponents.items():
            if name in seen:
                divided = seen[name].divided(exponent)
                if divided is None:
                    return
                seen[name] = divided
        self._cache[key] = seen

    def _key(self, source: CalibrationSource) -> str:
        plan, work = self._work.plan, self._work
        wishes = work.prune_wishes() if "prune" in work.done else ""
        return f"seen:{source.key}:{plan.calibration}:{plan.calibration_samples}:{work.state()}:{wishes}"
