"""Budgets to recipes."""
