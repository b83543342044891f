"""Every text of the window, in one translatable place.

`T` holds the texts of the chosen language; a catalogue in `resources/texts/LANGUAGE.json` may name any
of the fields below, and what it leaves out stays English.
"""

from __future__ import annotations

import os

import msgspec

from studio.gui.keep import preferences
from studio.gui.texts.panel_texts import PanelTexts
from studio.paths import resource


class Texts(PanelTexts, frozen=True, forbid_unknown_fields=True):
    """English. Braces are filled in by name."""

    app: str = "Trimtab Studio"
    open: str = "Open"
    open_title: str = "Open a model"
    open_filter: str = "Models and projects (*.onnx *.pt2 *.pt *.pth *.trimtab);;All files (*)"
    pages_more: str = "More panels"
    open_board: str = "Open from a board…"
    new_window: str = "New window"
    no_window_cause: str = "the system did not start the program again"
    no_window_fix: str = "Run `trimtab` from a terminal to see why."
    any_filter: str = "All files (*)"
    data: str = "Data"
    data_title: str = "Choose evaluation data"
    data_filter: str = "Arrays (*.npz);;All files (*)"
    data_file: str = "Arrays (.npz)…"
    data_folder: str = "Folder of pictures…"
    recipe_title: str = "Apply a recipe"
    recipe_filter: str = "Recipes (*.json)"
    recipe_open: str = "Apply a recipe…"
    recipe_save: str = "Save this recipe…"
    presets: str = "Presets"
    target: str = "Target"
    target_tip: str = "The CPU that the file is built for"
    target_here: str = "This computer ({cpu})"
    target_board: str = "{name}: {title}"
    preset_reset: str = "Original (no compression)"
    undo: str = "Undo"
    redo: str = "Redo"
    undo_what: str = "Undo “{label}”"
    redo_what: str = "Redo “{label}”"
    sensitivity: str = "Sensitivity"
    latency: str = "Latency"
    export: str = "Export"
    export_title: str = "Export the measured file"
    export_filter: str = "ONNX (*.onnx)"
    exported: str = "Exported {name}: {size}, sha256 {sha}…"
    report: str = "Report"
    save: str = "Save project"
    save_title: str = "Save the project"
    save_filter: str = "Trimtab projects (*.trimtab)"
    saved: str = "Saved {path}"
    report_title: str = "Write a report"
    report_filter: str = "Web page (*.html);;PDF (*.pdf)"
    reported: str = "Report written: {path}"
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

    start: str = "Start"
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
    card_other_cpu: str = "not on the target's CPU"
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
    card_faster: str = "{times:.2f}× faster"
    card_slower: str = "{times:.2f}× slower"
    card_doubtful: str = "{source} · other work disturbed it"
    card_better: str = "better"
    card_worse: str = "worse"
    card_within: str = "not significant"
    card_before: str = "of the state before · measuring…"
    card_held_out: str = "held out: {value}, n = {n}"
    card_only_held_out: str = "held-out samples"
    card_so_far: str = "{text} so far"
    card_estimate: str = "estimated, building the real file…"
    card_real: str = "length of the built file"
    card_original: str = "length of the original file"

    layers: str = "Layers"
    layers_count: str = "{shown} of {total}"
    layers_find: str = "Find a layer, op or group…"
    layers_find_short: str = "Find a layer…"
    layers_none: str = "No layer carries weights that can be compressed."
    layers_no_match: str = "No layer matches “{text}”."
    column_name: str = "Layer"
    column_op: str = "Op"
    column_params: str = "Params"
    column_bytes: str = "Bytes"
    column_bits: str = "Bits"
    column_sparsity: str = "Sparsity"
    column_effect: str = "Effect, pp"
    tip_group: str = "Pruned together: {names}"
    tip_channels: str = "Channels of the whole group are removed."
    tip_unstructured: str = "Single weights are set to zero. {why}"
    tip_refused: str = "Refused: {what}"
    tip_estimate: str = "Estimated; the true length comes with the built file."
    tip_effect: str = "{setting} on this group alone: {value} ({n} samples)"
    float32: str = "FP32"
    float16: str = "FP16"
    integer: str = "INT{bits}"
    access_bits: str = "{layer}, bits {value}"
    access_sparsity: str = "{layer}, sparsity {value}"

    graph: str = "Graph"
    graph_nodes: str = "{name} · {n} nodes"
    graph_fit: str = "Show the whole graph (0)"
    graph_expand: str = "Open all scopes"
    graph_collapse: str = "Close all scopes"
    graph_columns: str = "Fold a tall graph into columns"
    graph_find: str = "Find: name, int8, > 1 MB"
    graph_find_tip: str = (
        "Find by name, op, int8, > 1 MB, bits<=4, sparsity>30%, sqnr<20 (/); Enter goes from hit to hit"
    )
    graph_hits: str = "{n} found"
    graph_no_hits: str = "nothing found"
    graph_colour_by: str = "Colour boxes by"
    graph_canvas: str = "Graph of the model"
    graph_empty: str = "No model is open. Drop a model file here."
    graph_hint: str = ".onnx or .pt2: its graph appears here"
    graph_boxes: str = "{shown} boxes for {n} nodes"
    graph_travel: str = "{name}: {count}. Arrow keys travel along the edges, Enter opens a scope."
    graph_macs: str = "MACs"

    plot_accuracy: str = "Accuracy"
    plot_size: str = "Size"
    plot_original: str = "original"
    plot_empty: str = "Each edit adds a point."
    plot_no_data: str = "Attach data to see accuracy follow your edits."
    plot_under: str = "{source} · n = {n}"

    inspector: str = "Layer"
    answers: str = "Changed answers"
    answers_none: str = "No answer has changed."
    answers_tip: str = "Sample {sample}, labelled {label}"
    job_answers: str = "Fetching pictures"
    history: str = "History"
    history_at: str = "{at} of {of}"
    plots: str = "Plots"
    job_weights: str = "Reading {name}"
    fact_shape: str = "Weight"
    fact_width: str = "Width"
    fact_widths: str = "{weights}, activations {activations}"
    fact_storage: str = "Stored"
    fact_building: str = "being built…"
    fact_zeros: str = "{share} zeros"
    fact_levels: str = "Levels"
    fact_noise: str = "Weight SQNR"
    fact_refused: str = "Refused"
    palette_hint: str = "Type a command or a layer…"
    palette: str = "Command palette"
    palette_layer: str = "Go to layer"

    jobs_idle: str = "Ready"
    jobs_more: str = "+ {n} more"
    job_open: str = "Opening {name}"
    job_attach: str = "Reading {name}"
    job_measure: str = "Building and measuring"
    job_latency: str = "Timing"
    job_sensitivity: str = "Sensitivity"
    job_ready: str = "Getting ready for edits"
    job_export: str = "Exporting {name}"
    job_push: str = "Pushing to {name}"
    job_board: str = "Talking to {name}"
    job_report: str = "Writing the report"
    title_data: str = "{model}  ·  {data}, {n} samples"

    bug_thing: str = "A fault in Trimtab Studio"
    bug_fix: str = "Your work is untouched. Copy the details and report them."


def load(language: str) -> Texts:
    """Texts of `language` (`zh_CN`, `de`); English where there is no catalogue."""
    path = resource("texts", f"{language}.json")
    if not path.is_file():
        return Texts()
    return msgspec.json.decode(path.read_bytes(), type=Texts)


def _language() -> str:
    asked = os.environ.get("TRIMTAB_LANGUAGE") or preferences.read().language
    return (asked or os.environ.get("LANG") or "").partition(".")[0]


LANGUAGE = _language()
T = load(LANGUAGE)
