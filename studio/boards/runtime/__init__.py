"""What runs a model on a board."""
