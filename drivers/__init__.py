"""What a device is: bytes and units, and nothing of MQTT, jobs, people or config files.

The public face, for the agent and for whoever writes a driver.
"""

from drivers.description import Description, describe
from drivers.driver import Driver, Identity
from drivers.fields import Command, Reading, Role, Setting, command
from drivers.forms import Limits, Span, TextFile, word
from drivers.survey import Bound, Buffers, Profile, Survey, Thumbnail, refusals, warnings
from drivers.transport.access import Access
from drivers.transport.address import Address
from drivers.transport.attempt import attempt
from drivers.transport.holder import holders
from drivers.transport.recorder import Recorder
from drivers.transport.recording import Recording
from drivers.transport.traffic import Traffic
from drivers.transport.turn import urgent
from drivers.units import UNITS, Unit

__all__ = [
    "UNITS",
    "Access",
    "Address",
    "Bound",
    "Buffers",
    "Command",
    "Description",
    "Driver",
    "Identity",
    "Limits",
    "Profile",
    "Reading",
    "Recorder",
    "Recording",
    "Role",
    "Setting",
    "Span",
    "Survey",
    "TextFile",
    "Thumbnail",
    "Traffic",
    "Unit",
    "attempt",
    "command",
    "describe",
    "holders",
    "refusals",
    "urgent",
    "warnings",
    "word",
]
