"""Shapes of every tensor, inferred on a light copy without weights; stale ones in the file are dropped."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from studio.graph.model import Dim, Shape, TensorFact

if TYPE_CHECKING:
    import onnx
    import onnx_ir as ir

_KEEP_BYTES = 1024  # small constants steer Reshape and Slice; big ones only weigh the copy down


@dataclass(frozen=True, slots=True)
class Shapes:
    """`named` keeps the file's symbols (`N`, `seq`); `single` is the same at one sample per batch.

    `batch` is the number of samples that a fixed leading axis holds (1 where it is dynamic).
    """

    named: dict[str, TensorFact]
    single: dict[str, TensorFact]
    batch: int

    def of(self, name: str) -> Shape | None:
        """Shape of tensor `name` at one sample; dims that stay unknown are str or None."""
        fact = self.single.get(name)
        return None if fact is None else fact.shape


def shapes_of(model: ir.Model) -> Shapes:
    """Infer twice: with the file's symbols for showing, with a dynamic batch of 1 for counting."""
    light = _light_copy(model)
    named = _inferred(light)
    given = [value for value in light.graph.inputs if value.name in _fed(model)]
    if not _set_batch(given):
        return Shapes(named, named, _fixed_batch(model))
    for output in light.graph.outputs:
        output.shape = None
    single = _inferred(light)
    return Shapes(_merged(named, single), single, 1)


def fed_inputs(model: ir.Model) -> tuple[ir.Value, ...]:
    """Graph inputs that a caller must feed: those without a default among the initializers."""
    return tuple(value for value in model.graph.inputs if value.name not in model.graph.initializers)


def shape_fact(shape: ir.ShapeProtocol | None) -> Shape | None:
    """An onnx_ir shape as plain values: int, symbol name, or None for an unnamed dynamic axis."""
    if shape is None:
        return None
    return tuple(dim if isinstance(dim, int) else dim.value for dim in shape)


def _fed(model: ir.Model) -> set[str | None]:
    return {value.name for value in fed_inputs(model)}


def _light_copy(model: ir.Model) -> ir.Model:
    """A clone whose big initializers became inputs of known shape, and whose inner shapes are gone."""
    from onnx_ir import traversal

    copy = model.clone()
    for value in list(copy.graph.initializers.values()):
        tensor = value.const_value
        if tensor is not None and tensor.nbytes > _KEEP_BYTES:
            value.shape, value.dtype = tensor.shape, tensor.dtype  # type: ignore[assignment]  # a frozen Shape
            copy.graph.initializers.pop(str(value.name))
            value.const_value = None
            if value not in copy.graph.inputs:
                copy.graph.inputs.append(value)
    for node in traversal.RecursiveGraphIterator(copy.graph):
        _forget(value for value in node.outputs if not value.is_graph_output())
    return copy


def _forget(values: Iterable[ir.Value]) -> None:
    for value in values:
        value.shape = None
        value.type = None


def _set_batch(inputs: list[ir.Value]) -> bool:
    """Put 1 where the leading axis is dynamic; whether anything changed."""
    changed = False
    for value in inputs:
        if value.shape is not None and len(value.shape) > 1 and not isinstance(value.shape[0], int):
            shape = value.shape.copy()
            shape[0] = 1
            value.shape = shape
            changed = True
    return changed


def _fixed_batch(model: ir.Model) -> int:
    """Samples per run where every input and output share one fixed leading axis, else 1."""
    heads = {_head(value) for value in (*fed_inputs(model), *model.graph.outputs)}
    only = heads.pop() if len(heads) == 1 else None
    return only if isinstance(only, int) and only > 0 else 1


def _head(value: ir.Value) -> Dim:
    shape = shape_fact(value.shape)
    return shape[0] if shape and len(shape) > 1 else None


def _inferred(model: ir.Model) -> dict[str, TensorFact]:
    import onnx
    import onnx_ir as ir

    proto = ir.to_proto(model)
    # What cannot be inferred stays unknown; shapes that the file states for its outputs remain.
    with suppress(onnx.shape_inference.InferenceError, RuntimeError, ValueError):
        proto = onnx.shape_inference.infer_shapes(proto, check_type=False, strict_mode=False, data_prop=True)
    graph = proto.graph
    infos = (*graph.input, *graph.value_info, *graph.output)
    return {info.name: _fact(info) for info in infos}


def _fact(info: onnx.ValueInfoProto) -> TensorFact:
    tensor = info.type.tensor_type
    dtype = _dtypes().get(tensor.elem_type, "UNDEFINED")
    if not tensor.HasField("shape"):
        return TensorFact(info.name, dtype, None)
    return TensorFact(info.name, dtype, tuple(_dim(dim) for dim in tensor.shape.dim))


@cache
def _dtypes() -> dict[int, str]:
    import onnx

    return {number: name for name, number in onnx.TensorProto.DataType.items()}


def _dim(dim: onnx.TensorShapeProto.Dimension) -> Dim:
    kind = dim.WhichOneof("value")
    if kind == "dim_value":
        return dim.dim_value
    return dim.dim_param or None if kind == "dim_param" else None


def _merged(named: dict[str, TensorFact], single: dict[str, TensorFact]) -> dict[str, TensorFact]:
    """The named facts, with made-up symbols (`unk__3`) replaced by what one sample tells."""
    return {name: _merge(fact, named.get(name)) for name, fact in single.items()}


def _merge(one: TensorFact, named: TensorFact | None) -> TensorFact:
    if named is None or named.shape is None or one.shape is None or len(named.shape) != len(one.shape):
        return one if named is None or named.shape is None else named
    dims = tuple(
        exact if axis and _made_up(dim) else dim
        for axis, (dim, exact) in enumerate(zip(named.shape, one.shape, strict=True))
    )
    return TensorFact(one.name, one.dtype, dims)


def _made_up(dim: Dim) -> bool:
    return dim is None or (isinstance(dim, str) and dim.startswith("unk__"))
