"""The texts of the data panel: one part of `texts.Texts`."""

from __future__ import annotations

from studio.gui.texts.doctor_texts import DoctorTexts


class DataTexts(DoctorTexts, frozen=True, forbid_unknown_fields=True):
    """English. Braces are filled in by name."""

    samples: str = "Samples"
    samples_none: str = "Attach a data set: then this is how it was understood, sample by sample."
    samples_reading: str = "Looking at samples…"
    job_samples: str = "First look at the data"
    samples_source: str = "Source"
    samples_count: str = "Samples"
    samples_counted: str = "{n}, calibration on {calibration}"
    samples_apart: str = "{n}, and {calibration} others for calibration"
    samples_task: str = "Task"
    samples_classes: str = "classification, {n} classes"
    samples_unlabelled: str = "no labels: answers are held against the original's"
    samples_segments: str = "segmentation: a class for each place"
    samples_language: str = "language: the next token at each place"
    samples_targets: str = "regression: numbers to come near to"
    samples_layout: str = "Layout"
    samples_values: str = "Values fed"
    samples_range: str = "{low} … {high}"
    samples_how: str = "Preprocessing"
    samples_as_is: str = "none: the arrays are fed as they are"
    samples_by_file: str = "as {file} in the folder says"
    samples_original: str = "Original"
    samples_right: str = "Of these {n}, the original gets {right} right"
    samples_answer: str = "{given} {sign}"
    samples_should: str = "{given}, not {label} {sign}"
    samples_tip: str = "Sample {sample}: the original says {given}, {share} sure; label {label}"
    samples_doubt: str = (
        "The original itself is hardly better than chance: {accuracy} (n = {n}), by chance {chance}. "
        "{fix}; then see that labels are numbered as in training. “Doctor” tries the usual ways."
    )
