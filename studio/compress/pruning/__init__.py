"""Less of a net: channels removed for real, single weights set to zero, and what makes up for both."""
