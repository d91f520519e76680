"""The firmwares of printers: what each says and asks where it differs from Marlin 2.

Read in the firmwares' own sources: Marlin 1 and 2 (`FlushSerialRequestResend`, queue.cpp), Prusa
(cmdqueue.cpp, messages.cpp), Repetier 0.92 to 1.0 (gcode.cpp, Communication.cpp), Smoothieware
(GcodeDispatch.cpp) and Klipper (gcode.py). The double `Resend` of Repetier is from OctoPrint's
documentation (`repetierStyleResends`). RepRapFirmware: its reaction to a wrong checksum is from
its StringParser.cpp, its M115 from the vendor's pages; `rs`, its refusals and its emergency stop
are from memory. Other banners and version numbers are examples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from simulators.marlin_firmware import BoardOptions, Firmware, firmware_lines
from simulators.marlin_heaters import Heater
from simulators.marlin_lines import NO_SUM, WRONG_NUMBER, Refused, Rules


def _marlin_refusal(refused: Refused, last: int) -> list[str]:
    return [f"Error:{refused.reason}, Last Line: {last}", f"Resend: {last + 1}"]


def _repetier_refusal(refused: Refused, last: int) -> list[str]:
    reasons = {
        WRONG_NUMBER: f"Error:expected line {last + 1} got {refused.number}",
        NO_SUM: "Error:Missing checksum",
    }
    again = ["", f"Resend:{last + 1}", "ok"]
    return [reasons.get(refused.reason, "Error:Wrong checksum"), *again, *again]


def _rrf_refusal(refused: Refused, _: int) -> list[str]:
    return [f"rs {refused.number}"]


def _smoothie_refusal(_: Refused, last: int) -> list[str]:
    return [f"rs N{last + 1}"]


def _marlin_temperatures(nozzle: Heater, bed: Heater) -> str:
    return (
        f" T:{nozzle.temperature:.2f} /{nozzle.target:.2f}"
        f" B:{bed.temperature:.2f} /{bed.target:.2f}"
        f" @:{round(nozzle.duty * 127)} B@:{round(bed.duty * 127)}"
    )


def _prusa_temperatures(nozzle: Heater, bed: Heater) -> str:
    hot, aim = f"{nozzle.temperature:.1f}", f"{nozzle.target:.1f}"
    return (
        f" T:{hot} /{aim} B:{bed.temperature:.1f} /{bed.target:.1f} T0:{hot} /{aim}"
        f" @:{round(nozzle.duty * 127)} B@:{round(bed.duty * 127)} P:0.0 A:30.0"
    )


def _bare_temperatures(nozzle: Heater, bed: Heater) -> str:
    return (
        f" T:{nozzle.temperature:.1f} /{nozzle.target:.1f}"
        f" B:{bed.temperature:.1f} /{bed.target:.1f}"
    )


def _smoothie_temperatures(nozzle: Heater, bed: Heater) -> str:
    return (
        f" T:{nozzle.temperature:.1f} /{nozzle.target:.1f} @{round(nozzle.duty * 255)}"
        f" B:{bed.temperature:.1f} /{bed.target:.1f} @{round(bed.duty * 255)}"
    )


def _klipper_temperatures(nozzle: Heater, bed: Heater) -> str:
    return (
        f" B:{bed.temperature:.1f} /{bed.target:.1f}"
        f" T0:{nozzle.temperature:.1f} /{nozzle.target:.1f}"
    )


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """One firmware's way to talk."""

    banner: tuple[str, ...]
    """What it says when it starts."""
    identity: Callable[[BoardOptions], list[str]]
    """Its answer to M115."""
    identity_in_ok: bool = False
    """Whether M115 is answered in the line of the `ok`."""
    ending: str = "\n"
    rules: Rules = field(default_factory=Rules)
    refusal: Callable[[Refused, int], list[str]] = _marlin_refusal
    """What it says to a line it refuses, given the last line that it took."""
    ok_after_resend: bool = False
    stray_sum_is_asked_again: bool = True
    """Whether a refused checksum without a number makes it ask for a line; else it only complains."""
    skips: int = 0
    """After a refusal, so many lines with another number are told `skip`, not asked for again."""
    taken_is_ok: bool = False
    """Whether `ok`, with the number, comes when a line is put into the queue, not when it is done."""
    ok_to_nothing: bool = False
    """Whether an empty line or a comment is acknowledged."""
    temperatures: Callable[[Heater, Heater], str] = _marlin_temperatures
    temperature_in_ok: bool = True
    position: Literal["count", "plain", "ok C:"] = "count"
    own_codes: frozenset[str] = frozenset()
    """Codes of its own that are acknowledged, and change nothing here that a host could see."""
    unknown: str = 'echo:Unknown command: "{}"'
    """What it says to a command that it does not know; nothing if empty."""
    busy: str | None = "echo:"
    """What stands before `busy:`; None for a firmware without keep-alive."""
    wait_seconds: float = 0.0
    refuses_moves: bool = False
    """Whether a move without homing, or out of the printer, is refused, not cut or trusted."""
    action: str = "//action:"
    halted: tuple[str, ...] = ("Error:Printer halted. kill() called!",)
    """What it says when it kills itself."""
    after_halt: Literal["silent", "complains", "restarts"] = "silent"
    complaint: tuple[str, ...] = ()
    """What a halted board says to each line, when it complains."""


def _plain(*lines: str) -> Callable[[BoardOptions], list[str]]:
    return lambda options: [line.replace("MACHINE", options.machine_type) for line in lines]


_MARLIN2: Final = Dialect(
    banner=(
        "start",
        "Marlin 2.1.2",
        "echo: Last Updated: 2022-12-01 | Author: (none, default config)",
        "echo: Compiled: Dec  1 2022",
        "echo: Free Memory: 4386  PlannerBufferBytes: 1232",
        "echo:Hardcoded Default Settings Loaded",
    ),
    identity=firmware_lines,
)

_MARLIN1: Final = Dialect(
    banner=("start", "echo:Marlin 1.1.9", "echo: Free Memory: 4120  PlannerBufferBytes: 1168"),
    identity=lambda options: [
        "FIRMWARE_NAME:Marlin 1.1.9 (Github) SOURCE_CODE_URL:https://github.com/MarlinFirmware/"
        f"Marlin PROTOCOL_VERSION:1.0 MACHINE_TYPE:{options.machine_type} EXTRUDER_COUNT:1 "
        f"UUID:{options.uuid}"
    ],
    rules=Rules(stray_sum=False),
    ok_after_resend=True,
    stray_sum_is_asked_again=False,
)

_PRUSA: Final = Dialect(
    banner=("start", "echo: 3.14.1-8237", "echo: Free Memory: 2345  PlannerBufferBytes: 1744"),
    identity=lambda options: [
        "FIRMWARE_NAME:Prusa-Firmware 3.14.1 based on Marlin FIRMWARE_URL:https://github.com/"
        "prusa3d/Prusa-Firmware PROTOCOL_VERSION:1.0 MACHINE_TYPE:Prusa i3 MK3S EXTRUDER_COUNT:1 "
        f"UUID:{options.uuid}",
        "Cap:AUTOREPORT_TEMP:1",
        "Cap:AUTOREPORT_FANS:1",
        f"Cap:AUTOREPORT_POSITION:{int(options.reports_position)}",
        "Cap:EXTENDED_M20:1",
        "Cap:PRUSA_MMU2:1",
    ],
    rules=Rules(stray_sum=False),
    ok_after_resend=True,
    temperatures=_prusa_temperatures,
    own_codes=frozenset({"G80", "M350", "M601", "M602", *(f"M862.{n}" for n in range(1, 7))}),
    unknown="Unknown {letter} code: {}",
    action="// action:",
)

_REPETIER: Final = Dialect(
    banner=("start", "Info:PowerUp"),
    identity=_plain(
        "FIRMWARE_NAME:Repetier_1.0.4 FIRMWARE_URL:https://github.com/repetier/"
        "Repetier-Firmware/ PROTOCOL_VERSION:1.0 MACHINE_TYPE:Mendel EXTRUDER_COUNT:1 "
        "REPETIER_PROTOCOL:3",
        "Printed filament:0.00m Printing time:0 days 0 hours 0 min",
        "PrinterMode:FFF",
    ),
    ending="\r\n",
    rules=Rules(always_sum=True),
    refusal=_repetier_refusal,
    skips=14,
    taken_is_ok=True,
    temperature_in_ok=False,
    position="plain",
    unknown="Unknown command:{}",
    busy="",
    wait_seconds=1.0,
    halted=(),
    after_halt="restarts",
)

_RRF: Final = Dialect(
    banner=(),
    identity=_plain(
        "FIRMWARE_NAME: RepRapFirmware for Duet 2 WiFi/Ethernet FIRMWARE_VERSION: 3.4.6 "
        "ELECTRONICS: Duet WiFi 1.02 or later FIRMWARE_DATE: 2023-07-21 14:08:28"
    ),
    rules=Rules(in_order=False, number_needs_sum=False),
    refusal=_rrf_refusal,
    temperatures=_bare_temperatures,
    unknown="Warning: {code}: Command is not supported",
    busy=None,
    halted=("Error: Emergency Stop! Reset the controller to continue.",),
)

_KLIPPER: Final = Dialect(
    banner=("// Klipper state: Ready",),
    identity=_plain("FIRMWARE_NAME:Klipper FIRMWARE_VERSION:v0.12.0-114"),
    identity_in_ok=True,
    rules=Rules(in_order=False, checked=False, number_needs_sum=False),
    temperatures=_klipper_temperatures,
    position="plain",
    unknown='// Unknown command:"{code}"',
    busy=None,
    refuses_moves=True,
    action="// action:",
    halted=("!! Shutdown due to M112 command", "// Klipper state: Shutdown"),
    after_halt="complains",
    complaint=("!! Shutdown due to M112 command", "ok"),
)

_SMOOTHIE: Final = Dialect(
    banner=("Smoothie", "ok"),
    identity=_plain(
        "FIRMWARE_NAME:Smoothieware, FIRMWARE_URL:http%3A//smoothieware.org, "
        "X-SOURCE_CODE_URL:https://github.com/Smoothieware/Smoothieware, "
        "FIRMWARE_VERSION:edge-0565b13, PROTOCOL_VERSION:1.0, "
        "X-FIRMWARE_BUILD_DATE:Jun 19 2021 16:12:18, X-SYSTEM_CLOCK:100MHz, X-AXES:5, "
        "X-GRBL_MODE:0, X-ARCS:1, X-CNC:0, X-MSD:1"
    ),
    ending="\r\n",
    rules=Rules(number_needs_sum=False),
    refusal=_smoothie_refusal,
    ok_to_nothing=True,
    temperatures=_smoothie_temperatures,
    position="ok C:",
    unknown="",
    busy=None,
    halted=("ok Emergency Stop Requested - reset or M999 required to exit HALT state",),
    after_halt="complains",
    complaint=("!!",),
)

DIALECTS: Final[dict[Firmware, Dialect]] = {
    "marlin2": _MARLIN2,
    "marlin1": _MARLIN1,
    "prusa": _PRUSA,
    "repetier": _REPETIER,
    "rrf": _RRF,
    "klipper": _KLIPPER,
    "smoothie": _SMOOTHIE,
}
"""Each firmware by the name that `BoardOptions.firmware` has for it."""
