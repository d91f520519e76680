"""Bytes and registers to and from one device, one vendor library per file."""
