"""Where a layer's output can be read in the original and in a file made from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from studio.errors import MeasureError
from studio.graph.model import Facts
from studio.measure.sessions import Runner, SessionSource, open_session

if TYPE_CHECKING:
    import onnx

ROUNDING = ("QuantizeLinear", "DequantizeLinear")
ACTIVATIONS = ("Relu", "Clip", "LeakyRelu", "PRelu", "Sigmoid", "Tanh", "HardSwish", "HardSigmoid", "Elu")


@dataclass(frozen=True, slots=True)
class Tap:
    """The tensors that hold the output of `layer` in the original and in the artifact."""

    layer: str
    original: str
    artifact: str


@dataclass(frozen=True)
class Wiring:
    """Which node makes and which nodes take each tensor of a main graph."""

    nodes: dict[str, onnx.NodeProto]
    consumers: dict[str, list[onnx.NodeProto]]
    made: frozenset[str]


def load_graph(path: str) -> onnx.ModelProto:
    """The model without its external data; raises `MeasureError`."""
    import onnx
    from google.protobuf.message import DecodeError

    try:
        return onnx.load(path, load_external_data=False)
    except (OSError, DecodeError) as error:
        raise MeasureError(Path(path).name, f"cannot be read ({error})", "Check the file.") from error


def wiring(graph: onnx.GraphProto) -> Wiring:
    """The wiring of the main graph; what subgraphs take counts as no consumer."""
    consumers: dict[str, list[onnx.NodeProto]] = defaultdict(list)
    for node in graph.node:
        for name in node.input:
            consumers[name].append(node)
    made = frozenset(name for node in graph.node for name in node.output if name)
    return Wiring({node.name: node for node in graph.node if node.name}, dict(consumers), made)


def find_taps(facts: Facts, original: onnx.GraphProto, artifact: onnx.GraphProto) -> tuple[Tap, ...]:
    """One tap per layer that both graphs still have; tensors are matched by name.

    A layer's node keeps its name in an artifact, and folding gives its output the name that the
    folded node's output had; from there the tap moves on behind the activation and the rounding, so
    that it reads what the next layer reads.
    """
    first, second = wiring(original), wiring(artifact)
    outputs = {layer.name: facts.nodes[layer.node].outputs[0] for layer in facts.layers}
    found = (_tap(layer, output, first, second) for layer, output in outputs.items())
    return tuple(tap for tap in found if tap is not None)


def tapped(model: onnx.ModelProto, tensors: Iterable[str]) -> bytes:
    """The model, serialized, with `tensors` as its only outputs, in that order."""
    import onnx

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.graph.output[:]
    copy.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in tensors)
    return bytes(copy.SerializeToString())


def tap_runner(model: onnx.ModelProto, tensors: Sequence[str], source: SessionSource, threads: int) -> Runner:
    """The file at `source`, whose graph is `model`, open with `tensors` as its outputs, in that order."""
    folder = str(Path(source.path).resolve().parent)
    unique = list(dict.fromkeys(tensors))
    part = tapped(model, unique)
    session = open_session(part, threads, label=source.label, folder=folder, spelled_out=source.spelled_out)
    return Runner(session, source.label, tuple(tensors))


def _tap(layer: str, output: str, original: Wiring, artifact: Wiring) -> Tap | None:
    node = artifact.nodes.get(layer)
    here = node.output[0] if node is not None else output
    if here not in artifact.made:
        return None
    there = here if here in original.made else ""
    while (following := _behind(here, artifact)) is not None:
        here = following.output[0]
        if here in original.made:
            there = here
        elif following.op_type not in ROUNDING:
            return None
    return Tap(layer, there, here) if there else None


def _behind(tensor: str, graph: Wiring) -> onnx.NodeProto | None:
    """The only node behind `tensor`, where it is an activation or rounding of it."""
    nodes = graph.consumers.get(tensor, [])
    if len(nodes) != 1 or nodes[0].op_type not in (*ROUNDING, *ACTIVATIONS):
        return None
    return nodes[0] if nodes[0].input[0] == tensor else None
