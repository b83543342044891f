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


def batch_axis(facts: Facts) -> str:
    """The name that the model's inputs give to their leading axis; "" where they give none."""
    heads = (tensor.shape[0] for tensor in facts.inputs if tensor.shape)
    return next((head for head in heads if isinstance(head, str)), "")


def _shape(shape: Shape, batch: str, count: int, free: int) -> list[int]:
    def size(dim: Dim) -> int:
        return dim if isinstance(dim, int) else count if dim == batch != "" else free

    if not shape:
        return []
    rest = [size(dim) for dim in shape[1:]]
    inside = batch != "" and batch in shape[1:] and isinstance(shape[0], int)
    return [size(shape[0]) if inside else count, *rest]
