"""The station's configuration: read, checked as a whole, and handed on as plain frozen data."""

from agent.settings.alarm_models import Priority, Todo
from agent.settings.alarms import AlarmRule
from agent.settings.cover import Cover
from agent.settings.doors import Api, BrokerTls, Console, Log, Metrics, Mqtt, Reconnect
from agent.settings.interlocks import Condition, Interlock
from agent.settings.missing import missing
from agent.settings.oidc_models import Oidc
from agent.settings.schedules import Schedule
from agent.settings.section import Title
from agent.settings.station import Changes, Device, Station, changed
from agent.settings.station_file import load, read_secret
from agent.settings.timetable import Timetable
from agent.settings.values import Listener

__all__ = [
    "AlarmRule",
    "Api",
    "BrokerTls",
    "Changes",
    "Condition",
    "Console",
    "Cover",
    "Device",
    "Interlock",
    "Listener",
    "Log",
    "Metrics",
    "Mqtt",
    "Oidc",
    "Priority",
    "Reconnect",
    "Schedule",
    "Station",
    "Timetable",
    "Title",
    "Todo",
    "changed",
    "load",
    "missing",
    "read_secret",
]
