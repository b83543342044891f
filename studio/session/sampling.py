"""The verb that looks at a data set as it was understood: samples, and what the original says of them."""

from __future__ import annotations

from dataclasses import dataclass

from studio.control import Control
from studio.data.reference import DataFacts
from studio.data.samples import spread
from studio.data.thumbnails import Thumbnail
from studio.metrics import SampleLook
from studio.project.changes import Changed
from studio.session.measuring import Measuring

SHOWN = 12


@dataclass(frozen=True, slots=True)
class Samples:
    """A first look at the data `of`, with pictures of the samples that are some."""

    of: DataFacts
    look: SampleLook
    pictures: tuple[Thumbnail, ...]


class Sampling(Measuring):
    """Verbs block; they raise what `Session` says."""

    def samples(self, control: Control, count: int = SHOWN) -> Changed[Samples]:
        """`count` samples spread over the data at hand, with the original's answers."""
        ref, data, model = self._data(), self.journal.document.data, self.job().model
        assert data is not None  # `_data` has seen to it
        chosen = tuple(spread(data.n, count))
        look = self.workbench.look(model, ref, chosen, control.part(0.0, 0.7))
        pictures = self.workbench.thumbnails(model, ref, chosen, control.part(0.7, 1.0))
        return self._tell(Samples(data, look, pictures), set())
