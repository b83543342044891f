"""Builds the C runner for every CPU that boards have; needs `ziglang` (pip install ziglang).

    python packaging/build_runner.py [FOLDER]        default: resources/board/runner/bin, which is shipped

Without this, the program builds a runner when a board first needs one, into the user's cache.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from studio.boards.runtime.compile import NAME, TARGETS, build  # noqa: E402 - found only from here on
from studio.errors import BoardError  # noqa: E402

MOST = 100_000


def main() -> int:
    """Build all; 1 where one failed or is larger than `MOST` bytes."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "resources" / "board" / "runner" / "bin"
    failed = False
    for arch, target in TARGETS.items():
        try:
            path = build(arch, folder / arch / NAME)
        except BoardError as error:
            print(error)
            failed = True
            continue
        size = path.stat().st_size
        print(f"{path}: {target}, {size:,} bytes")
        failed = failed or size > MOST
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
