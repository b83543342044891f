"""Work that begins with what a board runs."""

from __future__ import annotations

from studio.control import Control
from studio.graph.model import Facts
from studio.paths import data_dir
from studio.project.changes import Changed
from studio.session.boards import BoardVerbs
from studio.session.opening import Opening


class Fetching(Opening, BoardVerbs):
    """A session that opens releases."""

    def open_release(self, board: str, control: Control, release: str = "") -> Changed[Facts]:
        """Fetch a release, the active one by default, into the user's data, and open its model.

        What was open stays as it is until this succeeds. Raises `BoardError` where there is none, or what
        came is not what was pushed; `ModelError` as `open` does.
        """
        name = release or self.board_status(board).active or "active"
        out = data_dir() / "pulled" / board / f"{name}.onnx"
        out.parent.mkdir(parents=True, exist_ok=True)
        pulled = self.board_pull(board, out, control.part(0.0, 0.6), release, replace=True)
        return self.open(pulled.path, control.part(0.6, 1.0))
