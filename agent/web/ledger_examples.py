"""Examples of the ledger for the API's document."""

from typing import Any, Final

HEAD: Final[dict[str, Any]] = {"seq": 812, "hash": "9f86" * 16}
SAID: Final[dict[str, Any]] = {
    "kind": "command or setting",
    "action": "set",
    "stage": "done",
    "reason": "",
}
ROW: Final[dict[str, Any]] = {
    **HEAD,
    "prev_hash": "3b1a" * 16,
    "entry": {
        "utc": "2026-11-28T05:16:02.123456Z",
        "mono": 4711.5,
        "clock_synced": True,
        "kind": "command",
        "actor": {"name": "김하나", "role": "technician", "origin": "cli"},
        "action": "set",
        "object": "psu1.voltage",
        "before": 5.0,
        "after": 6.0,
        "stage": "confirmed",
        "command": "0f7c5a3e9b1d2c48",
        "boot_id": "0f7c5a3e",
        "software_version": "0.1.0",
        "config_hash": "c0ffee",
    },
    "said": SAID,
}
PAGE: Final[dict[str, Any]] = {"rows": [ROW], "next": 811}
FINDING: Final[dict[str, Any]] = {
    "seq": 17,
    "text": "was altered: its content and its hash do not belong together",
}
VERDICT: Final[dict[str, Any]] = {
    "verified": False,
    "rows": 812,
    "head": HEAD,
    "findings": [FINDING],
    "more_findings": 0,
    "notes": [],
}
