"""What builds leave for later ones, within a bound of bytes; never taken from under a build that uses it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

import numpy as np

from studio.kept import KeptBytes

MOST = 1 << 29


class Pool:
    """Values by content key, the last used, `most` bytes together. Safe to share between threads."""

    def __init__(self, most: int = MOST) -> None:
        self._kept: KeptBytes[Any] = KeptBytes(most)

    @property
    def used(self) -> int:
        """Bytes that are held."""
        return self._kept.used

    def lend(self) -> Loan:
        """The cache of one build."""
        return Loan(self._kept)


class Loan(MutableMapping[str, Any]):
    """One build's view of a pool: what it has seen stays for it, whatever others push out meanwhile, and
    what is too large for the pool is there for this build alone.
    """

    def __init__(self, kept: KeptBytes[Any]) -> None:
        self._kept, self._own = kept, dict[str, Any]()

    def __contains__(self, key: object) -> bool:
        if key not in self._own and isinstance(key, str):
            found = self._kept.find(key)
            if found is not None:
                self._own[key] = found
        return key in self._own

    def __getitem__(self, key: str) -> Any:
        if key not in self:
            raise KeyError(key)
        return self._own[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._own[key] = value
        self._kept.put(key, value, weight(value))

    def __delitem__(self, key: str) -> None:
        del self._own[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._own)

    def __len__(self) -> int:
        return len(self._own)


def weight(value: object) -> int:
    """Bytes of the arrays in a value as it is now, and of the constants of a graph.

    Facts and numbers count nothing, nor does what bounds itself and fills later (of pruning and walks).
    """
    import onnx_ir as ir

    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, ir.Model):
        held = (each.const_value for each in value.graph.initializers.values())
        return sum(tensor.nbytes for tensor in held if tensor is not None)
    if isinstance(value, Mapping):
        return sum(map(weight, value.values()))
    if isinstance(value, tuple | list):
        return sum(map(weight, value))
    return sum(map(weight, _parts(value)))


def _parts(value: object) -> list[object]:
    """Fields of a value that may hold arrays."""
    from studio.graph.model import Facts

    if isinstance(value, Facts):
        return []
    names = getattr(type(value), "__dataclass_fields__", ())
    return [getattr(value, name) for name in names]
