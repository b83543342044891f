"""The prune pass: channels that are removed for real, then single weights that become zero."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

from studio.compress.fold import set_weight, weight_array
from studio.compress.pruning.channels import Pruned, prune_channels
from studio.compress.pruning.masks import magnitude_mask, sparsity_of
from studio.compress.pruning.rebuild import Kept
from studio.compress.work import Work
from studio.control import Control
from studio.graph.onnx_edge import clone
from studio.stages import CalibrationSource

if TYPE_CHECKING:
    import onnx_ir as ir

_LAST = "pruned"
_REBUILT = "rebuilt"
_KEPT = 3


def prune(
    work: Work, source: CalibrationSource | None, control: Control, cache: MutableMapping[str, Any]
) -> None:
    """Prune what the rows ask for; what was really removed goes to `work.sparsity`.

    `cache` keeps the last few nets that lost channels, so that moving bits does not rebuild it.
    """
    rows = work.rows.values()
    if any(row.sparsity > 0 and row.structure == "channels" for row in rows):
        _channels(work, source, control, cache)
    for fact, row, node in work.layers():
        if row.sparsity > 0 and row.structure == "unstructured":
            weight = weight_array(node)
            if weight is None:
                reason = "its weight is not a plain float constant"
                work.refuse(fact.name, "sparsity", f"{row.sparsity:g}", 0, reason)
                continue
            mask = magnitude_mask(weight, row.sparsity)
            set_weight(work, node, weight * mask)
            work.sparsity[fact.name] = sparsity_of(mask)


def _channels(
    work: Work, source: CalibrationSource | None, control: Control, cache: MutableMapping[str, Any]
) -> None:
    data = source.key if source is not None else ""
    key = f"{work.state()}:{work.prune_wishes()}:{data}:{work.plan.calibration_samples}"
    kept: dict[str, tuple[ir.Model, Pruned]] = cache.setdefault(_LAST, {})
    if key not in kept:
        batches = source.batches() if source is not None else None
        shared = _kept(f"{work.state()}:{data}:{work.plan.calibration_samples}", cache)
        pruned = prune_channels(work.model, work.facts, work.plan, control, batches, shared)
        kept[key] = (clone(work.model), pruned)
        for old in list(kept)[:-_KEPT]:
            del kept[old]
    model, pruned = kept[key]
    work.adopt(clone(model))
    _tell(work, pruned)


def _kept(base: str, cache: MutableMapping[str, Any]) -> Kept:
    """What was computed for the same graph and batches; only the last such is remembered."""
    if cache.get(_REBUILT, ("",))[0] != base:
        cache[_REBUILT] = base, Kept()
    kept: Kept = cache[_REBUILT][1]
    return kept


def _tell(work: Work, pruned: Pruned) -> None:
    work.facts = pruned.facts
    work.sparsity.update(pruned.sparsity)
    for layer, refusal in pruned.refused.items():
        work.refused.setdefault(layer, []).append(refusal)
