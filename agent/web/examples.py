"""Examples for the API's document: one bench supply, in every form that it takes."""

from typing import Any, Final

VALUE: Final[dict[str, Any]] = {
    "value": 5.001,
    "unit": "V",
    "quality": "good",
    "time": "2026-11-22T09:15:00.250Z",
}
DEVICE: Final[dict[str, Any]] = {
    "device": "psu1",
    "state": "ready",
    "since": "2026-11-22T08:00:01.000Z",
    "reason": "",
    "activity": "",
    "identity": "Siglent Technologies,SPD1168X,SPD13DCC000001,2.1.1.8",
    "values": {"measured_voltage": VALUE},
}
FORM: Final[dict[str, Any]] = {
    "type": "number",
    "unit": "V",
    "low": 0.0,
    "high": 5.5,
    "choices": [],
}
READING: Final[dict[str, Any]] = {
    "name": "measured_voltage",
    "doc": "At the terminals.",
    "value": FORM,
    "every": 1.0,
}
SETTING: Final[dict[str, Any]] = {
    **READING,
    "name": "voltage",
    "doc": "Voltage the output regulates to.",
    "role": "technician",
    "anytime": False,
}
PARAMETER: Final[dict[str, Any]] = {"name": "to", "value": FORM, "required": True, "default": None}
COMMAND: Final[dict[str, Any]] = {
    "name": "ramp",
    "doc": "Move the voltage to `to`.",
    "role": "technician",
    "timeout": 120.0,
    "anytime": False,
    "parameters": [PARAMETER],
}
DRIVER: Final[dict[str, Any]] = {
    "driver": "siglent.spd1000x",
    "title": "A bench supply with one output (Siglent SPD1000X)",
    "readings": [READING],
    "settings": [SETTING],
    "commands": [COMMAND],
    "trouble": "",
}
DESCRIPTION: Final[dict[str, Any]] = {
    "device": "psu1",
    "titles": {"en": "Bench supply", "ko": "벤치 전원"},
    "simulated": False,
    **{key: value for key, value in DRIVER.items() if key != "trouble"},
}
EVENT: Final[dict[str, Any]] = {
    "number": 42,
    "time": "2026-11-22T09:15:00.250Z",
    "kind": "device.offline",
    "severity": "warning",
    "device": "psu1",
    "text": "psu1: no answer within 1 s",
    "data": {},
}
INTERLOCK: Final[dict[str, Any]] = {
    "interlock": "hood",
    "titles": {"en": "Hood closed", "ko": "후드 닫힘"},
    "holds": False,
    "reason": "hood1.closed is off and must be on",
    "latched": "it has tripped, and nobody has acknowledged that yet: look at the devices, then "
    "`labkeeper alarm ack interlock.hood`",
    "guards": ["psu1.output"],
    "trip": ["psu1"],
}
STATION: Final[dict[str, Any]] = {
    "station": "bench-3",
    "version": "0.1.0",
    "titles": {"en": "Bench 3"},
    "time": "2026-11-22T09:15:00.250Z",
    "devices": {"total": 5, "up": 4},
}
DONE: Final[dict[str, Any]] = {"status": "done", "message": "", "value": 5.0}
PROBLEM: Final[dict[str, Any]] = {
    "type": "urn:problem-type:labkeeper:bad-value",
    "title": "The value is not allowed",
    "status": 422,
    "detail": "psu1.voltage: 9 V is above 5.5 V, the limit set by config/station.yaml:41",
    "outcome": "refused",
}
ENTRY: Final[dict[str, Any]] = {
    "at": -1.002,
    "kind": "sent",
    "hex": "4d4541533a564f4c543f0a",
    "text": "MEAS:VOLT?\\n",
}
RECORDING: Final[dict[str, Any]] = {
    "schema": "labkeeper/recording/1",
    "station": "bench-3",
    "device": "psu1",
    "driver": "siglent.spd1000x",
    "address": "tcp://192.0.2.11:5025",
    "identity": "Siglent Technologies,SPD1168X,SPD13DCC000001,2.1.1.8",
    "state": "offline",
    "reason": "no reply within 1 s: is it on and connected?",
    "time": "2026-11-22T09:15:00.250Z",
    "monotonic": 4711.5,
    "versions": {"labkeeper": "0.1.0", "python": "3.11.2"},
    "timeouts": {},
    "values": {"measured_voltage": 5.001},
    "entries": [ENTRY],
}
FAULT: Final[dict[str, Any]] = {
    "name": "psu1-20261122T091500.250Z",
    "time": "2026-11-22T09:15:00.250Z",
    "size": 18230,
}
SLICER: Final[dict[str, Any]] = {
    "name": "PrusaSlicer",
    "version": "2.8.1",
    "seconds": 4321.0,
    "layers": 120,
    "layer_height": 0.2,
    "filament_mm": 5120.4,
    "filament_g": 15.3,
    "thumbnails": [{"width": 220, "height": 124, "format": "png"}],
}
SUMMARY: Final[dict[str, Any]] = {
    "lines": 184220,
    "commands": 171034,
    "seconds": 4321.0,
    "troubles": 0,
    "slicer": {"name": "PrusaSlicer", "layers": 120, "filament_mm": 5120.4, "filament_g": 15.3},
}
EXTENT: Final[dict[str, Any]] = {
    "low": 5.0,
    "low_line": 310,
    "low_code": "G1",
    "high": 212.5,
    "high_line": 9120,
    "high_code": "G1",
}
PEAK: Final[dict[str, Any]] = {"value": 215.0, "line": 41, "code": "M109"}
TROUBLE: Final[dict[str, Any]] = {
    "line": 812,
    "code": "",
    "text": "the line has 10,240 bytes, and firmware takes 96",
    "by_lines": True,
}
LOAD: Final[dict[str, Any]] = {"needed": 4310.0, "seconds": 12.5, "line": 20114}
SURVEY: Final[dict[str, Any]] = {
    "size": 6291456,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "lines": 184220,
    "commands": 171034,
    "trouble": [],
    "more_trouble": 0,
    "codes": {"G1": {"count": 170211, "line": 61}},
    "box": {"X": EXTENT},
    "printed": {"X": EXTENT},
    "unplaced": {"E": {"line": 52, "code": "G92"}},
    "nozzle": PEAK,
    "bed": {"value": 60.0, "line": 38, "code": "M190"},
    "chamber": None,
    "feed": {"value": 12000.0, "line": 77, "code": "G1"},
    "slicer": SLICER,
    "seconds": 4321.0,
    "demand": {"loads": [LOAD], "worst": LOAD},
}
FILE: Final[dict[str, Any]] = {
    "name": "시험편.gcode",
    "size": SURVEY["size"],
    "modified": "2026-11-22T09:15:00.250Z",
    "sha256": SURVEY["sha256"],
    "survey": SURVEY,
}
FILES: Final[dict[str, Any]] = {
    "files": [{**FILE, "survey": SUMMARY}],
    "used": 6291456,
    "limit": 4096000000,
    "free": 4089708544,
    "next": None,
}
ADMISSION: Final[dict[str, Any]] = {
    "admitted": False,
    "reasons": [
        "시험편.gcode, line 41: M109 heats the nozzle to 290 °C, above 260 °C, the limit set by "
        "config/station.yaml:63"
    ],
    "warnings": [],
}
