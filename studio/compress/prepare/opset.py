"""Bring a graph to an opset that has what the passes write, where that changes nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.errors import BuildError

if TYPE_CHECKING:
    import onnx_ir as ir

WANTED = 21  # INT4, and DequantizeLinear without a zero point for all its types
_IR = 10  # the IR version that came with opset 21
NEEDED = 13  # QuantizeLinear and DequantizeLinear per channel

# Ops whose later versions, up to opset 21, only take more types or gain optional inputs and attributes.
_ADDITIVE = """
Abs Add And ArgMax ArgMin AveragePool BatchNormalization Cast CastLike Clip Concat Constant
ConstantOfShape Conv ConvTranspose CumSum DepthToSpace DequantizeLinear Div Dropout Equal Erf Exp Expand
Flatten Gather GatherElements GatherND Gemm GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual
HardSigmoid HardSwish Identity InstanceNormalization LRN LayerNormalization LeakyRelu Less LessOrEqual Log
LogSoftmax MatMul Max MaxPool Min Mod Mul Neg NonZero Not Or PRelu Pad Pow QuantizeLinear Range Reciprocal
Relu Reshape Selu Shape Sigmoid Sign Size Slice Softmax Softplus SpaceToDepth Sqrt Squeeze Sub Sum Tanh
Tile TopK Transpose Unsqueeze Where Xor
"""
_SAME = frozenset(_ADDITIVE.split())


def raise_opset(model: ir.Model, most: int) -> ir.Model:
    """`model` at opset 21 where every op means the same there, else at 13 or more, as it is.

    Below opset 13 the ONNX version converter is used. Raises `BuildError` where that cannot help, or
    where the model's opset is above `most`, what the target's runtime takes.
    """
    opset = model.opset_imports.get("", model.opset_imports.get("ai.onnx", 0))
    if opset > most:
        raise BuildError(
            "model", f"opset {opset} is newer than the runtime's {most}", f"Export it at opset {most}."
        )
    if 0 < opset < NEEDED:
        model, opset = _converted(model, opset), NEEDED
    wanted = min(WANTED, most)
    if NEEDED <= opset < wanted and all(_same(node, opset, wanted) for node in model.graph.all_nodes()):
        model.opset_imports[""] = wanted
        model.ir_version = max(model.ir_version, _IR)
    return model


def _same(node: ir.Node, low: int, high: int) -> bool:
    import onnx

    if node.domain not in ("", "ai.onnx"):
        return True
    if node.op_type in _SAME:
        return True
    if not onnx.defs.has(node.op_type):
        return False
    return _since(node.op_type, low) == _since(node.op_type, high)


def _since(op: str, opset: int) -> int:
    import onnx

    try:
        return int(onnx.defs.get_schema(op, opset).since_version)
    except onnx.defs.SchemaError:
        return 0


def _converted(model: ir.Model, opset: int) -> ir.Model:
    import onnx
    from onnx import version_converter

    from studio.graph.onnx_edge import from_proto, serialize

    try:
        proto = version_converter.convert_version(onnx.load_from_string(serialize(model)), NEEDED)
    except (RuntimeError, ValueError) as error:
        raise BuildError(
            "model",
            f"opset {opset} cannot be brought to {NEEDED} ({str(error).strip().splitlines()[-1]})",
            f"Export the model again at opset {NEEDED} or later.",
        ) from error
    return from_proto(proto)
