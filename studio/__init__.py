"""Trimtab Studio: compress a network, watch true numbers follow, ship the measured file."""

__version__ = "0.1.0"
