"""What stands there before a model is open."""
