"""Where boxes and lines go: layered drawing of deep and narrow graphs, in pure Python."""
