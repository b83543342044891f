"""A built file: what was measured is, byte for byte, what is exported and pushed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """A wish that could not be granted: shown beside the slider, never dropped in silence."""

    setting: str
    asked: str
    given: str
    reason: str

    def __str__(self) -> str:
        return f"{self.setting} {self.asked} → {self.given}: {self.reason}"


@dataclass(frozen=True, slots=True)
class LayerOutcome:
    """What one layer really became. `bytes` is what its weight takes in the file, scales included."""

    layer: str
    bits: int
    activations: int
    sparsity: float
    structure: str
    storage: str
    bytes: int
    refused: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class Artifact:
    """A built model file. `bytes` is the length of the file at `path`, `sha256` its digest.

    `recipe` is the canonical JSON of the recipe, `parent` the key of the model it was made from,
    `calibration` the key of the calibration data ("" where none was used).
    """

    path: str
    sha256: str
    bytes: int
    recipe: str
    target: str
    parent: str
    calibration: str
    layers: tuple[LayerOutcome, ...]
    seconds: float
    notes: tuple[str, ...] = ()
