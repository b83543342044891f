"""Ways to reach a board, and whom to trust on the way."""
