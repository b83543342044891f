"""Where integers flow: which nodes run on codes, and which tensors need a grid.

onnxruntime fuses DequantizeLinear → op → QuantizeLinear into one integer kernel only where every data
input comes from a DequantizeLinear and the output goes to nothing but a QuantizeLinear. Relu and Clip
behind such an op would break that; they are taken out and their range goes into the grid instead.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from studio.compress.work import Work, array_of, attribute, can_bypass, only_consumer
from studio.graph.constants import is_constant

if TYPE_CHECKING:
    import onnx_ir as ir

JOINS = ("Add", "Concat", "Mul")
UNARY = ("GlobalAveragePool", "AveragePool", "Sigmoid", "LeakyRelu", "HardSwish")
MOVES = (
    "Reshape",
    "Flatten",
    "Transpose",
    "Squeeze",
    "Unsqueeze",
    "Slice",
    "Split",
    "DepthToSpace",
    "SpaceToDepth",
    "MaxPool",
)
_FLOAT_OUTPUT = ("Gemm", "MatMul")


@dataclass
class Places:
    """`integer` nodes run on codes; `moves` among them pass the grid of their input on.

    `coded` values are produced by integer nodes; `entered` are float values that integer nodes need
    as codes. Relu and Clip nodes in `integer` are those that their producer's grid can stand for.
    Dicts stand for sets that keep graph order: the same build must give the same bytes.
    """

    integer: dict[ir.Node, None] = field(default_factory=dict)
    coded: dict[ir.Value, None] = field(default_factory=dict)
    entered: dict[ir.Value, None] = field(default_factory=dict)


def find_places(work: Work, layers: Collection[ir.Node]) -> Places:
    """Decide for the graph as it stands; nothing is changed. `layers` are those that run on integers."""
    places = Places()
    wanted = {node.inputs[0] for node in layers}
    for node in work.model.graph:
        if node in layers or _absorbable(node, places) or _joins_in(work, node, places, wanted):
            places.integer[node] = None
            places.coded.update(dict.fromkeys(node.outputs))
    while _demote(places, layers):
        pass
    _enter(places)
    return places


def data_inputs(node: ir.Node) -> list[ir.Value]:
    """The inputs of an integer node that carry codes: not weights, biases, shapes or axes."""
    inputs = [value for value in node.inputs if value is not None and not is_constant(value)]
    return list(dict.fromkeys(inputs)) if node.op_type in JOINS else inputs[:1]


def clip_of(node: ir.Node) -> tuple[float, float] | None:
    """The (low, high) that a Relu or Clip with constant bounds around zero limits its input to."""
    if node.op_type == "Relu":
        return 0.0, float("inf")
    if node.op_type != "Clip":
        return None
    low, high = _bound(node, 1, "min", float("-inf")), _bound(node, 2, "max", float("inf"))
    return (low, high) if low is not None and high is not None and low <= 0 <= high else None


def _bound(node: ir.Node, index: int, name: str, default: float) -> float | None:
    if name in node.attributes:
        return float(attribute(node, name))
    if len(node.inputs) <= index or node.inputs[index] is None:
        return default
    array = array_of(node.inputs[index])
    return float(array.reshape(-1)[0]) if array is not None and array.size == 1 else None


def _joins_in(work: Work, node: ir.Node, places: Places, wanted: set[ir.Value | None]) -> bool:
    """Whether an op that is no layer can stay on codes because what it takes already is coded."""
    if 8 not in work.target.rule(node.op_type).activations or node.domain not in ("", "ai.onnx"):
        return False
    known = node.op_type in (*JOINS, *UNARY, *MOVES)
    inputs = [value for value in node.inputs if value is not None]
    if not known or not inputs or (node.op_type in JOINS and any(is_constant(value) for value in inputs)):
        return False
    data = data_inputs(node)
    return bool(data) and all(value in places.coded or value in wanted for value in data)


def _absorbable(node: ir.Node, places: Places) -> bool:
    """Whether `node` is a clip that the grid of its producer's output can stand for."""
    source = node.inputs[0] if node.inputs else None
    return (
        source is not None
        and source in places.coded
        and only_consumer(source) is node
        and clip_of(node) is not None
        and can_bypass(node)
    )


def _demote(places: Places, layers: Collection[ir.Node]) -> bool:
    """Take out nodes that no integer node follows: coding their output would only lose accuracy.

    A convolution always gives codes; Gemm and MatMul can give floats and then stay integer.
    """
    changed = False
    for node in list(places.integer):
        if any(_feeds_integer(value, places) for value in node.outputs) or _must_code(node, layers):
            continue
        if node not in layers:
            places.integer.pop(node)
            changed = True
        for value in node.outputs:
            changed |= value in places.coded
            places.coded.pop(value, None)
    return changed


def _must_code(node: ir.Node, layers: Collection[ir.Node]) -> bool:
    """Convolutions, and clips right behind one."""
    source = node.inputs[0]
    behind = source.producer() if source is not None and clip_of(node) is not None else node
    return behind in layers and behind is not None and behind.op_type not in _FLOAT_OUTPUT


def _feeds_integer(value: ir.Value, places: Places) -> bool:
    return any(node in places.integer and value in data_inputs(node) for node in value.consumers())


def _enter(places: Places) -> None:
    for node in places.integer:
        for value in data_inputs(node):
            if value not in places.coded:
                places.entered[value] = None
