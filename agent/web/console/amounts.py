"""How long, how large, how much, as people say it."""

from typing import Final

from agent.languages.message import Message

KILO: Final = 1000
MINUTE_S: Final = 60
HOUR_S: Final = 3600


def duration(seconds: float) -> Message:
    """Seconds in hours and minutes; below a minute in seconds."""
    if seconds < MINUTE_S:
        return Message("{s} s", s=round(seconds))
    if seconds < HOUR_S:
        return Message("{min} min", min=round(seconds / MINUTE_S))
    hours, minutes = divmod(round(seconds / MINUTE_S), MINUTE_S)
    return Message("{h} h {min} min", h=hours, min=minutes)


def size(number: int) -> str:
    """Bytes with a prefix of the thousands: 6.3 MB."""
    amount, units = float(number), ["B", "kB", "MB", "GB"]
    while amount >= KILO and len(units) > 1:
        amount, units = amount / KILO, units[1:]
    return f"{amount:.3g} {units[0]}"
