"""Boards: add, trust, push, confirm, roll back."""
