"""What a Marlin board is compiled with, and what it says of itself.

Source: marlinfw.org, Configuration, and the page of M115 (`Cap:` lines: a capability that is
not named is not there).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

BANNER = (
    "start",
    "Marlin 2.1.2",
    "echo: Last Updated: 2022-12-01 | Author: (none, default config)",
    "echo: Compiled: Dec  1 2022",
    "echo: Free Memory: 4386  PlannerBufferBytes: 1232",
    "echo:Hardcoded Default Settings Loaded",
)
_CAPABILITIES = {
    "SERIAL_XON_XOFF": 0,
    "BINARY_FILE_TRANSFER": 0,
    "EEPROM": 0,
    "VOLUMETRIC": 0,
    "AUTOREPORT_POS": 0,
    "AUTOREPORT_TEMP": 1,
    "PROGRESS": 0,
    "PRINT_JOB": 0,
    "AUTOLEVEL": 0,
    "RUNOUT": 0,
    "Z_PROBE": 0,
    "SOFTWARE_POWER": 0,
    "PROMPT_SUPPORT": 0,
    "SDCARD": 0,
    "AUTOREPORT_SD_STATUS": 0,
    "ARCS": 0,
    "CHAMBER_TEMPERATURE": 0,
    "MEATPACK": 0,
}


@dataclass(frozen=True, kw_only=True)
class BoardOptions:
    """How the board is wired and how its firmware was compiled."""

    resets_on_open: bool = True
    emergency_parser: bool = True
    advanced_ok: bool = False
    ok_after_resend: bool = False
    """Whether `Resend:` is followed by an `ok`, as some versions do."""
    reads_while_heating: bool = False
    """Whether M109 and M190 let lines into the queue while they wait."""
    thermal_protection: bool = True
    buffered_commands: int = 4
    receive_bytes: int = 128
    """Bytes that wait to be read; more of them are lost."""
    ambient: float = 21.0
    """Temperature of the room, degrees Celsius."""
    min_extrude: float = 170.0
    """Nozzle temperature in degrees Celsius below which filament is not moved."""
    size: Mapping[str, float] = field(
        default_factory=lambda: {"X": 220.0, "Y": 220.0, "Z": 250.0, "E": float("inf")}
    )
    """Travel of each axis, mm."""
    machine_type: str = "Simulated i3"
    uuid: str = "7d0f2b1e-2f5c-4d7a-9a53-0c7f5a1be6d4"


def firmware_lines(options: BoardOptions) -> list[str]:
    """The answer to M115."""
    capabilities = {
        **_CAPABILITIES,
        "EMERGENCY_PARSER": int(options.emergency_parser),
        "THERMAL_PROTECTION": int(options.thermal_protection),
    }
    return [
        "FIRMWARE_NAME:Marlin 2.1.2 (Dec  1 2022 12:00:00) "
        "SOURCE_CODE_URL:github.com/MarlinFirmware/Marlin PROTOCOL_VERSION:1.0 "
        f"MACHINE_TYPE:{options.machine_type} EXTRUDER_COUNT:1 UUID:{options.uuid}",
        *(f"Cap:{name}:{present}" for name, present in capabilities.items()),
    ]
