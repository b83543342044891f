"""Colours, typeface, icons, pictures."""
