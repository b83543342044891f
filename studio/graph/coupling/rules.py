"""Which rule follows channels through which operator; what has none freezes what it touches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from studio.graph.coupling import elementwise, layers, reshape, scale
from studio.graph.coupling import views as layout
from studio.graph.coupling.trace import Trace, called

if TYPE_CHECKING:
    import onnx_ir as ir

Rule = Callable[[Trace, "ir.Node"], None]

_SAME = """Abs Acos Acosh Asin Asinh Atan Atanh Cast Ceil Celu Cos Cosh Dropout Elu Erf Exp Floor Gelu
HardSigmoid HardSwish Identity IsInf IsNaN LeakyRelu Log Mish Neg Not Reciprocal Relu Round Selu Shrink
Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Swish Tan Tanh ThresholdedRelu QuickGelu FastGelu"""
_ELEMENTWISE = """Add And Clip Div Equal Greater GreaterOrEqual Less LessOrEqual Max Mean Min Mod Mul Or
PRelu Pow Sub Sum Where Xor"""
_POOLS = """AveragePool GlobalAveragePool GlobalLpPool GlobalMaxPool LpPool MaxPool"""
_ACROSS = "Hardmax LayerNormalization LogSoftmax LpNormalization RMSNormalization Softmax"
_REDUCE = """ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd
ReduceSum ReduceSumSquare"""

RULES: dict[str, Rule] = {
    **dict.fromkeys(_SAME.split(), elementwise.same),
    **dict.fromkeys(_ELEMENTWISE.split(), elementwise.elementwise),
    **dict.fromkeys(_POOLS.split(), elementwise.pool),
    **dict.fromkeys(_ACROSS.split(), elementwise.across),
    **dict.fromkeys(_REDUCE.split(), elementwise.reduce),
    **dict.fromkeys(("QuantizeLinear", "DequantizeLinear"), elementwise.quantize),
    **dict.fromkeys(("LRN", "GroupNormalization"), elementwise.local_response),
    **dict.fromkeys(("BatchNormalization", "InstanceNormalization"), layers.batch_norm),
    **dict.fromkeys(("Conv", "ConvTranspose"), layers.convolution),
    "Gemm": layers.gemm,
    "MatMul": layers.matmul,
    "Reshape": reshape.reshape,
    "Flatten": reshape.flatten,
    "Transpose": layout.transpose,
    "Squeeze": layout.squeeze,
    "Unsqueeze": layout.unsqueeze,
    "Concat": layout.concat,
    "Split": layout.split,
    "Slice": layout.cut_out,
    "Gather": layout.gather,
    "Pad": scale.pad,
    "Resize": scale.resize,
    "Upsample": scale.resize,
    "Tile": scale.tile,
    "Expand": scale.expand,
    "DepthToSpace": scale.depth_to_space,
    "Shape": layout.shape,
}
LAYER_OPS = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
_DOMAINS = frozenset({"", "ai.onnx", "com.microsoft"})
_TAKES_SIZES = frozenset({"Reshape", "Expand", "Resize"})


def follow(t: Trace, node: ir.Node) -> None:
    """Carry what is known of the node's inputs over to its outputs."""
    rule = RULES.get(node.op_type) if node.domain in _DOMAINS else None
    if rule is None:
        return _unknown(t, node)
    if t.sizes and any(value in t.sizes for value in node.inputs):
        if layout.vector(t, node):
            return None
        if node.op_type not in _TAKES_SIZES:
            _freeze_sizes(t, node)
    if node.op_type in LAYER_OPS or any(value in t.labels or value in t.sizes for value in node.inputs):
        return rule(t, node)
    return layout.shape(t, node) if node.op_type == "Shape" else None


def _unknown(t: Trace, node: ir.Node) -> None:
    reason = f"they pass through {called(node)}, which is not followed"
    for value in (*node.inputs, *_captured(node)):
        t.freeze_value(value, reason)


def _freeze_sizes(t: Trace, node: ir.Node) -> None:
    for value in node.inputs:
        if value is not None and value in t.sizes:
            t.freeze_value(value, f"{called(node)} computes with their number")


def _captured(node: ir.Node) -> Iterator[ir.Value | None]:
    """Every tensor used inside the node's subgraphs, those of the outer graph among them."""
    for attribute in node.attributes.values():
        if attribute.is_ref() or attribute.type.name not in ("GRAPH", "GRAPHS"):
            continue
        for graph in [attribute.as_graph()] if attribute.type.name == "GRAPH" else attribute.as_graphs():
            yield from graph.outputs
            for inner in graph:
                yield from inner.inputs
                yield from _captured(inner)
