"""Runs on a board: timed, profiled, kept alive."""
