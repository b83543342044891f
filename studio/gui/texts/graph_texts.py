"""The texts of the graph and of what is around it: one part of `texts.Texts`."""

from __future__ import annotations

from studio.gui.texts.layer_texts import LayerTexts


class GraphTexts(LayerTexts, frozen=True, forbid_unknown_fields=True):
    """English. Braces are filled in by name."""

    graph_noise: str = "SQNR"
    graph_time: str = "Board time"
    graph_zoom: str = "Zoom to the selection (F)"
    graph_lasso: str = "Select with a lasso (Shift and drag)"
    graph_save_svg: str = "Save the drawing (.svg)…"
    graph_save_png: str = "Save the picture (.png)…"
    graph_copy: str = "Copy the picture"
    graph_picture_title: str = "Save the graph"
    graph_picture_filter: str = "Drawings (*.svg);;Pictures (*.png)"
    graph_picture_cause: str = "it cannot be written"
    graph_picture_fix: str = "Choose a folder that you may write to, and a name that ends in .svg or .png."
    graph_picture_large: str = "it is too large for one picture"
    graph_waiting: str = "Laying out {n} nodes…"
    graph_missing: str = "not measured yet"
    graph_some: str = "{n} of {of} measured"
    graph_measure: str = "measuring…"
    graph_map: str = "Map of the graph: click or drag to go there"
    graph_crumb: str = "Click: zoom to {scope}. Shift and click: select all its layers."
    graph_whole: str = "Click: show the whole graph"
    graph_selected: str = "{n} selected"
    graph_compare: str = "Show the optimized graph beside the original"
    graph_original: str = "Original"
    graph_optimized: str = "Optimized"
    graph_removed: str = "{n} removed"
    graph_inserted: str = "{n} inserted"
    graph_changed: str = "{n} changed"
    graph_same: str = "no difference"
    graph_building: str = "building…"
    tip_removed: str = "not in the optimized file"
    tip_inserted: str = "not in the original"
    tip_changed: str = "changed by the optimization"
    job_ranges: str = "Reading ranges"
    job_optimized: str = "Reading the optimized graph"
    netron: str = "Netron"
    netron_tip: str = (
        "Show the file in Netron's own view; a node that is selected there or here is selected in both"
    )
    netron_missing: str = "Netron's view needs {names}. Install it with: pip install 'trimtab[netron]'"
