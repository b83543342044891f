"""What a board's facts mean for a network, in plain words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from studio.boards.facts import BoardFacts

_ARM64 = ("aarch64", "arm64")
_X86 = ("x86_64", "amd64")


Tone = Literal["bad", "warn", "good", "note"]
_Said = tuple[Tone, str]


@dataclass(frozen=True, slots=True)
class Remark:
    """`bad`: something cannot be had or believed; `warn`: mind it; `good`; `note`: only good to know."""

    tone: Tone
    text: str


def graded(facts: BoardFacts) -> tuple[Remark, ...]:
    """Every remark that holds, the gravest first."""
    found = (*_trust(facts), *_instructions(facts), *_system(facts), *_storage(facts))
    return tuple(Remark(tone, text) for tone, text in found)


def remarks(facts: BoardFacts) -> tuple[str, ...]:
    """The texts of `graded`."""
    return tuple(each.text for each in graded(facts))


def _trust(facts: BoardFacts) -> Iterator[_Said]:
    if facts.emulated:
        yield "bad", f"emulated ({facts.emulated}): times mean nothing"
    elif facts.times_mean_nothing:
        yield "bad", f"throttled now ({facts.throttled}): times are too slow; check power supply and cooling"
    elif facts.throttled not in ("", "0x0"):
        yield "warn", f"was throttled since it started ({facts.throttled}): check power supply and cooling"
    for zone in facts.zones:
        if zone.trip is not None and zone.celsius >= zone.trip - 5:
            yield "warn", f"hot: {zone.name} at {zone.celsius:.0f} °C, its limit is {zone.trip:.0f} °C"
    if facts.governor in ("powersave", "ondemand", "conservative"):
        yield "note", f"governor {facts.governor}: the clock follows the load, so short runs look slow"
    if 0 < facts.allowed_khz < facts.most_khz:
        yield "warn", f"the clock is capped at {facts.allowed_khz // 1000} of {facts.most_khz // 1000} MHz"
    if facts.cores and facts.load > facts.cores * 0.5:
        yield "warn", f"busy: load {facts.load:.1f} on {facts.cores} cores"


def _instructions(facts: BoardFacts) -> Iterator[_Said]:
    has = set(facts.features)
    if facts.machine in _ARM64:
        if "asimddp" not in has:
            yield "warn", "no dotprod: expect little from int8; measure"
        elif "i8mm" in has:
            yield "good", "i8mm: int8 should be two to three times faster than float"
        else:
            yield "good", "dotprod: int8 should be about two to three times faster than float"
    if facts.machine in _X86 and not has & {"avx512_vnni", "avx_vnni"}:
        yield "warn", "no VNNI: int8 may saturate; use a target with reduced range"
    if facts.machine in _X86 and "avx2" not in has:
        yield "warn", "no AVX2: onnxruntime will be slow"


def _system(facts: BoardFacts) -> Iterator[_Said]:
    if facts.bits == 32 and facts.machine in (*_ARM64, *_X86):
        yield "bad", "32-bit userland under a 64-bit kernel: 64-bit runtimes cannot run here"
    elif facts.bits == 32 or facts.machine.startswith(("armv7", "armv6")):
        yield "bad", "32-bit system: there is no onnxruntime wheel for it"
    if facts.libc.startswith("musl"):
        yield "bad", "musl libc: the usual onnxruntime wheels need glibc"
    elif (version := _version(facts.libc)) and version < (2, 17):
        yield "bad", f"{facts.libc} is older than 2.17: the usual runtimes cannot run here"
    if not facts.python:
        yield "note", "no Python on the board: the C runner is used, and pushed there once"
    elif not facts.onnxruntime:
        yield "note", "no onnxruntime for the board's Python: the C runner is used, and pushed there once"
    if facts.nodes:
        yield "note", f"accelerator nodes found ({', '.join(facts.nodes)}); the CPU is what is used"
    if 0 < facts.clock < 1_700_000_000:
        yield "note", "the board's clock is wrong; nothing here depends on it"


def _storage(facts: BoardFacts) -> Iterator[_Said]:
    if 0 < facts.disk_kib < 256 * 1024:
        yield "warn", f"little storage: {facts.disk_kib // 1024} MiB free"
    if 0 < facts.free_kib < 128 * 1024:
        yield "warn", f"little memory: {facts.free_kib // 1024} MiB free"


def _version(text: str) -> tuple[int, ...]:
    found = re.search(r"\d+(\.\d+)+", text)
    return tuple(int(part) for part in found.group().split(".")) if found else ()
