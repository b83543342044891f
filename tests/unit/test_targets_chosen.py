"""Targets are chosen from facts: of this computer, of a board, or by name."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from studio import target
from studio.boards.book import Board, BoardBook
from studio.cli.main import cli
from studio.control import Control
from studio.errors import BoardError, RecipeError
from studio.recipe import presets, text
from studio.recipe.settings import Recipe
from studio.session.session import Session
from studio.workbench.local import LocalWorkbench

ARM = "onnxruntime-cpu-arm"


@pytest.fixture
def session(tmp_path: Path, sample: Path) -> Session:
    made = Session(LocalWorkbench(tmp_path, threads=1))
    made.open(sample, Control())
    return made


@pytest.mark.slow
def test_work_begins_with_the_target_of_this_computer(session: Session) -> None:
    assert session.target == target.here()
    assert session.apply_preset("int8") is not None
    assert session.target == target.here()


@pytest.mark.slow
def test_a_choice_is_undone_like_any_edit(session: Session) -> None:
    session.set_target(ARM)
    assert session.target.name == ARM
    session.set_target("here")
    session.undo()
    assert session.target.name == ARM
    session.undo()
    assert session.target == target.here()


@pytest.mark.slow
def test_a_board_gives_its_target_once_it_was_probed(session: Session) -> None:
    board = BoardBook().add(Board("pi", host="pi.local"))
    with pytest.raises(RecipeError, match="nobody has asked"):
        session.set_target("@pi")
    BoardBook().add(Board("pi", host="pi.local", target=ARM), replace=True)
    session.set_target("@pi")
    assert session.target.name == ARM
    assert board.name in {each.key[1:] for each in session.targets()}
    with pytest.raises(BoardError, match="no such board"):
        session.set_target("@nosuch")
    with pytest.raises(RecipeError, match="no such target"):
        session.set_target("abacus")


@pytest.mark.slow
def test_this_computer_is_a_board_too(session: Session) -> None:
    facts = session.boards.probe("this-computer")
    assert target.for_facts(facts.machine, facts.features) == session.target_named("@this-computer")
    session.close_boards()


@pytest.mark.parametrize("name", target.names())
def test_a_saved_recipe_names_its_target(name: str) -> None:
    recipe = Recipe(target=name)
    assert json.loads(text.dumps(recipe))["target"] == name
    assert text.loads(text.dumps(recipe)) == recipe


def test_a_recipe_file_of_old_means_what_it_meant() -> None:
    assert text.loads('{"version": 1}').target == "onnxruntime-cpu"
    assert presets.load("int8").target == "onnxruntime-cpu"


def _run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, words)
    return done.exit_code, done.stdout


@pytest.mark.slow
def test_the_command_line_lists_takes_and_refuses_targets(sample: Path, tmp_path: Path) -> None:
    found = json.loads(_run("targets", "--json")[1])["targets"]
    assert (found[0]["key"], found[0]["target"]) == ("here", target.here().name)
    assert {each["key"] for each in found} == {"here", *target.names()}
    build = (
        "optimize",
        str(sample),
        "--out",
        str(tmp_path / "out.onnx"),
        "--preset",
        "weights-only-4bit",
        "--json",
    )
    assert json.loads(_run(*build)[1])["target"] == target.here().name
    assert json.loads(_run(*build, "--target", ARM)[1])["target"] == ARM
    code, said = _run(*build, "--target", "abacus")
    assert (code, json.loads(said)["error"]["kind"]) == (1, "recipe")


@pytest.mark.slow
def test_a_recipe_file_keeps_its_target_whatever_computer_reads_it(sample: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "mine.json"
    recipe.write_text(
        text.dumps(msgspec.structs.replace(presets.load("weights-only-4bit"), target=ARM)), "utf-8"
    )
    out = ("optimize", str(sample), "--out", str(tmp_path / "out.onnx"), "--recipe", str(recipe), "--json")
    assert json.loads(_run(*out)[1])["target"] == ARM
