"""The prune pass: channels that are removed for real, then single weights that become zero."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from studio.artifact import Refusal
from studio.compress.pruning.channels import prune_channels
from studio.compress.pruning.rebuild import Kept
from studio.compress.pruning.single import prune_weights
from studio.compress.work import Work
from studio.control import Control
from studio.graph.model import Facts
from studio.graph.onnx_edge import clone
from studio.graph.trace import KEPT, write_kept
from studio.stages import CalibrationSource

if TYPE_CHECKING:
    import onnx_ir as ir

_LAST = "pruned"
_REBUILT = "rebuilt"
_KEPT = 3


@dataclass(frozen=True)
class _Result:
    """A pruned net and what is to be told of it."""

    model: ir.Model
    facts: Facts
    sparsity: Mapping[str, float]
    refused: Mapping[str, Refusal] = field(default_factory=dict)


def prune(
    work: Work, source: CalibrationSource | None, control: Control, cache: MutableMapping[str, Any]
) -> None:
    """Prune what the rows ask for; what was really removed goes to `work.sparsity`.

    `cache` keeps the last few pruned nets, so that moving bits does not prune again, and what was
    computed on the way, so that another wish for one layer redoes only what lies behind it.
    """
    if not any(row.structure != "none" for row in work.rows.values()):
        return
    watched = _in_float32(work)
    if source is not None and not watched:
        source = None
        work.notes.append("the model computes in float16: what to prune was chosen by the weights alone")
    data = source.key if source is not None else ""
    base = f"{work.state()}:{watched}:{data}:{work.plan.calibration_samples}"
    last: dict[str, _Result] = cache.setdefault(_LAST, {})
    key = f"{base}:{work.prune_wishes()}"
    result = last.get(key)
    if result is None:
        result = last[key] = _pruned(work, source, control, _kept(base, cache))
        for old in list(last)[:-_KEPT]:
            last.pop(old, None)  # another thread may have been here
    work.adopt(clone(result.model))
    work.facts = result.facts
    work.sparsity.update(result.sparsity)
    for layer, row in work.rows.items():
        if row.structure == "unstructured":
            work.rows[layer] = replace(row, sparsity=result.sparsity.get(layer, 0.0))
    for layer, refusal in result.refused.items():
        work.refused.setdefault(layer, []).append(refusal)


def _in_float32(work: Work) -> bool:
    """Whether what the layers take in can be watched: sessions that watch give out float32."""
    taken = {node.inputs[0].name for _, _, node in work.layers() if node.inputs[0] is not None}
    return all(fact.dtype == "FLOAT" for fact in work.facts.tensors if fact.name in taken)


def _pruned(work: Work, source: CalibrationSource | None, control: Control, kept: Kept) -> _Result:
    sparsity: dict[str, float] = {}
    refused: dict[str, Refusal] = {}
    if any(row.sparsity > 0 and row.structure == "channels" for row in work.rows.values()):
        batches = source.batches() if source is not None else None
        part = control.part(0.0, 0.6)
        found = prune_channels(work.model, work.facts, work.plan, part, batches, kept)
        work.facts = found.facts
        sparsity.update(found.sparsity)
        refused.update(found.refused)
        work.model.metadata_props[KEPT] = write_kept(found.kept, found.widths)
    if any(row.structure == "unstructured" for row in work.rows.values()):
        single = prune_weights(work, source, control.part(0.6, 1.0))
        sparsity.update(single.sparsity)
        refused.update(single.refused)
    return _Result(clone(work.model), work.facts, sparsity, refused)


def _kept(base: str, cache: MutableMapping[str, Any]) -> Kept:
    """What was computed for the same graph and batches; only the last such is remembered."""
    if cache.get(_REBUILT, ("",))[0] != base:
        cache[_REBUILT] = base, Kept()
    kept: Kept = cache[_REBUILT][1]
    return kept
