"""A small made-up model, as facts alone."""

from __future__ import annotations

import pytest

from studio.graph.model import Facts, GroupFact, LayerFact
from studio.project.document import Document
from studio.recipe.settings import Recipe


def layer(name: str, node: int, group: str = "") -> LayerFact:
    return LayerFact(
        name,
        "Conv",
        node,
        f"{name}.w",
        None,
        (16, 16, 3, 3),
        0,
        1,
        1,
        2304,
        9216,
        None,
        32,
        group,
        bool(group),
    )


@pytest.fixture(scope="session")
def facts() -> Facts:
    layers = (layer("stem", 0), layer("conv1", 1, "g1"), layer("conv2", 2, "g1"), layer("head", 3))
    groups = (GroupFact("g1", ("conv1", "conv2"), ("head",), 16, True),)
    return Facts(
        "k" * 64, "net", "/x/net.onnx", "onnx", 40_000, 10, (("", 21),), "", (), (), (), (), layers, groups
    )


@pytest.fixture
def document(facts: Facts) -> Document:
    return Document(facts, Recipe())
