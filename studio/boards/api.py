"""The verbs on boards. They block, may be called from any thread, and give back frozen values."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import msgspec

from studio.boards.book import Board, BoardBook
from studio.boards.facts import BoardFacts, probe
from studio.boards.links.asking import Ask, Secrets
from studio.boards.links.find import Found, find
from studio.boards.links.hostkeys import HostKey, KnownHosts
from studio.boards.links.link import Link
from studio.boards.links.local import LocalLink
from studio.boards.links.loop import LoopThread
from studio.boards.links.ssh import SshLink
from studio.boards.release import push as pushing
from studio.boards.release.delta import Forecast, forecast
from studio.boards.release.dry import DryRun, dry_run
from studio.boards.release.fleet import Outcome, Told, push_all
from studio.boards.release.package import Package
from studio.boards.release.proof import Timing
from studio.boards.release.protocol import Releases
from studio.boards.release.pull import pull
from studio.boards.release.signing import allowed, signer
from studio.boards.release.trying import try_out
from studio.boards.report import BoardRun, BoardStatus, Pulled, Pushed
from studio.boards.runs import bench as benching
from studio.boards.runs import serving
from studio.boards.runs.serving import Serving
from studio.boards.seen import SeenBook, headline
from studio.boards.table.store import Store
from studio.boards.table.tables import Net, Options, Taken, take
from studio.control import Control
from studio.target import for_facts


class Boards:
    """The boards of one user. Keeps one connection per board until `close`.

    `ask` is asked for passwords and passphrases, from a worker thread; without it only keys, agent and
    keyring log in.

    Every verb takes a `Board` or its name and raises `BoardError`; verbs with a `control` report progress
    there and raise `Cancelled` when asked to stop.
    """

    def __init__(
        self, book: BoardBook | None = None, hosts: KnownHosts | None = None, ask: Ask | None = None
    ) -> None:
        self.book = book or BoardBook()
        self.seen = SeenBook(self.book.path.with_name("boards-seen.json"))
        self._hosts = hosts or KnownHosts()
        self.secrets = Secrets(ask)
        self.layer_store = Store()
        self._loop = LoopThread()
        self._links: dict[str, tuple[Board, Link]] = {}
        self._guard = threading.Lock()

    def list(self) -> tuple[Board, ...]:
        """Every known board, this computer first."""
        return self.book.all()

    def add(self, board: Board, replace: bool = False) -> Board:
        """Remember a board. Nothing is contacted: show `host_key` and `trust` it next.

        At another address it is another board: what was seen and measured of the old one is forgotten.
        """
        before = next((each for each in self.book.all() if each.name == board.name), board)
        added = self.book.add(board, replace)
        if (before.kind, before.host, before.port) != (board.kind, board.host, board.port):
            self._drop(board.name)
            self._forget(board.name)
        return added

    def remove(self, board: Board | str) -> Board:
        """Forget a board; its releases stay on it (`delete` removes those)."""
        known = self._board(board)
        self._drop(known.name)
        gone = self.book.remove(known.name)
        self._forget(known.name)
        return gone

    def host_key(self, board: Board | str) -> HostKey | None:
        """The key that the board shows: new, known, changed or revoked. None for this computer.

        Nobody logs in and nothing is stored.
        """
        known = self._board(board)
        if known.kind == "local":
            return None
        return SshLink(known, self._hosts, self._loop).host_key()

    def trust(self, board: Board | str, key: HostKey, replace: bool = False) -> None:
        """Accept a key that the user has seen. A changed one needs `replace`; a revoked one is refused."""
        self._hosts.accept(key, replace)
        self._drop(self._board(board).name)

    def probe(self, board: Board | str, control: Control | None = None) -> BoardFacts:
        """Ask the board what it is; read-only. Remembers what target suits its CPU."""
        known = self._board(board)
        facts = probe(self._link(known), known, control or Control())
        self.seen.note(known.name, what=headline(facts))
        self._learn(known, aes=facts.aes, target=for_facts(facts.machine, facts.features))
        return facts

    def push(
        self,
        board: Board | str,
        package: Package,
        control: Control | None = None,
        *,
        confirm: bool = False,
        allow_unproved: bool = False,
        threads: int = 1,
        runs: int = 50,
        keep: int = 5,
        sign: Path | None = None,
    ) -> Pushed:
        """Upload (resuming), verify, run the goldens on the board, then switch to it, unconfirmed.

        A release whose goldens fail, or that breaks a budget, raises `BoardError` and is never activated. One
        that could not be run there at all stays on the board, inactive and marked "not proved", unless
        `allow_unproved`. `keep` is how many releases stay besides the active and the previous one. `sign`
        is the private key that signs, or a public one whose private half is in the agent.
        """
        known = self._quick(self._board(board), package.bytes)
        wish = pushing.Wish(confirm, allow_unproved, threads, runs, keep, signer(sign) if sign else None)
        return pushing.push(self._link(known), known, package, wish, control or Control())

    def pull(
        self,
        board: Board | str,
        out: Path,
        control: Control | None = None,
        *,
        release: str = "",
        replace: bool = False,
    ) -> Pulled:
        """Fetch a release, the active one by default: its model to `out`, meta and recipe beside it.

        Every file is checked against the manifest that the release is named after, and appears whole or not
        at all. Files that are there and differ are refused unless `replace`.
        """
        return pull(self._releases(board), release, out, replace, control or Control())

    def try_out(
        self,
        board: Board | str,
        package: Package,
        control: Control,
        runs: int = 200,
        threads: int = 1,
        sign: Path | None = None,
    ) -> BoardRun:
        """Time a package on the board and take it away again; what is active there stays active.

        `sign` is as in `push`.
        """
        known = self._quick(self._board(board), package.bytes)
        timing = Timing(runs, pushing.WARM_UP, threads)
        return try_out(self._link(known), known, package, timing, control, signer(sign) if sign else None)

    def forecast(self, board: Board | str, package: Package) -> Forecast:
        """How many bytes a push of this package would send now; nothing is sent."""
        return forecast(self._releases(board), package)

    def dry_run(self, board: Board | str, package: Package, control: Control) -> DryRun:
        """What a push would send, and what this board cannot have; nothing is written there."""
        known = self._board(board)
        return dry_run(self._link(known), known, package, control)

    def push_all(
        self,
        boards: Sequence[str],
        package: Package,
        control: Control,
        told: Told,
        *,
        confirm: bool = False,
        allow_unproved: bool = False,
        sign: Path | None = None,
    ) -> tuple[Outcome, ...]:
        """Push to several boards of the book, the first one ahead of the others; see `fleet.push_all`."""

        def one(name: str, part: Control) -> Pushed:
            return self.push(name, package, part, confirm=confirm, allow_unproved=allow_unproved, sign=sign)

        return push_all(boards, one, control, told)

    def require_signatures(self, board: Board | str, keys: tuple[Path, ...], control: Control) -> None:
        """From now on the board takes only releases that one of these public keys signed; none = any."""
        self._releases(board).require(allowed(keys), control)

    def serve(self, board: Board | str, control: Control) -> Serving:
        """Keep the active release running on the board, and whatever becomes active after it."""
        known = self._board(board)
        return serving.start(self._link(known), known, control)

    def serving(self, board: Board | str) -> Serving:
        """Whether something is kept running, and how it does."""
        known = self._board(board)
        return serving.state(self._link(known), known)

    def serving_log(self, board: Board | str, lines: int = 50) -> str:
        """The last lines of what is or was served there."""
        known = self._board(board)
        return serving.log(self._link(known), known, lines)

    def stop_serving(self, board: Board | str) -> Serving:
        """End what `serve` began."""
        known = self._board(board)
        return serving.stop(self._link(known), known)

    def find(self, names: tuple[str, ...], seconds: float, control: Control) -> tuple[Found, ...]:
        """Boards nearby: announced ones, hosts of the ssh config, and `names` that resolve."""
        return find(names, seconds, control)

    def bench(
        self,
        board: Board | str,
        control: Control | None = None,
        *,
        release: str = "",
        runs: int = 500,
        threads: int = 1,
        warm_up: int = 20,
        seconds: float = 0.0,
        cores: str = "",
        profile: bool = False,
    ) -> BoardRun:
        """Run a release (the active one by default) on the board for longer, goldens included.

        At most `runs` and, where not 0, `seconds`; on `cores` ("0,1") where given. It goes on while the
        connection is gone; asking for the same again picks it up. `profile` adds the operators by time.
        """
        known = self._board(board)
        wish = benching.Bench(release, Timing(runs, warm_up, threads, seconds, cores), profile)
        return benching.bench(self._link(known), known, wish, control or Control())

    def layer_times(self, board: Board | str, net: Net, options: Options, control: Control) -> Taken:
        """Time the net's layers one by one on the board, those of shapes that were not timed there before.

        One push and one job, which goes on while the connection is gone.
        """
        known = self._board(board)
        link = self._link(known)
        releases = Releases(link, known, signer(options.sign) if options.sign else None)
        return take(link, known, releases, net, self.layer_store, options, control)

    def status(self, board: Board | str) -> BoardStatus:
        """What is on the board, what is active, and what it would go back to."""
        status = self._releases(board).status()
        self.seen.note(status.board, state=status.state)
        return status

    def activate(self, board: Board | str, release: str, allow_unproved: bool = False) -> BoardStatus:
        """Switch, unconfirmed, to a release on the board that was proved there (or `allow_unproved`)."""
        return self._releases(board).activate(release, allow_unproved)

    def confirm(self, board: Board | str) -> BoardStatus:
        """The active release is good: it stays."""
        return self._releases(board).confirm()

    def rollback(self, board: Board | str) -> BoardStatus:
        """Go back to the last confirmed release."""
        return self._releases(board).rollback()

    def delete(self, board: Board | str, release: str) -> BoardStatus:
        """Delete one release from the board; the active and the previous one are refused."""
        return self._releases(board).delete(release)

    def close(self) -> None:
        """Close every connection and the worker thread."""
        for name in tuple(self._links):
            self._drop(name)
        self._loop.close()

    def __enter__(self) -> Boards:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _releases(self, board: Board | str) -> Releases:
        known = self._board(board)
        return Releases(self._link(known), known)

    def _board(self, board: Board | str) -> Board:
        return self.book.get(board) if isinstance(board, str) else board

    def _learn(self, board: Board, **seen: bool | str) -> Board:
        """Remember what was seen of the board's CPU, where the board is in the book as it is."""
        fresh = msgspec.structs.replace(board, **seen)
        if board.kind != "ssh" or fresh == board:
            return board
        return self.book.add(fresh, replace=True) if board in self.book.all() else fresh

    def _quick(self, board: Board, size: int) -> Board:
        """The board with the cipher that suits its CPU, worked out where it is worth a second connection."""
        if board.kind != "ssh" or board.aes or size < pushing.WORTH_ASKING:
            return board
        return self._learn(board, aes=self._link(board).run("grep -qwi aes /proc/cpuinfo").status == 0)

    def _link(self, board: Board) -> Link:
        with self._guard:
            held, link = self._links.get(board.name, (None, None))
            if link is not None and held == board and link.alive:
                return link
            if link is not None:
                link.close()
            fresh = self._opened(board)
            self._links[board.name] = (board, fresh)
            return fresh

    def _opened(self, board: Board) -> Link:
        if board.kind == "local":
            return LocalLink()
        return SshLink(board, self._hosts, self._loop, self.secrets)

    def _forget(self, name: str) -> None:
        self.seen.forget(name)
        self.layer_store.forget(name)

    def _drop(self, name: str) -> None:
        with self._guard:
            _, link = self._links.pop(name, (None, None))
        if link is not None:
            link.close()
