"""The Workbench in this process: every cache is keyed by content, nothing is global."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from studio import estimate, target
from studio.artifact import Artifact
from studio.control import Control
from studio.data.reference import DataFacts, DataRef
from studio.data.thumbnails import Thumbnail
from studio.errors import DataError, ExportError, MeasureError, ModelError
from studio.graph.model import Facts, Model
from studio.kept import make_room
from studio.metrics import Comparison, Figure, LatencyPair, LayerDrift, Prepared, Sensitivity, WeightView
from studio.paths import data_dir
from studio.recipe.resolve import Plan, resolve
from studio.recipe.settings import Recipe, Settings
from studio.recipe.text import dumps
from studio.search.budgets import Budgets
from studio.search.front import Found, Visited
from studio.shelves import Shelves
from studio.workbench_api import Candidate, Evaluation, Goldens, Job, ModelRef, Written

if TYPE_CHECKING:
    from studio.data.samples import Arrays, CalibrationSamples

GOLDEN_SAMPLES = 32
ROOM = 4 << 30
TIDY = 32
PREPARED_BITS = (8, 4)
CUT_BUDGET = 512 << 20


class LocalWorkbench(Shelves):
    """See `Workbench`; what it opens and keeps is in `Shelves`."""

    # Opening.

    def attach(self, model: ModelRef, data: DataRef, control: Control) -> DataFacts:
        return self._dataset(data, self._model(model, control).facts, control).facts

    # Building.

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

        plan = _plan(job, model.facts)
        out = self._made("artifacts")
        goal = target.load(job.recipe.target)
        artifact = build(model, plan, goal, calibration, out, control, self._passes, dumps(job.recipe))
        self._builds += 1
        if self._builds % TIDY == 0:
            make_room(out, ROOM)
        return artifact

    # Measuring.

    def compare(
        self,
        model: ModelRef,
        candidate: Candidate,
        data: DataRef,
        emit: Callable[[Comparison], None],
        control: Control,
    ) -> Comparison:
        from studio.measure.accuracy import Effort, compare

        opened = self._model(model, control)
        dataset = self._dataset(data, opened.facts, control)
        effort = Effort(threads=self._threads)
        original, other = self._original(opened), self._source(candidate, control)
        runner = self._live.runner(other, dataset.facts.key, effort.threads) if candidate.artifact else None
        return compare(original, other, dataset, control, emit, effort, self._outputs, runner)

    def prepare(self, job: Job, layers: tuple[str, ...], control: Control) -> Prepared:
        from studio.measure.accuracy import Effort
        from studio.measure.prepare import prepare
        from studio.measure.sessions import SessionSource

        opened = self._model(job.model, control)
        if job.data is None:
            return Prepared(note="no data set is attached")
        artifact = self.build(job, control.part(0.0, 0.1))
        others = [self.build(each, control.part(0.1, 0.2)).path for each in _edits(job, layers)]
        return prepare(
            self._live,
            self._original(opened),
            SessionSource(artifact.path, artifact.sha256),
            others,
            self._dataset(job.data, opened.facts, control),
            control.part(0.2, 1.0),
            Effort(threads=self._threads),
            self._outputs,
        )

    def evaluate(
        self, model: ModelRef, data: DataRef, emit: Callable[[Evaluation], None], control: Control
    ) -> Evaluation:
        from studio.measure.accuracy import Effort, evaluate

        opened = self._model(model, control)
        dataset = self._dataset(data, opened.facts, control)
        path = Path(opened.facts.path)
        sha256, size = _digest(path), path.stat().st_size

        def told(figure: Figure) -> Evaluation:
            return Evaluation("top-1", figure, sha256, size)

        found = evaluate(
            self._original(opened),
            dataset,
            control,
            lambda figure: emit(told(figure)),
            Effort(threads=self._threads),
            self._outputs,
        )
        return told(found)

    def drift(
        self, model: ModelRef, candidate: Candidate, data: DataRef, control: Control
    ) -> tuple[LayerDrift, ...]:
        from studio.measure.drift import layer_drift

        opened = self._model(model, control)
        dataset = self._dataset(data, opened.facts, control)
        sources = self._original(opened), self._source(candidate, control)
        return layer_drift(opened.facts, *sources, dataset, control, threads=self._threads)

    def latency(
        self, model: ModelRef, candidate: Candidate, data: DataRef | None, control: Control
    ) -> LatencyPair:
        from studio.measure.latency import Timing, latency_pair

        opened = self._model(model, control)
        inputs = self._need_samples(opened, data, 1, control)
        return latency_pair(self._original(opened).path, candidate.path, inputs, Timing(), control)

    def sensitivity(
        self, job: Job, emit: Callable[[Sensitivity], None], control: Control
    ) -> tuple[Sensitivity, ...]:
        from studio.measure.live import Live
        from studio.measure.sensitivity import FEW, sensitivity
        from studio.measure.sensitivity_store import SensitivityStore, store_name

        opened = self._model(job.model, control)
        if job.data is None:
            raise DataError(opened.facts.name, "sensitivity is measured on data", "Attach a data set.")

        def build(recipe: Recipe, part: Control) -> Artifact:
            return self.build(replace(job, recipe=recipe), part)

        dataset = self._dataset(job.data, opened.facts, control)
        name = store_name(opened.facts.key, dataset.facts.key, job.recipe, FEW.limit)
        return sensitivity(
            opened.facts,
            self._original(opened),
            dataset,
            job.recipe,
            target.load(job.recipe.target),
            build,
            control,
            emit,
            effort=replace(FEW, threads=self._threads),
            cache=self._outputs,
            store=SensitivityStore((self._folder or data_dir()) / "sensitivity" / name),
            live=Live(self._cut_budget // 4),
        )

    def search(self, job: Job, budgets: Budgets, emit: Callable[[Visited], None], control: Control) -> Found:
        from studio.search.search import Search

        facts = self._model(job.model, control).facts
        rows = self.sensitivity(job, lambda _: None, control.part(0.0, 0.6))

        def measure(recipe: Recipe, label: str, part: Control) -> Visited:
            return self._visit(replace(job, recipe=recipe), label, budgets, part)

        def size(recipe: Recipe, built: Artifact) -> float:
            return estimate.size(facts, _plan(replace(job, recipe=recipe), facts), built).value

        return Search(facts, job.recipe, rows, budgets, measure, size, control.part(0.6, 1.0), emit).run()

    def _visit(self, job: Job, label: str, budgets: Budgets, control: Control) -> Visited:
        """Build and measure a recipe; its latency too where a budget asks for it."""
        assert job.data is not None
        artifact = self.build(job, control.part(0.0, 0.4))
        candidate = Candidate(artifact.path, artifact)
        found = self.compare(job.model, candidate, job.data, lambda _: None, control.part(0.4, 0.9))
        latency = None
        if budgets.max_latency is not None:
            pair = self.latency(job.model, candidate, job.data, control.part(0.9, 1.0))
            latency = pair.optimized.p50
        return Visited(job.recipe, label, artifact, found, latency)

    def kernels(self, path: str, control: Control) -> tuple[tuple[str, int], ...]:
        from studio.measure.sessions import kernels

        control.check()
        return tuple(kernels(path).items())

    def weights(self, job: Job, layer: str, control: Control) -> WeightView:
        from studio.measure.weights import view, weight_of

        facts = self._model(job.model, control).facts
        plain = replace(job, recipe=Recipe(target=job.recipe.target))
        before = self.build(plain, control.part(0.0, 0.4))
        after = self.build(job, control.part(0.4, 0.9))
        return view(facts.by_name[layer], weight_of(before.path, layer), weight_of(after.path, layer))

    def thumbnails(
        self, model: ModelRef, data: DataRef, samples: tuple[int, ...], control: Control
    ) -> tuple[Thumbnail, ...]:
        from studio.data.thumbnails import thumbnail

        dataset, made = self._dataset(data, self._model(model, control).facts, control), []
        for place, sample in enumerate(samples):
            control.step(place / len(samples), "")
            values = next(iter(dataset.inputs(sample, sample + 1).values()))
            made.append(thumbnail(sample, values[0]))
        return tuple(each for each in made if each is not None)

    # Going out.

    def export(self, artifact: Artifact, out: str, job: Job, control: Control) -> Written:
        from studio.formats.onnx_out import export

        model = self._model(job.model, control)
        _spare_inputs(Path(out), job)
        control.step(0.1, "checking what will be written")
        sample = self._samples(model, job.data, 4, control)
        done = export(artifact, Path(out), sample)
        control.step(1.0, "written")
        return Written(str(done.path), done.sha256, done.bytes)

    def goldens(
        self, model: ModelRef, candidate: Candidate, data: DataRef | None, control: Control
    ) -> Goldens:
        from studio.boards.package import record_goldens
        from studio.formats.session_faults import faults

        inputs = self._need_samples(self._model(model, control), data, GOLDEN_SAMPLES, control)
        _demand_sample_axis(inputs)
        drawn = hashlib.sha256(b"".join(inputs[name].tobytes() for name in sorted(inputs))).hexdigest()
        name = f"{_digest(Path(candidate.path))[:24]}-{drawn[:12]}.npz"
        try:
            path = record_goldens(self._made("goldens") / name, Path(candidate.path), inputs)
        except faults() as error:
            cause = f"it does not run on samples one by one ({' '.join(str(error).split())[:200]})"
            fix = "Export it with a free batch axis, or with one fixed batch for all inputs."
            raise MeasureError(Path(candidate.path).name, cause, fix) from error
        return Goldens(str(path), len(next(iter(inputs.values()))))

    def close(self) -> None:
        self._reset()


def _edits(job: Job, layers: tuple[str, ...]) -> tuple[Job, ...]:
    """The same job with other bits for `layers`: what their files have otherwise, an edit will change."""

    def edited(bits: int) -> Job:
        recipe = job.recipe
        for name in layers:
            recipe = recipe.with_rule(name, Settings(bits=bits))
        return replace(job, recipe=recipe)

    return tuple(edited(bits) for bits in PREPARED_BITS)


def _plan(job: Job, facts: Facts) -> Plan:
    return resolve(job.recipe, facts, target.load(job.recipe.target), job.data is not None)


def _spare_inputs(out: Path, job: Job) -> None:
    """Never write over what was read."""
    for source in (job.model.path, job.data.path if job.data else ""):
        if source and out.exists() and Path(source).exists() and out.samefile(source):
            raise ExportError(str(out), "the model or its data is read from it", "Choose another path.")


def _demand_sample_axis(inputs: Arrays) -> None:
    count = max((len(array) for array in inputs.values() if array.ndim), default=0)
    for name, array in inputs.items():
        if not array.ndim or len(array) != count:
            cause = "it has no leading batch axis, so that it cannot be proved sample by sample"
            raise DataError(f"input {name!r}", cause, "Export the model with that input as a constant.")


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(str(path), f"it cannot be read ({error.strerror})", "Check the path.") from error
