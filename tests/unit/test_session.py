"""The verbs on the real sample with the real engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studio.control import Cancelled, Control
from studio.data.reference import DataRef, Preprocessing
from studio.errors import DataError, ModelError, ProjectError, RecipeError
from studio.project import changes, store
from studio.project.changes import Changed, Measured
from studio.project.memory import Memory
from studio.recipe.settings import Recipe, Rule, Settings
from studio.session.session import Session
from studio.workbench.local import LocalWorkbench


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("session")


@pytest.fixture(scope="module")
def opened(folder: Path, sample: Path, sample_data: Path) -> Iterator[Session]:
    session = Session(LocalWorkbench(folder / "built"), memory=Memory(folder / "memory"))
    session.open(sample, Control())
    session.attach_data(DataRef(str(sample_data), limit=200), Control())
    yield session
    session.close()


@pytest.fixture
def session(opened: Session) -> Session:
    opened.reset()
    return opened


def test_nothing_is_open_at_first(folder: Path) -> None:
    empty = Session(LocalWorkbench(folder / "built"), memory=Memory(folder / "memory"))
    assert empty.document is None
    with pytest.raises(ProjectError, match="no model is open"):
        empty.plan()


@pytest.mark.slow
def test_an_open_that_fails_leaves_the_document(session: Session, tmp_path: Path) -> None:
    before = session.state
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(b"this is no model")
    with pytest.raises(ModelError):
        session.open(bad, Control())
    assert session.state is before


def test_data_that_do_not_fit_leave_the_document(session: Session, tmp_path: Path) -> None:
    before = session.state
    with pytest.raises(DataError):
        session.attach_data(DataRef(str(tmp_path / "gone.npz")), Control())
    assert session.state is before


def test_settings_reach_the_plan_and_undo_takes_them_back(session: Session) -> None:
    changed = session.set_layers(["head/fc"], Settings(bits=4))
    assert {changes.RECIPE, changes.JOURNAL} == changed.what
    assert changed.value.of("head/fc").bits == 4
    assert session.undo().value.of("head/fc").bits == 32
    assert session.redo().value.of("head/fc").bits == 4


def test_a_drag_is_one_step(session: Session) -> None:
    steps = len(session.journal.steps)
    for bits in (16, 8, 4):
        session.set_layers(["head/fc"], Settings(bits=bits), drag="slider-1")
    assert len(session.journal.steps) == steps + 1


def test_an_edit_that_changes_nothing_tells_nobody(session: Session) -> None:
    session.set_layers(["head/fc"], Settings(bits=8))
    heard: list[Changed[Any]] = []
    stop = session.subscribe(heard.append)
    session.set_layers(["head/fc"], Settings(bits=8))
    assert heard == []
    session.set_layers(["head/fc"], Settings(bits=7))
    stop()
    session.undo()
    assert [sorted(each.what) for each in heard] == [["journal", "recipe"]]
    assert heard[0].revision == session.journal.steps[-1].document.revision


def test_an_unknown_pattern_names_near_ones(session: Session) -> None:
    with pytest.raises(RecipeError, match=r"stage1/block1"):
        session.set_layers(["stage1/blok*"], Settings(bits=4))
    with pytest.raises(RecipeError, match="head/fc"):
        session.apply_recipe(Recipe(rules=(Rule("haed/fc", Settings(bits=4)),)))
    with pytest.raises(RecipeError, match="op:Conv"):
        session.set_layers(["op:Cnov"], Settings(bits=4))


def test_a_preset_with_a_rule_for_an_absent_op_is_fine(session: Session) -> None:
    session.apply_recipe(Recipe(rules=(Rule("op:MatMul", Settings(bits=8)),)))


def test_what_is_measured_is_what_is_exported(session: Session, tmp_path: Path) -> None:
    session.apply_preset("int8")
    partial: list[Measured] = []
    measured = session.measure(Control(), partial.append).value
    assert measured.artifact.bytes == Path(measured.artifact.path).stat().st_size
    assert measured.comparison is not None
    assert measured.comparison.difference.n == 200
    assert partial[0].comparison is None
    assert session.history[-1] == measured == session.measured
    written = session.export(tmp_path / "out.onnx", Control()).value
    assert written.sha256 == measured.artifact.sha256
    assert session.state.exported[-1] == (measured.revision, written.path)


def test_an_edit_during_an_export_leaves_it_with_the_state_it_was_built_of(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.apply_preset("int8")
    measured = session.measure(Control()).value
    write = session.workbench.export

    def edited(*given: Any) -> Any:
        session.set_layers(["head/fc"], Settings(bits=4))
        return write(*given)

    monkeypatch.setattr(session.workbench, "export", edited)
    written = session.export(tmp_path / "late.onnx", Control()).value
    assert session.state.revision != measured.revision
    assert session.state.exported[-1] == (measured.revision, written.path)


def test_a_release_tells_what_was_measured_of_its_own_file(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.apply_preset("int8")
    measured = session.measure(Control()).value
    assert measured.comparison is not None
    take = session.workbench.goldens

    def edited(*given: Any) -> Any:
        session.set_layers(["head/fc"], Settings(bits=4))
        return take(*given)

    monkeypatch.setattr(session.workbench, "goldens", edited)
    told = session.packed(Control()).meta
    assert session.measured is None
    assert told["accuracy"] == round(measured.comparison.optimized.value, 3)


@pytest.mark.slow
def test_the_estimate_is_near_the_real_size(session: Session) -> None:
    for bits in (8, 4):
        session.set_layers(["*"], Settings(bits=bits))
        estimated = session.estimate().value
        real = session.build(Control()).value.bytes
        assert estimated == pytest.approx(real, rel=0.03)
        assert session.estimate().value == pytest.approx(real, rel=0.01)


@pytest.mark.slow
def test_a_result_for_an_older_revision_is_dropped(session: Session) -> None:
    session.set_layers(["*"], Settings(bits=6))
    before = session.history

    def edit(measured: Measured) -> None:
        session.set_layers(["*"], Settings(bits=5))

    with pytest.raises(Cancelled):
        session.measure(Control(), edit)
    assert session.history == before


@pytest.mark.slow
def test_a_result_begun_before_a_project_was_opened_is_dropped(
    folder: Path, sample: Path, tmp_path: Path
) -> None:
    work = Session(LocalWorkbench(folder / "built"), memory=Memory(folder / "memory"))
    work.open(sample, Control())
    work.apply_preset("int8")
    saved = work.save(tmp_path / "same.trimtab").value
    work.build(Control())

    def load(measured: Measured) -> None:
        work.load(saved, Control())

    begun = work.journal.last
    with pytest.raises(Cancelled):
        work.measure(Control(), load)
    assert work.history == ()
    assert [step.label for step in work.journal.steps][-1] == "preset int8"
    assert min(step.document.revision for step in work.journal.steps) > begun
    assert work.artifact is None
    work.close()


@pytest.mark.slow
def test_a_save_does_not_give_its_folder_to_what_was_opened_meanwhile(
    folder: Path, sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Session(LocalWorkbench(folder / "built"), memory=Memory(folder / "memory"))
    work.open(sample, Control())
    work.apply_preset("int8")
    write = store.save

    def slow(path: Path, project: store.Project) -> Path:
        work.open(sample, Control())
        return write(path, project)

    monkeypatch.setattr(store, "save", slow)
    work.save(tmp_path / "first.trimtab")
    assert work.state.project == ""
    assert [step.label for step in store.load(tmp_path / "first.trimtab").steps][-1] == "preset int8"
    work.close()


@pytest.mark.slow
def test_recovered_work_has_no_project_folder(folder: Path, sample: Path, tmp_path: Path) -> None:
    work = Session(LocalWorkbench(folder / "built"), memory=Memory(folder / "memory"))
    work.open(sample, Control())
    work.apply_preset("int8")
    saved = work.save(tmp_path / "snapshot.trimtab").value
    work.recover(saved, Control())
    assert work.journal.steps[-1].label == "preset int8"
    assert work.state.project == ""
    work.load(saved, Control())
    assert work.state.project == str(saved)
    work.close()


def test_undo_finds_the_figures_of_that_state_again(session: Session) -> None:
    session.set_layers(["*"], Settings(bits=8))
    first = session.measure(Control()).value
    session.set_layers(["*"], Settings(bits=7))
    assert session.measured is None
    session.undo()
    assert session.measured == first
    assert session.artifact == first.artifact


def test_latency_joins_the_figures_of_its_revision(session: Session) -> None:
    session.set_layers(["*"], Settings(bits=8))
    measured = session.measure(Control()).value
    pair = session.latency(Control()).value
    assert session.measured == replace(measured, pair=pair)


def test_cancelling_is_no_error_and_leaves_the_state(session: Session) -> None:
    session.set_layers(["*"], Settings(bits=3))
    before = session.state
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        session.measure(control)
    assert session.state == before


@pytest.mark.slow
def test_projects_and_data_come_back(session: Session, folder: Path, sample: Path, tmp_path: Path) -> None:
    session.set_layers(["head/fc"], Settings(bits=8))
    measured = session.measure(Control()).value
    session.undo()
    saved = session.save(tmp_path / "work.trimtab").value

    other = Session(LocalWorkbench(folder / "built"), memory=Memory(folder / "memory"))
    other.open(saved, Control())
    assert [step.label for step in other.journal.steps] == [step.label for step in session.journal.steps]
    assert other.plan() == session.plan()
    other.redo()
    assert other.measured == measured

    other.open(sample, Control())
    assert other.document is not None
    assert other.document.data is not None
    assert other.document.data.ref.limit == 200
    assert other.state.revision > measured.revision


def test_the_report_is_one_page(session: Session, tmp_path: Path) -> None:
    session.apply_preset("int8")
    out = session.report(tmp_path / "report.html", Control()).value
    page = out.read_text()
    assert session.history[-1].artifact.sha256 in page
    assert "<script" not in page


@pytest.mark.slow
def test_a_model_that_changed_on_disk_is_named(folder: Path, sample: Path, tmp_path: Path) -> None:
    copy = tmp_path / "model.onnx"
    copy.write_bytes(sample.read_bytes())
    fresh = Session(LocalWorkbench(folder / "built"), memory=Memory(tmp_path))
    fresh.open(copy, Control())
    fresh.set_layers(["*"], Settings(bits=8))
    copy.write_bytes(sample.read_bytes() + b"\x00")
    with pytest.raises(ModelError):
        fresh.build(Control())


def test_pictures_are_read_as_the_last_ones_were(session: Session, tmp_path: Path) -> None:
    from PIL import Image

    for name in ("first", "second"):
        (tmp_path / name / "shirt").mkdir(parents=True)
        Image.new("L", (28, 28), 90).save(tmp_path / name / "shirt" / "1.png")
    how = Preprocessing(resize=(28, 28), channels="L")
    before = session.document
    session.attach_data(DataRef(str(tmp_path / "first"), how), Control())
    session.attach_data(DataRef(str(tmp_path / "second")), Control())
    assert session.document is not None
    assert session.document.data is not None
    assert session.document.data.ref.preprocessing == how
    assert before is not None
    assert before.data is not None
    session.attach_data(before.data.ref, Control())
