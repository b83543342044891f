"""Cards: what is drawn as one box. A weighted node takes its batch norm, bias and activation along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from studio.graph.model import Facts, NodeFact

HEADS = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul", "ConvInteger", "MatMulInteger"})
ACTIVATIONS = frozenset(
    {"Relu", "LeakyRelu", "PRelu", "ThresholdedRelu", "Clip", "Elu", "Selu", "Celu", "Gelu", "Mish"}
    | {"Sigmoid", "HardSigmoid", "HardSwish", "Swish", "Tanh", "Softplus", "Softsign"}
)
SHORT = {
    "BatchNormalization": "BN",
    "LayerNormalization": "LayerNorm",
    "GlobalAveragePool": "GlobalAvgPool",
    "AveragePool": "AvgPool",
    "QuantizeLinear": "Quantize",
    "DequantizeLinear": "Dequantize",
}
_GATES = {"Sigmoid": "SiLU", "HardSigmoid": "HardSwish"}
_KINDS = (
    ("conv", {"Conv", "ConvTranspose", "ConvInteger", "DepthToSpace"}),
    ("linear", {"Gemm", "MatMul", "MatMulInteger", "Einsum", "Attention", "LSTM", "GRU", "RNN", "Gather"}),
    ("norm", {"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "LRN", "LpNormalization"}),
    ("activation", {*ACTIVATIONS, "Softmax", "LogSoftmax", "Erf"}),
    ("merge", {"Add", "Sub", "Mul", "Div", "Concat", "Sum", "Max", "Min", "Split", "Where", "Pow"}),
)


@dataclass(frozen=True, slots=True)
class Card:
    """Nodes drawn as one box. `members` are node indices, the one that gives the name first.

    `fused` names what the head took along (`BN`, `Relu`), `layer` the layer among the members.
    `id` is the head's unique name, `scope` where the box belongs.
    """

    id: str
    title: str
    subtitle: str
    op: str
    members: tuple[int, ...]
    layer: str | None
    fused: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()


@cache
def kind(op: str) -> str:
    """Kind of an op: `conv`, `linear`, `norm`, `activation`, `pool`, `merge` or `other`."""
    if op.endswith(("Normalization", "Norm")):
        return "norm"
    if "Pool" in op or op.startswith("Reduce"):
        return "pool"
    return next((name for name, ops in _KINDS if op in ops), "other")


def fuse(facts: Facts) -> tuple[Card, ...]:
    """All nodes of `facts` as cards, in graph order of their heads. Every node is in exactly one."""
    flow = _Flow(facts)
    owner: dict[int, int] = {}
    chains: dict[int, tuple[list[int], list[str]]] = {}
    for node in facts.nodes:
        if (node.op in HEADS or node.op == "Add") and node.index not in owner:
            members, fused = flow.chain(node)
            members = [index for index in members if index not in owner]
            chains[node.index] = (members, fused)
            owner.update(dict.fromkeys(members, node.index))
    for node in facts.nodes:
        owner.setdefault(node.index, node.index)
    flow.absorb(owner)
    return _cards(facts, owner, chains)


class _Flow:
    """Who feeds whom, and which nodes compute nothing but constants."""

    def __init__(self, facts: Facts) -> None:
        self.nodes = facts.nodes
        self.kept = {tensor.name for tensor in facts.outputs}
        self.fed: dict[str, list[int]] = {}
        for node in facts.nodes:
            for name in dict.fromkeys(node.inputs):
                self.fed.setdefault(name, []).append(node.index)

    def chain(self, head: NodeFact) -> tuple[list[int], list[str]]:
        """The head and what follows it alone: bias, batch norm, one activation."""
        members, fused, last = [head.index], list[str](), head
        while len(members) < 6:
            gate = self._gate(last)
            if gate is not None:
                return [*members, *gate], [*fused, _GATES[self.nodes[gate[0]].op]]
            following = self._only(last)
            if following is None or not self._joins(following, head):
                break
            members.append(following.index)
            last = following
            if following.op in ACTIVATIONS:
                return members, [*fused, SHORT.get(following.op, following.op)]
            fused.append("bias" if following.op == "Add" else SHORT.get(following.op, following.op))
        return members, fused

    def _joins(self, node: NodeFact, head: NodeFact) -> bool:
        if len(node.inputs) != 1:
            return False
        if node.op in ACTIVATIONS:
            return True
        if node.op == "Add":
            return node.params > 0 and head.op in ("MatMul", "Conv")
        return node.op == "BatchNormalization" and head.op in HEADS

    def _ends(self, node: NodeFact) -> list[int]:
        """Consumers of a node with one used output that stays inside the graph; else nothing."""
        used = [name for name in node.outputs if name in self.fed or name in self.kept]
        return self.fed.get(used[0], []) if len(used) == 1 and used[0] not in self.kept else []

    def _only(self, node: NodeFact) -> NodeFact | None:
        ends = self._ends(node)
        return self.nodes[ends[0]] if len(ends) == 1 else None

    def _gate(self, node: NodeFact) -> tuple[int, int] | None:
        """x → Sigmoid → Mul with x: the two nodes that make SiLU (or HardSwish)."""
        ends = [self.nodes[end] for end in self._ends(node)]
        if len(ends) != 2:
            return None
        gates, products = ([n for n in ends if n.op in _GATES], [n for n in ends if n.op == "Mul"])
        if len(gates) != 1 or len(products) != 1 or self._only(gates[0]) is not products[0]:
            return None
        both = {*node.outputs, *gates[0].outputs}
        return (gates[0].index, products[0].index) if set(products[0].inputs) <= both else None

    def absorb(self, owner: dict[int, int]) -> None:
        """Give nodes that only prepare constants to the card that alone uses them."""
        constant = set[int]()
        made: dict[str, int] = {name: n.index for n in self.nodes for name in n.outputs if name}
        for node in self.nodes:
            if all(name in made and made[name] in constant for name in node.inputs):
                constant.add(node.index)
        for node in reversed(self.nodes):
            if node.index not in constant or node.op in HEADS:
                continue
            if any(name in self.kept for name in node.outputs):
                continue
            users = {owner[end] for name in node.outputs for end in self.fed.get(name, ())}
            if len(users) == 1:
                owner[node.index] = users.pop()


def _cards(
    facts: Facts, owner: dict[int, int], chains: dict[int, tuple[list[int], list[str]]]
) -> tuple[Card, ...]:
    members: dict[int, list[int]] = {}
    for node in facts.nodes:
        members.setdefault(owner[node.index], []).append(node.index)
    layers = {layer.node: layer.name for layer in facts.layers}
    made = []
    for head, all_members in sorted(members.items()):
        chain, fused = chains.get(head, ([head], []))
        rest = [index for index in all_members if index not in chain]
        made.append(_card(facts, chain, rest, fused, layers))
    return tuple(made)


def _card(facts: Facts, chain: list[int], rest: list[int], fused: list[str], layers: dict[int, str]) -> Card:
    head = facts.nodes[chain[0]]
    members = (*chain, *rest)
    scope = common([facts.nodes[index].scope for index in chain])
    return Card(
        id=head.name,
        title=title(head),
        subtitle=short_name(head, facts.nodes[chain[0]].scope),
        op=head.op,
        members=members,
        layer=next((layers[index] for index in members if index in layers), None),
        fused=tuple(name for name in fused if name != "bias"),
        scope=scope,
    )


def common(scopes: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The longest scope that holds all `scopes`."""
    low, high = min(scopes, default=()), max(scopes, default=())
    for place, part in enumerate(low):
        if part != high[place]:
            return low[:place]
    return low


def title(node: NodeFact) -> str:
    """Op with what sets it apart at a glance: `Conv 3×3 /2`."""
    given = dict(node.attributes)
    text = SHORT.get(node.op, node.op)
    kernel = _numbers(given.get("kernel_shape", ""))
    if kernel:
        text += " " + "×".join(kernel)
    strides = _numbers(given.get("strides", ""))
    if strides and set(strides) != {"1"} and "Global" not in node.op:
        text += f" /{strides[0]}"
    return text


def _numbers(text: str) -> list[str]:
    parts = text.strip("[]()").replace(" ", "").split(",")
    return parts if all(part.isdigit() for part in parts) else []


def short_name(node: NodeFact, scope: tuple[str, ...]) -> str:
    """The part of a node's name that tells it from its neighbours."""
    last = node.name.strip("/").rpartition("/")[2]
    bare, op = last.lower().removeprefix("node_"), node.op.lower()
    plain = bare == op or bare.startswith(f"{op}_")
    if plain and scope:
        return ".".join(scope[-2:]) if scope[-1].isdigit() else scope[-1]
    dotted = [part for part in last.split(".") if part]
    if len(dotted) > 2:
        return ".".join(dotted[-2:])
    return last
