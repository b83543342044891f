"""The layer table: the equal twin of the graph."""
