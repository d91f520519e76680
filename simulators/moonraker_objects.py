"""The printer objects that Klipper lets one query: each a dictionary made from the machine.

Source: moonraker.readthedocs.io, "Printer Objects", and klipper3d.org, Status Reference. Fields
that this machine has no part for are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from simulators.marlin_heaters import BED, NOZZLE
from simulators.moonraker_klippy import Klippy, KlippyState
from simulators.networked_board import MIN_EXTRUDE
from simulators.networked_head import AXES
from simulators.networked_job import PrintState
from simulators.networked_printing import SIZE

Status = dict[str, Any]
Wanted = Mapping[str, Sequence[str] | None]
"""Which objects, and which of their fields; None is all of them."""

GCODES: Final = "/opt/printer_data/gcodes"
IDLE_S: Final = 600.0


def names(klippy: Klippy) -> list[str]:
    """Return the objects that can be asked for now: all, once Klippy has read its configuration."""
    if klippy.state in (KlippyState.READY, KlippyState.SHUTDOWN):
        return list(_OBJECTS)
    return ["webhooks"]


def query(klippy: Klippy, wanted: Wanted) -> dict[str, Status]:
    """Return what was asked for; what does not exist is left out."""
    found = {}
    for name in names(klippy):
        if name in wanted:
            status, fields = _OBJECTS[name](klippy), wanted[name]
            found[name] = (
                status if fields is None else {f: status[f] for f in fields if f in status}
            )
    return found


def _webhooks(klippy: Klippy) -> Status:
    return {"state": str(klippy.state), "state_message": klippy.message}


def _print_stats(klippy: Klippy) -> Status:
    job, shown = klippy.printer.job, klippy.printer.board.shown
    return {
        "filename": "" if job is None else job.name,
        "total_duration": 0.0 if job is None else round(job.total, 3),
        "print_duration": 0.0 if job is None else round(job.printing - job.heating, 3),
        "filament_used": 0.0 if job is None else round(job.filament, 3),
        "state": klippy.reported,
        "message": "" if job is None else job.message,
        "info": {"total_layer": shown.layers, "current_layer": shown.layer},
    }


def _virtual_sdcard(klippy: Klippy) -> Status:
    job = klippy.printer.job
    if job is None or job.state is PrintState.CANCELLED:
        return {"file_path": None, "progress": 0.0, "is_active": False,
                "file_position": 0, "file_size": 0}  # fmt: skip
    closed = job.state is PrintState.FINISHED
    return {
        "file_path": None if closed else f"{GCODES}/{job.name}",
        "progress": job.progress,
        "is_active": job.active and klippy.reported == "printing",
        "file_position": job.position,
        "file_size": job.size,
    }


def _heater(klippy: Klippy, name: str) -> Status:
    heater = klippy.printer.board.heaters[name]
    return {
        "temperature": round(heater.temperature, 2),
        "target": heater.target,
        "power": round(heater.duty, 3),
    }


def _extruder(klippy: Klippy) -> Status:
    status = _heater(klippy, "nozzle")
    hot = status["temperature"] >= MIN_EXTRUDE
    rest = {"pressure_advance": 0.0, "smooth_time": 0.04, "motion_queue": None}
    return status | {"can_extrude": hot} | rest


def _coordinates(values: Mapping[str, float]) -> list[float]:
    return [round(values[axis], 4) for axis in AXES]


def _toolhead(klippy: Klippy) -> Status:
    board = klippy.printer.board
    return {
        "homed_axes": "".join(axis.lower() for axis in "XYZ" if axis in board.head.homed),
        "axis_minimum": [0.0, 0.0, 0.0, 0.0],
        "axis_maximum": [SIZE["X"], SIZE["Y"], SIZE["Z"], 0.0],
        "print_time": round(board.now, 3),
        "estimated_print_time": round(board.now, 3),
        "stalls": 0,
        "extruder": "extruder",
        "position": _coordinates(board.head.planned),
        "max_velocity": 300.0,
        "max_accel": 3000.0,
        "minimum_cruise_ratio": 0.5,
        "square_corner_velocity": 5.0,
    }


def _gcode_move(klippy: Klippy) -> Status:
    head = klippy.printer.board.head
    return {
        "speed_factor": head.speed_factor,
        "speed": round(head.mm_per_s, 3),
        "extrude_factor": head.extrude_factor,
        "absolute_coordinates": head.absolute,
        "absolute_extrude": head.absolute_e,
        "homing_origin": [0.0, 0.0, 0.0, 0.0],
        "position": _coordinates(head.planned),
        "gcode_position": _coordinates(head.coordinates()),
    }


def _motion_report(klippy: Klippy) -> Status:
    head = klippy.printer.board.head
    return {
        "live_position": _coordinates(head.position),
        "live_velocity": round(head.mm_per_s, 3) if head.moving else 0.0,
        "live_extruder_velocity": 0.0,
    }


def _display_status(klippy: Klippy) -> Status:
    shown = klippy.printer.board.shown
    card: float = _virtual_sdcard(klippy)["progress"]
    return {
        "message": shown.text or None,
        "progress": card if shown.percent is None else shown.percent / 100.0,
    }


def _idle_timeout(klippy: Klippy) -> Status:
    """The trap of the documents: it says "Printing" of anything that moves, or waits for heat."""
    if klippy.printer.busy and not klippy.printer.state_is(PrintState.PAUSED):
        return {"state": "Printing", "printing_time": round(klippy.printer.board.now, 1)}
    return {"state": "Ready" if klippy.idle_for < IDLE_S else "Idle", "printing_time": 0.0}


def _configfile(_: Klippy) -> Status:
    settings = {
        "extruder": {"max_temp": NOZZLE.max_temperature, "min_extrude_temp": MIN_EXTRUDE},
        "heater_bed": {"max_temp": BED.max_temperature},
        "virtual_sdcard": {"path": GCODES},
    }
    pending = {"save_config_pending": False, "save_config_pending_items": {}}
    return {"config": {}, "settings": settings, "warnings": []} | pending


def _paused(klippy: Klippy) -> Status:
    return {"is_paused": klippy.printer.state_is(PrintState.PAUSED, PrintState.RESUMING)}


_OBJECTS: Final[dict[str, Callable[[Klippy], Status]]] = {
    "webhooks": _webhooks,
    "configfile": _configfile,
    "gcode_move": _gcode_move,
    "toolhead": _toolhead,
    "motion_report": _motion_report,
    "extruder": _extruder,
    "heater_bed": lambda klippy: _heater(klippy, "bed"),
    "heaters": lambda _: {
        "available_heaters": ["heater_bed", "extruder"],
        "available_sensors": ["heater_bed", "extruder"],
    },
    "fan": lambda klippy: {"speed": round(klippy.printer.board.fan, 4), "rpm": None},
    "print_stats": _print_stats,
    "virtual_sdcard": _virtual_sdcard,
    "pause_resume": _paused,
    "display_status": _display_status,
    "idle_timeout": _idle_timeout,
    "filament_switch_sensor runout": lambda klippy: {
        "filament_detected": klippy.printer.filament_there,
        "enabled": True,
    },
}
