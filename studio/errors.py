"""Expected failures. Each names the thing, the cause and the next step; anything else raised is a bug."""

from __future__ import annotations


class StudioError(Exception):
    """A failure that the user can act on.

    `thing` is what failed (a file, a layer, a board), `cause` why, `fix` what to try next.
    """

    kind = "error"

    def __init__(self, thing: str, cause: str, fix: str) -> None:
        super().__init__(thing, cause, fix)
        self.thing, self.cause, self.fix = thing, cause, fix

    def __str__(self) -> str:
        return f"{self.thing}: {_sentence(self.cause)} {_sentence(self.fix)}"


class ModelError(StudioError):
    """A model file that cannot be opened, or a graph that cannot be worked on."""

    kind = "model"


class DataError(StudioError):
    """A data set that cannot be read or does not fit the model."""

    kind = "data"


class RecipeError(StudioError):
    """A recipe, preset or setting that cannot be understood."""

    kind = "recipe"


class BuildError(StudioError):
    """A pass that failed while an artifact was being built."""

    kind = "build"


class MeasureError(StudioError):
    """A measurement that could not be made."""

    kind = "measure"


class ExportError(StudioError):
    """An artifact that could not be written or did not survive its checks."""

    kind = "export"


class BoardError(StudioError):
    """A board that cannot be reached, or refused what was asked of it."""

    kind = "board"


class ProjectError(StudioError):
    """A project folder or settings file that cannot be read or written."""

    kind = "project"


class WorkerError(StudioError):
    """The worker process died; the document is untouched."""

    kind = "worker"


def _sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text[-1] in ".?!" else f"{text}."
