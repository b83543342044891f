"""The verb that looks into the built file: what became of the graph."""

from __future__ import annotations

from pathlib import Path

from studio.control import Control
from studio.graph.differences import Differences, between
from studio.project.changes import Changed
from studio.session.measuring import Measuring


class Looking(Measuring):
    """Verbs block; they raise what `Session` says."""

    def differences(self, control: Control, path: str | Path = "") -> Changed[Differences]:
        """The graph of the current artifact, or of the file at `path`, against the original's."""
        document = self.journal.document
        if not path:
            artifact = self.workbench.build(self.job(), control.part(0.0, 0.7))
            self._keep_artifact(document, artifact)
            path = artifact.path
        found = self.workbench.open(str(path), control.part(0.7, 1.0))
        return self._tell(between(document.model, found), set())
