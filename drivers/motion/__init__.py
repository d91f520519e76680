"""Axes, stages, mills and gantries."""
