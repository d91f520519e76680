"""Measurements: each prints one line with its figure and what it is compared with."""
