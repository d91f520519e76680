"""What a device is: bytes and units, and nothing of MQTT, jobs, people or config files.

The public face, for the agent and for whoever writes a driver.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from drivers.description import Description, describe
from drivers.driver import Driver, Identity
from drivers.fields import Command, Reading, Role, Setting, command
from drivers.forms import Limits, Span, TextFile, word
from drivers.profile import Bound, Buffers, Profile
from drivers.transport.access import Access
from drivers.transport.address import Address
from drivers.transport.attempt import attempt
from drivers.transport.holder import holders
from drivers.transport.recorder import Recorder
from drivers.transport.recording import Recording
from drivers.transport.traffic import Traffic
from drivers.transport.turn import urgent
from drivers.units import UNITS, Unit

if TYPE_CHECKING:
    from drivers.survey import Survey, Thumbnail, refusals, warnings

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

OF_FILES: Final = frozenset({"Survey", "Thumbnail", "refusals", "warnings"})
"""What examines files to print is imported when somebody asks for it: no device does to be read."""


def __getattr__(name: str) -> Any:
    if name in OF_FILES:
        return getattr(import_module("drivers.survey"), name)
    raise AttributeError(name)
