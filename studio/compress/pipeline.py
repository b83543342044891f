"""From a model and a plan to an artifact: fold → equalize → prune → calibrate → quantize → correct → store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from studio.artifact import Artifact
from studio.compress.calibrate import watch
from studio.compress.fold import fold
from studio.compress.quantize import quantize_graph
from studio.compress.ranges import Range, Seen, range_of
from studio.compress.store import outcomes, write
from studio.compress.work import Work, start
from studio.control import Control
from studio.errors import BuildError, StudioError
from studio.graph.model import Model
from studio.recipe.resolve import Plan
from studio.stages import CalibrationSource
from studio.target import Target

Cache = MutableMapping[str, Any]


def build(
    model: Model,
    plan: Plan,
    target: Target,
    calibration: CalibrationSource | None,
    out_dir: Path,
    control: Control,
    cache: Cache,
    recipe: str = "",
) -> Artifact:
    """Build the artifact that `plan` describes and write it to out_dir/<sha256>.onnx.

    `model` is not changed. `calibration` may be None where no row has 8-bit activations. `cache`
    keeps what was calibrated, by content; pass the same one again for speed, an empty one for none.
    `recipe` is the recipe's canonical JSON, kept in the artifact. The same arguments give the same
    bytes, in any process. Raises `BuildError` naming the pass and the layer; no file is left then.
    """
    began = perf_counter()
    work = start(model, plan, target)
    _passes(work, calibration, control, cache)
    control.step(0.95, "writing the file")
    data = _serialized(work)
    path, digest = write(data, Path(out_dir))
    control.step(1.0, "built")
    return Artifact(
        path=str(path),
        sha256=digest,
        bytes=len(data),
        recipe=recipe,
        target=target.name,
        parent=model.facts.key,
        calibration=calibration.key if calibration is not None and plan.needs_calibration else "",
        layers=outcomes(work),
        seconds=perf_counter() - began,
        notes=tuple(work.notes),
    )


def _passes(work: Work, calibration: CalibrationSource | None, control: Control, cache: Cache) -> None:
    if not any(row.touched for row in work.rows.values()):
        return
    control.step(0.02, "folding")
    _run(work, "fold", fold)
    ranges: dict[str, Range] = {}
    if work.plan.needs_calibration:
        seen = _calibrated(work, calibration, control.part(0.1, 0.7), cache)
        ranges = {name: range_of(each, work.plan.calibration) for name, each in seen.items()}
    control.step(0.75, "quantizing")
    _run(work, "quantize", lambda each: quantize_graph(each, ranges))


def _calibrated(
    work: Work, calibration: CalibrationSource | None, control: Control, cache: Cache
) -> dict[str, Seen]:
    if calibration is None:
        raise BuildError("calibration", "8-bit activations need data to find ranges on", "Attach a data set.")
    key = f"ranges:{work.facts.key}:{calibration.key}:{work.plan.calibration}:{work.plan.calibration_samples}"
    found = cache.get(key)
    if found is None:
        with _named(work, "calibrate"):
            found = watch(work, calibration, control)
        cache[key] = found
    work.done.append("calibrate")
    return dict(found)


def _run(work: Work, name: str, apply: Callable[[Work], None]) -> None:
    with _named(work, name):
        apply(work)
    work.done.append(name)


@contextmanager
def _named(work: Work, name: str) -> Iterator[None]:
    """Name the pass, and what was done before it, in whatever expected failure happens inside."""
    behind = f", after {', '.join(work.done)}" if work.done else ""
    try:
        yield
    except BuildError as error:
        raise BuildError(f"{name} failed on {error.thing}{behind}", error.cause, error.fix) from error
    except StudioError:
        raise


def _serialized(work: Work) -> bytes:
    from studio.graph.onnx_edge import serialize

    work.model.ir_version = min(work.model.ir_version, work.target.ir_version_max)
    return serialize(work.model)
