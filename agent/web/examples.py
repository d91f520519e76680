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
