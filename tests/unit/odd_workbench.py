"""Stands in for the engine where a real one cannot be made to misbehave on demand."""

from __future__ import annotations

import time
from typing import Any

from studio.control import Control
from studio.data.reference import DataRef
from studio.errors import ModelError
from studio.workbench.api import Candidate, Job, ModelRef


class Odd:
    def open(self, path: str, control: Control) -> str:
        if path == "slow":
            while True:
                time.sleep(0.01)
                control.step(0.5, "still at it")
        if path == "deaf":
            time.sleep(600)
        if path == "bug":
            raise ZeroDivisionError("this is a bug")
        if path == "bad":
            raise ModelError(path, "it is bad", "Get a better one.")
        if path == "huge":
            return str(len(bytearray(1 << 40)))
        if path == "print":
            print("a library that prints")
        return f"opened {path}"

    def compare(
        self, model: ModelRef, candidate: Candidate, data: DataRef, emit: Any, control: Control
    ) -> str:
        for index in range(5):
            emit(index)
            control.step(index / 5, f"{index}")
        return "compared"

    def sensitivity(self, job: Job, rounds: int, cluster: str, emit: Any, control: Control) -> str:
        for index in range(10_000):
            emit(index)
            control.step(index / 10_000, "")
            time.sleep(0.002)
        return "sensed"

    def close(self) -> None:
        pass
