"""Recipes that start at their times, each time once, and never in a burst."""
