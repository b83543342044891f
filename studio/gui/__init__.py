"""The window: a thin shell over the session. Qt lives here only."""
