"""Made-up samples that a model really takes, where there is no data set."""

from __future__ import annotations

from studio.data.samples import Arrays
from studio.errors import MeasureError
from studio.graph.model import Facts
from studio.made_up import made_up
from studio.measure.sessions import SessionSource, open_runner

FREE_SIZES = (1, 32, 512, 8192)


def made_up_for(source: SessionSource, facts: Facts, count: int) -> Arrays | None:
    """`count` samples of noise on which the model runs; None where none of the sizes tried suits it.

    What a model leaves open (a length of audio, a picture's side) often has a least size that only
    running it tells. Raises `MeasureError` where the model cannot be opened.
    """
    runner = open_runner(source)
    free = any(not isinstance(dim, int) for tensor in facts.inputs for dim in (tensor.shape or ())[1:])
    for size in FREE_SIZES if free else FREE_SIZES[:1]:
        samples: Arrays = made_up(facts, count, size)
        try:
            runner.run(samples)
        except MeasureError:
            continue
        return samples
    return None
