"""The verbs that look into one layer of the built file."""

from __future__ import annotations

from studio.control import Control
from studio.metrics import ActivationView, CodedRange, WeightView
from studio.project.changes import Changed
from studio.session.measuring import Measuring


class Inspecting(Measuring):
    """Verbs block; they raise what `Session` says."""

    def weights(self, layer: str, control: Control) -> Changed[WeightView]:
        """The weights of one layer in the file of the current revision, beside the uncompressed ones."""
        return self._tell(self.workbench.weights(self.job(), layer, control), set())

    def activations(self, layer: str, control: Control) -> Changed[ActivationView]:
        """What one layer gives out in that file, beside the original; raises `DataError` without data."""
        self._data()
        return self._tell(self.workbench.activations(self.job(), layer, control), set())

    def ranges(self, control: Control) -> Changed[tuple[CodedRange, ...]]:
        """What the tensors of the file of the current revision can hold, where they are codes."""
        artifact = self.workbench.build(self.job(), control.part(0.0, 0.8))
        return self._tell(self.workbench.ranges(artifact.path, control.part(0.8, 1.0)), set())
