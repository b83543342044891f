"""Float weights to few levels."""
