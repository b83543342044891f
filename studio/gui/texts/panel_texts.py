"""The texts of the panels below the layers: one part of `texts.Texts`."""

from __future__ import annotations

from studio.gui.texts.option_texts import OptionTexts


class PanelTexts(OptionTexts, frozen=True, forbid_unknown_fields=True):
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
    jobs_opened: str = "{nodes} nodes, {layers} layers with weights"
    jobs_running: str = "{n} running"
    auto: str = "Auto"
    auto_drop: str = "Lose at most"
    auto_bytes: str = "File at most"
    auto_latency: str = "Time at most"
    auto_run: str = "Find a recipe"
    auto_recipe: str = "Recipe"
    auto_difference: str = "Difference, pp"
    auto_table: str = "Measured recipes"
    auto_plot: str = "Size against difference to the original, one dot per measured recipe"
    auto_empty: str = "Every recipe that is measured becomes a dot: yours and those of the search."
    auto_how: str = (
        "Tick budgets and let it search. It measures each group alone, a solver chooses bits and pruning "
        "from these curves, each choice is built and measured, and the misses correct the next one."
    )
    auto_begun: str = "Measuring each group alone first…"
    auto_so_far: str = "{n} recipes measured, now: {label}"
    auto_measured: str = "{n} recipes were built and measured, {front} of them unbeaten."
    auto_best: str = "Taken: “{label}”, {size}, {difference} pp (n = {n})."
    auto_met: str = "All budgets are met. Undo goes back."
    auto_missed: str = "“{budget}” of {limit} is missed by {by}."
    auto_nearest: str = "No recipe met all budgets: the nearest was taken. Undo goes back."
    auto_cancelled: str = "Stopped after {n} recipes; your recipe is as it was."
    auto_dots: str = "{n} recipes"
    auto_to: str = "{sign} to {ms} ms"
    auto_front: str = "★ nothing measured is both smaller and more accurate"
    auto_go: str = "Click to take this recipe"
    job_search: str = "Searching a recipe"
    plot_latency: str = "Latency"
    plot_no_latency: str = "“Latency” times the file here; boards join when you push."
    plot_copy: str = "Copy as CSV"
    plot_picture: str = "Save as picture…"
    plot_filter: str = "Pictures (*.png *.svg)"
    plot_tools: str = "Copy or save: {plot}"
    layers_lock: str = "Lock or unlock"
    layers_copy: str = "Copy settings"
    layers_paste: str = "Paste settings"
    layers_original: str = "As in the original"
    layers_preset: str = "As in a preset"
    column_sqnr: str = "SQNR, dB"
    column_time: str = "Float → 8 bits, ms"
    tip_time: str = "The kernel alone on {board}: {plain} ms as float, {eight} ms at 8 bits"
    tip_time_loses: str = "Slower at 8 bits there: leave it at float where latency counts."
    card_foreseen: str = "{source} from the layers' curves"
    card_off: str = "estimates off by {value} on average so far"
    card_expected: str = "To come: {value}, {source}"
    noise: str = "Noise of every layer"
    job_noise: str = "Noise of every layer"
    tip_locked: str = "Locked: presets, searches and edits leave it as it is. Ctrl+L unlocks."
    lost_work: str = "Unsaved work on {model}, edits: {n}, {when}"
    lost_take: str = "Take it up again"
    lost_drop: str = "Discard"
    recent_edits: str = "edits: {n}"
    help: str = "Help"
    help_here: str = "Help on this panel"
    tour: str = "Tour in five hints"
    tour_next: str = "Next"
    tour_skip: str = "Skip"
    tour_done: str = "Done"
    tour_layers: str = (
        "Slide the bits of a layer, or ←/→ on the keyboard. Every file is really built and measured."
    )
    tour_cards: str = (
        "Size, accuracy and latency follow. Each says where it comes from and on how many samples."
    )
    tour_graph: str = (
        "The graph and the table show the same layers: what you choose in one is chosen in the other."
    )
    tour_auto: str = (
        "“Auto” finds a recipe within your budgets; every recipe it measured stays a dot to go back to."
    )
    tour_export: str = (
        "Export writes, byte for byte, the file that was measured. Ctrl+K finds everything else, F1 explains."
    )
    vitals: str = "Threads: {threads} · window {window}, engine {engine}"
    vitals_alone: str = "Threads: {threads} · {window}"
    vitals_tip: str = "Threads of one op, and memory in use by the window and by its worker process"
