"""How long the layers of a net take on a board: one file of one-layer nets, run and profiled there."""
