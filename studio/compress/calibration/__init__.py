"""What was seen of each tensor, and the grids that follow from it."""
