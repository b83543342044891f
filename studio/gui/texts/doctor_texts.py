"""The texts of the doctor: one part of `texts.Texts`. What findings say in English stands in the engine."""

from __future__ import annotations

from studio.doctor import words
from studio.gui.texts.board_texts import BoardTexts


class DoctorTexts(BoardTexts, frozen=True, forbid_unknown_fields=True):
    """English. Braces are filled in by name."""

    doctor: str = "Doctor"
    doctor_run: str = "Examine"
    doctor_apply: str = "Apply"
    doctor_apply_tip: str = "Apply this fix as one step of undo, and measure it"
    doctor_table: str = "Findings of the doctor"
    doctor_cause: str = "Cause"
    doctor_where: str = "Layer"
    doctor_evidence: str = "Evidence"
    doctor_fix: str = "Fix"
    doctor_gain: str = "Gain, pp"
    doctor_more: str = "{layer} + {n} more"
    doctor_how: str = (
        "What was the accuracy lost to? Each fix is built and measured on your samples before it is named."
    )
    doctor_no_data: str = "The doctor needs samples: attach a data set."
    doctor_running: str = "Examining…"
    doctor_healthy: str = "Nothing is wrong: {difference} pp against the original (n = {n})."
    doctor_nothing: str = (
        "{difference} pp are lost (n = {n}); none of {tried} fixes that were measured wins them back."
    )
    doctor_found: str = "proven causes: {n} · measured fixes: {tried}"
    doctor_stale: str = "of an earlier state"
    doctor_unproven: str = "not measured"
    doctor_tip: str = "{cause}\n{evidence}\n{fix}\nGain {gain} pp (n = {n}), file {bytes}"
    job_doctor: str = "Looking for causes"
    job_fix: str = "Applying a fix"
    doctor_cause_preprocessing: str = words.CAUSES["preprocessing"]
    doctor_cause_shift: str = words.CAUSES["shift"]
    doctor_cause_samples: str = words.CAUSES["samples"]
    doctor_cause_spread: str = words.CAUSES["spread"]
    doctor_cause_outlier: str = words.CAUSES["outlier"]
    doctor_cause_peak: str = words.CAUSES["peak"]
    doctor_cause_join: str = words.CAUSES["join"]
    doctor_cause_bits: str = words.CAUSES["bits"]
    doctor_cause_pruned: str = words.CAUSES["pruned"]
    doctor_cause_ends: str = words.CAUSES["ends"]
    doctor_cause_layer: str = words.CAUSES["layer"]
    doctor_fix_preprocessing: str = words.FIXES["preprocessing"]
    doctor_fix_check: str = words.FIXES["check"]
    doctor_fix_shared: str = words.FIXES["shared"]
    doctor_fix_samples: str = words.FIXES["samples"]
    doctor_fix_granularity: str = words.FIXES["granularity"]
    doctor_fix_repair: str = words.FIXES["repair"]
    doctor_fix_calibration: str = words.FIXES["calibration"]
    doctor_fix_float: str = words.FIXES["float"]
    doctor_fix_bits: str = words.FIXES["bits"]
    doctor_fix_sparsity: str = words.FIXES["sparsity"]
    doctor_figure_accuracy: str = words.FIGURES["accuracy"]
    doctor_figure_chance: str = words.FIGURES["chance"]
    doctor_figure_confidence: str = words.FIGURES["confidence"]
    doctor_figure_alternative: str = words.FIGURES["alternative"]
    doctor_figure_shift: str = words.FIGURES["shift"]
    doctor_figure_samples: str = words.FIGURES["samples"]
    doctor_figure_channels: str = words.FIGURES["channels"]
    doctor_figure_stretch: str = words.FIGURES["stretch"]
    doctor_figure_peak: str = words.FIGURES["peak"]
    doctor_figure_ratio: str = words.FIGURES["ratio"]
    doctor_figure_fall: str = words.FIGURES["fall"]
    doctor_figure_sqnr: str = words.FIGURES["sqnr"]
    doctor_figure_bits: str = words.FIGURES["bits"]
    doctor_figure_sparsity: str = words.FIGURES["sparsity"]
    doctor_figure_output: str = words.FIGURES["output"]
    doctor_figure_worst: str = words.FIGURES["worst"]
    doctor_figure_clipped: str = words.FIGURES["clipped"]
