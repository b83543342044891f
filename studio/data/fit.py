"""Whether arrays fit a model's inputs; where they do not, what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from studio.errors import DataError
from studio.graph.model import Facts, Shape, TensorFact

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

DTYPES: dict[str, type[np.generic]] = {
    "FLOAT": np.float32,
    "DOUBLE": np.float64,
    "FLOAT16": np.float16,
    "INT8": np.int8,
    "UINT8": np.uint8,
    "INT16": np.int16,
    "UINT16": np.uint16,
    "INT32": np.int32,
    "UINT32": np.uint32,
    "INT64": np.int64,
    "UINT64": np.uint64,
    "BOOL": np.bool_,
}

WITHOUT_SAMPLES = (
    "Export it with that input as a constant, or work without data: weights shrink, activations stay float."
)


def input_dtype(tensor: TensorFact) -> np.dtype[np.generic]:
    """The numpy dtype of a model input; `DataError` where numpy has none."""
    if tensor.dtype not in DTYPES:
        cause = f"takes {tensor.dtype}, which numpy arrays cannot hold"
        raise DataError(f"input {tensor.name!r}", cause, "Export the model with a float32 input.")
    return np.dtype(DTYPES[tensor.dtype])


def fixed_batch(model: Facts) -> int:
    """The batch size that the model insists on; 0 where its first axis is free."""
    for tensor in model.inputs:
        if tensor.shape and isinstance(tensor.shape[0], int):
            return tensor.shape[0]
    return 0


def check_batch(model: Facts) -> None:
    """Raise `DataError` unless every input has one leading axis of samples, of one size."""
    heads = {tensor.shape[0] for tensor in model.inputs if tensor.shape}
    names = {head for head in heads if isinstance(head, str)}
    for tensor in model.inputs:
        if tensor.shape == () or (tensor.shape and not names.isdisjoint(tensor.shape[1:])):
            cause = (
                f"input {tensor.name!r} takes {shape_text(tensor.shape)}: it has no leading axis of samples"
            )
            raise DataError(model.name or model.path, cause, WITHOUT_SAMPLES)
    if len(sizes := sorted(head for head in heads if isinstance(head, int))) > 1:
        cause = f"its inputs hold {sizes[0]} and {sizes[-1]} rows per run, so that no row is one sample"
        raise DataError(model.name or model.path, cause, WITHOUT_SAMPLES)


def check_shape(thing: str, found: tuple[int, ...], tensor: TensorFact) -> None:
    """Raise `DataError`, showing both shapes, unless `found` (N, …) can be fed to `tensor` by the batch."""
    if tensor.shape is None or _matches(found, tensor.shape):
        return
    wanted = shape_text(("N", *tensor.shape[1:]) if tensor.shape else ())
    cause = f"its shape is {shape_text(found)}, input {tensor.name!r} takes {wanted}"
    raise DataError(thing, cause, _advice(found, tensor.shape))


def check_dtype(thing: str, found: DTypeLike, tensor: TensorFact) -> str:
    """A note where `found` is converted without harm; "" where it is equal; `DataError` otherwise.

    Whole numbers are never turned into floats: their scale would be a guess.
    """
    have, want = np.dtype(found), input_dtype(tensor)
    if have.newbyteorder("=") == want:
        return ""
    floats = have.kind == "f" and want.kind == "f"
    if floats or (have.kind in "iu" and want.kind in "iu" and np.can_cast(have, want)):
        return f"{thing} holds {have}; converted to {want} for input {tensor.name!r}"
    cause = f"it holds {have}, input {tensor.name!r} takes {want}"
    raise DataError(thing, cause, f"Save it as {want}, scaled as the model was trained.")


def fitted(array: NDArray[np.generic], tensor: TensorFact) -> NDArray[np.generic]:
    """`array` as a contiguous array in memory, in the dtype of `tensor`."""
    return np.ascontiguousarray(array, dtype=input_dtype(tensor))


def shape_text(shape: Shape) -> str:
    """A shape as people write it; unknown sizes as `?`."""
    inside = ", ".join("?" if size is None else str(size) for size in shape)
    return f"({inside},)" if len(shape) == 1 else f"({inside})"


def _matches(found: tuple[int, ...], wanted: Shape) -> bool:
    return len(found) == len(wanted) > 0 and all(
        not isinstance(want, int) or have == want for have, want in zip(found[1:], wanted[1:], strict=True)
    )


def _advice(found: tuple[int, ...], wanted: Shape) -> str:
    rest = tuple(wanted[1:])
    if not wanted or found[1:] == tuple(wanted):
        return "Export the model with a free batch axis in front."
    if found == rest:
        return "Add the sample axis: x[None]."
    if len(found) == 4 and _matches((found[0], found[3], *found[1:3]), wanted):
        return "Move the channels: x.transpose(0, 3, 1, 2)."
    if len(found) == 4 and _matches((found[0], *found[2:], found[1]), wanted):
        return "Move the channels: x.transpose(0, 2, 3, 1)."
    if rest[:1] == (1,) and found[1:] == rest[1:]:
        return "Add the channel axis: x[:, None]."
    if rest[-1:] == (1,) and found[1:] == rest[:-1]:
        return "Add the channel axis: x[..., None]."
    if all(isinstance(size, int) for size in rest) and _count(found[1:]) == _count(rest):
        return f"The number of values is right: x.reshape({shape_text((-1, *rest))})."
    return "Prepare the samples as the model was trained on them, or pick the data set of this model."


def _count(shape: Shape) -> int:
    return int(np.prod([size for size in shape if isinstance(size, int)], dtype=np.int64))
