"""Levels, grids and weights written into the graph and the file."""
