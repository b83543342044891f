"""Facts of models that take this or that, without a graph behind them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from studio.graph.model import Facts, Shape, TensorFact


def _facts(**inputs: Shape) -> Facts:
    return Facts(
        key="m",
        name="m",
        path="m.onnx",
        format="onnx",
        file_bytes=1,
        ir_version=8,
        opsets=(("", 17),),
        producer="",
        inputs=tuple(TensorFact(name, "FLOAT", shape) for name, shape in inputs.items()),
        outputs=(),
        tensors=(),
        nodes=(),
        layers=(),
        groups=(),
    )


@pytest.fixture
def model() -> Callable[..., Facts]:
    """`model(image=("N", 1, 8, 8))` is what is known of a model with that float input."""
    return _facts
