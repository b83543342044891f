"""What the data panel says: how a data set was understood, and what to doubt."""

from __future__ import annotations

from pathlib import Path

from studio.data import adjusted
from studio.data.fit import shape_text
from studio.data.reference import PREPROCESSING, DataFacts, Preprocessing
from studio.doctor.chance import chance, near_chance
from studio.graph.model import Facts
from studio.gui.figures.factsheet import Line
from studio.gui.looks import numbers
from studio.gui.looks.theme import Theme
from studio.gui.texts.texts import T
from studio.metrics import Answer, Comparison, SampleLook

_TASKS = {
    "mean IoU": T.samples_segments,
    "perplexity": T.samples_language,
    "variance explained": T.samples_targets,
    "agreement": T.samples_unlabelled,
    "output match": T.samples_unlabelled,
}
_PLANES = (1, 3)


def facts(
    model: Facts, data: DataFacts, look: SampleLook | None, found: Comparison | None
) -> tuple[Line, ...]:
    """Names and texts; what the engine notes comes last, for these are sentences."""
    counted = T.samples_apart if data.calibration_separate else T.samples_counted
    lines = (
        (T.samples_source, Path(data.ref.path).name),
        (T.samples_count, counted.format(n=f"{data.n:,}", calibration=f"{data.calibration_n:,}")),
        (T.samples_task, _task(data, found)),
        (T.samples_layout, _layout(model, data)),
        (
            T.samples_values,
            T.samples_range.format(low=f"{look.low:.3g}", high=f"{look.high:.3g}") if look else "",
        ),
        (T.samples_how, _how(data)),
        (T.samples_original, _accuracy(found)),
        *(("", note) for note in data.notes),
    )
    return tuple((name, text) for name, text in lines if text)


def doubt(data: DataFacts, found: Comparison | None) -> str:
    """What to check where the original is hardly better than guessing; "" where it is."""
    if found is None or found.metric != "top-1" or not near_chance(found.original, data.classes):
        return ""
    return T.samples_doubt.format(
        accuracy=_accuracy(found),
        n=f"{found.original.n:,}",
        chance=f"{chance(data.classes):.1f} %",
        fix=T.doctor_fix_check,
    )


def remark(look: SampleLook) -> str:
    """How many of the samples shown are right; "" without labels."""
    judged = [right(each) for each in look.answers if right(each) is not None]
    return T.samples_right.format(n=len(judged), right=sum(filter(None, judged))) if judged else ""


def right(answer: Answer) -> bool | None:
    """Whether the original is right; None where it cannot be told."""
    if answer.given is None or answer.label is None:
        return None
    return answer.given == answer.label


def under(answer: Answer) -> str:
    """The line below a picture: the answer, and by a sign whether it is right."""
    if answer.given is None:
        return "–" if answer.label is None else str(answer.label)
    said = T.samples_should if right(answer) is False else T.samples_answer
    sign = {True: "✓", False: "✗", None: ""}[right(answer)]
    return said.format(given=answer.given, label=answer.label, sign=sign).rstrip()


def tip(answer: Answer) -> str:
    """All of an answer."""
    given, label = ("–" if each is None else str(each) for each in (answer.given, answer.label))
    share = "–" if answer.share is None else f"{answer.share:.0f} %"
    return T.samples_tip.format(sample=answer.sample, given=given, share=share, label=label)


def tone(answer: Answer, theme: Theme) -> str:
    """Colour of the line below the picture."""
    return {True: theme.good, False: theme.bad, None: theme.text}[right(answer)]


def _task(data: DataFacts, found: Comparison | None) -> str:
    if found is not None and found.metric in _TASKS:
        return _TASKS[found.metric]
    if not data.labelled:
        return T.samples_unlabelled
    return T.samples_classes.format(n=data.classes) if data.classes else ""


def _layout(model: Facts, data: DataFacts) -> str:
    """Shape and type of a sample; for pictures, which axis holds the planes."""
    name, shape = "", data.sample_shape
    if len(model.inputs) == 1 and len(shape) == 3:
        name = "NCHW, " if shape[0] in _PLANES else "NHWC, " if shape[-1] in _PLANES else ""
    return f"{name}{shape_text(('N', *shape))} {data.dtype}"


def _how(data: DataFacts) -> str:
    return "; ".join((_read(data), *(adjusted.text(each) for each in data.ref.adjust)))


def _read(data: DataFacts) -> str:
    if data.ref.preprocessing is not None:
        return _steps(data.ref.preprocessing)
    return T.samples_by_file.format(file=PREPROCESSING) if data.kind == "pictures" else T.samples_as_is


def _steps(how: Preprocessing) -> str:
    size = "" if how.resize is None else f"resize {how.resize}, "
    cut = "" if how.crop is None else f"crop {how.crop}, "
    mean, std = (", ".join(f"{value:.3g}" for value in each) for each in (how.mean, how.std))
    return f"{size}{cut}(x · {how.scale:.3g} − [{mean}]) / [{std}], {how.channels}"


def _accuracy(found: Comparison | None) -> str:
    if found is None:
        return ""
    return f"{numbers.value(found.original)} {numbers.interval(found.original)}".rstrip()
