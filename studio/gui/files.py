"""Files in and out: dialogs, drops, the sample. None of them blocks the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from studio.control import Control
from studio.data.reference import DataRef
from studio.errors import StudioError
from studio.gui import drops
from studio.gui.asking import ask_in, ask_out
from studio.gui.bridge import REPORT, SAVE, Bridge
from studio.gui.keep import another, pdf
from studio.gui.texts.texts import T
from studio.paths import resource
from studio.project.changes import Changed
from studio.recipe import text

_SAMPLE = ("fashion.onnx", "fashion.npz")


class Files(QObject):
    """Verbs that need a path."""

    def __init__(self, bridge: Bridge, window: QWidget) -> None:
        super().__init__(window)
        self._bridge, self._window = bridge, window

    def ask_model(self) -> None:
        self._ask(T.open_title, T.open_filter, self.open)

    def ask_data(self) -> None:
        self._ask(T.data_title, T.data_filter, self.attach)

    def ask_data_folder(self) -> None:
        self._ask(T.data_title, "", self.attach)

    def ask_recipe(self) -> None:
        self._ask(T.recipe_title, T.recipe_filter, self.apply)

    def ask_export(self) -> None:
        document = self._bridge.session.document
        if document is not None:
            source = Path(document.model.path)
            out = source.with_name(f"{source.stem}-trimmed.onnx")
            self._ask(T.export_title, T.export_filter, self.export, out)

    def ask_report(self) -> None:
        document = self._bridge.session.document
        if document is not None:
            out = Path(document.model.path).with_suffix(".report.html")
            self._ask(T.report_title, T.report_filter, self.report, out)

    def report(self, path: str) -> None:
        """Write a self-contained report of the current state: a web page, or a PDF by its suffix."""
        out = Path(path)
        work = self._as_pdf if out.suffix.lower() == ".pdf" else self._bridge.session.report
        self._bridge.run(REPORT, T.job_report, lambda control: work(out, control))

    def _as_pdf(self, out: Path, control: Control) -> Changed[Path]:
        with TemporaryDirectory(prefix="trimtab-report-") as folder:
            page = self._bridge.session.report(Path(folder) / "report.html", control.part(0.0, 0.9)).value
            return Changed(pdf.write(page.read_text("utf-8"), out))

    def ask_save(self) -> None:
        """Save to where the project is kept already, else ask."""
        session = self._bridge.session
        if session.document is None:
            return
        if session.state.project:
            self.save(session.state.project)
            return
        out = Path(session.facts.path).with_suffix(".trimtab")
        self._ask(T.save_title, T.save_filter, self.save, out)

    def save(self, path: str) -> None:
        """Keep model reference, data, recipe, history and figures in a project."""
        session = self._bridge.session
        self._bridge.run(SAVE, T.save, lambda _: session.save(path))

    def ask_recipe_out(self) -> None:
        document = self._bridge.session.document
        if document is not None:
            out = Path(document.model.path).with_suffix(".recipe.json")
            self._ask(T.recipe_save, T.recipe_filter, self.save_recipe, out)

    def open(self, path: str) -> None:
        """Open a model; what is open stays until it succeeds."""
        self._bridge.open(path, Path(path).name)

    def open_beside(self, path: str = "") -> None:
        """Start another window, with `path` opened in it."""
        if not another.window(path):
            self._bridge.failed.emit(StudioError(T.new_window, T.no_window_cause, T.no_window_fix))

    def recover(self, path: str) -> None:
        """Take up work that was not saved; saving it asks for a place."""
        self._bridge.recover(path, Path(path).name)

    def open_sample(self) -> None:
        """Open the shipped model with its data."""
        model, data = (resource("samples", name) for name in _SAMPLE)
        self._bridge.open(str(model), model.name, DataRef(str(data)))

    def attach(self, path: str) -> None:
        """Use a data set."""
        self._bridge.attach(DataRef(path), Path(path).name)

    def apply(self, path: str) -> None:
        """Apply a recipe file; one that cannot be read is told."""
        try:
            recipe = text.read(path)
        except StudioError as error:
            self._bridge.failed.emit(error)
            return
        self._bridge.apply_recipe(recipe, Path(path).stem)

    def save_recipe(self, path: str) -> None:
        """Write the recipe of now."""
        recipe = self._bridge.session.recipe
        self._bridge.run(
            "recipe", T.recipe_save, lambda _: Path(path).write_text(text.dumps(recipe), "utf-8")
        )

    def export(self, path: str) -> None:
        """Write the measured file."""
        self._bridge.export(path, Path(path).name)

    def take(self, paths: tuple[Path, ...]) -> None:
        """Dropped files: the model first, then data and recipes for it; more models open beside."""
        by_kind = {kind: [path for path in paths if drops.kind_of(path) == kind] for kind in drops.Kind}
        for path in by_kind[drops.Kind.UNKNOWN][:1]:
            self._bridge.failed.emit(drops.refusal(path))
        models, data = by_kind[drops.Kind.MODEL], by_kind[drops.Kind.DATA]
        if models:
            ref = DataRef(str(data[0])) if data else None
            self._bridge.open(str(models[0]), models[0].name, ref)
            for more in models[1:]:
                self.open_beside(str(more))
            return
        if data:
            self.attach(str(data[0]))
        for path in by_kind[drops.Kind.RECIPE][:1]:
            self.apply(str(path))

    def _ask(self, title: str, names: str, then: Callable[[str], None], out: Path | None = None) -> None:
        if out is None:
            ask_in(self._window, title, names, then)
        else:
            ask_out(self._window, title, names, out, then)
