"""The clone that passes work on: names are given once, whatever was released and taken again."""

from __future__ import annotations

import numpy as np

from studio.compress.work import start
from studio.recipe.resolve import Plan
from studio.target import load

from .conftest import residual_net


def test_a_name_taken_by_hand_is_not_given_out_again() -> None:
    work = start(residual_net().model("head"), Plan((), "minmax", 1, ()), load("onnxruntime-cpu"))
    first = work.name()
    following = f"t{int(first[1:]) + 1}"
    taken = work.constant(np.zeros(3, np.float32), following)
    fresh = work.constant(np.ones(3, np.float32))
    assert taken.name == following
    assert fresh.name not in (first, following)
