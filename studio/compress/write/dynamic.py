"""Integer matrix products whose activation ranges are found at every run.

DynamicQuantizeLinear, MatMulInteger, Cast and Mul are what onnxruntime fuses to DynamicQuantizeMatMul,
or to MatMulIntegerToFloat where several products share their input.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from studio.compress.levels.weights import Levels
from studio.compress.work import Work, attribute
from studio.compress.write.pairs import hand_over

if TYPE_CHECKING:
    import onnx_ir as ir

    from studio.compress.write.storage import Shelf


@dataclass
class Found:
    """What finds each activation's range: codes, scale and zero point by the float value, made once."""

    work: Work
    parts: dict[ir.Value, tuple[ir.Value, ir.Value, ir.Value]] = field(default_factory=dict)

    def of(self, value: ir.Value, node: ir.Node) -> tuple[ir.Value, ir.Value, ir.Value]:
        """(codes, scale, zero point) of `value`, made in front of `node` where it is the first to ask."""
        import onnx_ir as ir

        if value not in self.parts:
            made = ir.node("DynamicQuantizeLinear", [value], num_outputs=3)
            for output in made.outputs:
                output.name = self.work.name()
            self.work.model.graph.insert_before(node, made)
            codes, scale, zero = made.outputs
            self.parts[value] = codes, scale, zero
        return self.parts[value]


def why_not_dynamic(node: ir.Node) -> str:
    """Why the layer `node` cannot find ranges at every run; "" where it can."""
    if node.op_type == "Gemm" and attribute(node, "transA", 0):
        return "its input is transposed inside the op"
    return ""


def levels_for(node: ir.Node, levels: Levels) -> Levels:
    """`levels` as MatMulInteger takes them: (inputs, outputs)."""
    if node.op_type == "Gemm" and attribute(node, "transB", 0):
        return replace(levels, values=np.ascontiguousarray(levels.values.T), axis=1 - levels.axis)
    return levels


def place_dynamic(shelf: Shelf, found: Found, node: ir.Node, levels: Levels, codes: ir.Value) -> None:
    """Turn `node` (MatMul or Gemm) into the integer product; its output keeps its name.

    `levels` and `codes` are as `levels_for` gives them.
    """
    work, source = shelf.work, node.inputs[0]
    assert source is not None
    bias = node.inputs[2] if node.op_type == "Gemm" and len(node.inputs) > 2 else None
    activation, scale, zero = found.of(source, node)
    steps = shelf.constant(levels.scale if levels.scale.size > 1 else levels.scale.reshape(()))
    inputs = [activation, codes, zero]
    if levels.zero is not None:
        inputs.append(shelf.constant(levels.zero if levels.zero.size > 1 else levels.zero.reshape(())))
    node.op_type = "MatMulInteger"
    node.attributes.clear()
    node.resize_inputs(len(inputs))
    for index, value in enumerate(inputs):
        node.replace_input_with(index, value)
    unit = work.before(node, "Mul", [scale, steps])
    _give_floats(work, node, unit, bias)


def _give_floats(work: Work, node: ir.Node, unit: ir.Value, bias: ir.Value | None) -> None:
    """The int32 sums times `unit`, plus `bias`: to those who read the node's output, under its name."""
    from onnx_ir import DataType

    output = node.outputs[0]
    readers = list(output.uses())
    last = work.after(node, "Cast", [output], {"to": int(DataType.FLOAT)})
    for op, other in (("Mul", unit), ("Add", bias)):
        maker = last.producer()
        if other is not None and maker is not None:
            last = work.after(maker, op, [last, other])
    for reader, index in readers:
        reader.replace_input_with(index, last)
    hand_over(output, last)
    output.type = output.shape = None
