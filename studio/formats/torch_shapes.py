"""Example inputs for TorchScript modules, which do not say what shapes they take."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.errors import ModelError

if TYPE_CHECKING:
    import torch

_SIDES = (224, 32, 28, 64, 96, 128, 160, 192, 256, 299, 320, 416, 512, 640, 16, 8)
_LENGTHS = (16000, 512, 1024, 2048, 4096, 256, 128, 64, 8000)


def example_inputs(module: torch.jit.ScriptModule, path: Path) -> tuple[list[torch.Tensor], bool]:
    """Inputs that the module runs on, batch 1, and whether their shapes were guessed.

    Shapes come from `model.inputs.json` beside the file, a list of `{"shape": […], "dtype": "float32"}`,
    else from trying what the first weight suggests. Raises `ModelError` where nothing works.
    """
    given = path.with_name("model.inputs.json")
    if given.is_file():
        return [_stated(entry) for entry in json.loads(given.read_text())], False
    for sample in _candidates(module):
        if _runs(module, sample):
            return [sample], True
    cause = "TorchScript does not say which input shape the model takes, and no usual one works"
    fix = (
        "Write a file of the same name ending in .inputs.json beside it, for example "
        '[{"shape": [1, 3, 224, 224], "dtype": "float32"}], or save it with torch.export.'
    )
    raise ModelError(str(path), cause, fix)


def _stated(entry: dict[str, Any]) -> torch.Tensor:
    import torch

    shape = [int(dim) for dim in entry["shape"]]
    dtype = getattr(torch, str(entry.get("dtype", "float32")))
    return torch.rand(shape).to(dtype)


def _candidates(module: torch.jit.ScriptModule) -> Iterator[torch.Tensor]:
    import torch

    weights = [value for value in module.state_dict().values() if value.dim() > 1]
    for shape in dict.fromkeys(shape for weight in weights[:1] for shape in _shapes(weight)):
        yield torch.rand(shape)
    for length in (16, 128):
        yield torch.zeros((1, length), dtype=torch.int64)


def _shapes(weight: torch.Tensor) -> Iterator[tuple[int, ...]]:
    width = int(weight.shape[1])
    if weight.dim() == 4:
        yield from ((1, channels, side, side) for channels in (width, 3, 1) for side in _SIDES)
    elif weight.dim() == 3:
        yield from ((1, width, length) for length in _LENGTHS)
    elif weight.dim() == 2:
        yield (1, width)
        yield (1, 16, width)


def _runs(module: torch.jit.ScriptModule, sample: torch.Tensor) -> bool:
    try:
        module(sample)
    except (RuntimeError, ValueError, TypeError, IndexError):
        return False
    return True
