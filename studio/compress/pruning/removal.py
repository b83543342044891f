"""Carrying out a removal of channels: every constant that knows of them is cut or rewritten."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from studio.graph.coupling.couple import Coupling
from studio.graph.coupling.trace import (
    ConvGroups,
    Cut,
    Edit,
    Ids,
    Picked,
    ShapeVector,
    SliceBounds,
    SplitSizes,
    constant,
)

if TYPE_CHECKING:
    import onnx_ir as ir

Array = np.ndarray[Any, np.dtype[Any]]
Keep = NDArray[np.bool_]


def remove(model: ir.Model, coupling: Coupling, gone: NDArray[np.bool_]) -> None:
    """Remove the classes marked in `gone` (one flag per class of `coupling`) from `model`, in place.

    Constants that other nodes go on using whole are left to them; a cut copy is made.
    """
    keep_class = ~gone
    desk = _Desk(model, keep_class[coupling.class_of])
    for edit in coupling.edits:
        if not isinstance(edit, Cut):
            desk.rewrite(edit)
    desk.cut([edit for edit in coupling.edits if isinstance(edit, Cut)])
    desk.tidy()
    _restate(coupling, desk.keep)


class _Desk:
    """The graph being cut, `keep` per atom, and the constants replaced so far."""

    def __init__(self, model: ir.Model, keep: Keep) -> None:
        self.graph = model.graph
        self.opset = model.graph.opset_imports.get("", 1)
        self.keep = keep
        self.made: dict[tuple[object, ...], ir.Value] = {}
        self.replaced: dict[ir.Value, list[ir.Value]] = {}

    def cut(self, cuts: list[Cut]) -> None:
        """Slice constants; uses of one constant that lose the same positions go on sharing it."""
        places: dict[tuple[ir.Node, int], dict[int, Keep]] = {}
        for each in cuts:
            mask = self.keep[each.ids]
            if not mask.all():
                places.setdefault((each.node, each.index), {})[each.axis] = mask
        for (node, index), masks in places.items():
            tensor = constant(node.inputs[index])
            if tensor is None:
                continue
            key = (id(tensor), *((axis, mask.tobytes()) for axis, mask in sorted(masks.items())))
            if key not in self.made:
                self.made[key] = self.constant(_sliced(tensor, masks), tensor.dtype)
            self.replace(node, index, self.made[key])

    def rewrite(self, edit: Edit) -> None:
        if isinstance(edit, SplitSizes):
            self._split_sizes(edit)
        elif isinstance(edit, ShapeVector):
            shape = np.array(edit.template, dtype=np.int64)
            for position, ids in edit.counts:
                shape[position] = self.count(ids)
            self._vector(edit.node, edit.index, shape)
        elif isinstance(edit, ConvGroups):
            _set_attribute(edit.node, "group", self.count(edit.ids))
        elif isinstance(edit, SliceBounds):
            self._bounds(edit)
        elif isinstance(edit, Picked):
            kept = self.keep[edit.ids]
            rank = np.cumsum(kept) - 1
            self._vector(edit.node, 1, rank[edit.indices[kept[edit.indices]]])

    def count(self, ids: Ids) -> int:
        return int(self.keep[ids].sum())

    def _split_sizes(self, edit: SplitSizes) -> None:
        sizes = [self.count(part) for part in edit.parts]
        if sizes == [len(part) for part in edit.parts]:
            return
        if self.opset < 13:
            _set_attribute(edit.node, "split", sizes)
            return
        edit.node.attributes.pop("num_outputs", None)
        self._vector(edit.node, 1, np.array(sizes, dtype=np.int64))

    def _bounds(self, edit: SliceBounds) -> None:
        kept = self.keep[edit.ids]
        start = int(kept[: edit.start].sum())
        stop = start + int(kept[edit.start : edit.stop].sum())
        if "starts" in edit.node.attributes:
            self._bounds_as_attributes(edit, start, stop)
            return
        for index, bound in ((1, start), (2, stop)):
            tensor = constant(edit.node.inputs[index])
            if tensor is None:
                continue
            values = np.array(tensor.numpy()).reshape(-1)
            axes = constant((*edit.node.inputs, None)[3]) if len(edit.node.inputs) > 3 else None
            order = axes.numpy().reshape(-1) if axes is not None else np.arange(len(values))
            values[np.flatnonzero(order % edit.rank == edit.axis)] = bound
            self._vector(edit.node, index, values)

    def _bounds_as_attributes(self, edit: SliceBounds, start: int, stop: int) -> None:
        given = edit.node.attributes.get("axes")
        for name, bound in (("starts", start), ("ends", stop)):
            values = list(edit.node.attributes[name].as_ints())
            order = given.as_ints() if given is not None else range(len(values))
            for place, axis in enumerate(order):
                values[place] = bound if axis % edit.rank == edit.axis else values[place]
            _set_attribute(edit.node, name, values)

    def _vector(self, node: ir.Node, index: int, values: Array) -> None:
        old = node.inputs[index] if len(node.inputs) > index else None
        tensor = constant(old)
        if tensor is not None and np.array_equal(tensor.numpy(), values):
            return
        dtype = tensor.dtype if tensor is not None else None
        self.replace(node, index, self.constant(values, dtype))

    def constant(self, array: Array, dtype: ir.DataType | None) -> ir.Value:
        """A new, still nameless constant."""
        import onnx_ir as ir

        whole = np.ascontiguousarray(array)
        if dtype == ir.DataType.INT32:
            whole = whole.astype(np.int32)
        tensor = ir.tensor(whole, dtype=dtype)
        return ir.Value(name=None, const_value=tensor)

    def replace(self, node: ir.Node, index: int, value: ir.Value) -> None:
        if len(node.inputs) <= index:
            node.resize_inputs(index + 1)
        old = node.inputs[index]
        node.replace_input_with(index, value)
        stem = self.replaced.setdefault(old, []) if old is not None else self.replaced.setdefault(value, [])
        if value not in stem:
            stem.append(value)

    def tidy(self) -> None:
        """Name the new constants after the old ones; drop what nobody uses any more."""
        taken = {str(value.name) for value in _all_values(self.graph)}
        for old, values in self.replaced.items():
            stem = old.name or "sizes"
            if not old.uses() and not old.is_graph_output() and old not in values and self._drop(old):
                taken.discard(stem)
            for value in values:
                if value.name is not None:
                    continue
                value.name = _free(stem, taken)
                if value.const_value is not None:
                    value.const_value.name = value.name
                self.graph.register_initializer(value)

    def _drop(self, old: ir.Value) -> bool:
        node = old.producer()
        if node is not None:
            sources = [value for value in node.inputs if value is not None]
            self.graph.remove(node, safe=True)
            for source in sources:
                if not source.uses() and not source.is_graph_output():
                    self._drop(source)
            return True
        if old in self.graph.inputs:
            self.graph.inputs.remove(old)
        return self.graph.initializers.pop(str(old.name), None) is not None


def _sliced(tensor: ir.TensorProtocol, masks: dict[int, Keep]) -> Array:
    array = tensor.numpy()
    for axis, mask in masks.items():
        array = np.compress(mask, array, axis=axis)
    return np.asarray(array)


def _set_attribute(node: ir.Node, name: str, value: int | list[int]) -> None:
    import onnx_ir as ir

    node.attributes[name] = (
        ir.AttrInt64(name, value) if isinstance(value, int) else ir.AttrInt64s(name, value)
    )


def _free(stem: str, taken: set[str]) -> str:
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}_{number}"
    taken.add(name)
    return name


def _all_values(graph: ir.Graph) -> Iterable[ir.Value]:
    yield from graph.inputs
    yield from graph.initializers.values()
    for node in graph.all_nodes():
        yield from node.outputs


def _restate(coupling: Coupling, keep: Keep) -> None:
    """Write the new widths into the shapes that the graph states."""
    import onnx_ir as ir

    for value, label in coupling.labels.items():
        if value.shape is None or len(value.shape) != len(label):
            continue
        dims = [
            dim if ids is None else int(keep[ids].sum()) for dim, ids in zip(value.shape, label, strict=True)
        ]
        if dims != list(value.shape):
            value.shape = ir.Shape(dims)
