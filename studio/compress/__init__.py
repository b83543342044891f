"""Passes that turn a model and a plan into an artifact: one pass, one file."""
