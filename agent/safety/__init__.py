"""The one door through which every setting and command passes, and stop, which needs no door."""
