"""The verbs of the program. Window and command line are thin shells over this one object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.project.memory import Memory
from studio.session.doctor import DoctorVerbs
from studio.session.fetching import Fetching
from studio.session.inspecting import Inspecting
from studio.session.locking import Locking
from studio.session.looking import Looking
from studio.session.profiling import Profiling
from studio.session.sampling import Sampling
from studio.session.searching import Searching
from studio.session.targets import TargetVerbs
from studio.workbench.api import Workbench

if TYPE_CHECKING:
    from studio.boards.api import Boards


class Session(
    Searching, Profiling, Fetching, TargetVerbs, Locking, Looking, Inspecting, Sampling, DoctorVerbs
):
    """Built once and handed down. Light verbs (see `Editor`) are instant; the heavy ones block, take a
    `Control`, run on any thread and raise `StudioError` kinds or `Cancelled`.

    Newest wins: a result whose revision is no longer the current one is dropped with `Cancelled`.
    """

    def __init__(
        self, workbench: Workbench, boards: Boards | None = None, memory: Memory | None = None
    ) -> None:
        super().__init__(workbench, memory)
        self._boards = boards

    def close(self) -> None:
        """Let go of the workbench and the boards; the state stays readable."""
        self._claim.free()
        self.workbench.close()
        self.close_boards()
