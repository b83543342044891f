"""The doctor: causes of a loss, layers to look at, and fixes that one click applies."""
