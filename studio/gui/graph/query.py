"""What is typed into the search field: words and conditions.

`conv layer3` both words in name, op, scope or title · `int8` `fp32` stored as · `> 1 MB` bytes of weights ·
`bits<=4` `sparsity>30%` `macs>1M` `params>10k` `size>100 kB` `sensitivity>0.5` `sqnr<20` `time>1`.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

_UNITS = {"": 1.0, "b": 1.0, "%": 0.01, "k": 1e3, "m": 1e6, "g": 1e9}
_UNITS |= {"kb": 1e3, "mb": 1e6, "gb": 1e9, "kib": 2.0**10, "mib": 2.0**20, "gib": 2.0**30}
_SIGNS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": operator.eq,
}  # fmt: skip
_NAMES = ("bits", "sparsity", "size", "macs", "params", "sensitivity", "sqnr", "time")
_CONDITION = re.compile(
    rf"(?:\b({'|'.join(_NAMES)})\s*)?(<=|>=|<|>|=)\s*(\d+(?:[.,]\d+)?)\s*(kib|mib|gib|kb|mb|gb|k|m|g|b|%)?(?!\w)",
    re.IGNORECASE,
)
_WIDTH = re.compile(r"\b(?:int|fp|float)(\d{1,2})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Condition:
    """A figure of a layer held against a number: `figure` is one of the colour modes, or `params`."""

    figure: str
    sign: str
    number: float

    def holds(self, value: float | None) -> bool:
        """Whether a layer's figure fulfils it; one that is not known does not."""
        return value is not None and _SIGNS[self.sign](value, self.number)


@dataclass(frozen=True, slots=True)
class Query:
    """Words, in lower case, and conditions: a layer has to fulfil all of them."""

    words: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()

    @classmethod
    def read(cls, text: str) -> Query:
        """What `text` asks for; what is no condition is a word."""
        conditions = [_condition(found) for found in _CONDITION.finditer(text)]
        rest = _CONDITION.sub(" ", text)
        conditions += [Condition("bits", "=", float(found[1])) for found in _WIDTH.finditer(rest)]
        words = _WIDTH.sub(" ", rest).casefold().split()
        return cls(tuple(words), tuple(conditions))


def _condition(found: re.Match[str]) -> Condition:
    name, sign, number, unit = found.groups()
    value = float(number.replace(",", ".")) * _UNITS[(unit or "").lower()]
    figure = (name or "size").lower()
    if figure == "sparsity" and (unit != "%" and value > 1):
        value /= 100  # "sparsity > 30" means per cent
    return Condition(figure, sign, value)
