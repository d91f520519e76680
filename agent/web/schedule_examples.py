"""Examples of schedules for the API's document."""

from typing import Any, Final

TIME: Final[dict[str, Any]] = {
    "time": "2026-11-28T17:00:00.000Z",
    "local": "2026-11-29T02:00:00+09:00",
}
TROUBLE: Final[dict[str, Any]] = {
    "time": "2026-11-25T17:00:00.000Z",
    "local": "2026-11-26T02:00:00+09:00",
    "what": "refused",
    "text": "200 jobs wait already, of 200: stop some, or wait",
}
SCHEDULE: Final[dict[str, Any]] = {
    "schedule": "nightly-check",
    "titles": {"ko": "야간 자가 점검", "en": "Nightly self-check"},
    "recipe": "nightly_check",
    "arguments": {"room_low": 15},
    "devices": {},
    "cron": "0 2 * * *",
    "zone": "Asia/Seoul",
    "missed": "once",
    "late": 14400.0,
    "overlap": "skip",
    "role": "technician",
    "enabled": True,
    "off_by": None,
    "next": [TIME],
    "fired": {"time": "2026-11-27T17:00:00.000Z", "local": "2026-11-28T02:00:00+09:00"},
    "job": "20261127-170000-4",
    "trouble": TROUBLE,
}
