"""Data sets, preprocessing and task metrics."""
