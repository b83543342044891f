"""Live plots; pyqtgraph is imported when the first point is to be drawn."""
