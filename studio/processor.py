"""This computer's processor, in the words that boards use of theirs."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
_FEATURES = ("flags", "Features")
_FAMILIES = {"x86_64": "x86-64", "amd64": "x86-64", "aarch64": "ARM", "arm64": "ARM"}
_INT8 = (
    ("amx_int8", "AMX"),
    ("avx512_vnni", "AVX-512 VNNI"),
    ("avx_vnni", "AVX-VNNI"),
    ("avx2", "AVX2"),
    ("i8mm", "i8mm"),
    ("asimddp", "dotprod"),
)
_MODEL = ("model name", "Model", "Hardware")
# Session settings of onnxruntime: no integer kernels behind Q/DQ pairs, and sums of products in 32 bits.
SPELLED_OUT = ("session.disable_quant_qdq", "session.x64quantprecision")
_FAST_INT8 = frozenset({"avx512_vnni", "avx_vnni", "amx_int8"})


@dataclass(frozen=True, slots=True)
class Processor:
    """`machine` as `uname -m` says it, `features` as /proc/cpuinfo; what is not told is empty."""

    machine: str
    features: frozenset[str]
    model: str = ""

    @property
    def saturates(self) -> bool:
        """Whether sums of 8-bit products may overflow: x86-64 without VNNI adds them in pairs of 16 bits."""
        return self.machine.lower() in ("x86_64", "amd64") and not _FAST_INT8 & self.features

    def __str__(self) -> str:
        """Family and the best instructions for int8, as people name them."""
        family = _FAMILIES.get(self.machine.lower(), self.machine)
        best = next((title for name, title in _INT8 if name in self.features), "")
        return ", ".join(filter(None, (family, best)))


@cache
def here() -> Processor:
    """The processor that this process runs on, read once."""
    told = _CPUINFO.read_text(errors="replace") if _CPUINFO.is_file() else ""
    return parse(platform.machine(), told)


def parse(machine: str, cpuinfo: str) -> Processor:
    """The first processor of a /proc/cpuinfo; other systems have none, and tell no features."""
    first = cpuinfo.split("\n\n", 1)[0]
    pairs = (line.partition(":") for line in first.splitlines())
    fields = {key.strip(): value.strip() for key, _, value in pairs}
    features = next((fields[key] for key in _FEATURES if key in fields), "")
    model = next((fields[key] for key in _MODEL if key in fields), platform.processor())
    return Processor(machine, frozenset(features.split()), model)
