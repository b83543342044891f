"""Auto: budgets in, recipe out, and every recipe on the way as a dot that can be gone back to."""
