"""The first, guarded look at an ONNX file: parsed, checked and opened in a process that may die."""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable
from importlib import import_module
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.control import Control
from studio.formats.check import check_proto
from studio.formats.check_constants import out_of_memory, run_constants
from studio.formats.guard import Limits, run_guarded
from studio.formats.refuse import fail, shown
from studio.formats.session_faults import faults
from studio.graph.protos import graphs_in

if TYPE_CHECKING:
    import onnx

MAX_FILE = (1 << 31) - 1
_MEMORY = 700 << 20
_SECONDS = 1.2  # of a processor; a sound file of some nodes takes 0.05
_BYTES_PER_SECOND = 25 << 20
_NODES_PER_SECOND = 2000  # seen: 12,000, on a slow core with others beside it 4,000
_PATIENT = "TRIMTAB_OPEN_SECONDS"
_LONGER = f"If you trust it, set the environment variable {_PATIENT}=600 and open it again."
_KEEP_BYTES = 1024
_LARGEST = 1 << 32  # elements of a tensor at run time
_HARMLESS = 1 << 20  # so small a file cannot grow beyond bounds by being parsed: most faults show at once


def verify_in_child(path: Path, control: Control) -> None:
    """Parse, check and open the file in a guarded process; raises `ModelError`.

    Memory and time grow with the file's own size only, never with what it promises. Time is that of
    a processor, so that a busy computer refuses nothing sound; `TRIMTAB_OPEN_SECONDS` adds to it.
    """
    size = _file_size(path)
    if size <= _HARMLESS:
        check_proto(parse(path), path)
    seconds = _SECONDS + size / _BYTES_PER_SECOND + _trusted_seconds(path)
    limits = Limits(_MEMORY + 4 * size, seconds, busy=True, longer=_LONGER)
    run_guarded(f"{__name__}:verify", {"path": str(path)}, str(path), limits, control)


def _trusted_seconds(path: Path) -> float:
    """What a user who trusts the files gives them beyond what their size explains."""
    text = os.environ.get(_PATIENT, "0")
    if not text.isdecimal():
        fail(
            path,
            f"{_PATIENT} is {shown(text)}, no whole number of seconds",
            f"Set {_PATIENT}=600, or not at all.",
        )
    return float(text)


def prepare() -> None:
    """Load the libraries of `verify`: no fault of the file, and long on a cold disk."""
    for name in ("onnx.shape_inference", "onnx.numpy_helper", "onnxruntime"):
        import_module(name)


def verify(argument: dict[str, Any], more_seconds: Callable[[float], None]) -> int:
    """The work inside the guarded process; the number of data files."""
    path = Path(argument["path"])
    proto = parse(path)
    more_seconds(min(len(proto.graph.node) / _NODES_PER_SECOND, 60))
    files = check_proto(proto, path)
    weight = sum(file.stat().st_size for file in files)
    _allow_memory(4 * weight)
    more_seconds(weight / _BYTES_PER_SECOND)
    run_constants(proto)
    _infer(proto, path)
    del proto
    _open_session(path)
    return len(files)


def parse(path: Path) -> onnx.ModelProto:
    """The protobuf in the file, parsed from a mapping; raises `ModelError` where it is none."""
    import onnx
    from google.protobuf.message import DecodeError

    _file_size(path)
    proto = onnx.ModelProto()
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view,
        memoryview(view) as content,
    ):
        try:
            proto.ParseFromString(content)
        except DecodeError:
            fail(path, "it is not an ONNX file, or it is cut short or nested too deep")
    _free_unset(proto)
    return proto


def _free_unset(proto: onnx.ModelProto) -> None:
    """Paddle's exporter writes -1 where a size is free; onnxruntime reads it so, ONNX says nothing at all."""
    for graph in graphs_in(proto):
        for value in (*graph.input, *graph.output, *graph.value_info):
            for dim in value.type.tensor_type.shape.dim:
                if dim.dim_value == -1:
                    dim.ClearField("dim_value")


def _file_size(path: Path) -> int:
    size = path.stat().st_size
    if size > MAX_FILE:
        fail(path, f"it has {size / 2**30:.1f} GiB; one ONNX file holds 2 GiB at most", _SPLIT)
    return size


_SPLIT = "Save it with onnx.save(model, path, save_as_external_data=True)."


def _allow_memory(more: int) -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if soft != resource.RLIM_INFINITY and more:
        wanted = soft + more if hard == resource.RLIM_INFINITY else min(soft + more, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))


def _infer(proto: onnx.ModelProto, path: Path) -> None:
    """Shape inference on what is left without big weights: native code that a file can crash."""
    import contextlib

    import onnx

    for tensor in proto.graph.initializer:
        if len(tensor.raw_data) > _KEEP_BYTES:
            tensor.ClearField("raw_data")
    with contextlib.suppress(onnx.shape_inference.InferenceError, RuntimeError, ValueError):
        proto = onnx.shape_inference.infer_shapes(proto, check_type=False, strict_mode=False, data_prop=True)
    for value in proto.graph.value_info:
        count = prod(max(dim.dim_value, 1) for dim in value.type.tensor_type.shape.dim)
        if count > _LARGEST:
            fail(path, f"its tensor {shown(value.name)} would have {count:,} elements")


def _open_session(path: Path) -> None:
    """Open the file as a measurement would, constant folding included."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.add_session_config_entry("session.disable_prepacking", "1")
    try:
        onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except faults() as error:
        _refuse(path, " ".join(str(error).split()))


def _refuse(path: Path, reason: str) -> None:
    text = reason.split(" : ", 2)[-1]
    if out_of_memory(reason):
        raise MemoryError
    fail(path, f"onnxruntime cannot open it ({text[:300]})", "Export it again, or with another opset.")
