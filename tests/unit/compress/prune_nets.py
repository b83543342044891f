"""Networks in which channels couple in every way, and their masked twins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime as ort
from onnx import helper, numpy_helper

from studio.compress.pruning.channels import Pruned, prune_channels
from studio.control import Control
from studio.graph.model import Facts
from studio.graph.onnx_edge import clone, facts_of, serialize
from studio.recipe.resolve import resolve
from studio.recipe.settings import Recipe, Settings
from studio.target import OpRule, Target

TARGET = Target(1, "test", "test", "onnxruntime", "any", 26, 13, other=OpRule())
Kept = dict[str, tuple[int, ...]]


class Tensor:
    """A tensor under construction; `made` tells, per channel, which layers' channels make it."""

    def __init__(self, name: str, made: list[frozenset[tuple[str, int]]], size: int | None) -> None:
        self.name, self.made, self.size = name, made, size

    @property
    def channels(self) -> int:
        return len(self.made)


class Net:
    """Writes a network op by op. With `kept` it writes the masked twin: in front of every layer all
    channels that come from a removed one are multiplied by 0. The bookkeeping is channel by channel
    and owes nothing to the code under test."""

    def __init__(self, seed: int, kept: Kept | None = None, opset: int = 17) -> None:
        self.rng = np.random.default_rng(seed)
        self.kept, self.opset = kept, opset
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.count = 0

    def constant(self, array: np.ndarray) -> str:
        self.count += 1
        name = f"c{self.count}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def weight(self, *shape: int) -> str:
        return self.constant(
            (self.rng.normal(size=shape) / np.sqrt(max(1, np.prod(shape[1:])))).astype(np.float32)
        )

    def node(self, op: str, *inputs: str, outputs: int = 1, **attributes: Any) -> list[str]:
        self.count += 1
        names = [f"t{self.count}_{index}" for index in range(outputs)]
        self.nodes.append(helper.make_node(op, list(inputs), names, name=f"{op}{self.count}", **attributes))
        return names

    def masked(self, x: Tensor, axis_behind: int = 2) -> str:
        """The input of a layer: in the twin, removed channels are 0."""
        if self.kept is None:
            return x.name
        gone = [any(place not in self._kept(layer) for layer, place in made) for made in x.made]
        every = [all(place not in self._kept(layer) for layer, place in made) for made in x.made if made]
        assert sum(gone) == sum(every), "channels that are added up must go together"
        mask = np.array([0 if each else 1 for each in gone], np.float32).reshape(-1, *(1,) * axis_behind)
        return self.node("Mul", x.name, self.constant(mask))[0]

    def _kept(self, layer: str) -> range | tuple[int, ...]:
        assert self.kept is not None
        return self.kept.get(layer, range(1 << 30))

    def layer(
        self, op: str, x: Tensor, channels: int, *rest: str, size: int | None, **attributes: Any
    ) -> Tensor:
        source = x.name if attributes.get("group", 1) > 1 else self.masked(x, 0 if x.size is None else 2)
        (name,) = self.node(op, source, *rest, **attributes)
        layer = self.nodes[-1].name
        if self.kept is not None:  # the twin has more nodes: layers keep the plain net's names
            layer = self.nodes[-1].name = self.plain.pop(0)
        return Tensor(name, [frozenset({(layer, index)}) for index in range(channels)], size)

    plain: list[str]

    def conv(self, x: Tensor, channels: int, kernel: int = 1, bias: bool = True, group: int = 1) -> Tensor:
        rest = [self.weight(channels, x.channels // group, kernel, kernel)]
        rest += [self.weight(channels)] if bias else []
        pads = [kernel // 2] * 4
        return self.layer("Conv", x, channels, *rest, size=x.size, pads=pads, group=group)

    def deconv(self, x: Tensor, channels: int, group: int = 1) -> Tensor:
        rest = [self.weight(x.channels, channels // group, 2, 2), self.weight(channels)]
        size = (x.size or 0) * 2
        return self.layer("ConvTranspose", x, channels, *rest, size=size, strides=[2, 2], group=group)

    def gemm(self, x: Tensor, channels: int, transposed: bool = True) -> Tensor:
        shape = (channels, x.channels) if transposed else (x.channels, channels)
        rest = [self.weight(*shape), self.weight(channels)]
        return self.layer("Gemm", x, channels, *rest, size=None, transB=int(transposed))

    def matmul(self, x: Tensor, channels: int) -> Tensor:
        return self.layer("MatMul", x, channels, self.weight(x.channels, channels), size=None)

    def same(self, op: str, x: Tensor, *inputs: str, **attributes: Any) -> Tensor:
        return Tensor(self.node(op, x.name, *inputs, **attributes)[0], x.made, x.size)

    def batch_norm(self, x: Tensor) -> Tensor:
        vectors = [self.rng.uniform(0.5, 1.5, x.channels).astype(np.float32) for _ in range(4)]
        return self.same("BatchNormalization", x, *(self.constant(each) for each in vectors))

    def per_channel(self, op: str, x: Tensor) -> Tensor:
        behind = (1, 1) if x.size is not None else ()
        return self.same(op, x, self.weight(x.channels, *behind))

    def both(self, op: str, x: Tensor, y: Tensor) -> Tensor:
        made = [a | b for a, b in zip(x.made, y.made, strict=True)]
        return Tensor(self.node(op, x.name, y.name)[0], made, x.size)

    def concat(self, *parts: Tensor) -> Tensor:
        names = [each.name for each in parts]
        made = [each for part in parts for each in part.made]
        return Tensor(self.node("Concat", *names, axis=1)[0], made, parts[0].size)

    def split(self, x: Tensor, first: int) -> tuple[Tensor, Tensor]:
        lengths = np.array([first, x.channels - first], np.int64)
        if self.opset < 13:
            names = self.node("Split", x.name, outputs=2, axis=1, split=lengths.tolist())
        else:
            names = self.node("Split", x.name, self.constant(lengths), outputs=2, axis=1)
        return Tensor(names[0], x.made[:first], x.size), Tensor(names[1], x.made[first:], x.size)

    def run_of(self, x: Tensor, start: int, stop: int) -> Tensor:
        bounds = [self.constant(np.array([each], np.int64)) for each in (start, stop, -3)]
        return Tensor(self.node("Slice", x.name, *bounds)[0], x.made[start:stop], x.size)

    def picked(self, x: Tensor, order: list[int]) -> Tensor:
        name = self.node("Gather", x.name, self.constant(np.array(order, np.int64)), axis=1)[0]
        return Tensor(name, [x.made[place] for place in order], x.size)

    def shuffled(self, x: Tensor, groups: int) -> Tensor:
        size, rest = x.size, x.channels // groups
        shape = [
            self.constant(np.array(dims, np.int64))
            for dims in ([0, groups, rest, size, size], [0, -1, size, size])
        ]
        (name,) = self.node("Reshape", x.name, shape[0])
        (name,) = self.node("Transpose", name, perm=[0, 2, 1, 3, 4])
        (name,) = self.node("Reshape", name, shape[1])
        order = np.arange(x.channels).reshape(groups, rest).T.reshape(-1)
        return Tensor(name, [x.made[place] for place in order], size)

    def gate(self, x: Tensor, squeeze: int) -> Tensor:
        y = Tensor(self.node("GlobalAveragePool", x.name)[0], x.made, 1)
        y = self.same("Relu", self.conv(y, squeeze))
        return self.both("Mul", x, self.same("Sigmoid", self.conv(y, x.channels)))

    def pooled(self, op: str, x: Tensor) -> Tensor:
        out = self.same(op, x, kernel_shape=[2, 2], strides=[2, 2])
        return Tensor(out.name, x.made, (x.size or 0) // 2)

    def flat(self, x: Tensor, how: str) -> Tensor:
        area = (x.size or 1) ** 2
        made = [each for each in x.made for _ in range(area)]
        if how == "Flatten":
            return Tensor(self.node("Flatten", x.name)[0], made, None)
        if how == "computed":
            shape = self.node("Shape", x.name)
            head = self.node("Gather", *shape, self.constant(np.array([0], np.int64)), axis=0)
            rest = self.constant(np.array([-1], np.int64))
            (wanted,) = self.node("Concat", *head, rest, axis=0)
        else:
            wanted = self.constant(np.array([-1 if how == "open" else 0, len(made)], np.int64))
        return Tensor(self.node("Reshape", x.name, wanted)[0], made, None)

    def model(self, out: Tensor, size: int, channels: int) -> onnx.ModelProto:
        final = self.node("Identity", out.name)[0]
        given = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["N", channels, size, size])
        made = helper.make_tensor_value_info(final, onnx.TensorProto.FLOAT, ["N", "classes"])
        graph = helper.make_graph(self.nodes, "net", [given], [made], self.constants)
        return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", self.opset)])


Program = Callable[[Net, Tensor], Tensor]
SIZE, GIVEN = 4, 3


def build(
    program: Program, kept: Kept | None = None, names: list[str] | None = None, opset: int = 17
) -> onnx.ModelProto:
    net = Net(1, kept, opset)
    net.plain = list(names or [])
    x = Tensor("x", [frozenset() for _ in range(GIVEN)], SIZE)
    return net.model(program(net, x), SIZE, GIVEN)


def prune(proto: onnx.ModelProto, sparsity: float, data: Any = None) -> tuple[ir.Model, Facts, Pruned]:
    model = ir.from_proto(proto)
    facts = facts_of(model, path="", format="onnx", file_bytes=0)
    recipe = Recipe(default=Settings(sparsity=sparsity, structure="channels"))
    work = clone(model)
    return work, facts, prune_channels(work, facts, resolve(recipe, facts, TARGET, False), Control(), data)


def run(data: bytes, x: np.ndarray) -> np.ndarray:
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": x})[0])


def check(program: Program, sparsity: float = 0.5, opset: int = 17) -> Pruned:
    """Prune, run, and compare with the masked twin; the figures must fall with the weights."""
    proto = build(program, opset=opset)
    model, facts, pruned = prune(proto, sparsity)
    twin = build(program, dict(pruned.kept), [layer.name for layer in facts.layers], opset)
    x = np.random.default_rng(2).normal(size=(2, GIVEN, SIZE, SIZE)).astype(np.float32)
    data = serialize(model)
    onnx.checker.check_model(onnx.load_from_string(data), full_check=True)
    np.testing.assert_allclose(run(data, x), run(twin.SerializeToString(), x), rtol=1e-4, atol=1e-4)
    again = facts_of(model, path="", format="onnx", file_bytes=0)
    assert [layer.weight_shape for layer in again.layers] == [
        layer.weight_shape for layer in pruned.facts.layers
    ]
    assert [layer.macs for layer in again.layers] == [layer.macs for layer in pruned.facts.layers]
    if pruned.sparsity:
        assert again.params < facts.params
        assert again.bytes < facts.bytes
        assert (again.macs or 0) < (facts.macs or 0)
        assert len(data) < len(serialize(ir.from_proto(proto))) + 64  # a length may need to be spelled out
    return pruned


def head(net: Net, x: Tensor) -> Tensor:
    return net.gemm(net.flat(Tensor(net.node("GlobalAveragePool", x.name)[0], x.made, 1), "Flatten"), 3)


def chain(net: Net, x: Tensor) -> Tensor:
    x = net.same("Relu", net.batch_norm(net.conv(x, 12, 3, bias=False)))
    return head(net, net.same("Sigmoid", net.conv(x, 8, 3)))


def residual(net: Net, x: Tensor) -> Tensor:
    x = net.conv(x, 10, 3)
    y = net.conv(net.same("Relu", net.conv(x, 6)), 10, 3)
    return head(net, net.same("Relu", net.both("Add", x, net.batch_norm(y))))


def depthwise(net: Net, x: Tensor) -> Tensor:
    x = net.same("Relu", net.conv(x, 9))
    x = net.same("HardSwish", net.batch_norm(net.conv(x, 9, 3, group=9)))
    return head(net, net.conv(net.conv(x, 18, 3, group=9), 5))


def concatenated(net: Net, x: Tensor) -> Tensor:
    x = net.conv(x, 8)
    y = net.concat(net.conv(x, 6), x, net.conv(x, 5, 3))
    return head(net, net.same("Relu", net.batch_norm(y)))


def with_input(net: Net, x: Tensor) -> Tensor:
    return head(net, net.conv(net.concat(x, net.conv(x, 6)), 6))


def grouped(net: Net, x: Tensor) -> Tensor:
    return head(net, net.conv(net.same("Relu", net.conv(x, 12)), 8, 3, group=4))


def gated(net: Net, x: Tensor) -> Tensor:
    return head(net, net.conv(net.gate(net.conv(x, 8, 3), 4), 6))


def flattened(how: str) -> Program:
    def program(net: Net, x: Tensor) -> Tensor:
        x = net.pooled("MaxPool", net.same("Relu", net.conv(x, 7, 3)))
        return net.gemm(net.same("Relu", net.gemm(net.flat(x, how), 10, transposed=False)), 3)

    return program


def parted(net: Net, x: Tensor) -> Tensor:
    first, second = net.split(net.conv(x, 10, 3), 4)
    return head(net, net.concat(first, net.conv(net.same("Relu", second), 6)))


def halves(net: Net, x: Tensor) -> Tensor:
    first, second = net.split(net.conv(x, 12, 3), 6)
    return head(net, net.both("Mul", first, net.same("Sigmoid", second)))


def sliced(net: Net, x: Tensor) -> Tensor:
    x = net.conv(x, 10, 3)
    return head(net, net.concat(net.run_of(x, 5, 10), net.conv(net.run_of(x, 0, 5), 4)))


def picked(net: Net, x: Tensor) -> Tensor:
    return head(net, net.picked(net.conv(x, 6, 3), [5, 3, 1, 0, 2, 4, 4]))


def tiled(net: Net, x: Tensor) -> Tensor:
    x = net.conv(x, 6, 3)
    name = net.node("Tile", x.name, net.constant(np.array([1, 2, 1, 1], np.int64)))[0]
    return head(net, net.conv(Tensor(name, x.made * 2, SIZE), 5))


def pixel_shuffled(net: Net, x: Tensor) -> Tensor:
    x = net.conv(x, 12)
    name = net.node("DepthToSpace", x.name, blocksize=2, mode="CRD")[0]
    made = [frozenset().union(*x.made[4 * each : 4 * each + 4]) for each in range(3)]
    return head(net, net.conv(Tensor(name, made, 2 * SIZE), 5))


def shuffled(net: Net, x: Tensor) -> Tensor:
    return head(net, net.conv(net.shuffled(net.conv(x, 12), 2), 6))


def upsampled(net: Net, x: Tensor) -> Tensor:
    return head(net, net.conv(net.same("Relu", net.deconv(net.conv(x, 6), 8)), 4))


def grouped_upsampled(net: Net, x: Tensor) -> Tensor:
    return head(net, net.conv(net.deconv(net.conv(x, 8), 12, group=4), 4))


def constants(net: Net, x: Tensor) -> Tensor:
    x = net.per_channel("PRelu", net.per_channel("Add", net.per_channel("Mul", net.conv(x, 9, 3))))
    return head(net, net.conv(x, 5))


def normalized(net: Net, x: Tensor) -> Tensor:
    x = net.conv(x, 8, 3)
    scale = [net.weight(8), net.weight(8)]
    return head(net, net.conv(net.same("InstanceNormalization", x, *scale), 5))


def multiplied(net: Net, x: Tensor) -> Tensor:
    x = net.flat(net.conv(x, 5, 3), "Flatten")
    x = net.same("Gelu", net.per_channel("Add", net.matmul(x, 12))) if net.opset >= 20 else net.matmul(x, 12)
    return net.matmul(net.per_channel("Add", x), 3)


def attention(net: Net, x: Tensor, count: int, width: int) -> Tensor:
    """Attention over places: a head goes as a whole, in the three layers that make it."""
    places = SIZE * SIZE
    (name,) = net.node("Reshape", x.name, net.constant(np.array([0, GIVEN, places], np.int64)))
    (name,) = net.node("Transpose", name, perm=[0, 2, 1])
    tokens = Tensor(name, x.made, None)
    parts = [net.matmul(tokens, count * width) for _ in range(3)]
    shape = net.constant(np.array([0, places, count, width], np.int64))
    cut = [net.node("Reshape", part.name, shape)[0] for part in parts]
    q, k, v = (
        net.node("Transpose", each, perm=perm)[0]
        for each, perm in zip(cut, ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]), strict=True)
    )
    (name,) = net.node("MatMul", *net.node("Softmax", *net.node("MatMul", q, k), axis=-1), v)
    (name,) = net.node("Transpose", name, perm=[0, 2, 1, 3])
    (name,) = net.node("Reshape", name, net.constant(np.array([0, places, count * width], np.int64)))
    made = [frozenset().union(*each) for each in zip(*(part.made for part in parts), strict=True)]
    out = net.matmul(Tensor(name, made, None), 5)
    return net.matmul(Tensor(net.node("ReduceMean", out.name, axes=[1], keepdims=0)[0], out.made, None), 3)


def heads(net: Net, x: Tensor) -> Tensor:
    return attention(net, x, 4, 3)


def turned(net: Net, x: Tensor) -> Tensor:
    """NHWC and back, with a constant along the channels in between."""
    x = net.conv(x, 8, 3)
    name = net.node("Transpose", x.name, perm=[0, 2, 3, 1])[0]
    name = net.node("Mul", name, net.weight(8))[0]
    return head(net, net.conv(Tensor(net.node("Transpose", name, perm=[0, 3, 1, 2])[0], x.made, SIZE), 5))


def mixed(net: Net, x: Tensor) -> Tensor:
    """A concat added to one wide layer: two narrow layers are coupled to parts of it."""
    x = net.conv(x, 4)
    return head(net, net.both("Add", net.concat(net.conv(x, 6), net.conv(x, 5)), net.conv(x, 11)))


PATTERNS: dict[str, Program] = {
    program.__name__: program
    for program in (
        chain,
        residual,
        depthwise,
        concatenated,
        with_input,
        grouped,
        gated,
        parted,
        halves,
        sliced,
        picked,
        shuffled,
        upsampled,
        grouped_upsampled,
        constants,
        normalized,
        multiplied,
        turned,
        mixed,
        heads,
        tiled,
        pixel_shuffled,
    )
}
PATTERNS |= {f"flattened {how}": flattened(how) for how in ("Flatten", "open", "zero", "computed")}
