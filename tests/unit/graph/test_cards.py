"""Cards: what is drawn as one box."""

from __future__ import annotations

from types import ModuleType

import pytest

from studio.graph.cards import Card, common, fuse, kind
from studio.graph.model import Facts


def picture(facts: Facts) -> list[str]:
    return [text(card, facts) for card in fuse(facts)]


def text(card: Card, facts: Facts) -> str:
    ops = " ".join(facts.nodes[member].op for member in card.members)
    return f"{card.title} [{'+'.join(card.fused)}] {card.subtitle} = {ops}"


def test_conv_takes_norm_and_activation(nets: ModuleType) -> None:
    net = nets.Net("one")
    facts = net.facts(nets.conv(net, ("stem", "conv1"), "x", 8))
    assert picture(facts) == ["Conv 3×3 [BN+Relu] conv1 = Conv BatchNormalization Relu"]
    assert fuse(facts)[0].scope == ("stem",)
    assert fuse(facts)[0].layer == "/stem/conv1/Conv"


def test_matmul_takes_its_bias_but_no_residual_sum(nets: ModuleType) -> None:
    net = nets.Net("linear")
    y = nets.linear(net, ("fc",), "x")
    facts = net.facts(net.add("Add", (), y, "x"))
    assert picture(facts) == ["MatMul [] fc = MatMul Add", "Add [] Add_2 = Add"]


def test_sum_takes_its_activation(nets: ModuleType) -> None:
    net = nets.Net("sum")
    facts = net.facts(net.add("Relu", (), net.add("Add", (), "x", "y")), ("x", "y"))
    assert picture(facts) == ["Add [Relu] Add_0 = Add Relu"]


def test_silu_is_one_activation(nets: ModuleType) -> None:
    net = nets.Net("silu")
    x = net.add("Conv", (), "x", params=9, group="c")
    x = net.add("Mul", (), x, net.add("Sigmoid", (), x))
    facts = net.facts(net.add("MaxPool", (), x))
    assert picture(facts) == ["Conv [SiLU] Conv_0 = Conv Sigmoid Mul", "MaxPool [] MaxPool_3 = MaxPool"]


def test_a_branch_or_an_output_ends_the_chain(nets: ModuleType) -> None:
    net = nets.Net("branch")
    x = net.add("Conv", (), "x", params=9, group="c")
    net.add("Sigmoid", (), x)
    assert len(fuse(net.facts(net.add("Relu", (), x)))) == 3
    net = nets.Net("output")
    x = net.add("Conv", (), "x", params=9, group="c")
    net.add("Relu", (), x)
    assert len(fuse(net.facts(x))) == 2


def test_constants_go_to_what_uses_them(nets: ModuleType) -> None:
    net = nets.Net("qdq")
    weight = net.add("DequantizeLinear", (), params=9)
    weight = net.add("Transpose", (), weight)
    facts = net.facts(net.add("MatMul", (), "x", weight, group="m"))
    assert picture(facts) == ["MatMul [] MatMul_2 = MatMul DequantizeLinear Transpose"]


@pytest.mark.parametrize("name", ["residual", "unet", "dense"])
def test_every_node_is_in_one_card(nets: ModuleType, name: str) -> None:
    facts = getattr(nets, name)()
    members = sorted(member for card in fuse(facts) for member in card.members)
    assert members == [node.index for node in facts.nodes]


def test_residual_network_shrinks_to_half(nets: ModuleType) -> None:
    facts = nets.residual()
    assert len(facts.nodes) == 69
    assert len(fuse(facts)) == 32


def test_kinds() -> None:
    ops = ["Conv", "Gemm", "BatchNormalization", "Relu", "MaxPool", "ReduceMean", "Concat", "Flatten"]
    assert [kind(op) for op in ops] == [
        "conv", "linear", "norm", "activation", "pool", "pool", "merge", "other",
    ]  # fmt: skip


def test_common_scope() -> None:
    assert common([("a", "b", "c"), ("a", "b", "d")]) == ("a", "b")
    assert common([("a",), ()]) == ()
    assert common([("a", "b")]) == ("a", "b")
    assert common([]) == ()
