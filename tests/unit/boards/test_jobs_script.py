"""Long runs on a board: found again while they are of now, begun anew when they are not."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "resources" / "board" / "jobs.sh"


class Jobs:
    """Calls the script on one root."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __call__(self, *words: str, data: str = "") -> str:
        command = ["sh", str(SCRIPT), str(self.root), *words]
        done = subprocess.run(command, input=data, capture_output=True, text=True, check=True)
        assert done.stderr == ""
        return done.stdout

    def ended(self) -> str:
        """What the job printed, once it has ended."""
        until = time.monotonic() + 30
        while not self("look", "a", "0").startswith("ended 0"):
            assert time.monotonic() < until
            time.sleep(0.02)
        return self("out", "a")


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    return Jobs(tmp_path / "board")


def test_a_run_that_ended_just_now_is_found(jobs: Jobs) -> None:
    assert jobs("start", "a", data="echo first") == "started\n"
    assert jobs.ended() == "first\n"
    assert jobs("start", "a", data="echo second") == "again\n"
    assert jobs.ended() == "first\n"
    jobs("stop", "a")
    assert not (jobs.root / "jobs" / "a").exists()


@pytest.mark.parametrize("why", ["hours ago", "before a restart"])
def test_what_an_old_run_found_is_not_taken_for_now(jobs: Jobs, why: str) -> None:
    jobs("start", "a", data="echo first")
    jobs.ended()
    folder = jobs.root / "jobs" / "a"
    if why == "hours ago":
        then = time.time() - 2 * 3600
        os.utime(folder / "rc", (then, then))
    else:
        owner = (folder / "owner").read_text().split()
        (folder / "owner").write_text(" ".join(["another-boot", *owner[1:]]) + "\n")
    assert jobs("start", "a", data="echo second") == "started\n"
    assert jobs.ended() == "second\n"
