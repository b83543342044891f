"""Every text of the window, in one translatable place.

`T` holds the texts of the chosen language; a catalogue in `resources/texts/LANGUAGE.json` may name any
of the fields below, and what it leaves out stays English.
"""

from __future__ import annotations

import os

import msgspec

from studio.paths import resource


class Texts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """English. Braces are filled in by name."""

    app: str = "Trimtab Studio"
    open: str = "Open"
    open_title: str = "Open a model"
    open_filter: str = "Models (*.onnx *.pt2 *.pt *.pth);;All files (*)"
    data: str = "Data"
    data_title: str = "Choose evaluation data"
    data_filter: str = "Arrays (*.npz);;All files (*)"
    data_file: str = "Arrays (.npz)…"
    data_folder: str = "Folder of pictures…"
    data_none: str = "No data"
    data_tip: str = "{path}\n{n} samples, {calibration} for calibration"
    recipe_title: str = "Apply a recipe"
    recipe_filter: str = "Recipes (*.json)"
    recipe_open: str = "Apply a recipe…"
    recipe_save: str = "Save this recipe…"
    presets: str = "Presets"
    preset_reset: str = "Original (no compression)"
    undo: str = "Undo"
    redo: str = "Redo"
    undo_what: str = "Undo “{label}”"
    redo_what: str = "Redo “{label}”"
    sensitivity: str = "Sensitivity"
    sensitivity_tip: str = "Measure each group alone, all else as in the original"
    latency: str = "Latency"
    latency_measure: str = "Measure latency"
    export: str = "Export"
    export_title: str = "Export the measured file"
    export_filter: str = "ONNX (*.onnx)"
    exported: str = "Exported {name}: {size}, sha256 {sha}…"
    report: str = "Report"
    boards: str = "Boards"
    theme: str = "Theme"
    theme_system: str = "Follow the system"
    theme_light: str = "Light"
    theme_dark: str = "Dark"
    cancel: str = "Cancel"
    close: str = "Close"
    copy_details: str = "Copy"
    copied: str = "Copied"
    more: str = "More"
    quit: str = "Quit"

    start_title: str = "Drop a model here"
    start_text: str = "ONNX, PyTorch export (.pt2) or TorchScript. Data and recipes too."
    start_open: str = "Open a model…"
    start_sample: str = "Try the sample"
    start_recent: str = "Recent"
    start_no_recent: str = "Models that you open are listed here."
    start_promise: str = "Nothing leaves this computer."
    drop_here: str = "Drop to open"
    drop_cause: str = "this kind of file is not known here"
    drop_fix: str = "Drop a model (.onnx, .pt2, .pt), data (.npz, picture folder) or a recipe (.json)."

    card_size: str = "Size"
    card_accuracy: str = "Accuracy"
    card_difference: str = "Difference to the original"
    card_latency: str = "Latency"
    card_agreement: str = "Agreement with the original"
    card_none: str = "—"
    card_was: str = "was {value}"
    card_same: str = "as the original"
    card_no_data: str = "Attach data to measure"
    card_measuring: str = "measuring…"
    card_not_measured: str = "not measured yet"
    card_flips: str = "{n} of {of} answers changed"
    card_samples: str = "{source} · n = {n}"
    card_runs: str = "{source} · {threads} thread · {n} runs"
    card_better: str = "better"
    card_worse: str = "worse"
    card_within: str = "within the interval"
    card_so_far: str = "{text} so far"
    card_estimate: str = "estimated, building the real file…"
    card_real: str = "length of the built file"
    card_original: str = "length of the original file"

    layers: str = "Layers"
    layers_count: str = "{shown} of {total}"
    layers_find: str = "Find a layer, op or group…"
    layers_none: str = "No layer carries weights that can be compressed."
    layers_no_match: str = "No layer matches “{text}”."
    column_name: str = "Layer"
    column_op: str = "Op"
    column_params: str = "Params"
    column_bytes: str = "Bytes"
    column_bits: str = "Bits"
    column_sparsity: str = "Sparsity"
    column_effect: str = "Effect"
    column_group: str = "Group"
    tip_group: str = "Pruned together: {names}"
    tip_channels: str = "Channels of the whole group are removed."
    tip_unstructured: str = "Single weights are set to zero. {why}"
    tip_refused: str = "Refused: {what}"
    tip_estimate: str = "Estimated; the true length comes with the built file."
    tip_effect: str = "{setting} on this group alone: {value} ({n} samples)"
    float32: str = "FP32"
    float16: str = "FP16"
    integer: str = "INT{bits}"
    edit_bits: str = "{what}: {bits} bits"
    edit_sparsity: str = "{what}: {sparsity} removed"
    edit_many: str = "{n} layers"
    access_bits: str = "{layer}, bits {value}"
    access_sparsity: str = "{layer}, sparsity {value}"

    graph: str = "Graph"
    graph_nodes: str = "{name} · {n} nodes"
    graph_fit: str = "Fit"

    plot_accuracy: str = "Accuracy"
    plot_size: str = "Size"
    plot_edits: str = "edits"
    plot_original: str = "original"
    plot_empty: str = "Each edit adds a point."
    plot_no_data: str = "Attach data to see accuracy follow your edits."
    plot_under: str = "{source} · n = {n}"

    jobs_idle: str = "Ready"
    jobs_more: str = "+ {n} more"
    job_open: str = "Opening {name}"
    job_attach: str = "Reading {name}"
    job_measure: str = "Building and measuring"
    job_latency: str = "Timing"
    job_sensitivity: str = "Sensitivity"
    job_export: str = "Exporting {name}"
    job_push: str = "Pushing to {name}"
    job_board: str = "Talking to {name}"
    job_report: str = "Writing the report"
    foot_engine: str = "{runtime} · {target}"

    bug_thing: str = "A fault in Trimtab Studio"
    bug_fix: str = "Your work is untouched. Copy the details and report them."


def load(language: str) -> Texts:
    """Texts of `language` (`zh_CN`, `de`); English where there is no catalogue."""
    path = resource("texts", f"{language}.json")
    if not path.is_file():
        return Texts()
    return msgspec.json.decode(path.read_bytes(), type=Texts)


def _language() -> str:
    return (os.environ.get("TRIMTAB_LANGUAGE") or os.environ.get("LANG") or "").partition(".")[0]


T = load(_language())
