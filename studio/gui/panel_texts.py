"""The texts of the panels below the layers: one part of `texts.Texts`."""

from __future__ import annotations

from studio.gui.board_texts import BoardTexts


class PanelTexts(BoardTexts, frozen=True, forbid_unknown_fields=True):
    """English. Braces are filled in by name."""

    jobs: str = "Jobs"
    jobs_name: str = "Job"
    jobs_progress: str = "Progress"
    jobs_time: str = "Time"
    jobs_result: str = "Result"
    jobs_none: str = "Nothing has run yet. Whatever takes time is listed here, with its result."
    jobs_left: str = "{time} left"
    jobs_done: str = "Done"
    jobs_failed: str = "Failed"
    jobs_cancelled: str = "Cancelled"
    jobs_cancel: str = "Cancel job"
    jobs_clear: str = "Clear the list"
    jobs_running: str = "{n} running"
    vitals: str = "{threads} threads · window {window}, engine {engine}"
    vitals_alone: str = "{threads} threads · {window}"
    vitals_tip: str = "Threads of one op, and memory in use by the window and by its worker process"
