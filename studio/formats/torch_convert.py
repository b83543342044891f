"""PyTorch to ONNX, inside the sealed child process only: loading these files runs their code."""

from __future__ import annotations

import logging
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from studio.errors import ModelError

OPSET = 20
REMARKS = "trimtab.conversion"
_EXPORT = "Export it in your own code with torch.onnx.export(model, args, 'model.onnx', dynamo=True)."


def convert(argument: dict[str, Any], more_seconds: Callable[[float], None]) -> None:
    """Convert `path` (`kind` pt2 or torchscript) to an ONNX file at `out`, with remarks in its metadata.

    The ONNX file is run beside the original on random samples before it counts.
    """
    import torch

    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    path, out = Path(argument["path"]), Path(argument["out"])
    work = _from_export if argument["kind"] == "pt2" else _from_script
    try:
        with torch.no_grad():
            remarks = work(path, out)
        _note(out, remarks)
    except PermissionError as error:
        cause = f"loading it tried what no model needs ({error})"
        raise ModelError(str(path), cause, "Do not trust this file; check where it comes from.") from error
    except _faults() as error:
        cause = f"torch cannot convert it ({' '.join(str(error).split())[:300]})"
        raise ModelError(str(path), cause, _EXPORT) from error


def _note(out: Path, remarks: list[str]) -> None:
    """Leave the remarks in the file, where they outlive this process."""
    import onnx

    if remarks:
        model = onnx.load(str(out))
        model.metadata_props.add(key=REMARKS, value="\n".join(remarks))
        onnx.save(model, str(out))


def _faults() -> tuple[type[Exception], ...]:
    return (
        ArithmeticError,
        AssertionError,
        AttributeError,
        EOFError,
        ImportError,
        LookupError,
        NameError,
        OSError,
        pickle.UnpicklingError,
        RuntimeError,
        SyntaxError,
        TypeError,
        ValueError,
    )


def _from_export(path: Path, out: Path) -> list[str]:
    import torch

    from studio.formats.torch_finish import finish

    program = torch.export.load(str(path))
    if program.example_inputs is None:
        raise ModelError(str(path), "it holds no example inputs", _EXPORT)
    arguments, keywords = program.example_inputs
    exported = torch.onnx.export(program, (), dynamo=True, verbose=False, opset_version=OPSET)
    exported.save(str(out))
    samples = [value for value in (*arguments, *keywords.values()) if isinstance(value, torch.Tensor)]
    return finish(program.module(), samples, out, path)


def _from_script(path: Path, out: Path) -> list[str]:
    import torch

    from studio.formats.torch_finish import finish
    from studio.formats.torch_shapes import example_inputs

    module = torch.jit.load(str(path), map_location="cpu").eval()
    samples, guessed = example_inputs(module, path)
    names = [f"input{index}" if len(samples) > 1 else "input" for index in range(len(samples))]
    torch.onnx.export(
        module,
        tuple(samples),
        str(out),
        dynamo=False,
        opset_version=OPSET,
        input_names=names,
        dynamic_axes={name: {0: "batch"} for name in names},
    )
    remarks = finish(module, samples, out, path)
    if guessed:
        shapes = ", ".join("×".join(map(str, sample.shape)) for sample in samples)
        remarks.append(f"TorchScript states no input shape; {shapes} was found to work")
    return remarks
