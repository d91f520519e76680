"""Moments as the store writes them: UTC, to be read by people and sorted as text. Pure."""

from datetime import UTC, datetime


def exact(seconds: float) -> str:
    """Seconds since 1970 as RFC 3339 in UTC, to the microsecond: 2026-11-28T05:16:02.123456Z."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def compact(seconds: float) -> str:
    """The same to the millisecond for names of files: 20261128T051602.123Z."""
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z").replace("-", "").replace(":", "")
