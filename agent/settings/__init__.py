"""The station's configuration: read, checked as a whole, and handed on as plain frozen data."""

from agent.settings.cover import Cover
from agent.settings.interlocks import Condition, Interlock
from agent.settings.missing import missing
from agent.settings.models import Api, Log, Metrics, Mqtt, Reconnect
from agent.settings.section import Title
from agent.settings.station import Changes, Device, Station, changed
from agent.settings.station_file import load, read_secret
from agent.settings.values import Listener

__all__ = [
    "Api",
    "Changes",
    "Condition",
    "Cover",
    "Device",
    "Interlock",
    "Listener",
    "Log",
    "Metrics",
    "Mqtt",
    "Reconnect",
    "Station",
    "Title",
    "changed",
    "load",
    "missing",
    "read_secret",
]
