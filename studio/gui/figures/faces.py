"""From frozen values of the engine to the faces of the four cards."""

from __future__ import annotations

from dataclasses import replace

from studio.gui.figures.cards import BAD, GOOD, QUIET, WARN, Face
from studio.gui.looks import numbers
from studio.gui.texts.texts import T
from studio.metrics import Comparison, Figure, LatencyPair
from studio.project.changes import Measured


def size(original: int, estimate: Figure | None, built: int | None) -> Face:
    """The built length where it is known, else the estimate as a ghost."""
    if built is None and estimate is None:
        return Face(numbers.size(original), source=T.card_original)
    now = built if built is not None else round(estimate.value if estimate else original)
    change = f"{numbers.change(original, now)}  {T.card_was.format(value=numbers.size(original))}"
    tone = GOOD if now < original else WARN if now > original else QUIET
    source = T.card_real if built is not None else T.card_estimate
    return Face(numbers.size(now), change if now != original else T.card_same, tone, source, built is None)


def accuracy(found: Comparison | None, attached: bool, measuring: bool, old: bool = False) -> Face:
    """The artifact's own figure, with the original's beside it; `old` says that it is of the state before."""
    if found is None:
        return _waiting(attached, measuring)
    was = T.card_was.format(value=numbers.value(found.original))
    tone = verdict(found.difference)
    value = numbers.value(found.optimized)
    source = T.card_before if old else _doubted(_source(found.optimized), found)
    ghost = old or not found.optimized.final
    return Face(value, was, QUIET if old else tone, source, ghost, found.note)


def difference(found: Comparison | None, attached: bool, measuring: bool, old: bool = False) -> Face:
    """The paired difference with its interval, and how many answers changed."""
    if found is None:
        return _waiting(attached, measuring)
    figure = found.difference
    flips = T.card_flips.format(n=len(found.flips), of=figure.n)
    change = f"{numbers.interval(figure)}  {_words(figure)}".strip()
    source = T.card_before if old else f"{_doubted(_source(figure), found)} · {flips}"
    tone = QUIET if old else verdict(figure)
    return Face(numbers.value(figure), change, tone, source, old or not figure.final, found.note)


def with_held_out(face: Face, found: Comparison | None, shown: Comparison | None) -> Face:
    """The face of `shown`, and first of all what samples say that had no say in the choice."""
    if found is None or face.ghost:
        return face
    if found == shown:
        return replace(face, source=f"{T.card_only_held_out} · {face.source}")
    figure = found.difference
    value = f"{numbers.value(figure)} {numbers.interval(figure)}".strip()
    text = T.card_held_out.format(value=value, n=numbers.whole(figure.n))
    return replace(face, source=f"{text} · {face.source}")


def foreseen(guess: Figure, measuring: bool) -> Face:
    """The difference as the layers' curves foretell it: a ghost until the first samples are in."""
    source = T.card_foreseen.format(source=guess.source)
    return Face(
        numbers.value(guess), source=f"{source} · {T.card_measuring}" if measuring else source, ghost=True
    )


def with_miss(face: Face, mean: float | None, unit: str) -> Face:
    """The face, and how far this session's estimates of it were from what was measured: mean, in `unit`.

    A ghost says so in the open, a measured figure in its tool tip.
    """
    if mean is None:
        return face
    text = T.card_off.format(value=f"{mean:.2f} {unit}")
    if face.ghost:
        return replace(face, source=f"{face.source} · {text}")
    return replace(face, why="\n".join(filter(None, (face.why, text))))


def latency(pair: LatencyPair | None, expected: Figure | None = None) -> Face:
    """p50 at batch 1, against the original timed in turns with it; beside it what a board's table says.

    Until it is timed, that stands alone, as a ghost.
    """
    if pair is None:
        return _expected(expected) if expected else Face(source=T.card_not_measured)
    face = _timed(pair)
    if expected is None:
        return face
    more = T.card_expected.format(value=f"{expected.value:.3f} ms", source=expected.source)
    return replace(face, why="\n".join(filter(None, (face.why, more))))


def _expected(figure: Figure) -> Face:
    return Face(f"{figure.value:.3f} ms", source=figure.source, ghost=True)


def _timed(pair: LatencyPair) -> Face:
    now, original = pair.optimized, pair.original
    source = T.card_runs.format(source=now.source, threads=now.threads, n=now.runs)
    ratio = pair.ratio.value
    words = T.card_faster.format(times=1 / ratio) if ratio <= 1 else T.card_slower.format(times=ratio)
    change = f"{words}  {T.card_was.format(value=f'{original.p50:.2f} ms')}"
    invalid = now.invalid or original.invalid
    if invalid:
        doubt = T.card_doubtful.format(source=now.source)
        return Face(f"{now.p50:.2f} ms", change, WARN, doubt, why=invalid)
    return Face(f"{now.p50:.2f} ms", change, _pace(pair), source)


def _pace(pair: LatencyPair) -> str:
    if pair.ratio.low is not None and pair.ratio.high is not None and pair.ratio.low <= 1 <= pair.ratio.high:
        return QUIET
    return GOOD if pair.ratio.value < 1 else WARN


def verdict(figure: Figure) -> str:
    """Quiet within doubt, amber for a sure or large loss, red for a sure one above a point."""
    if figure.value >= 0:
        return GOOD
    doubtful = figure.low is not None and figure.high is not None and figure.low <= 0 <= figure.high
    if doubtful:
        return WARN if figure.value <= -1 else QUIET
    return BAD if figure.value <= -1 else WARN


def finished(measured: Measured | None) -> Comparison | None:
    """The comparison of a measurement, where it has one."""
    return measured.comparison if measured else None


def _words(figure: Figure) -> str:
    if figure.low is not None and figure.high is not None and figure.low <= 0 <= figure.high:
        return T.card_within
    return T.card_worse if figure.value < 0 else T.card_better


def _source(figure: Figure) -> str:
    text = T.card_samples.format(source=figure.source, n=numbers.whole(figure.n))
    return text if figure.final else T.card_so_far.format(text=text)


def _doubted(source: str, found: Comparison) -> str:
    """First of all that the target's CPU is another one, where it may matter."""
    return f"{T.card_other_cpu} · {source}" if found.note else source


def _waiting(attached: bool, measuring: bool) -> Face:
    if not attached:
        return Face(source=T.card_no_data)
    return Face(source=T.card_measuring if measuring else T.card_not_measured)
