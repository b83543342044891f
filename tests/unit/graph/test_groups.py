"""Which layers hang together, and why some cannot lose channels."""

from __future__ import annotations

import onnx
import onnx_ir as ir
import pytest

from studio.graph.coupling.couple import couple
from studio.graph.model import Facts, GroupFact
from studio.graph.onnx_edge import facts_of

HEAD = '<ir_version: 8, opset_import: ["" : 17, "custom" : 1]>'


def facts(text: str, weights: dict[str, tuple[int, ...]], inputs: str = "float[N, 3, 8, 8] x") -> Facts:
    """Facts of a graph in ONNX's text form; `weights` are initializers of ones, by shape."""
    listed = ", ".join(f"float[{', '.join(map(str, shape))}] {name}" for name, shape in weights.items())
    proto = onnx.parser.parse_model(f"{HEAD} g ({inputs}, {listed}) => (float[N, classes] y) {{ {text} }}")
    ones = [
        onnx.helper.make_tensor(name, onnx.TensorProto.FLOAT, shape, [1.0] * _size(shape))
        for name, shape in weights.items()
    ]
    proto.graph.initializer.extend(ones)
    del proto.graph.input[len(inputs.split("float")) - 1 :]
    for node in proto.graph.node:
        node.name = node.output[0]
    return facts_of(ir.from_proto(proto), path="", format="onnx", file_bytes=0)


def _size(shape: tuple[int, ...]) -> int:
    total = 1
    for dim in shape:
        total *= dim
    return total


def group(found: Facts, layer: str) -> GroupFact:
    return found.group_of[found.by_name[layer].group]


TAIL = "p = GlobalAveragePool(h) f = Flatten(p) y = Gemm<transB=1>(f, w9)"


def test_a_chain_has_one_group_per_layer_and_the_output_stays() -> None:
    found = facts(
        f"a = Conv(x, w1) r = Relu(a) h = Conv(r, w2) {TAIL}",
        {"w1": (8, 3, 1, 1), "w2": (6, 8, 1, 1), "w9": (4, 6)},
    )
    assert [each.name for each in found.groups] == ["a", "h", "y"]
    assert group(found, "a") == GroupFact("a", ("a",), ("h",), 8, True)
    assert group(found, "y").why_not == "its channels are the model's output `y`"
    assert [layer.prunable for layer in found.layers] == [True, True, False]


def test_a_residual_and_a_depthwise_layer_join_their_producers() -> None:
    text = f"a = Conv(x, w1) d = Conv<group=8>(a, wd) b = Conv(d, w2) h = Add(a, b) {TAIL}"
    found = facts(text, {"w1": (8, 3, 1, 1), "wd": (8, 1, 1, 1), "w2": (8, 8, 1, 1), "w9": (4, 8)})
    assert group(found, "a") == GroupFact("a+2", ("a", "d", "b"), ("b", "y"), 8, True)


def test_concat_couples_nothing_but_feeds_on_by_offset() -> None:
    text = f"a = Conv(x, w1) b = Conv(x, w2) h = Concat<axis=1>(a, b) {TAIL}"
    found = facts(text, {"w1": (8, 3, 1, 1), "w2": (6, 3, 1, 1), "w9": (4, 14)})
    assert group(found, "a").followers == group(found, "b").followers == ("y",)
    assert [group(found, name).channels for name in "ab"] == [8, 6]


def test_a_grouped_convolution_goes_by_whole_groups() -> None:
    found = facts(
        f"a = Conv(x, w1) h = Conv<group=4>(a, w2) {TAIL}",
        {"w1": (8, 3, 1, 1), "w2": (12, 2, 1, 1), "w9": (4, 12)},
    )
    assert group(found, "a") == GroupFact("a+1", ("a", "h"), ("y",), 4, True)


def test_attention_heads_go_as_a_whole() -> None:
    text = """q = MatMul(x, w1) k = MatMul(x, w2) v = MatMul(x, w3)
    s = Constant<value_ints=[0, 5, 4, 2]>()
    qh = Reshape(q, s) kh = Reshape(k, s) vh = Reshape(v, s)
    qt = Transpose<perm=[0, 2, 1, 3]>(qh) kt = Transpose<perm=[0, 2, 3, 1]>(kh)
    vt = Transpose<perm=[0, 2, 1, 3]>(vh)
    l = MatMul(qt, kt) p = Softmax<axis=-1>(l) c = MatMul(p, vt) ct = Transpose<perm=[0, 2, 1, 3]>(c)
    t = Constant<value_ints=[0, 5, 8]>() o = Reshape(ct, t) z = MatMul(o, w4)
    f = ReduceMean<axes=[1], keepdims=0>(z) y = MatMul(f, w5)"""
    weights = {"w1": (6, 8), "w2": (6, 8), "w3": (6, 8), "w4": (8, 6), "w5": (6, 3)}
    found = facts(text, weights, "float[N, 5, 6] x")
    assert group(found, "q") == GroupFact("q+2", ("q", "k", "v"), ("z",), 4, True)


def test_a_shared_weight_ties_its_layers() -> None:
    text = f"a = Conv(x, w1) b = Conv(x, w1) h = Concat<axis=1>(a, b) {TAIL}"
    found = facts(text, {"w1": (8, 3, 1, 1), "w9": (4, 16)})
    assert group(found, "a").members == ("a", "b")
    assert group(found, "a").channels == 8


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("h = custom.Odd(a)", "its channels pass through Odd `h`, which is not followed"),
        ("h = Softmax<axis=1>(a)", "its channels must stay: Softmax `h` works across them"),
        ("h = LRN<size=3>(a)", "its channels must stay: LRN `h` works across them"),
        ("h = CumSum(a, one)", "its channels pass through CumSum `h`, which is not followed"),
        (
            "m = ReduceMax<axes=[1]>(a) h = Sub(a, m)",
            "its channels must stay: ReduceMax `m` works across them",
        ),
        ("h = Add(a, x8)", "its channels must stay: Add `h` combines them with `x8`, whose width is fixed"),
    ],
)
def test_what_is_not_followed_says_why(text: str, reason: str) -> None:
    weights = {"w1": (8, 3, 1, 1), "w9": (4, 8)}
    extra = "one = Constant<value_int=1>()"
    found = facts(
        f"{extra} a = Conv(x, w1) {text} {TAIL}", weights, "float[N, 3, 8, 8] x, float[N, 8, 8, 8] x8"
    )
    assert not group(found, "a").prunable
    assert group(found, "a").why_not == reason
    assert found.by_name["a"].why_not_prunable == reason


def test_the_number_of_channels_used_as_a_value_keeps_them() -> None:
    text = f"""a = Conv(x, w1) s = Shape(a) i = Constant<value_ints=[1]>() n = Gather(s, i) c = Cast<to=1>(n)
    h = Div(a, c) {TAIL}"""
    found = facts(text, {"w1": (8, 3, 1, 1), "w9": (4, 8)})
    assert group(found, "a").why_not == "its channels must stay: Div `h` computes with their number"


def test_a_subgraph_that_uses_a_tensor_keeps_its_channels() -> None:
    text = f"""a = Conv(x, w1) t = Constant<value = bool {{1}}>()
    h = If(t)<then_branch = g1 () => (float[N, 8, 8, 8] u) {{ u = Relu(a) }},
              else_branch = g2 () => (float[N, 8, 8, 8] v) {{ v = Neg(a) }}> {TAIL}"""
    found = facts(text, {"w1": (8, 3, 1, 1), "w9": (4, 8)})
    assert "If `h`" in group(found, "a").why_not


def test_half_of_a_layer_may_be_held() -> None:
    """Only the part that goes to the output must stay; the rest of the group can go."""
    text = """a = Conv(x, w1) s = Constant<value_ints=[4, 6]>() b, c = Split<axis=1>(a, s)
    p = GlobalAveragePool(c) f = Flatten(p) g = Gemm<transB=1>(f, w9)
    e = GlobalAveragePool(b) d = Flatten(e) y = Add(g, d)"""
    found = facts(text, {"w1": (10, 3, 1, 1), "w9": (4, 6)})
    assert group(found, "a").prunable
    assert group(found, "g") == group(found, "a")
    assert "output `y`" in found.by_name["g"].why_not_prunable
    assert found.by_name["a"].prunable


def test_a_layer_of_one_channel_says_so() -> None:
    found = facts(
        f"a = Conv(x, w1) h = Conv(a, w2) {TAIL}", {"w1": (1, 3, 1, 1), "w2": (6, 1, 1, 1), "w9": (4, 6)}
    )
    assert "only one channel" in group(found, "a").why_not


def test_computed_weights_are_no_mystery() -> None:
    text = f"w = Mul(w1, w2) a = Conv(x, w) h = Relu(a) {TAIL}"
    found = facts(text, {"w1": (8, 3, 1, 1), "w2": (8, 3, 1, 1), "w9": (4, 8)})
    assert [layer.name for layer in found.layers if layer.prunable] == []


def test_every_layer_is_in_one_group_and_names_are_no_other_layers(sample: object) -> None:
    found = facts_of(ir.load(str(sample)), path="", format="onnx", file_bytes=0)
    listed = [name for each in found.groups for name in each.members]
    assert sorted(listed) == sorted(layer.name for layer in found.layers)
    for each in found.groups:
        assert each.name not in found.by_name or each.members == (each.name,)


def test_the_graph_is_left_as_it_was(sample: object) -> None:
    model = ir.load(str(sample))
    before = ir.to_proto(model).SerializeToString(deterministic=True)
    couple(model)
    assert ir.to_proto(model).SerializeToString(deterministic=True) == before
