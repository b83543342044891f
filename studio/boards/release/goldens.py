"""Golden samples: kept here as `.npz`, sent as one plain file that a C program and Python both read.

The plain file is text lines, then raw little-endian values: `trimtab-goldens 1`, `samples N`, `tolerance S`,
one line `input|output TYPE RANK DIM … NAME` per tensor (ONNX element type, shape of one sample as it is fed),
`end`; then each tensor's samples, each tensor at a multiple of 64 bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from studio.errors import BoardError
from studio.files import write_atomic
from studio.processor import SPELLED_OUT, here

if TYPE_CHECKING:
    import numpy as np

LEAST = 16
ALIGNED = 64
# Element types as ONNX numbers them (onnx.proto, TensorProto.DataType).
_TYPES = {
    "float32": 1,
    "uint8": 2,
    "int8": 3,
    "uint16": 4,
    "int16": 5,
    "int32": 6,
    "int64": 7,
    "bool": 9,
    "float16": 10,
    "float64": 11,
    "uint32": 12,
    "uint64": 13,
}


class _Names(msgspec.Struct):
    inputs: list[str]
    outputs: list[str]


def save_goldens(
    path: Path, inputs: Mapping[str, np.ndarray], outputs: Mapping[str, np.ndarray], *, batch: bool = True
) -> Path:
    """Write golden samples. Arrays are (N, …) with N ≥ 16, the same N everywhere.

    With `batch`, sample i is fed as `x[i:i+1]` (leading batch axis of 1), else as `x[i]`. `outputs` must have
    been computed by running the model file itself, in the same way, one sample at a time.
    """
    import numpy as np

    counts = {len(values) for values in (*inputs.values(), *outputs.values())}
    if len(counts) != 1 or min(counts) < LEAST or not outputs:
        raise _few(path, f"{min(counts, default=0)} samples")
    arrays = {f"in_{at}": _stacked(values, batch) for at, values in enumerate(inputs.values())}
    arrays |= {f"out_{at}": _stacked(values, batch) for at, values in enumerate(outputs.values())}
    names = msgspec.json.encode({"inputs": list(inputs), "outputs": list(outputs)})
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as out:
        np.savez(out, allow_pickle=False, names=np.frombuffer(names, np.uint8), **arrays)
    return path


def record_goldens(path: Path, model: Path, inputs: Mapping[str, np.ndarray]) -> Path:
    """Run the model file on the samples and write both down; the file's own batch size is kept to.

    Inputs are (N, …) with a leading sample axis, N ≥ 16. A model with a fixed batch of B is fed B samples at
    a time, each golden the window of B samples that starts at its own (the last ones wrap round).
    """
    session = _session(model)
    fixed = _fixed_batch(session)
    if fixed == 1:
        return save_goldens(path, inputs, _run(session, {k: v[:, None] for k, v in inputs.items()}, 0))
    fed = {name: _windows(values, fixed) for name, values in inputs.items()}
    return save_goldens(path, fed, _run(session, fed, None), batch=False)


def golden_outputs(model: Path, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Run the file itself, one sample at a time on one thread, and give its outputs, each (N, …).

    Where this processor's own integer sums may overflow, each op is run as ONNX defines it: the board's do
    not, and what is held against it must be right.

    Inputs are (N, …) with a leading sample axis; each sample is fed with a batch axis of 1.
    """
    return _run(_session(model), {name: values[:, None] for name, values in inputs.items()}, 0)


def pack_goldens(source: Path, out: Path, tolerance: float) -> int:
    """Write the plain file of a `.npz` of goldens; gives the number of samples. Raises `BoardError`."""
    import numpy as np

    try:
        with np.load(source, allow_pickle=False) as arrays:
            names = msgspec.json.decode(arrays["names"].tobytes(), type=_Names)
            tensors = [("input", name, arrays[f"in_{at}"]) for at, name in enumerate(names.inputs)]
            tensors += [("output", name, arrays[f"out_{at}"]) for at, name in enumerate(names.outputs)]
    except (OSError, ValueError, KeyError, msgspec.DecodeError) as error:
        raise BoardError(
            str(source), f"not a file of goldens ({error})", "Make it with save_goldens."
        ) from error
    count = min((len(values) for _, _, values in tensors), default=0)
    if count < LEAST:
        raise _few(source, f"{count} samples")
    lines = ["trimtab-goldens 1", f"samples {count}", f"tolerance {tolerance:.9g}"]
    lines += [_line(source, *tensor) for tensor in tensors]
    content = bytearray(("\n".join([*lines, "end"]) + "\n").encode())
    for _, _, values in tensors:
        content += b"\0" * (-len(content) % ALIGNED)
        content += np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()
    write_atomic(out, bytes(content))
    return count


def _line(source: Path, side: str, name: str, values: np.ndarray) -> str:
    kind = _TYPES.get(values.dtype.name)
    if kind is None or not name or "\n" in name or len(name.encode()) > 500:
        cause = f"{side} {name!r} of type {values.dtype} cannot be a golden"
        raise BoardError(str(source), cause, "Use numbers, and names of one line.")
    shape = values.shape[1:]
    return " ".join([side, str(kind), str(len(shape)), *(str(size) for size in shape), name])


def _session(model: Path) -> object:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    for name in SPELLED_OUT if here().saturates else ():
        options.add_session_config_entry(name, "1")
    return ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def _run(session: object, fed: Mapping[str, np.ndarray], axis: int | None) -> dict[str, np.ndarray]:
    """Outputs of each golden, joined along `axis`, or stacked where it is None."""
    import numpy as np

    names = [output.name for output in session.get_outputs()]  # type: ignore[attr-defined]  # untyped library
    count = min(len(values) for values in fed.values())
    runs = [
        session.run(names, {name: values[at] for name, values in fed.items()})  # type: ignore[attr-defined]
        for at in range(count)
    ]
    joined = np.stack if axis is None else np.concatenate
    return {name: joined([run[at] for run in runs]) for at, name in enumerate(names)}


def _fixed_batch(session: object) -> int:
    """The batch size that the file insists on; 1 where it takes any."""
    shapes = [given.shape for given in session.get_inputs()]  # type: ignore[attr-defined]  # untyped library
    sizes = {shape[0] for shape in shapes if shape and isinstance(shape[0], int)}
    return max(sizes) if len(sizes) == 1 else 1


def _windows(values: np.ndarray, size: int) -> np.ndarray:
    import numpy as np

    return np.stack([np.take(values, range(at, at + size), axis=0, mode="wrap") for at in range(len(values))])


def _stacked(values: np.ndarray, batch: bool) -> np.ndarray:
    return values[:, None] if batch else values


def _few(path: Path, cause: str) -> BoardError:
    return BoardError(
        str(path),
        f"goldens need at least {LEAST} samples, the same number for all: {cause}",
        "Give more samples.",
    )
