"""Samples of seeded noise, where there is no data set to take them from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from studio.graph.model import Dim, Facts, Shape

if TYPE_CHECKING:
    import numpy as np


def made_up(facts: Facts, count: int, free: int = 1) -> dict[str, np.ndarray[Any, Any]]:
    """`count` samples of seeded noise for each input; sizes that the model leaves open count as `free`.

    An input without axes stays without; one whose batch is no leading axis (a state of `[2, N, 64]`)
    keeps its leading size.
    """
    import numpy as np
    import onnx

    noise = np.random.RandomState(0)
    batch = batch_axis(facts)
    found: dict[str, np.ndarray[Any, Any]] = {}
    for tensor in facts.inputs:
        shape = _shape((None,) if tensor.shape is None else tensor.shape, batch, count, free)
        dtype = onnx.helper.tensor_dtype_to_np_dtype(onnx.TensorProto.DataType.Value(tensor.dtype))
        values = noise.standard_normal(shape) if dtype.kind == "f" else noise.randint(0, 2, shape)
        found[tensor.name] = np.asarray(values).astype(dtype)
    return found


def batch_axis(facts: Facts) -> Dim:
    """What the model's inputs call their leading axis: a name, None without one, 0 where it is fixed."""
    heads = (tensor.shape[0] for tensor in facts.inputs if tensor.shape)
    return next((head for head in heads if not isinstance(head, int)), 0)


def _shape(shape: Shape, batch: Dim, count: int, free: int) -> list[int]:
    if not shape:
        return []
    inside = batch != 0 and batch in shape[1:] and isinstance(shape[0], int)
    named = batch is not None or inside

    def size(dim: Dim) -> int:
        return dim if isinstance(dim, int) else count if dim == batch and named else free

    return [size(shape[0]) if inside else count, *(size(dim) for dim in shape[1:])]
