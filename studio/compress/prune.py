"""The prune pass: channels that are removed for real, then single weights that become zero."""

from __future__ import annotations

from studio.compress.fold import set_weight, weight_array
from studio.compress.prune_channels import prune_channels
from studio.compress.prune_weights import magnitude_mask, sparsity_of
from studio.compress.work import Work
from studio.control import Control
from studio.stages import CalibrationSource


def prune(work: Work, source: CalibrationSource | None, control: Control) -> None:
    """Prune what the rows ask for; what was really removed goes to `work.sparsity`."""
    rows = work.rows.values()
    if any(row.sparsity > 0 and row.structure == "channels" for row in rows):
        _channels(work, source, control)
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


def _channels(work: Work, source: CalibrationSource | None, control: Control) -> None:
    batches = source.batches() if source is not None else None
    pruned = prune_channels(work.model, work.facts, work.plan, control, batches)
    work.facts = pruned.facts
    work.sparsity.update(pruned.sparsity)
    for layer, refusal in pruned.refused.items():
        work.refused.setdefault(layer, []).append(refusal)
