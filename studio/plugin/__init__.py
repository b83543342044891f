"""The only door for plug-ins."""
