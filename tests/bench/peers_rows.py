"""The rows of the bench: which tool quantizes which net how."""

from __future__ import annotations

import json
from dataclasses import dataclass

TRAINED = ("residual", "depthwise", "spread", "transformer")
ASIDE = ("digits", "traffic", "efficientnet", "magika")
NETS = (*TRAINED, "sample", *ASIDE)
SHORT = ("depthwise", "spread", "transformer")
PRUNED = ("residual", "depthwise", "sample", "digits", "traffic")
CONVOLUTIONS = tuple(net for net in NETS if net not in ("transformer", "magika"))


@dataclass(frozen=True)
class Row:
    """One row: `script` with `variant`, run where `needs` can be imported.

    `bits` says in which bars it counts: 8, 4, or 0 for none; `tool` names whose it is, "ours" or a peer.
    """

    name: str
    script: str
    variant: str
    bits: int = 0
    needs: str = ""
    nets: tuple[str, ...] = NETS

    @property
    def tool(self) -> str:
        return self.name.split(",")[0]


def rows(target: str) -> tuple[Row, ...]:
    """Every row, ours made for `target`."""
    return (Row("float", "", ""), *_eight(target), *_narrow(target), *_pruned(target))


def _recipe(target: str, bits: int, **more: object) -> str:
    return json.dumps({"target": target, "default": {"bits": bits}, **more})


def _eight(target: str) -> tuple[Row, ...]:
    ours, ort, nncf = "peers_trimtab.py", "peers_onnxruntime.py", "peers_nncf.py"
    dynamic = json.dumps({"target": target, "default": {"bits": 8, "dynamic": True}})
    attention = ("transformer",)
    return (
        Row("ours, int8", ours, _recipe(target, 8), 8),
        Row("ours, int8, no repair", ours, _recipe(target, 8, repair=[]), nets=SHORT),
        Row("ours, int8, equalize only", ours, _recipe(target, 8, repair=["equalize"]), nets=SHORT),
        Row("ours, int8, bias only", ours, _recipe(target, 8, repair=["bias"]), nets=SHORT),
        Row("ours, dynamic", ours, dynamic, nets=attention),
        Row("onnxruntime, per channel", ort, "channel", 8),
        Row("onnxruntime, per channel, 7 bits", ort, "channel+reduced", 8),
        Row("onnxruntime, per tensor", ort, "tensor", 8),
        Row("onnxruntime, per tensor, 7 bits", ort, "tensor+reduced", 8),
        Row("onnxruntime, dynamic", ort, "dynamic", 8, nets=attention),
        Row("NNCF, fast bias", nncf, "fast", 8, "nncf", CONVOLUTIONS),
        Row("NNCF, fast bias, 7 bits", nncf, "fast+reduced", 8, "nncf", CONVOLUTIONS),
        Row("NNCF, full bias", nncf, "full", 8, "nncf", CONVOLUTIONS),
        Row("NNCF, full bias, 7 bits", nncf, "full+reduced", 8, "nncf", CONVOLUTIONS),
        Row("NNCF, fast bias", nncf, "fast+transformer", 8, "nncf", attention),
        Row("NNCF, fast bias, 7 bits", nncf, "fast+transformer+reduced", 8, "nncf", attention),
        Row("AIMET, equalized", "peers_aimet.py", "8", 8, "aimet_onnx"),
        Row("Quark, equalized", "peers_quark.py", "8", 8, "quark"),
        Row("Quark, equalized, 7 bits", "peers_quark.py", "8+reduced", 8, "quark"),
    )


def _narrow(target: str) -> tuple[Row, ...]:
    ours = "peers_trimtab.py"
    book = json.dumps({"target": target, "default": {"bits": 4, "storage": "codebook"}})
    mixed = {
        "target": target,
        "default": {"bits": 2, "activations": 8},
        "rules": [
            {"pattern": "weights<32768", "settings": {"bits": 4}},
            {"pattern": "weights<4096", "settings": {"bits": 8}},
        ],
    }
    return (
        Row("ours, w4", ours, _recipe(target, 4), 4),
        Row("ours, w4, no repair", ours, _recipe(target, 4, repair=[]), nets=SHORT),
        Row("ours, w4, code book", ours, book),
        Row("onnxruntime, w4", "peers_onnxruntime.py", "int4", 4),
        Row("AIMET, w4, equalized", "peers_aimet.py", "4", 4, "aimet_onnx"),
        Row("ours, w3", ours, _recipe(target, 3)),
        Row("ours, w2", ours, _recipe(target, 2)),
        Row("ours, w2-8 mixed", ours, json.dumps(mixed)),
    )


def _pruned(target: str) -> tuple[Row, ...]:
    def variant(bits: int) -> str:
        settings = {"bits": bits, "sparsity": 0.3, "structure": "channels"}
        return json.dumps({"target": target, "default": settings})

    return (
        Row("ours, prune 30 %", "peers_trimtab.py", variant(32), nets=PRUNED),
        Row("ours, prune 30 % + int8", "peers_trimtab.py", variant(8), nets=PRUNED),
    )
