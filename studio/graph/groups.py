"""Groups of layers that can only lose output channels together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from studio.graph.coupling.couple import Component, Coupling, couple
from studio.graph.model import GroupFact, LayerFact, Shape

if TYPE_CHECKING:
    import onnx_ir as ir

NOT_FOLLOWED = "its weights are computed, or shared in a way that is not followed"
TOO_NARROW = "it has only one channel, or one channel per place, and that one has to stay"


def find_groups(
    model: ir.Model,
    layers: tuple[LayerFact, ...],
    shapes: Mapping[str, Shape | None] | None = None,
) -> tuple[tuple[GroupFact, ...], tuple[LayerFact, ...]]:
    """The pruning groups, and the layers with `group`, `prunable` and `why_not_prunable` filled in.

    Every layer belongs to exactly one group. `shapes` gives shapes by tensor name where the graph
    does not state them (reshapes cannot be followed without). A group of one layer has its name; a
    larger one is called after its first member and the number of the others: `conv1+3`.
    """
    coupling = couple(model, shapes)
    known = {layer.name for layer in layers}
    groups = [_group(part, known) for part in coupling.components if known & set(part.members)]
    covered = {name for group in groups for name in group.members}
    groups += [_alone(layer) for layer in layers if layer.name not in covered]
    place = {layer.name: index for index, layer in enumerate(layers)}
    groups.sort(key=lambda group: place[group.members[0]])
    group_of = {name: group for group in groups for name in group.members}
    return tuple(groups), tuple(_filled(layer, group_of[layer.name], coupling) for layer in layers)


def _group(part: Component, known: set[str]) -> GroupFact:
    members = tuple(name for name in part.members if name in known)
    followers = tuple(name for name in part.followers if name in known)
    prunable = bool(part.blocks)
    why = "" if prunable else _sentence(part.why_not)
    return GroupFact(_name(members, known), members, followers, len(part.classes), prunable, why)


def _name(members: tuple[str, ...], known: set[str]) -> str:
    if len(members) == 1:
        return members[0]
    name = f"{members[0]}+{len(members) - 1}"
    while name in known:
        name += "+"
    return name


def _alone(layer: LayerFact) -> GroupFact:
    return GroupFact(layer.name, (layer.name,), (), layer.out_channels, False, NOT_FOLLOWED)


def _filled(layer: LayerFact, group: GroupFact, coupling: Coupling) -> LayerFact:
    why = group.why_not
    if group.prunable:
        why = _sentence(coupling.why_held(layer.name)) if coupling.why_held(layer.name) else ""
    return replace(layer, group=group.name, prunable=not why, why_not_prunable=why)


def _sentence(reason: str) -> str:
    """Reasons are told of channels ("they are …"): here of the layer's."""
    if not reason:
        return TOO_NARROW
    return f"its channels {reason[5:]}" if reason.startswith("they ") else f"its channels must stay: {reason}"
