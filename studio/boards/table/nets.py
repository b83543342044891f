"""Writes one-layer nets, side by side in one small model file.

All layers read one number, spread to each layer's input shape by `Expand`, so that nothing is known before
the run, and end in a maximum, so that nothing is left out. Weights are made by `ConstantOfShape` when the
file is loaded: kilobytes are sent, whatever the size of the net. Names begin with the layer's place in the
list and survive onnxruntime's fusions: `t7.enter`, `t7.core`, `t7.leave`, `t7.end`; `null.core` is as good
as nothing, and shows what being profiled costs a node.
"""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from studio.layer_times import DYNAMIC, INT8, LayerShape

if TYPE_CHECKING:
    import numpy as np
    import onnx

OPSET, IR = 17, 8
INPUT, OUTPUT, END, NULL = "x", "y", "sum", "null.core"


class _Writer:
    """Collects nodes and constants, every name with a prefix."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.prefix = ""

    def node(self, op: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        """Add a node; its one output has the node's name."""
        from onnx import helper

        full = self.prefix + name
        self.nodes.append(helper.make_node(op, inputs, [full], name=full, **attributes))
        return full

    def constant(self, name: str, value: np.ndarray) -> str:
        from onnx import numpy_helper

        full = self.prefix + name
        self.constants.append(numpy_helper.from_array(value, full))
        return full

    def filled(self, name: str, shape: Sequence[int], value: float, kind: str) -> str:
        """A constant that the runtime makes when it loads the file."""
        import numpy as np
        from onnx import numpy_helper

        sizes = self.constant(f"{name}.shape", np.array(shape, np.int64))
        one = numpy_helper.from_array(np.array([value], kind), "value")
        return self.node("ConstantOfShape", [sizes], name, value=one)


def nets(shapes: Sequence[LayerShape]) -> bytes:
    """The model file; `INPUT` is a float of shape (1,), `OUTPUT` one float."""
    import numpy as np
    from onnx import TensorProto, helper

    writer = _Writer()
    writer.node("Neg", [INPUT], NULL)
    ends = [NULL]
    for at, shape in enumerate(shapes):
        writer.prefix = f"t{at}."
        sizes = writer.constant("in.shape", np.array(shape.input, np.int64))
        # Each its own number, or layers that read alike would share their entry.
        own = writer.node("Add", [INPUT, writer.constant("own", np.array(at, np.float32))], "spread.own")
        source = writer.node("Expand", [own, sizes], "spread")
        given = (
            _WAYS[shape.kind](writer, shape, source) if shape.kind in _WAYS else _float(writer, shape, source)
        )
        ends.append(writer.node("ReduceMax", [given], "end", keepdims=0))
    writer.prefix = ""
    last = writer.node("Sum", ends, END)
    writer.node("Identity", [last], OUTPUT)
    graph = helper.make_graph(
        writer.nodes,
        "layers",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [1])],
        writer.constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    return bytes(model.SerializeToString())


def _float(writer: _Writer, shape: LayerShape, source: str) -> str:
    parts = [source, writer.filled("w", shape.weight, 0.01, "float32")]
    if shape.bias and shape.op != "MatMul":
        parts.append(writer.filled("b", [_width(shape)], 0.01, "float32"))
    return writer.node(shape.op, parts, "core", **_attributes(shape))


def _integer(writer: _Writer, shape: LayerShape, source: str) -> str:
    """As the builder writes it: codes in, int8 weights per channel, int32 bias, codes out."""
    import numpy as np

    step = writer.constant("s", np.array(0.02, np.float32))
    zero = writer.constant("z", np.array(128 if shape.codes == "uint8" else 0, shape.codes))
    width = _width(shape)
    steps = writer.constant("ws", np.full(width, 0.01, np.float32))
    codes = writer.node("QuantizeLinear", [source, step, zero], "enter")
    parts = [writer.node("DequantizeLinear", [codes, step, zero], "d")]
    weight = [writer.filled("w8", shape.weight, 3, "int8"), steps]
    if shape.op == "Gemm":  # fuses with an explicit zero point only
        weight.append(writer.constant("wz", np.zeros(width, np.int8)))
    parts.append(writer.node("DequantizeLinear", weight, "w", axis=shape.outputs))
    if shape.bias and shape.op != "MatMul":
        unit = writer.constant("bs", np.full(width, 0.0002, np.float32))
        parts.append(
            writer.node("DequantizeLinear", [writer.filled("b32", [width], 5, "int32"), unit], "b", axis=0)
        )
    made = writer.node(shape.op, parts, "core", **_attributes(shape))
    return _coded(writer, made, zero)


def _coded(writer: _Writer, made: str, zero: str) -> str:
    import numpy as np

    step = writer.constant("ys", np.array(0.05, np.float32))
    codes = writer.node("QuantizeLinear", [made, step, zero], "yq")
    return writer.node("DequantizeLinear", [codes, step, zero], "leave")


def _dynamic(writer: _Writer, shape: LayerShape, source: str) -> str:
    """Ranges found while running; a Gemm's weight is turned once, when it is built."""
    import numpy as np
    from onnx import helper

    names = [f"{writer.prefix}{name}" for name in ("codes", "step", "zero")]
    ranged = helper.make_node("DynamicQuantizeLinear", [source], names, name=f"{writer.prefix}core.range")
    writer.nodes.append(ranged)
    turned = shape.weight if shape.op == "MatMul" or shape.inputs == 0 else shape.weight[::-1]
    weight = writer.filled("w8", turned, 3, "int8")
    product = writer.node("MatMulInteger", [names[0], weight, names[2]], "core")
    wide = writer.node("Cast", [product], "core.cast", to=1)
    steps = writer.constant("ws", np.full(_width(shape), 0.01, np.float32))
    unit = writer.node("Mul", [names[1], steps], "core.unit")
    return writer.node("Mul", [wide, unit], "core.scaled")


_WAYS = {INT8: _integer, DYNAMIC: _dynamic}


def _width(shape: LayerShape) -> int:
    """Channels that the layer gives."""
    size = shape.weight[shape.outputs]
    return size * shape.groups if shape.op == "ConvTranspose" else size


def _attributes(shape: LayerShape) -> dict[str, Any]:
    told: dict[str, Any] = {name: _value(text) for name, text in shape.attributes}
    if shape.op.startswith("Conv"):
        told["group"] = shape.groups
    return told


def _value(text: str) -> object:
    """The attribute's value; what is no number or list of numbers is a word ("SAME_UPPER")."""
    try:
        return literal_eval(text)
    except (ValueError, SyntaxError):
        return text
