"""A program that does nothing and does not end."""

import signal

signal.pause()
