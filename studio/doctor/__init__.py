"""The doctor: after a loss of accuracy, its causes with measured evidence, and fixes that were tried."""
