"""What a runtime on a CPU can run, and at which widths: data, read from `resources/targets/*.json`."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Any

import msgspec

from studio import processor
from studio.errors import RecipeError
from studio.graph.model import LayerFact
from studio.paths import resource

_FLOAT = 32


class OpRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one op may carry. `bits` and `activations` are the stops of the sliders, widest first.

    `int8_pays` is False where int8 is measured to be slower than float on this CPU; `why` says so.
    Layers with fewer input channels per group than `int8_channels` stay float unless 8-bit activations
    are asked for by name (a stem of three channels can be slower in int8); 0 lets all of them be int8.
    `int8_group_channels` is the same for convolutions in groups that are not depth-wise. With `int8_pooled`
    a narrow layer is int8 where only a MaxPool takes what it makes, which then works on codes.
    `depthwise_full`: depth-wise sums are kept in 32 bits, so their weights need no reduced range.
    `dynamic`: the runtime has kernels that find the range of an activation themselves. `zero_points`:
    weights may have them; those of grouped convolutions on integers not where `why_symmetric` says why.
    `blocks`: lengths that a block of 4-bit weights with its own scale may have.
    `why_dynamic` says why not.
    """

    bits: tuple[int, ...] = (32,)
    activations: tuple[int, ...] = (32,)
    granularity: tuple[str, ...] = ("channel", "tensor")
    sparsity: tuple[str, ...] = ("channels", "unstructured")
    int8_pays: bool = True
    int8_channels: int = 0
    int8_group_channels: int = 0
    int8_pooled: bool = False
    depthwise_full: bool = False
    dynamic: bool = False
    zero_points: bool = False
    blocks: tuple[int, ...] = ()
    why: str = ""
    why_dynamic: str = ""
    why_symmetric: str = ""

    def pays(self, layer: LayerFact, pooled: bool) -> bool:
        """Whether int8 is worth it for `layer`; depth-wise layers do not count as narrow.

        `pooled`: only a MaxPool takes its output, activations in between left out.
        """
        least = self.int8_group_channels if layer.groups > 1 else self.int8_channels
        wide = layer.depthwise or layer.weight_shape[layer.input_axis] >= least
        return self.int8_pays and (wide or (pooled and self.int8_pooled and layer.groups == 1))


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A runtime on a kind of CPU. `activation_type` is `uint8` or `int8`.

    `reduce_range` keeps weights in 7 bits where a CPU would saturate (x86 without VNNI): products of
    uint8 and int8 are added in pairs of 16 bits there, and 2 · 255 · 63 is the most that fits.
    `other` is the rule for ops that `ops` does not name. `why_activations` says for a width why no op
    has such activations here.
    """

    version: int
    name: str
    title: str
    runtime: str
    cpu: str
    opset_max: int
    ir_version_max: int
    activation_type: str = "uint8"
    reduce_range: bool = False
    why_activations: dict[int, str] = {}
    ops: dict[str, OpRule] = {}
    other: OpRule = OpRule()

    def rule(self, op: str) -> OpRule:
        """The rule for op type `op`."""
        return self.ops.get(op, self.other)

    def reduces(self, layer: LayerFact, activations: int) -> bool:
        """Whether weights of `layer` keep to 7 bits: its products are of integers, and may saturate."""
        one_each = layer.depthwise and layer.weight_shape[layer.input_axis] == 1
        safe = one_each and self.rule(layer.op).depthwise_full
        return self.reduce_range and activations < _FLOAT and not safe

    @property
    def stops(self) -> tuple[int, ...]:
        """Every weight width that some op takes, widest first."""
        found = {bits for rule in (*self.ops.values(), self.other) for bits in rule.bits}
        return tuple(sorted(found, reverse=True))


def names() -> tuple[str, ...]:
    """Names of the shipped targets."""
    return tuple(sorted(path.stem for path in resource("targets").glob("*.json")))


@cache
def load(name: str) -> Target:
    """The shipped target `name`; `RecipeError` where there is none."""
    if name not in names():
        raise RecipeError(f"target {name!r}", "no such target", f"Choose one of: {', '.join(names())}.")
    path = resource("targets", f"{name}.json")
    try:
        return msgspec.json.decode(msgspec.json.encode(_read(name)), type=Target)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise RecipeError(str(path), f"not a target file ({error})", "Reinstall Trimtab Studio.") from error


def here() -> Target:
    """The target of this computer's processor."""
    found = processor.here()
    return load(for_facts(found.machine, found.features))


def doubt(name: str) -> str:
    """Why a file for target `name` may behave otherwise on its own CPU than here; "" where it should not."""
    goal = load(name)
    if goal.name == here().name:
        return ""
    built = f"measured here, built for {goal.title}"
    if spelled_out(name):
        return f"{built}, op by op as ONNX defines it: sums of this CPU's integer kernels would overflow"
    return f"{built}: the CPU there may give other numbers"


def spelled_out(name: str) -> bool:
    """Whether a file for target `name` is run op by op here: its weights use all 8 bits, and this processor
    would add their products in 16, which the target's does not."""
    return processor.here().saturates and not load(name).reduce_range


def for_facts(machine: str, features: Collection[str]) -> str:
    """The shipped target that suits a CPU: `machine` as `uname -m` says it, `features` as /proc/cpuinfo.

    x86-64 without VNNI adds pairs of products in 16 bits and would saturate, so weights keep to 7 bits there.
    """
    if machine.lower().startswith(("aarch64", "arm")):
        return "onnxruntime-cpu-arm"
    if processor.Processor(machine, frozenset(features)).saturates:
        return "onnxruntime-cpu-x86-avx2"
    return "onnxruntime-cpu"


def _read(name: str) -> dict[str, Any]:
    """What the file says, laid over the file that it `extends`."""
    said: dict[str, Any] = msgspec.json.decode(resource("targets", f"{name}.json").read_bytes())
    base = said.pop("extends", "")
    return _over(said, _read(base)) if base else said


def _over(said: dict[str, Any], below: dict[str, Any]) -> dict[str, Any]:
    """Both as one, tables within tables too; where both say something, `said` holds."""
    both = {**below, **said}
    for key in said.keys() & below.keys():
        if isinstance(said[key], dict) and isinstance(below[key], dict):
            both[key] = _over(said[key], below[key])
    return both
