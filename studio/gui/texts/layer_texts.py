"""The texts of one layer and of rows of layers: one part of `texts.Texts`."""

from __future__ import annotations

import msgspec


class LayerTexts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """English. Braces are filled in by name."""

    weights_before: str = "before"
    weights_after: str = "now"
    weights_histogram: str = "Weights"
    weights_ranges: str = "Range per output channel"
    weights_channels: str = "{n} of {was} channels, ± {most}"
    weights_zero: str = "{share} in this bar"
    given_histogram: str = "Activations"
    given_under: str = "{source} · n = {n}"
    given_no_data: str = "Attach data to see\nwhat this layer gives out."
    given_coming: str = "Looking at samples…"
    given_failed: str = "Not to be seen:\n{why}"
    given_clipped: str = "Clipped"
    given_range: str = "Activations"
    given_range_text: str = "{low} … {high}, {levels} levels"
    job_activations: str = "Looking at {name}"
    curve: str = "Points lost alone"
    curve_bits: str = "bits"
    curve_sparsity: str = "sparsity"
    curve_empty: str = "Not measured yet: each group\nalone, at every stop of its sliders."
    curve_no_data: str = "Attach data to measure\nwhat each group costs alone."
    curve_measure: str = "Measure sensitivity"
    layers_group: str = "Group by scope"
    group_open: str = "{name}, {n} layers, open"
    group_shut: str = "{name}, {n} layers, shut"
    bars: str = "Per layer"
    bars_of: str = "What the bars show"
    bars_built: str = "length in the built file"
    bars_counted: str = "counted from shapes and channels that stay"
    bars_no_macs: str = "The shapes of this model do not tell how much it computes."
    bars_no_sensitivity: str = "“Sensitivity” measures what each group costs alone."
    bars_no_noise: str = "“Noise of every layer” measures how far each output is off."
    bars_no_time: str = "`trimtab board profile BOARD MODEL` times each layer there."
