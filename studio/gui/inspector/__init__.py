"""What became of one layer: its weights before and after, its ranges, how it is stored."""
