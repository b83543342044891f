"""The Workbench in this process: every cache is keyed by content, nothing is global."""

from __future__ import annotations

from studio.workbench import tuning
from studio.workbench.diagnosing import Diagnosing
from studio.workbench.inspecting import Inspecting
from studio.workbench.outgoing import Outgoing


class LocalWorkbench(Diagnosing, Inspecting, Outgoing):
    """See `Workbench`; what it opens and keeps is in `Shelves`."""

    def close(self) -> None:
        self._reset()


def tuned() -> LocalWorkbench:
    """A workbench as the user's settings have it."""
    found = tuning.read()
    return LocalWorkbench(threads=found.threads, cut_budget=found.cut_memory, tight=found.tight)
