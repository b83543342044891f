"""Running a net from front to back in steps, while layers behind the step may still change.

Layers are rebuilt one after the other, each on what really reaches it. Instead of running the net anew
for each of them, every node runs once: what later steps need of a step is kept, in runs of few samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from studio.graph.constants import is_constant
from studio.graph.model import Facts

if TYPE_CHECKING:
    import onnx
    import onnx_ir as ir
    import onnxruntime as ort

Array = np.ndarray[Any, np.dtype[Any]]
Run = Mapping[str, Array]
State = Mapping[str, list[Array]]


class Walk:
    """One walk through `model` over `runs` of its inputs; `targets` are the tensors that will be asked for.

    Between two steps the caller may change constants of nodes that no step has reached, and insert
    nodes behind them. One thread: the same bytes on any number of cores.
    """

    def __init__(self, model: ir.Model, runs: Sequence[Run], targets: Sequence[str]) -> None:
        self._model, self._left = model, list(targets)
        self._known: dict[ir.Value, list[Array]] = {
            value: [np.asarray(run[str(value.name)]) for run in runs]
            for value in model.graph.inputs
            if str(value.name) in runs[0]
        }

    def upto(self, tensor: str) -> list[Array]:
        """The tensor's values, run by run."""
        values = {str(value.name): value for value in _values(self._model)}
        wanted = values[tensor]
        if tensor in self._left:
            self._left.remove(tensor)
        later = [values[name] for name in self._left if name in values]
        if wanted not in self._known:
            self._step(wanted, later)
        found = self._known[wanted]
        self._forget(later)
        return found

    def state(self) -> State:
        """What is known behind this step and read later."""
        return {str(value.name): arrays for value, arrays in self._known.items()}

    def resume(self, state: State, left: Sequence[str]) -> None:
        """Go on from the `state` of an equal walk, where the tensors `left` were still to be asked for."""
        values = {str(value.name): value for value in _values(self._model)}
        self._known = {values[name]: arrays for name, arrays in state.items()}
        self._left = list(left)

    def _step(self, wanted: ir.Value, later: Sequence[ir.Value]) -> None:
        cone = self._cone([wanted])
        rest = self._cone(later) - cone
        made = [value for node in self._model.graph if node in cone for value in node.outputs if value.name]
        out = [
            value
            for value in made
            if value is wanted
            or value in later
            or (not is_constant(value) and any(use.node in rest for use in value.uses()))
        ]
        self._run(cone, out)

    def _cone(self, ends: Sequence[ir.Value]) -> set[ir.Node]:
        """The nodes that lead to `ends` from what is known."""
        found: set[ir.Node] = set()
        waiting = [value for value in ends if value not in self._known]
        while waiting:
            node = waiting.pop().producer()
            if node is not None and node not in found:
                found.add(node)
                waiting.extend(value for value in uses(node) if value not in self._known)
        return found

    def _run(self, cone: set[ir.Node], out: list[ir.Value]) -> None:
        nodes = [node for node in self._model.graph if node in cone]
        sources = dict.fromkeys(value for node in nodes for value in uses(node) if value in self._known)
        samples = {value: self._known[value][0] for value in sources}
        session = _session(_segment(self._model, nodes, samples, out))
        names = [str(value.name) for value in out]
        columns: list[list[Array]] = [[] for _ in out]
        for index in range(len(next(iter(self._known.values())))):
            feeds = {str(value.name): self._known[value][index] for value in sources}
            for column, value in zip(columns, session.run(names, feeds), strict=True):
                column.append(np.asarray(value))
        self._known.update(zip(out, columns, strict=True))

    def _forget(self, later: Sequence[ir.Value]) -> None:
        """Let go of what no later step reads; graph inputs stay."""
        rest = self._cone(later)
        read = {value for node in rest for value in uses(node)} | set(later) | set(self._model.graph.inputs)
        self._known = {value: arrays for value, arrays in self._known.items() if value in read}


def uses(node: ir.Node) -> Iterator[ir.Value]:
    """Every tensor that the node reads, inside its subgraphs too."""
    import onnx_ir as ir

    one, many = ir.AttributeType.GRAPH, ir.AttributeType.GRAPHS
    yield from (value for value in node.inputs if value is not None)
    for attribute in node.attributes.values():
        if attribute.type not in (one, many) or attribute.is_ref():
            continue
        for graph in [attribute.as_graph()] if attribute.type == one else attribute.as_graphs():
            yield from graph.outputs
            for inner in ir.traversal.RecursiveGraphIterator(graph):
                yield from (value for value in inner.inputs if value is not None)


def peak_bytes(model: ir.Model, facts: Facts) -> int:
    """Bytes per sample that a walk keeps at most, by the stated shapes (unknown lengths count as 1)."""
    sizes = {fact.name: _elements(fact.shape) * 4 for fact in facts.tensors}
    order = {node: place for place, node in enumerate(model.graph)}
    change = np.zeros(len(order) + 1, dtype=np.int64)
    for node, place in order.items():
        for value in node.outputs:
            last = max((order.get(user, place) for user in value.consumers()), default=place)
            change[place] += sizes.get(str(value.name), 0)
            change[last + 1] -= sizes.get(str(value.name), 0)
    return int(np.cumsum(change).max(initial=0))


def _elements(shape: Sequence[object] | None) -> int:
    found = 1
    for dim in (shape or ())[1:]:
        found *= dim if isinstance(dim, int) and dim > 0 else 1
    return found


def _values(model: ir.Model) -> Iterator[ir.Value]:
    yield from model.graph.inputs
    for node in model.graph:
        yield from node.outputs


def _segment(
    model: ir.Model, nodes: Sequence[ir.Node], samples: Mapping[ir.Value, Array], out: Sequence[ir.Value]
) -> onnx.ModelProto:
    """The nodes as a model of their own, from the tensors of `samples` to those of `out`."""
    import onnx
    from onnx_ir import serde

    kinds = {value: onnx.helper.np_dtype_to_tensor_dtype(array.dtype) for value, array in samples.items()}
    inputs = [
        onnx.helper.make_tensor_value_info(str(value.name), kinds[value], [None] * array.ndim)
        for value, array in samples.items()
    ]
    held = dict.fromkeys(v for node in nodes for v in uses(node) if v.is_initializer() and v not in samples)
    graph = onnx.GraphProto(name="step", input=inputs)
    graph.node.extend(serde.serialize_node(node) for node in nodes)
    graph.output.extend(onnx.ValueInfoProto(name=str(value.name)) for value in out)
    for value in held:
        if value.const_value is not None and str(value.name) in model.graph.initializers:
            tensor = serde.serialize_tensor(value.const_value)
            tensor.name = str(value.name)
            graph.initializer.append(tensor)
    imports = [onnx.helper.make_opsetid(*each) for each in model.opset_imports.items()]
    functions = [serde.serialize_function(function) for function in model.functions.values()]
    return onnx.ModelProto(
        ir_version=min(model.ir_version or 10, 13), graph=graph, opset_import=imports, functions=functions
    )


def _session(model: onnx.ModelProto) -> ort.InferenceSession:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
