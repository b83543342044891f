"""How much memory calibration takes: known from the shapes, kept under a limit, said before it starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from studio.compress.calibration.ranges import BINS, MAP, ROWS
from studio.compress.work import Work
from studio.graph.model import Shape

CHUNK = 16  # samples per run
LIMIT = 256 << 20  # bytes of tensors that are held at once, where one sample's fit
HISTOGRAMS = ("percentile", "entropy", "mse")
PRODUCTS = ("MatMul", "Gemm")
_FLOAT = 4


@dataclass(frozen=True)
class Budget:
    """`chunk` samples go through at once (`exact`: the model takes just that many), and the tensors in
    `pieces` are fetched one piece after the other. `bytes` is the most that all this holds."""

    chunk: int
    exact: bool
    pieces: tuple[tuple[str, ...], ...]
    bytes: int

    @property
    def megabytes(self) -> int:
        """`bytes` in whole MB, rounded up."""
        return -(-self.bytes // 1_000_000)


def budget_for(work: Work, names: Sequence[str]) -> Budget:
    """The budget for watching the tensors `names`.

    Fewer samples per run and more pieces keep tensors under `LIMIT`; a single tensor of a single
    sample may be larger. Sizes that the model leaves open, but the batch, count as one.
    """
    shapes = {fact.name: fact.shape for fact in work.facts.tensors}
    fixed = _fixed_batch(work)
    sizes = {name: _FLOAT * _per_sample(shapes.get(name), fixed) for name in names}
    fitting = max(1, min(CHUNK, LIMIT // max(sum(sizes.values()), 1)))
    chunk = fixed or fitting
    pieces = _pieces(sizes, chunk)
    held = max((sum(sizes[name] for name in piece) for piece in pieces), default=0) * chunk
    return Budget(chunk, bool(fixed), pieces, held + _kept(work, sizes, shapes))


def _fixed_batch(work: Work) -> int:
    heads = {fact.shape[0] for fact in work.facts.inputs if fact.shape}
    head = heads.pop() if len(heads) == 1 else None
    return head if isinstance(head, int) and head > 0 else 0


def _per_sample(shape: Shape | None, fixed: int) -> int:
    sized = [dim for dim in (shape or ())[1:] if isinstance(dim, int) and dim > 0]
    head = shape[0] if shape else 1
    return prod(sized) * (-(-head // fixed) if fixed and isinstance(head, int) else 1)


def _pieces(sizes: Mapping[str, int], chunk: int) -> tuple[tuple[str, ...], ...]:
    pieces: list[list[str]] = [[]]
    filled = 0
    for name, size in sizes.items():
        if pieces[-1] and filled + size * chunk > LIMIT:
            pieces.append([])
            filled = 0
        pieces[-1].append(name)
        filled += size * chunk
    return tuple(tuple(piece) for piece in pieces)


def _kept(work: Work, sizes: Mapping[str, int], shapes: Mapping[str, Shape | None]) -> int:
    """Bytes of the statistics themselves: histograms, means and rows."""
    histograms = len(sizes) * 8 * BINS if work.plan.calibration in HISTOGRAMS else 0
    total = histograms
    for _, _, node in work.layers():
        name = str(node.inputs[0].name) if node.inputs[0] is not None else ""
        total += 8 * min(sizes.get(name, 0) // _FLOAT, MAP)
        width = (shapes.get(name) or (0,))[-1]
        if node.op_type in PRODUCTS and isinstance(width, int):
            total += _FLOAT * (ROWS + 2) * width
    return total
