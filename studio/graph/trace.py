"""What an artifact says of itself, so that its tensors can be compared with the original's.

Structured pruning removes output channels: the file names those that layers kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

KEPT = "trimtab.kept"
_WORD = re.compile(r"[0-9]{1,6}:[0-9a-f]{1,100000}")


def write_kept(kept: Mapping[str, Sequence[int]], widths: Mapping[str, int]) -> str:
    """Positions of the output channels that a layer kept (of `widths` before), by layer name, as JSON: one
    bit per channel in hex, the first channel lowest, behind the width."""
    words = {
        name: f"{widths[name]}:{sum(1 << place for place in places):x}"
        for name, places in sorted(kept.items())
    }
    return json.dumps(words, separators=(",", ":"), ensure_ascii=False)


def read_kept(metadata: Mapping[str, str]) -> dict[str, tuple[int, ...]]:
    """Which of the original's output channels each layer still has, by layer name; {} where none went.

    Text that nobody but a stranger wrote is ignored.
    """
    try:
        raw = json.loads(metadata.get(KEPT, "{}"))
    except ValueError:
        return {}
    if not isinstance(raw, dict):
        return {}
    return {str(name): found for name, text in raw.items() if (found := _places(text)) is not None}


def _places(text: object) -> tuple[int, ...] | None:
    if not isinstance(text, str) or not _WORD.fullmatch(text):
        return None
    width, bits = int(text.partition(":")[0]), int(text.partition(":")[2], 16)
    return tuple(place for place in range(width) if bits >> place & 1) if bits >> width == 0 else None
