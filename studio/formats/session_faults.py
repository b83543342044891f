"""What onnxruntime raises; its exceptions have no common base of their own."""

from __future__ import annotations


def faults() -> tuple[type[Exception], ...]:
    """Every exception that opening or running a session can raise."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    own = (
        state.EPFail,
        state.EngineError,
        state.Fail,
        state.InvalidArgument,
        state.InvalidGraph,
        state.InvalidProtobuf,
        state.ModelLoadCanceled,
        state.ModelRequiresCompilation,
        state.NoModel,
        state.NoSuchFile,
        state.NotFound,
        state.NotImplemented,
        state.RuntimeException,
    )
    return (*own, RuntimeError, ValueError, IndexError, TypeError)
