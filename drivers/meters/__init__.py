"""Meters: devices that measure and drive nothing."""
