"""A scripted user on a real X screen: drop, slide, undo, export, push, roll back, refuse a changed key."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from screen import Screen, missing
from sshd import missing as no_sshd

_WHY_NOT = missing() or no_sshd()
pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(_WHY_NOT), reason=_WHY_NOT)]


def test_the_whole_job_with_mouse_and_keyboard(tmp_path: Path) -> None:
    story = Path(__file__).with_name("user_session.py")
    with Screen(tmp_path) as screen:
        environment = {**screen.environment, "TRIMTAB_HOME": str(tmp_path / "home"), "HOME": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, str(story), str(tmp_path)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=540,
        )
    print(done.stdout)
    assert done.returncode == 0, done.stderr[-4000:]
    assert "changed key refused" in done.stdout
    assert done.stdout.endswith("the whole session\n")
