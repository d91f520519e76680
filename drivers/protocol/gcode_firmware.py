"""Firmwares of the RepRap kind and their habits, found by the name that M115 brings.

Sources: Marlin's queue.cpp and M115.cpp; Prusa-Firmware's cmdqueue.cpp; Repetier-Firmware's
gcode.cpp; the documentation of RepRapFirmware ("Gcode"), Klipper ("G-Codes") and Smoothieware
("Supported G-codes"). None of it has been tried on a board here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True, slots=True)
class Firmware:
    """What a host has to know of a firmware before it hears it.

    Attributes:
        name: What people call it.
        pattern: Of what M115 says behind FIRMWARE_NAME.
        says_busy: Whether M113 makes it say that it is at work.
        ok_after_resend: Whether `Resend:` is followed by an `ok`; None where versions differ.
        start_is_reset: Whether `start` always means that the board has begun anew. Where it does
            not, its line numbers tell.
        may_stream: Whether several lines may be on their way when the profile says nothing.
        after_halt: What a person does after an emergency stop.
    """

    name: str
    pattern: str
    says_busy: bool = False
    ok_after_resend: bool | None = None
    start_is_reset: bool = True
    may_stream: bool = False
    after_halt: str = "Reset it, then reconnect"


FIRMWARES: Final = (
    Firmware(
        name="Prusa",
        pattern=r"Prusa-Firmware",
        says_busy=True,
        ok_after_resend=True,
        start_is_reset=False,  # it says so as well when it goes on after a crash of the head
    ),
    Firmware(
        name="Marlin 2", pattern=r"Marlin (?:bugfix-)?2", says_busy=True, ok_after_resend=False,
        may_stream=True,
    ),
    Firmware(name="Marlin 1", pattern=r"Marlin", says_busy=True, may_stream=True),
    Firmware(name="RepRapFirmware", pattern=r"RepRapFirmware", ok_after_resend=False),
    Firmware(name="Repetier", pattern=r"Repetier", ok_after_resend=True),
    Firmware(
        name="Klipper",
        pattern=r"Klipper",
        ok_after_resend=False,
        after_halt="Send FIRMWARE_RESTART to Klipper, then reconnect",
    ),
    Firmware(name="Smoothie", pattern=r"Smoothie", ok_after_resend=True),
)  # fmt: skip
"""The more special before the more general: the first whose pattern is found is taken."""

UNKNOWN: Final = Firmware(name="unknown", pattern="")
"""One line at a time, and nothing taken for granted."""

IDENTITY: Final = rf"FIRMWARE_NAME:\s*(?:{'|'.join(it.pattern for it in FIRMWARES)}).*"
"""What M115 says on a board that is one of them."""


def firmware_of(text: str) -> Firmware:
    """The firmware that the answer to M115 names, or UNKNOWN."""
    for it in FIRMWARES:
        if re.match(rf"FIRMWARE_NAME:\s*{it.pattern}", text):
            return it
    return UNKNOWN
