"""The clone that passes work on: names are given once, whatever was released and taken again."""

from __future__ import annotations

import numpy as np

from studio.compress.work import start
from studio.recipe.resolve import Plan
from studio.target import load

from .conftest import residual_net


def test_a_name_taken_by_hand_is_not_given_out_again() -> None:
    work = start(residual_net().model("head"), Plan((), "minmax", 1, ()), load("onnxruntime-cpu"))
    assert [work.name() for _ in range(3)] == ["a", "b", "c"]
    taken = work.constant(np.zeros(3, np.float32), "d")
    fresh = work.constant(np.ones(3, np.float32))
    assert (taken.name, fresh.name) == ("d", "e")


def test_names_are_short_and_go_on() -> None:
    work = start(residual_net().model("head"), Plan((), "minmax", 1, ()), load("onnxruntime-cpu"))
    names = [work.name() for _ in range(36 + 36 * 36 + 1)]
    assert len(set(names)) == len(names)
    assert sorted(names, key=len) == names
    assert (len(names[30]), len(names[40]), len(names[1290]), len(names[-1])) == (1, 2, 2, 3)


def test_names_that_passes_gave_back_are_given_again() -> None:
    work = start(residual_net().model("head"), Plan((), "minmax", 1, ()), load("onnxruntime-cpu"))
    held = work.constant(np.zeros(3, np.float32))
    work.release(work.constant(np.ones(3, np.float32)))
    work.forget_names()
    assert held.name == "a"
    assert work.name() == "b"
