"""Examines a station and what it depends on, disturbs nothing, and says what a person should do.

It works where the agent is broken, and before it was ever started: each examination reads files, asks the
system, or asks the agent that runs. No port of a device is opened here.
"""
