"""Which channels can only go together: an exact trace of every channel through the graph."""
