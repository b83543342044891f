"""Netron's own view of the files, where the extra `netron` is installed: no port, no network."""
