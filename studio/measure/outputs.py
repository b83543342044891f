"""Outputs of the original model, kept so that no sample is run through it twice."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

from studio.measure.sessions import Outputs

if TYPE_CHECKING:
    from collections.abc import Hashable

DEFAULT_BYTES = 256 << 20


class OutputCache:
    """Outputs by (model key, way of running, data key, first sample, end); the longest unused go first.

    Safe to share between threads. `limit` is in bytes; larger single results are not kept.
    """

    def __init__(self, limit: int = DEFAULT_BYTES) -> None:
        self._kept: OrderedDict[Hashable, Outputs] = OrderedDict()
        self._limit, self._bytes = limit, 0
        self._lock = Lock()

    def get(self, key: Hashable) -> Outputs | None:
        """What was put under `key`, or None."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: Hashable, outputs: Outputs) -> None:
        """Keep `outputs` under `key` as far as there is room."""
        size = _bytes(outputs)
        with self._lock:
            if key in self._kept or size > self._limit:
                return
            self._kept[key] = outputs
            self._bytes += size
            while self._bytes > self._limit:
                _, old = self._kept.popitem(last=False)
                self._bytes -= _bytes(old)


def _bytes(outputs: Outputs) -> int:
    return sum(array.nbytes for array in outputs)
