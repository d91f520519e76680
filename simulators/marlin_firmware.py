"""What a board is compiled with, and what it says of itself.

Sources: marlinfw.org, Configuration; the page of M115 and Marlin's M115.cpp (`Cap:` lines: a
capability that is not named is not there).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Firmware = Literal["marlin2", "marlin1", "prusa", "repetier", "rrf", "klipper", "smoothie"]


@dataclass(frozen=True, kw_only=True)
class BoardOptions:
    """How the board is wired and how its firmware was compiled. None: as that firmware does."""

    firmware: Firmware = "marlin2"
    """Whose habits the board has; see `simulators.marlin_dialect`."""
    baud: int | None = None
    """Speed of its line, for `starved_seconds`; None counts every moment without bytes."""
    resets_on_open: bool = True
    boot_seconds: float = 0.0
    """Seconds in which the boot loader swallows what it hears, before the board says `start`."""
    line_seconds: float = 0.0003
    """Time in which the processor takes in one command and does nothing else, s. (A guess.)"""
    emergency_parser: bool = True
    advanced_ok: bool = False
    ok_after_resend: bool | None = False
    """Whether `Resend:` is followed by an `ok`, as some versions do."""
    temperature_in_ok: bool = True
    """Whether the answer to M105 is one line with its `ok`, or two lines."""
    host_keepalive: bool = True
    busy_prefix: str | None = None
    """What stands before `busy: processing`, such as `echo:`."""
    wait_seconds: float | None = None
    """After so long with nothing to do it says `wait` (NO_TIMEOUTS); 0 is never."""
    reads_while_heating: bool = False
    """Whether M109 and M190 let lines into the queue while they wait."""
    thermal_protection: bool = True
    buffered_commands: int = 4
    receive_bytes: int = 128
    """Bytes that wait to be read; more of them are lost."""
    planner_blocks: int = 16
    first_move_seconds: float = 0.1
    """For so long, or until three are there, the first move into an empty planner is held back."""
    slow_down: bool = True
    """Whether short moves are stretched while fewer than half of the planner's blocks are taken."""
    ambient: float = 21.0
    """Temperature of the room, degrees Celsius."""
    min_extrude: float = 170.0
    """Nozzle temperature in degrees Celsius below which filament is not moved."""
    size: Mapping[str, float] = field(
        default_factory=lambda: {"X": 220.0, "Y": 220.0, "Z": 250.0, "E": float("inf")}
    )
    """Travel of each axis, mm."""
    reports_position: bool = False
    """Whether M154 is there (AUTO_REPORT_POSITION)."""
    card: bool = False
    """Whether there is a memory card, with M20 to M27 and M524 (SDSUPPORT, AUTO_REPORT_SD_STATUS)."""
    prompts: bool = False
    """Whether the host is asked by `//action:prompt_…` and answers by M876 (HOST_PROMPT_SUPPORT)."""
    notifications: bool = False
    """Whether M117 is passed on as `//action:notification`."""
    arcs: bool = True
    geometry: bool = False
    """Whether M115 ends with an `area:` line (M115_GEOMETRY_REPORT)."""
    machine_type: str = "Simulated i3"
    uuid: str = "7d0f2b1e-2f5c-4d7a-9a53-0c7f5a1be6d4"


def firmware_lines(options: BoardOptions) -> list[str]:
    """The answer of Marlin 2 to M115."""
    return [
        "FIRMWARE_NAME:Marlin 2.1.2 (Dec  1 2022 12:00:00) "
        "SOURCE_CODE_URL:github.com/MarlinFirmware/Marlin PROTOCOL_VERSION:1.0 "
        f"MACHINE_TYPE:{options.machine_type} EXTRUDER_COUNT:1 UUID:{options.uuid}",
        *(f"Cap:{name}:{int(present)}" for name, present in _capabilities(options).items()),
        *([_area(options.size)] if options.geometry else []),
    ]


def _capabilities(options: BoardOptions) -> dict[str, bool]:
    return {
        "SERIAL_XON_XOFF": False,
        "BINARY_FILE_TRANSFER": False,
        "EEPROM": False,
        "VOLUMETRIC": False,
        "AUTOREPORT_POS": options.reports_position,
        "AUTOREPORT_TEMP": True,
        "PROGRESS": False,
        "PRINT_JOB": True,
        "AUTOLEVEL": False,
        "RUNOUT": True,
        "Z_PROBE": False,
        "LEVELING_DATA": False,
        "BUILD_PERCENT": True,
        "SOFTWARE_POWER": False,
        "TOGGLE_LIGHTS": False,
        "CASE_LIGHT_BRIGHTNESS": False,
        "EMERGENCY_PARSER": options.emergency_parser,
        "HOST_ACTION_COMMANDS": True,
        "PROMPT_SUPPORT": options.prompts,
        "SDCARD": options.card,
        "REPEAT": False,
        "AUTOREPORT_SD_STATUS": options.card,
        "LONG_FILENAME": False,
        "THERMAL_PROTECTION": options.thermal_protection,
        "MOTION_MODES": False,
        "ARCS": options.arcs,
        "BABYSTEPPING": False,
        "CHAMBER_TEMPERATURE": False,
        "COOLER_TEMPERATURE": False,
        "MEATPACK": False,
    }


def _area(size: Mapping[str, float]) -> str:
    """The geometry, with the comma too many that M115.cpp has: it is no JSON."""
    low = "min:{x:0.0000,y:0.0000,z:0.0000}"
    high = "max:{{x:{X:.4f},y:{Y:.4f},z:{Z:.4f}}}".format(**size)
    return f"area:{{full:{{{low},{high}}},work:{{{low},{high},}}}}"
