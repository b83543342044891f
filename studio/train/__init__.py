"""Recovery training: torch lives here and in the PyTorch importer only."""
