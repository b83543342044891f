"""The last steps of a conversion: a batch axis that may grow, and proof beside the original."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.errors import ModelError

if TYPE_CHECKING:
    import onnx
    import torch

_TOLERANCE = 2e-3
_SCALES = (1.0, -3.0, 0.1)


def finish(module: Callable[..., Any], samples: Sequence[torch.Tensor], out: Path, path: Path) -> list[str]:
    """Prove the ONNX file at `out` against `module` and free its batch axis; remarks for the user.

    Raises `ModelError` where outputs differ, as when an exporter kept one branch of a condition.
    """
    import onnx

    for scale in _SCALES:
        _prove(module, [_varied(sample, scale) for sample in samples], out, path)
    model = onnx.load(str(out))
    remarks = [] if _freed(model, module, samples, out) else ["its batch size is fixed, as it was exported"]
    onnx.save(model, str(out))
    return remarks


def _varied(sample: torch.Tensor, scale: float) -> torch.Tensor:
    import torch

    return torch.randn_like(sample) * scale if sample.is_floating_point() else sample


def _prove(
    module: Callable[..., Any], samples: Sequence[torch.Tensor], model: Path | bytes, path: Path
) -> None:
    if not _agrees(module, samples, model):
        cause = "converted to ONNX it gives other outputs than in PyTorch (a branch that depends on data?)"
        fix = "Export it with torch.export and torch.cond in place of the branch."
        raise ModelError(str(path), cause, fix)


def _agrees(module: Callable[..., Any], samples: Sequence[torch.Tensor], model: Path | bytes) -> bool:
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    source = model if isinstance(model, bytes) else str(model)
    session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    feed = {value.name: sample.numpy() for value, sample in zip(session.get_inputs(), samples, strict=True)}
    expected = [value.detach().numpy() for value in _flat(module(*samples))]
    found = session.run(None, feed)
    return len(found) == len(expected) and all(
        left.shape == right.shape and np.allclose(left, right, rtol=_TOLERANCE, atol=_atol(right))
        for left, right in zip(found, expected, strict=True)
    )


def _atol(array: Any) -> float:
    """Tolerance on the scale of the output, for sums that cancel."""
    return _TOLERANCE * max(float(abs(array).max()) if array.size else 0.0, 1e-3)


def _flat(value: Any) -> list[torch.Tensor]:
    import torch

    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [tensor for each in value for tensor in _flat(each)] if isinstance(value, list | tuple) else []


def _freed(
    model: onnx.ModelProto, module: Callable[..., Any], samples: Sequence[torch.Tensor], out: Path
) -> bool:
    """Name the leading axis `batch` where that is proven on a larger batch; else leave it as it is."""
    import onnx

    free = onnx.ModelProto()
    free.CopyFrom(model)
    sizes = {int(sample.shape[0]) for sample in samples if sample.dim()}
    if len(sizes) != 1:
        return _dynamic(model)
    size = sizes.pop()
    _name_batch(free, size)
    if not _independent(free.SerializeToString(), samples, size):
        return _dynamic(model)
    model.CopyFrom(free)
    return True


def _dynamic(model: onnx.ModelProto) -> bool:
    shapes = [value.type.tensor_type.shape for value in model.graph.input]
    return all(shape.dim and shape.dim[0].HasField("dim_param") for shape in shapes)


def _name_batch(model: onnx.ModelProto, size: int) -> None:
    for value in (*model.graph.input, *model.graph.output):
        dims = value.type.tensor_type.shape.dim
        if dims and (dims[0].dim_value in (0, size)):
            dims[0].dim_param = "batch"
    del model.graph.value_info[:]


def _independent(model: bytes, samples: Sequence[torch.Tensor], size: int) -> bool:
    """Whether the file takes larger batches and gives each sample what it gives it alone."""
    import numpy as np
    import onnxruntime

    from studio.formats.session_faults import faults

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        names = [value.name for value in session.get_inputs()]
        first = [_varied(sample, 1.0).numpy() for sample in samples]
        second = [_varied(sample, 1.0).numpy() for sample in samples]
        apart = [session.run(None, dict(zip(names, each, strict=True))) for each in (first, second)]
        both = [np.concatenate(pair) for pair in zip(first, second, strict=True)]
        together = session.run(None, dict(zip(names, both, strict=True)))
    except faults():
        return False
    return all(
        left.ndim > 0
        and joined.shape == (2 * size, *left.shape[1:])
        and np.allclose(joined, np.concatenate([left, right]), rtol=_TOLERANCE, atol=_atol(joined))
        for left, right, joined in zip(*apart, together, strict=True)
    )
