"""Examples of run folders for the API's document."""

from typing import Any, Final

MANIFEST: Final[dict[str, Any]] = {
    "schema": "labkeeper/run/1",
    "job": "20261122-091500-1",
    "state": "done",
    "verdict": "pass",
    "why": "",
    "recipe": {
        "name": "thermal_cycle",
        "version": "1.0",
        "titles": {"ko": "열 사이클 시험", "en": "Thermal cycle"},
        "sha256": "3b1a" * 16,
        "file": "recipe.yaml",
    },
    "called": [],
    "by": {"name": "kim", "origin": "cli", "role": "technician"},
    "submitted": "2026-11-22T09:15:00.250+00:00",
    "began": "2026-11-22T09:15:00.251+00:00",
    "ended": "2026-11-22T10:02:11.120+00:00",
    "closed": "2026-11-22T10:02:11.160+00:00",
    "zone": {"name": "KST", "began": "2026-11-22T18:15:00.251+09:00"},
    "station": {"name": "bench-3", "titles": {"ko": "3번 작업대"}},
    "agent": {"version": "0.1.0", "config_hash": "9f86" * 16, "boot_id": "0f7c5a3e"},
    "parameters": {"specimen": "S-17", "lot": "L-3", "hot": 60.0},
    "roles": {"oven": "oven1"},
    "devices": [
        {
            "device": "oven1",
            "roles": ["oven"],
            "driver": "autonics.tk4",
            "titles": {"ko": "오븐 1"},
            "simulated": False,
            "state": "ready",
            "identity": {"text": "", "model": "", "serial_number": "", "firmware": ""},
        }
    ],
    "simulated": False,
    "tables": [
        {
            "name": "warm_up",
            "file": "readings/warm_up.csv",
            "rows": 2831,
            "columns": [
                {"name": "oven.temperature", "device": "oven1", "unit": "Cel", "type": "number"}
            ],
        }
    ],
    "printed": [],
    "lost": {},
    "notes": [],
    "files": [{"name": "measures.csv", "size": 412, "sha256": "5d41" * 16}],
}
