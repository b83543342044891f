"""From a model and a plan to an artifact, pass by pass.

fold → equalize → smooth → prune → calibrate → split → quantize → round → correct → store.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from studio.artifact import Artifact
from studio.compress.calibration.choosing import range_of
from studio.compress.calibration.ranges import Seen
from studio.compress.calibration.watcher import Watcher
from studio.compress.levels.quantize import choose_levels
from studio.compress.levels.weights import Levels
from studio.compress.prepare.folded import folded
from studio.compress.pruning.prune import prune
from studio.compress.repair.bias import correct_biases
from studio.compress.repair.equalize import equalize
from studio.compress.repair.reconstruct import reconstruct, wanted
from studio.compress.repair.smooth import smooth
from studio.compress.repair.split import split_outliers
from studio.compress.work import Work, start
from studio.compress.write.emit import emit
from studio.compress.write.store import outcomes, write
from studio.control import Control
from studio.errors import BuildError
from studio.graph.model import Model
from studio.graph.onnx_edge import to_bytes, whole_proto
from studio.recipe.resolve import Plan
from studio.stages import CalibrationSource
from studio.target import Target

if TYPE_CHECKING:
    import onnx

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
    if any(row.touched for row in plan.layers):
        work = _folded(model, plan, target, control, cache)
        _passes(work, calibration, control, cache)
    else:
        work = start(model, plan, target)  # the graph stays as it came
    control.step(0.95, "writing the file")
    proto = _proto(work)
    data = to_bytes(proto)
    path, digest = write(data, Path(out_dir))
    control.step(1.0, "built")
    return Artifact(
        path=str(path),
        sha256=digest,
        bytes=len(data),
        recipe=recipe,
        target=target.name,
        parent=model.facts.key,
        calibration=calibration.key if calibration is not None and _looks(plan) else "",
        layers=outcomes(work, proto),
        seconds=perf_counter() - began,
        notes=tuple(work.notes),
    )


def _passes(work: Work, source: CalibrationSource | None, control: Control, cache: Cache) -> None:
    """Every pass behind folding, in order."""
    watcher = Watcher(work, source, cache)
    seen: dict[str, Seen] = {}
    if work.repairs("equalize"):
        _run(work, "calibrate", lambda: seen.update(watcher.look(control.part(0.05, 0.25))))
        _run(work, "equalize", lambda: watcher.divide(equalize(work, seen, cache)))
    if work.repairs("smooth") and source is not None:
        _run(work, "calibrate", lambda: seen.update(watcher.look(control.part(0.2, 0.25))))
        _run(work, "smooth", lambda: smooth(work, seen))
    _run(work, "prune", lambda: prune(work, source, control.part(0.25, 0.45), cache))
    if any(row.quantized for row in work.rows.values()):
        _run(work, "calibrate", lambda: seen.update(watcher.look(control.part(0.45, 0.7))))
    ranges = {name: range_of(each, work.plan.calibration) for name, each in seen.items()}
    if work.repairs("split"):
        _run(work, "split", lambda: split_outliers(work, seen, ranges))
    levels: dict[str, Levels] = {}
    _run(work, "quantize", lambda: levels.update(choose_levels(work, control.part(0.7, 0.75), cache)))
    learned: dict[str, Levels] = {}
    if source is not None and work.repairs("round") and wanted(work):
        part = control.part(0.75, 0.86)
        _run(
            work,
            "round",
            lambda: learned.update(reconstruct(work, levels, ranges, source, cache, part)),
        )
    if work.repairs("bias"):
        rest = {name: each for name, each in levels.items() if name not in learned}
        _run(work, "correct", lambda: correct_biases(work, rest, seen, cache))
    levels.update(learned)
    control.step(0.87, "writing the graph")
    _run(work, "store", lambda: emit(work, levels, ranges))


def _folded(model: Model, plan: Plan, target: Target, control: Control, cache: Cache) -> Work:
    control.step(0.02, "folding")
    try:
        work = folded(model, plan, target, cache)
    except BuildError as error:
        raise BuildError(f"fold failed on {error.thing}", error.cause, error.fix) from error
    work.done.append("fold")
    return work


def _run(work: Work, name: str, apply: Callable[[], None]) -> None:
    """Run one pass; a failure names it, the layer and the passes behind."""
    behind = f", after {', '.join(work.done)}" if work.done else ""
    try:
        apply()
    except BuildError as error:
        raise BuildError(f"{name} failed on {error.thing}{behind}", error.cause, error.fix) from error
    if name not in work.done:
        work.done.append(name)


def _looks(plan: Plan) -> bool:
    """Whether calibration data, where there is any, has a say in the bytes of this plan's artifact."""
    return any(row.looks for row in plan.layers)


def _proto(work: Work) -> onnx.ModelProto:
    model = work.model
    model.ir_version = min(model.ir_version, work.target.ir_version_max)
    return whole_proto(model)
