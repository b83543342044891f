"""Files built from a model, a recipe and calibration samples, kept by content."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from studio import target
from studio.artifact import Artifact
from studio.control import Control
from studio.data.reference import DataFacts, DataRef
from studio.graph.model import Facts, Model
from studio.kept import make_room
from studio.recipe.resolve import Plan, resolve
from studio.recipe.text import dumps
from studio.workbench.api import Job, ModelRef
from studio.workbench.shelves import Shelves

if TYPE_CHECKING:
    from studio.data.samples import CalibrationSamples

ROOM = 4 << 30
TIDY = 32


class Building(Shelves):
    """Opens, attaches and builds."""

    def attach(self, model: ModelRef, data: DataRef, control: Control) -> DataFacts:
        return self._dataset(data, self._model(model, control).facts, control).facts

    def build(self, job: Job, control: Control) -> Artifact:
        model = self._model(job.model, control)
        calibration = self._calibration(job, model.facts, control)
        key = (model.facts.key, dumps(job.recipe), calibration.key if calibration else "")
        known = self._built.find(key)
        if known is not None and Path(known.path).is_file():
            control.check()
            return known
        artifact = self._build(model, job, calibration, control)
        self._built.put(key, artifact)
        return artifact

    def _build(
        self, model: Model, job: Job, calibration: CalibrationSamples | None, control: Control
    ) -> Artifact:
        from studio.compress.pipeline import build

        plan = plan_of(job, model.facts)
        out = self._made("artifacts")
        goal = target.load(job.recipe.target)
        kept = self._passes.lend()
        artifact = build(model, plan, goal, calibration, out, control, kept, dumps(job.recipe))
        self._builds += 1
        if self._builds % TIDY == 0:
            make_room(out, ROOM)
        return artifact


def plan_of(job: Job, facts: Facts) -> Plan:
    return resolve(job.recipe, facts, target.load(job.recipe.target), job.data is not None)
