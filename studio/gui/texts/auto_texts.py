"""The texts of Auto's fields: one part of `texts.Texts`."""

from __future__ import annotations

from studio.gui.texts.data_texts import DataTexts


class AutoTexts(DataTexts, frozen=True, forbid_unknown_fields=True):
    """English. Braces are filled in by name."""

    auto_place: str = "Timed on"
    auto_place_tip: str = "Where “Time at most” counts: this computer, or a board that was probed"
    auto_here: str = "here"
    auto_minutes: str = "Minutes"
    auto_minutes_tip: str = "Breed further recipes until so long is over"
    auto_trials: str = "Trials"
    auto_trials_tip: str = "Breed so many further recipes; each is built and measured"
    auto_unset: str = "solver only"
    auto_holdout: str = "Judge on held-out samples"
    auto_holdout_tip: str = "Choose on one half of the samples, measure what was chosen on the other"
