"""Settings as a table of options."""
