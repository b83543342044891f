"""Passes that win back what rounding costs."""
