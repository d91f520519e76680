"""Values, qualities and ages in words, the same in every table. Pure."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from agent.languages.message import ENGLISH, Message

BELIEVED: Final = frozenset({"good", "simulated", "manual"})
CHOSEN: Final = "LABKEEPER_LANGUAGE"
"""What `--language` sets: it beats the others, and goes on to what this program starts."""
NOTHING: Final = "—"
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


def symbol(unit: str) -> str:
    """The unit as a person reads it: °C for Cel. An unknown unit stays as it is."""
    # Here, because most commands show no values: the face of drivers takes 0.08 s to import.
    from drivers import UNITS

    for code, row in UNITS.items():
        if code == unit:
            return row.symbol
    return unit


def shown(value: Any, unit: str = "", *, digits: int = 10) -> str:
    """A value with its unit; on and off for switches. Only what is shown is rounded."""
    match value:
        case None:
            return NOTHING
        case "":
            return said(Message("none"))
        case bool():
            return said(Message("on") if value else Message("off"))
        case float():
            text = f"{value:.{digits}g}"
        case dict():
            return ", ".join(f"{name} {shown(it)}" for name, it in value.items())
        case _:
            text = str(value)
    return f"{text} {symbol(unit)}".rstrip() if unit else text


def with_unit(sample: Mapping[str, Any]) -> str:
    """A sample's value; never a number for a bad one."""
    return chosen(sample["value"], sample["unit"])


def chosen(value: Any, unit: str = "", *, digits: int = 10) -> str:
    """The same of a reading: what is one of several is said in words where these are not English."""
    if not isinstance(value, str) or spoken() == ENGLISH:
        return shown(value, unit, digits=digits)
    # As the catalogue, it is read when there is something to say.
    from agent.languages.names import CHOICES

    return said(CHOICES.get(value, value)) if value else shown(value)


def believed(sample: Mapping[str, Any]) -> bool:
    """Whether the value may be taken for what the device shows now."""
    return sample["quality"] in BELIEVED


def quality(sample: Mapping[str, Any]) -> str:
    """The quality, with its reason where there is one."""
    reason, word = sample.get("reason", ""), said(Message(sample["quality"]))
    return f"{word}: {said(reason)}" if reason else word


def age_of(time: str, now: float) -> str:
    """How long ago an RFC 3339 time was; `now` is in seconds UTC."""
    return age(now - datetime.fromisoformat(time).timestamp())


def age(seconds: float) -> str:
    """A duration as a person reads it: 0.4 s, 12 s, 3 min, 5 h, 2 d; in Korean 0.4초, 12초, 3분."""
    passed = max(seconds, 0.0)  # the two clocks are one; what is younger than 0 was just read
    if passed < 9.95:
        return said(Message("{seconds:.1f} s", seconds=passed))
    if passed < MINUTE:
        return said(Message("{seconds:.0f} s", seconds=passed))
    if passed < HOUR:
        return said(Message("{minutes:.0f} min", minutes=passed // MINUTE))
    if passed < DAY:
        return said(Message("{hours:.0f} h", hours=passed // HOUR))
    return said(Message("{days:.0f} d", days=passed // DAY))


def duration(seconds: float) -> str:
    """How long something takes: 4.2 s, 48 s, 12 min 03 s, 3 h 07 min, 2 d 05 h; in Korean 12분 03초."""
    if seconds < 9.95:
        return said(Message("{seconds:.1f} s", seconds=seconds))
    whole = round(seconds)
    if whole < MINUTE:
        return said(Message("{seconds:.0f} s", seconds=whole))
    minutes, rest = divmod(whole, 60)
    if whole < HOUR:
        return said(Message("{number} min {seconds:02} s", number=minutes, seconds=rest))
    hours, minutes = divmod(minutes, 60)
    if whole < DAY:
        return said(Message("{hours} h {minutes:02} min", hours=hours, minutes=minutes))
    return said(Message("{days} d {hours:02} h", days=hours // 24, hours=hours % 24))


def size(count: int) -> str:
    """Bytes as a person reads them, in powers of ten: 512 B, 3.4 kB, 210 MB."""
    amount, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 999.5:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.{0 if unit == 'B' or amount >= 99.95 else 1}f} {unit}"


def title_of(titles: Mapping[str, str], language: str) -> str:
    """The title in the language of the person, else in another one."""
    return titles.get(language) or titles.get("en") or titles.get("ko") or ""


def language(environment: Mapping[str, str]) -> str:
    """The language that the environment asks for: "ko" or "en"."""
    for name in (CHOSEN, "LC_ALL", "LC_MESSAGES", "LANG"):
        if set_to := environment.get(name, ""):
            return "ko" if set_to.startswith("ko") else "en"
    return "en"


def utc_now() -> float:
    """Seconds UTC by this machine's clock, which is the agent's too: they share a socket."""
    # The clock's module imports asyncio, which not every command needs.
    from agent.clock import SystemClock

    return SystemClock().utc()


def spoken() -> str:
    """The language of the person at this terminal: "ko" or "en"."""
    return language(os.environ)


def said(text: str) -> str:
    """A text for the person at the terminal; what is no message, such as a device's words, as it is."""
    if spoken() == ENGLISH:
        return text
    # The catalogue is read when there is something to say in it.
    from agent.languages.catalogues import in_language

    return in_language(text, spoken())


def called(name: str) -> str:
    """A verb of the ledger or a kind of event; by its name in English, which programs and people grep."""
    if spoken() == ENGLISH:
        return name
    # As the catalogue, it is read when there is something to say.
    from agent.languages.deeds import deed

    return said(deed(name))


def told(word: str) -> str:
    """A word of ours that came as plain text, such as a state in an answer, or a table's head."""
    return said(word if isinstance(word, Message) else Message(word)) if word else ""
