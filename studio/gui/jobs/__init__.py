"""Every long job in one place: how far, how long still, what came of it."""
