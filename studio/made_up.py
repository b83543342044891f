"""Samples of seeded noise, where there is no data set to take them from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from studio.graph.model import Facts

if TYPE_CHECKING:
    import numpy as np


def made_up(facts: Facts, count: int) -> dict[str, np.ndarray[Any, Any]]:
    """`count` samples of seeded noise for each input; unknown sizes count as 1, as does the batch axis."""
    import numpy as np
    import onnx

    noise = np.random.RandomState(0)
    found: dict[str, np.ndarray[Any, Any]] = {}
    for tensor in facts.inputs:
        shape = [count, *(size if isinstance(size, int) else 1 for size in (tensor.shape or (1,))[1:])]
        dtype = onnx.helper.tensor_dtype_to_np_dtype(onnx.TensorProto.DataType.Value(tensor.dtype))
        values = noise.standard_normal(shape) if dtype.kind == "f" else noise.randint(0, 2, shape)
        found[tensor.name] = values.astype(dtype)
    return found
