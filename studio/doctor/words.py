"""The doctor's English, by the keys of its findings; the window translates it by the same keys."""

from __future__ import annotations

from studio.doctor.findings import Evidence, Finding

CAUSES = {
    "preprocessing": "The samples are not prepared as for training: the original itself is wrong too often",
    "shift": "The calibration samples are unlike those that are evaluated",
    "samples": "Too few calibration samples: ranges are cut off or left to chance",
    "spread": "Channels of unlike size share one scale",
    "outlier": "A few values stretch the range of an activation",
    "peak": "Single weights stretch the scale of their channel",
    "join": "A Concat or an Add lays unlike ranges on one scale",
    "bits": "Too few bits for a sensitive layer",
    "pruned": "Too much was pruned",
    "ends": "The first or last layer is sensitive",
    "layer": "A sensitive layer",
}
FIXES = {
    "preprocessing": "Prepare the samples with {given}",
    "check": "Check scale, mean and std, layout and the order of channels",
    "shared": "Calibrate on samples of the evaluation set",
    "samples": "Calibrate on {given} samples",
    "granularity": "One scale per channel",
    "repair": "Repairs: {given}",
    "calibration": "Calibrate by {given}",
    "float": "Float activations for {given}",
    "bits": "{given} bits for this layer",
    "sparsity": "Prune {given} % here",
}
FIGURES = {
    "accuracy": "accuracy of the original",
    "chance": "by chance",
    "confidence": "its mean confidence",
    "alternative": "accuracy then",
    "shift": "calibration reaches so many times the evaluation",
    "samples": "calibration samples",
    "channels": "widest channel against the middle one",
    "stretch": "range against its middle 99.9 %",
    "peak": "largest weight against nearly all of its channel",
    "ratio": "widest input against the narrowest",
    "fall": "loss in this layer",
    "sqnr": "signal to noise behind it",
    "bits": "bits",
    "sparsity": "pruned",
    "output": "signal to noise of the outputs",
    "worst": "worst layer",
    "clipped": "evaluated values beyond their range",
}


def cause(finding: Finding) -> str:
    """The cause as a sentence without its end."""
    return CAUSES[finding.cause]


def fix(finding: Finding) -> str:
    """What to do, as a phrase."""
    return FIXES[finding.fix.key].format(given=finding.fix.given)


def evidence(each: Evidence) -> str:
    """One figure with its name."""
    return f"{FIGURES[each.name]}: {number(each)}"


def number(each: Evidence) -> str:
    """The figure with its unit."""
    text = f"{each.value:.0f}" if each.unit in ("", "bit") else f"{each.value:.3g}"
    return f"{text} {each.unit}".rstrip()
