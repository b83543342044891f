"""What the user wants of each layer, and what of it can be had."""
