"""Lets the end-to-end tests share the parts beside them (`sshd.py`, `board_parts.py`)."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
