"""What became of one layer: its weights, what it gives out, and what codes can hold."""

from __future__ import annotations

from dataclasses import replace

from studio.control import Control
from studio.errors import DataError
from studio.metrics import ActivationView, CodedRange, WeightView
from studio.recipe.settings import Recipe
from studio.workbench.api import Job
from studio.workbench.measuring import Measuring


class Inspecting(Measuring):
    """Looks into built files, a layer at a time."""

    def weights(self, job: Job, layer: str, control: Control) -> WeightView:
        from studio.measure.weights import view, weight_of

        facts = self._model(job.model, control).facts
        plain = replace(job, recipe=Recipe(target=job.recipe.target))
        before = self.build(plain, control.part(0.0, 0.4))
        after = self.build(job, control.part(0.4, 0.9))
        return view(facts.by_name[layer], weight_of(before.path, layer), weight_of(after.path, layer))

    def activations(self, job: Job, layer: str, control: Control) -> ActivationView:
        from studio.measure.activations import activations
        from studio.measure.sessions import built

        opened = self._model(job.model, control)
        if job.data is None:
            raise DataError(opened.facts.name, "activations are seen on samples", "Attach a data set.")
        dataset = self._dataset(job.data, opened.facts, control)
        artifact = built(self.build(job, control.part(0.0, 0.5)))
        rest = control.part(0.5, 1.0)
        return activations(
            opened.facts, layer, self._original(opened), artifact, dataset, rest, self._threads
        )

    def ranges(self, path: str, control: Control) -> tuple[CodedRange, ...]:
        from studio.measure.coded import coded
        from studio.measure.taps import load_graph

        control.check()
        return tuple(coded(load_graph(path).graph).values())
