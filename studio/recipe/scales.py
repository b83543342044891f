"""How a layer's weight scales are laid out: per channel, tensor or block, around zero or not."""

from __future__ import annotations

from studio.artifact import Refusal
from studio.graph.model import LayerFact
from studio.recipe.settings import FLOAT, Settings
from studio.target import OpRule


def granularity(wish: Settings, rule: OpRule, refused: list[Refusal]) -> str:
    asked = wish.granularity or rule.granularity[0]
    if asked in rule.granularity and asked != "block":
        return asked
    given = rule.granularity[0]
    if asked != "block":  # what stands in the way of blocks was said already
        refused.append(Refusal("granularity", asked, given, f"this op takes {', '.join(rule.granularity)}"))
    return given


def block_of(wish: Settings, bits: int, layer: LayerFact, rule: OpRule, refused: list[Refusal]) -> int:
    """Length of the blocks with a scale of their own, 0 for none."""
    if wish.granularity != "block" or bits > 8:
        return 0
    inputs = layer.weight_shape[layer.input_axis]
    fitting = [size for size in rule.blocks if inputs % size == 0] if len(layer.weight_shape) == 2 else []
    reason = ""
    if not rule.blocks:
        reason = f"this op takes {', '.join(rule.granularity)}"
    elif bits != 4:
        reason = "only 4-bit weights have a kernel that reads blocks"
    elif wish.activations is not None and wish.activations < FLOAT:
        reason = "int8 kernels take one scale per channel, not per block"
    elif not fitting:
        reason = f"{inputs} input channels are no whole number of blocks"
    if reason:
        refused.append(Refusal("granularity", "block", rule.granularity[0], reason))
        return 0
    asked = wish.block or 32
    given = min(fitting, key=lambda size: (abs(size - asked), size))
    if wish.block and given != asked:
        refused.append(
            Refusal("block", str(asked), str(given), f"blocks that fit here: {', '.join(map(str, fitting))}")
        )
    return given


def symmetric(
    wish: Settings,
    bits: int,
    sparsity: float,
    structure: str,
    blocked: bool,
    grouped: bool,
    rule: OpRule,
    refused: list[Refusal],
) -> bool:
    if wish.symmetric is not False or bits > 8:
        return True
    reason = ""
    if blocked:
        reason = "blocks of 4-bit weights lie around zero here"
    elif not rule.zero_points or (grouped and rule.why_symmetric):
        reason = rule.why_symmetric or "int8 kernels run at full speed only with weights around zero"
    elif bits == 1:
        reason = "one bit has two levels, and they lie around zero"
    elif sparsity > 0 and structure == "unstructured":
        reason = "pruned weights are zero, which must be code zero to be left out of the file"
    elif wish.storage == "codebook":
        reason = "a code book has levels of its own, which need no zero point"
    if reason:
        refused.append(Refusal("symmetric", "false", "true", reason))
    return bool(reason)
