"""The graph under work: a clone of the model, the plan's rows, and small edits every pass makes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from string import ascii_lowercase, digits
from typing import TYPE_CHECKING, Any

import numpy as np

from studio.artifact import Refusal
from studio.graph.constants import tensor_of
from studio.graph.model import Facts, LayerFact, Model
from studio.graph.names import nodes_by_name
from studio.recipe.resolve import LayerPlan, Plan
from studio.target import Target

if TYPE_CHECKING:
    import onnx_ir as ir

Array = np.ndarray[Any, np.dtype[Any]]
_SIGNS = ascii_lowercase + digits


@dataclass
class Work:
    """One build in progress. `nodes` finds each layer's node in the clone, by the facts' names.

    `rows` holds the plan, replaced row by row where a pass must refuse something; `storage` is what
    each layer's weight was stored as; `gains` the powers of two that equalization took out of a tensor's
    channels, by tensor name; `split` names layers some of whose inputs go beside them in float and are zero
    in their weights; `done` names the passes behind us.
    """

    model: ir.Model
    facts: Facts
    target: Target
    plan: Plan
    rows: dict[str, LayerPlan]
    nodes: dict[str, ir.Node]
    done: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    storage: dict[str, str] = field(default_factory=dict)
    sparsity: dict[str, float] = field(default_factory=dict)
    refused: dict[str, list[Refusal]] = field(default_factory=dict)
    gains: dict[str, Array] = field(default_factory=dict)
    split: set[str] = field(default_factory=set)
    _count: int = 0
    _names: set[str] = field(default_factory=set)

    def layers(self) -> Iterator[tuple[LayerFact, LayerPlan, ir.Node]]:
        """Facts, plan row and node of every layer, in graph order."""
        for fact in self.facts.layers:
            yield fact, self.rows[fact.name], self.nodes[fact.name]

    def adopt(self, model: ir.Model) -> None:
        """Go on with `model`, whose layers have the same names."""
        named = nodes_by_name(model)
        self.model = model
        self.nodes = {name: named[name] for name in self.nodes}
        self.forget_names()

    def repairs(self, name: str) -> bool:
        """Whether the recipe asks for this repair and anything is quantized."""
        return name in self.plan.repair and any(row.quantized for row in self.rows.values())

    def state(self) -> str:
        """A digest of the model and of what equalization did to it."""
        digest = hashlib.sha256(self.facts.key.encode())
        for name, gain in self.gains.items():
            digest.update(name.encode() + gain.tobytes())
        return digest.hexdigest()

    def prune_wishes(self) -> str:
        """A digest of what the rows ask pruning for; "" where they ask for nothing."""
        wishes = [
            (
                row.layer,
                row.sparsity,
                row.structure,
                row.distribute,
                row.threshold,
                row.pattern,
                row.criterion,
            )
            for row in self.plan.layers
            if row.sparsity or row.threshold
        ]
        return hashlib.sha256(repr(wishes).encode()).hexdigest() if wishes else ""

    def refuse(self, layer: str, setting: str, asked: object, given: object, reason: str) -> None:
        """Record a wish of `layer` that this build could not grant."""
        self.refused.setdefault(layer, []).append(Refusal(setting, str(asked), str(given), reason))

    def gained(self, what: str, decibels: Sequence[float]) -> None:
        """Note what a repair was measured to bring: `what` was done, gaining so many dB at each place."""
        if decibels:
            gain = sum(decibels) / len(decibels)
            self.notes.append(f"{what}: {gain:.1f} dB less noise on calibration data")

    def name(self) -> str:
        """A short tensor name that is not taken; the same build gives the same names."""
        if not self._names:
            self._names = _taken(self.model)
        # A released name may have been taken again since the names were gathered.
        while (found := _word(self._count)) in self._names or found in self.model.graph.initializers:
            self._count += 1
        self._names.add(found)
        self._count += 1
        return found

    def forget_names(self) -> None:
        """Short names that went with what passes removed are free again."""
        self._names.clear()
        self._count = 0

    def constant(self, array: Array, name: str = "", dtype: ir.DataType | None = None) -> ir.Value:
        """A new initializer holding `array`; `name` is used where it is free."""
        import onnx_ir as ir

        graph = self.model.graph
        chosen = name if name and name not in graph.initializers else self.name()
        made = ir.tensor(array, dtype=dtype, name=chosen) if dtype else ir.Tensor(array, name=chosen)
        value = ir.Value(name=chosen, const_value=made)
        graph.register_initializer(value)
        return value

    def release(self, value: ir.Value | None) -> str:
        """The name of an initializer that its one user is about to replace, free again; else ""."""
        if value is None or not value.is_initializer() or len(value.uses()) > 1:
            return ""
        name = str(value.name)
        self.model.graph.initializers.pop(name)
        value.const_value = None  # the tensor is shared with the original, and renaming goes through
        value.name = self.name()
        return name

    def before(
        self,
        node: ir.Node,
        op: str,
        inputs: Sequence[ir.Value | None],
        attributes: dict[str, Any] | None = None,
    ) -> ir.Value:
        """Insert a nameless node in front of `node` and return its one output."""
        return self._inserted(self.model.graph.insert_before, node, op, inputs, attributes)

    def after(
        self,
        node: ir.Node,
        op: str,
        inputs: Sequence[ir.Value | None],
        attributes: dict[str, Any] | None = None,
    ) -> ir.Value:
        """Insert a nameless node behind `node` and return its one output."""
        return self._inserted(self.model.graph.insert_after, node, op, inputs, attributes)

    def _inserted(
        self,
        insert: Callable[[ir.Node, ir.Node], None],
        node: ir.Node,
        op: str,
        inputs: Sequence[ir.Value | None],
        attributes: dict[str, Any] | None,
    ) -> ir.Value:
        import onnx_ir as ir

        given = ir.convenience.convert_attributes(attributes) if attributes else ()
        made = ir.Node("", op, inputs, given, outputs=[ir.Value(name=self.name())])
        insert(node, made)
        made.name = None  # the graph named it: bytes that tell nobody anything
        return made.outputs[0]


def start(model: Model, plan: Plan, target: Target) -> Work:
    """A fresh clone of `model` with its layers found; node names are kept or given.

    Where the plan touches anything, the clone is brought to an opset that has what passes write.
    """
    from studio.compress.prepare.opset import raise_opset
    from studio.graph.onnx_edge import clone

    copy = clone(model.ir)
    for name, node in nodes_by_name(copy).items():
        node.name = name
    if any(row.touched for row in plan.layers):
        copy = raise_opset(copy, target.opset_max)
    return over(copy, model.facts, plan, target)


def over(graph: ir.Model, facts: Facts, plan: Plan, target: Target) -> Work:
    """A `Work` on `graph` itself, whose layers have the names of `facts`."""
    named = nodes_by_name(graph)
    rows = {row.layer: row for row in plan.layers}
    nodes = {layer.name: named[layer.name] for layer in facts.layers}
    return Work(graph, facts, target, plan, rows, nodes)


def array_of(value: ir.Value | None) -> Array | None:
    """The constant behind an initializer or Constant node, else None."""
    tensor = tensor_of(value) if value is not None else None
    return None if tensor is None else np.asarray(tensor.numpy())


def only_consumer(value: ir.Value) -> ir.Node | None:
    """The one node that uses `value`, where it is neither a graph output nor used elsewhere."""
    uses = value.consumers()
    return uses[0] if len(uses) == 1 and not value.is_graph_output() else None


def attribute(node: ir.Node, name: str, default: Any = None) -> Any:
    """The plain value of an attribute, or `default`."""
    found = node.attributes.get(name)
    return default if found is None or found.is_ref() else found.value


def set_input(node: ir.Node, index: int, value: ir.Value) -> None:
    """Connect input `index`, growing the node's inputs where it had fewer."""
    if len(node.inputs) <= index:
        node.resize_inputs(index + 1)
    node.replace_input_with(index, value)


def drop(model: ir.Model, node: ir.Node) -> None:
    """Remove a node whose only output nobody uses any more."""
    model.graph.remove(node, safe=True)


def bypass(model: ir.Model, node: ir.Node, source: ir.Value | None = None) -> None:
    """Remove `node`; readers of its output read `source` (its first input) instead.

    The output's name goes to `source` where nobody else reads that; a graph output always keeps it.
    """
    source, gone = source or node.inputs[0], node.outputs[0]
    assert source is not None
    name = gone.name
    takes_name = source.producer() is not None and len(source.uses()) == 1 and not source.is_graph_output()
    if gone.is_graph_output():
        source.type, source.shape = gone.type, gone.shape
    gone.replace_all_uses_with(source, replace_graph_outputs=True)
    model.graph.remove(node, safe=True)
    if takes_name:
        gone.name = None
        source.name = name


def can_bypass(node: ir.Node) -> bool:
    """Whether the node's output can be replaced by its input without renaming an output of the graph."""
    source, gone = node.inputs[0], node.outputs[0]
    if source is None or not gone.is_graph_output():
        return source is not None
    return source.producer() is not None and len(source.uses()) == 1 and not source.is_graph_output()


def _word(number: int) -> str:
    """0 … 35 as one sign, then two: a file repeats its names at every use."""
    word = _SIGNS[number % len(_SIGNS)]
    while number := number // len(_SIGNS):
        number -= 1
        word = _SIGNS[number % len(_SIGNS)] + word
    return word


def _taken(model: ir.Model) -> set[str]:
    import onnx_ir as ir

    names: set[str] = set()
    for graph in model.graphs():
        names |= {str(value.name) for value in (*graph.inputs, *graph.initializers.values())}
    for node in ir.traversal.RecursiveGraphIterator(model.graph):
        names |= {str(value.name) for value in node.outputs}
    return names
