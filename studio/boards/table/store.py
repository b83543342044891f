"""Layer times that were measured, by board and shape: the next net asks only for shapes that are new."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path

import msgspec

from studio.boards.facts import BoardFacts
from studio.errors import BoardError
from studio.files import locked, write_atomic
from studio.graph.model import Facts
from studio.layer_times import Cost, LayerLine, LayerShape, LayerTable, kinds, neighbours, stops
from studio.paths import data_dir
from studio.target import Target

VERSION = 1
# Relu and Clip go into the grid of the layer before them.
_ABSORBED = ("Relu", "Clip", "BatchNormalization", "Identity", "Dropout")


class _Costs(msgspec.Struct):
    """(core, entry, exit) in ms by the shape's key."""

    version: int
    costs: dict[str, tuple[float, float, float]]


class _Tables(msgspec.Struct):
    """Tables of one board by the net's key."""

    version: int
    tables: dict[str, LayerTable]


class Store:
    """Costs by what decides a kernel's time (`digest_of`), tables by the board's name."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or data_dir() / "layer-times"

    def costs(self, digest: str) -> dict[str, Cost]:
        """Every known cost by the shape's key."""
        return {key: Cost(*parts) for key, parts in self._costs(digest).costs.items()}

    def table(self, board: str, model: str) -> LayerTable | None:
        """What was measured of this net there, None where nothing was."""
        return self._tables(board).tables.get(model)

    def keep_costs(self, digest: str, costs: Mapping[str, Cost]) -> None:
        with self._change(self._costs_path(digest)):
            known = self._costs(digest)
            known.costs |= {key: (each.core, each.entry, each.exit) for key, each in costs.items()}
            write_atomic(self._costs_path(digest), msgspec.json.encode(known))

    def keep_table(self, table: LayerTable) -> None:
        with self._change(self._tables_path(table.board)):
            known = self._tables(table.board)
            known.tables[table.model] = table
            write_atomic(self._tables_path(table.board), msgspec.json.encode(known))

    def forget(self, board: str) -> None:
        """What is called so now is another board; costs stay, being filed by what decides them."""
        with self._change(self._tables_path(board)):
            self._tables_path(board).unlink(missing_ok=True)

    def _costs_path(self, digest: str) -> Path:
        return self._folder / f"{digest}.json"

    def _tables_path(self, board: str) -> Path:
        return self._folder / f"board-{board}.json"

    def _costs(self, digest: str) -> _Costs:
        """What cannot be read counts as not measured: it can be measured again."""
        try:
            found = msgspec.json.decode(self._costs_path(digest).read_bytes(), type=_Costs)
        except (OSError, msgspec.DecodeError):
            return _Costs(VERSION, {})
        return found if found.version == VERSION else _Costs(VERSION, {})

    def _tables(self, board: str) -> _Tables:
        try:
            found = msgspec.json.decode(self._tables_path(board).read_bytes(), type=_Tables)
        except (OSError, msgspec.DecodeError):
            return _Tables(VERSION, {})
        return found if found.version == VERSION else _Tables(VERSION, {})

    @contextmanager
    def _change(self, path: Path) -> Iterator[None]:
        try:
            with locked(path):
                yield
        except OSError as error:
            cause = f"layer times cannot be kept ({error.strerror})"
            raise BoardError(str(path), cause, "Make room there, or set TRIMTAB_HOME.") from error


def digest_of(facts: BoardFacts, runtime: str, threads: int) -> str:
    """Names all that decides a kernel's time: the CPU, its clock's limit, the runtime, the threads."""
    told = (
        *(facts.machine, facts.bits, facts.cpu, facts.parts, facts.features, facts.cores),
        *(facts.most_khz, facts.power_mode, facts.emulated, runtime, threads),
    )
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def wanted(facts: Facts, target: Target, known: Mapping[str, Cost]) -> tuple[LayerShape, ...]:
    """The shapes of this net that are not known yet, each once."""
    found: dict[str, LayerShape] = {}
    for layer in facts.layers:
        for kind in kinds(layer, target.rule(layer.op).dynamic):
            for _, shape in stops(facts, layer, kind, target.activation_type):
                found.setdefault(shape.key, shape)
    return tuple(shape for key, shape in found.items() if key not in known)


def lines(facts: Facts, target: Target, known: Mapping[str, Cost]) -> tuple[LayerLine, ...]:
    """A line for every layer of the net whose time is known."""
    edges = neighbours(facts, _through(facts, target))
    made = []
    for layer in facts.layers:
        curves = []
        for kind in kinds(layer, target.rule(layer.op).dynamic):
            points = stops(facts, layer, kind, target.activation_type)
            curve = tuple(
                sorted(
                    ((share, known[shape.key]) for share, shape in points if shape.key in known),
                    key=itemgetter(0),
                )
            )
            curves.append((kind, curve))
        made.append(LayerLine(layer.name, tuple(each for each in curves if each[1]), *edges[layer.name]))
    return tuple(made)


def _through(facts: Facts, target: Target) -> Sequence[str]:
    ops = {node.op for node in facts.nodes}
    return [op for op in ops if op in _ABSORBED or 8 in target.rule(op).activations]
