"""The bars around the page: what can be done, and what runs."""
