"""Boards over SSH: link, probe, release, bench."""
