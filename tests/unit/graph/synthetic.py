"""Facts of made-up networks, named as exporters name them: what the graph view has to cope with."""

from __future__ import annotations

from dataclasses import replace

from studio.graph.model import Facts, GroupFact, LayerFact, NodeFact, TensorFact

Attributes = tuple[tuple[str, str], ...]


class Net:
    """Adds nodes one by one; `facts` ends it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.nodes: list[NodeFact] = []
        self.layers: list[LayerFact] = []
        self.groups: dict[str, list[str]] = {}
        self.tensors: list[TensorFact] = []

    def add(
        self,
        op: str,
        scope: tuple[str, ...],
        *inputs: str,
        name: str = "",
        params: int = 0,
        attributes: Attributes = (),
        group: str | None = None,
        shape: tuple[int, ...] = (1, 64, 56, 56),
    ) -> str:
        """One node; with a `group` it is a layer. Returns its output."""
        index, out = len(self.nodes), f"t{len(self.nodes)}"
        name = name or "/" + "/".join((*scope, f"{op}_{index}"))
        macs = params * 196 if params else None
        self.nodes.append(
            NodeFact(index, name, op, "", scope, inputs, (out,), params, params * 4, macs, attributes)
        )
        self.tensors.append(TensorFact(out, "FLOAT", shape))
        if group is not None:
            self.layers.append(_layer(name, op, index, params, group))
            self.groups.setdefault(group, []).append(name)
        return out

    def facts(self, output: str, inputs: tuple[str, ...] = ("x",)) -> Facts:
        """All that was added, as facts of a model that ends in `output`."""
        groups = tuple(GroupFact(name, tuple(members), (), 64, True) for name, members in self.groups.items())
        return Facts(
            f"key of {self.name}",
            self.name,
            "",
            "onnx",
            0,
            9,
            (("", 17),),
            "",
            tuple(TensorFact(name, "FLOAT", (1, 3, 224, 224)) for name in inputs),
            (TensorFact(output, "FLOAT", (1, 1000)),),
            tuple(self.tensors),
            tuple(self.nodes),
            tuple(self.layers),
            groups,
        )


def _layer(name: str, op: str, index: int, params: int, group: str) -> LayerFact:
    return LayerFact(
        name, op, index, f"{name}.w", None, (64, 64, 3, 3), 0, 1, 1, params, params * 4, params * 196, 32,
        group, True,
    )  # fmt: skip


def conv(
    net: Net, scope: tuple[str, ...], x: str, c: int, k: int = 3, act: str = "Relu", group: str = ""
) -> str:
    """Conv, batch norm and, unless `act` is empty, an activation, each in its own module."""
    attributes = (("kernel_shape", f"[{k}, {k}]"), ("strides", "[1, 1]"))
    name = "/" + "/".join((*scope, "Conv"))
    x = net.add("Conv", scope, x, name=name, params=c * c * k * k, attributes=attributes, group=group or name)
    outer, leaf = scope[:-1], scope[-1]
    x = net.add("BatchNormalization", (*outer, leaf.replace("conv", "bn")), x, params=4 * c)
    return net.add(act, (*outer, f"act_{leaf}"), x) if act else x


def residual(stages: tuple[int, ...] = (2, 2, 2, 2)) -> Facts:
    """A residual CNN like ResNet-18."""
    net, c = Net("residual"), 16
    x = net.add("MaxPool", ("maxpool",), conv(net, ("conv1",), "x", c, 7))
    for stage, blocks in enumerate(stages, 1):
        for block in range(blocks):
            scope = (f"layer{stage}", str(block))
            y = conv(net, (*scope, "conv1"), x, c)
            y = conv(net, (*scope, "conv2"), y, c, act="", group=f"layer{stage}")
            if stage > 1 and not block:
                x = conv(net, (*scope, "down"), x, c, 1, act="", group=f"layer{stage}")
            x = net.add("Relu", (*scope, "relu"), net.add("Add", scope, y, x))
        c *= 2
    x = net.add("Flatten", (), net.add("GlobalAveragePool", ("avgpool",), x))
    return net.facts(net.add("Gemm", ("fc",), x, name="/fc/Gemm", params=5120, group="fc"))


def norm(net: Net, scope: tuple[str, ...], x: str) -> str:
    """A layer norm as exporters spell it out."""
    centred = net.add("Sub", scope, x, net.add("ReduceMean", scope, x))
    spread = net.add("ReduceMean", scope, net.add("Pow", scope, centred))
    spread = net.add("Sqrt", scope, net.add("Add", scope, spread))
    x = net.add("Mul", scope, net.add("Div", scope, centred, spread), params=768)
    return net.add("Add", scope, x, params=768)


def linear(net: Net, scope: tuple[str, ...], x: str, params: int = 768 * 768) -> str:
    """MatMul and its bias."""
    name = "/" + "/".join((*scope, "MatMul"))
    x = net.add("MatMul", scope, x, name=name, params=params, group=name)
    return net.add("Add", scope, x, params=768)


def attention(net: Net, scope: tuple[str, ...], x: str, mask: str) -> str:
    """Self-attention; `mask` is added to the scores where it is not empty."""
    q, k, v = (linear(net, (*scope, name), x) for name in ("q", "k", "v"))
    q, k, v = (net.add("Transpose", scope, net.add("Reshape", scope, each)) for each in (q, k, v))
    scores = net.add("Mul", scope, net.add("MatMul", scope, q, k))
    if mask:
        scores = net.add("Add", scope, scores, mask)
    x = net.add("MatMul", scope, net.add("Softmax", scope, scores), v)
    x = net.add("Reshape", scope, net.add("Transpose", scope, x))
    return linear(net, (*scope, "out"), x)


def transformer(blocks: int, *, mask: bool = False, scoped: bool = True) -> Facts:
    """`blocks` pre-norm blocks of 49 nodes; without scopes all nodes are called Op_number."""
    net = Net(f"transformer {blocks}{mask}{scoped}")
    x = net.add("Add", (), net.add("Gather", ("wte",), "x", params=768 * 50000), params=768 * 1024)
    for block in range(blocks):
        scope = ("h", str(block))
        y = attention(net, (*scope, "attn"), norm(net, (*scope, "ln_1"), x), "mask" if mask else "")
        x = net.add("Add", scope, y, x)
        y = linear(net, (*scope, "mlp", "fc1"), norm(net, (*scope, "ln_2"), x), 768 * 3072)
        act = (*scope, "mlp", "act")
        gate = net.add("Add", act, net.add("Erf", act, net.add("Div", act, y)))
        y = net.add("Mul", act, net.add("Mul", act, y, gate))
        x = net.add("Add", scope, x, linear(net, (*scope, "mlp", "fc2"), y, 768 * 3072))
    x = net.add("MatMul", ("lm_head",), norm(net, ("ln_f",), x), params=768 * 50000, group="lm_head")
    facts = net.facts(x, ("x", "mask") if mask else ("x",))
    return facts if scoped else nameless(facts)


def nameless(facts: Facts) -> Facts:
    """The same network without scopes, layers and groups."""
    nodes = tuple(replace(node, scope=(), name=f"{node.op}_{node.index}") for node in facts.nodes)
    return replace(facts, nodes=nodes, layers=(), groups=())


def unet(depth: int = 4) -> Facts:
    """Down, across and up again."""
    net, c, x = Net("unet"), 16, "x"
    skips = []
    for level in range(depth):
        x = conv(net, (f"down{level}", "conv2"), conv(net, (f"down{level}", "conv1"), x, c), c)
        skips.append(x)
        x = net.add("MaxPool", (f"down{level}", "pool"), x)
        c *= 2
    x = conv(net, ("mid", "conv2"), conv(net, ("mid", "conv1"), x, c), c)
    for level in reversed(range(depth)):
        c //= 2
        x = net.add("ConvTranspose", (f"up{level}", "up"), x, params=c * c * 8, group=f"up{level}")
        x = net.add("Concat", (f"up{level}",), x, skips[level])
        x = conv(net, (f"up{level}", "conv2"), conv(net, (f"up{level}", "conv1"), x, c), c)
    return net.facts(net.add("Conv", ("head",), x, params=64, group="head"))


def dense(layers: int = 12) -> Facts:
    """A dense block: every layer reads all before it through a Concat."""
    net = Net("dense")
    known = [conv(net, ("conv0",), "x", 64)]
    for layer in range(layers):
        scope = ("block", f"layer{layer}")
        x = net.add("Concat", scope, *known) if len(known) > 1 else known[0]
        known.append(conv(net, (*scope, "conv2"), conv(net, (*scope, "conv1"), x, 32, 1), 32))
    return net.facts(conv(net, ("transition", "conv"), net.add("Concat", ("block",), *known), 64, 1))
