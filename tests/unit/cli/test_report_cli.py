"""`trimtab report`: the page, and a clear word where Qt is not there for the PDF."""

from __future__ import annotations

import importlib.util
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from studio.cli.main import cli
from studio.cli.options import open_model, the_recipe
from studio.cli.shell import Shell
from studio.control import Control
from studio.recipe.settings import Recipe, Settings
from studio.session.session import Session
from studio.workbench.local import LocalWorkbench


@pytest.mark.slow
def test_a_report_names_its_recipe(sample: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    done = CliRunner().invoke(cli, ["report", str(sample), "--preset", "float16", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "recipe “float16”" in out.read_text("utf-8")


def test_without_qt_a_pdf_is_refused_before_anything_is_done(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(
        "studio.cli.report.find_spec", lambda name: None if name == "PySide6" else there(name)
    )
    out = tmp_path / "report.html"
    done = CliRunner().invoke(cli, ["report", str(sample), "--out", str(out), "--pdf", "x.pdf"])
    assert done.exit_code != 0
    assert "Qt, which is not installed" in done.output
    assert not out.exists()


@pytest.mark.slow
def test_a_project_s_own_recipe_is_what_options_build_on(sample: Path, tmp_path: Path) -> None:
    project = tmp_path / "one.trimtab"
    with closing(LocalWorkbench(tmp_path / "built", threads=1)) as workbench:
        session = Session(workbench)
        session.open(sample, Control())
        layer = session.facts.layers[0].name
        session.apply_recipe(Recipe(name="mine", target="onnxruntime-cpu-arm", default=Settings(bits=8)))
        session.save(project)
    shell = Shell()
    with closing(shell):
        open_model(shell, project, None, None, 0)
        wanted, asked = the_recipe(shell, None, None, (f"{layer}:bits=4",), None)
        assert asked
        assert (wanted.target, wanted.default) == ("onnxruntime-cpu-arm", Settings(bits=8))
        assert [rule.pattern for rule in wanted.rules] == [layer]
        assert the_recipe(shell, None, None, (), None) == (shell.session.recipe, False)
        assert the_recipe(shell, None, "float16", (), None)[0].default != Settings(bits=8)


def test_signatures_are_switched_off_only_where_that_is_said() -> None:
    done = CliRunner().invoke(cli, ["board", "require-signatures", "this-computer"])
    assert (done.exit_code, "--none" in done.output) == (2, True)
