"""Make what a coming drag will need: the cut ahead of a group, and the original's outputs."""

from __future__ import annotations

from collections.abc import Sequence

from studio.control import Control
from studio.data.samples import Dataset
from studio.measure.accuracy import Effort, Original, Reading, batches, sample_count
from studio.measure.live import PROOF, Live, share_behind
from studio.measure.outputs import OutputCache
from studio.measure.sessions import SessionSource
from studio.metrics import Prepared

NO_CUT = "no cut ahead of these layers saves anything within the memory allowed: the whole is run"


def prepare(
    live: Live,
    original: SessionSource,
    source: SessionSource,
    others: Sequence[str],
    dataset: Dataset,
    control: Control,
    effort: Effort,
    outputs: OutputCache | None = None,
) -> Prepared:
    """Run `source` up to the cut ahead of what the files `others` have otherwise, and keep that.

    Also fills `outputs` with what `original` answers. Raises `MeasureError` and, between batches,
    `Cancelled`; what is kept by then stays.
    """
    total = sample_count(dataset, effort.limit)
    data = dataset.facts.key
    few = dataset.inputs(0, min(PROOF, total))
    runner = live.prepared(source, others, few, data, total, effort.threads)
    first = Original(original, dataset, outputs, effort.threads)
    for start, stop in batches(dataset, total):
        control.step(start / total, f"getting ready, {start:,} of {total:,} samples")
        inputs = Reading(dataset, start, stop)
        first.outputs(start, stop, inputs)
        if runner is not None:
            runner.keep(start, stop, inputs)
    control.step(1.0, "ready")
    if runner is None or not runner.cut:
        return Prepared(samples=total, note=NO_CUT)
    behind = share_behind(runner.wired, runner.cut)
    return Prepared(len(runner.cut), live.cache.used, total, behind)
