"""What runs a release on a board: its Python, or the C runner that is pushed there."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from studio.boards.book import Board
from studio.boards.facts import BoardFacts, parse
from studio.boards.links.link import Link
from studio.boards.release.protocol import RUNNER, Releases
from studio.boards.runtime.native import native
from studio.boards.runtime.python import find_python
from studio.control import Control
from studio.paths import resource

Option = str | int | float


@dataclass(frozen=True, slots=True)
class Tool:
    """`words` is `sh` text that starts the runner; `{}` stands for the release's folder.

    `missing` says in plain words why nothing can run there. `gauges` are the runner's arguments that name
    what counts energy on the board. `runtime` names the runtime and its version, as far as it is known.
    """

    words: str = ""
    missing: str = ""
    runtime: str = ""
    gauges: Mapping[str, Option] = field(default_factory=dict)

    def command(self, folder: str, options: Mapping[str, Option]) -> str:
        """The whole command line; options that are "" are left out."""
        more = [word for name, value in options.items() if value != "" for word in (f"--{name}", str(value))]
        return f"{self.words.replace('{}', shlex.quote(folder))} {shlex.join(more)}"


def tool_for(link: Link, board: Board, releases: Releases, control: Control) -> Tool:
    """The board's Python where it has onnxruntime, else the C runner, put there where it is missing."""
    missing = ""
    if board.runner != "native":
        python = find_python(link, board)
        if python.onnxruntime:
            words = f"{python.path} {shlex.quote(f'{releases.folder}/bin/{RUNNER}')} {{}}"
            return Tool(words, runtime=f"Python's onnxruntime {python.onnxruntime}")
        missing = python.missing
    if board.runner == "python":
        return Tool(missing=missing)
    facts = look(link, board.name)
    found = native(link, releases, facts, control)
    if found.missing:
        return Tool(missing=f"{missing}; {found.missing}" if missing else found.missing)
    words = f"{shlex.quote(found.runner)} {{}} {shlex.quote(found.library)}"
    return Tool(words, runtime=found.library.rpartition("/shared/")[2], gauges=_gauges(facts))


def look(link: Link, board: str) -> BoardFacts:
    """The probe's answers now, without a search for Python."""
    return parse(board, link.feed("sh -s", resource("board", "probe.sh").read_bytes(), Control()).out)


def _gauges(facts: BoardFacts) -> dict[str, Option]:
    # Zones below a package (intel-rapl:0:0) are counted in it already.
    counters = [path for path in facts.rapl if path.count(":") == 1]
    powers = [path for path in facts.rails if path.rpartition("/")[2].startswith("power")]
    return {"counters": ",".join(counters), "powers": ",".join(powers)}
