"""Headline figures and answers."""
