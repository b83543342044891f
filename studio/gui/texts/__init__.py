"""Every text of the window."""
