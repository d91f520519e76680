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
RUN: Final[dict[str, Any]] = {
    "folder": "20261122-091500-1_thermal_cycle",
    "job": "20261122-091500-1",
    "recipe": "thermal_cycle",
    "version": "1.0",
    "titles": {"ko": "열 사이클 시험", "en": "Thermal cycle"},
    "state": "done",
    "verdict": "pass",
    "why": "",
    "by": "kim",
    "origin": "cli",
    "began": "2026-11-22T09:15:00.251Z",
    "ended": "2026-11-22T10:02:11.120Z",
    "simulated": False,
    "parameters": {"specimen": "S-17", "lot": "L-3", "hot": 60.0},
}
RUNS: Final[dict[str, Any]] = {"runs": [RUN], "next": "20261121-143010-2_settle"}
FAULT: Final[dict[str, Any]] = {
    "file": "measures.csv",
    "text": "was altered: its SHA-256 is not the one of the manifest",
}
VERDICT: Final[dict[str, Any]] = {
    "verified": False,
    "manifest": "9f86" * 16,
    "files": 7,
    "bytes": 48_211,
    "faults": [FAULT],
    "notes": ["/var/lib/labkeeper/station.db has this very manifest"],
}
RECORDS: Final[dict[str, Any]] = {"records": ["warm_up"]}
SERIES: Final[dict[str, Any]] = {
    "name": "oven.temperature",
    "unit": "Cel",
    "type": "number",
    "seconds": [0.0, 61.5, 2830.1],
    "values": [21.5, None, 60.0],
    "qualities": ["good", "bad", "good"],
}
THINNED: Final[dict[str, Any]] = {
    "record": "warm_up",
    "rows": 2831,
    "first": "2026-11-22T09:15:01.251Z",
    "last": "2026-11-22T10:02:11.120Z",
    "series": [SERIES],
}
