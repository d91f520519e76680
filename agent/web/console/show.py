"""How pages write values and times: numbers with their unit, moments in the station's zone."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from agent.fleet.samples import Quality, Sample, Value
from agent.languages.catalogues import in_language
from agent.languages.message import Message
from agent.web.console.words import QUALITIES, SWITCH
from drivers import UNITS

NOTHING: Final = "–"
DIGITS: Final = 6
"""Of a number on a page. A record has them all."""
LONGEST: Final = 200
"""Characters of a device's own text."""
MINUTE_S: Final = 60
HOUR_S: Final = 3600
_SYMBOLS: Final[Mapping[str, str]] = MappingProxyType({it: row.symbol for it, row in UNITS.items()})


def value_text(value: Value | None, language: str) -> str:
    """A value without its unit; a switch is on or off, and no value a dash."""
    match value:
        case None:
            return NOTHING
        case bool():
            return in_language(SWITCH[value], language)
        case float():
            return f"{value:.{DIGITS}g}"
    text = in_language(str(value), language)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def symbol(unit: str) -> str:
    """What a person reads for a UCUM unit; the code itself where it is none of the lab's."""
    return _SYMBOLS.get(unit, unit)


def ago(age: float | None, language: str) -> str:
    """How old a value is, in whole seconds, minutes or hours, as `ages.js` counts on; "" for None."""
    if age is None:
        return ""
    if age < MINUTE_S:
        return _ago("s", int(age), language)
    return (
        _ago("min", int(age // MINUTE_S), language)
        if age < HOUR_S
        else _ago("h", int(age // HOUR_S), language)
    )


@lru_cache(maxsize=512)  # the cards of a station ask it hundreds of times for the same few
def _ago(unit: str, n: int, language: str) -> str:
    match unit:
        case "s":
            text = Message("{n} s ago", n=n)
        case "min":
            text = Message("{n} min ago", n=n)
        case _:
            text = Message("{n} h ago", n=n)
    return in_language(text, language)


def note_of(sample: Sample | None, language: str) -> str:
    """Why a value is not to be taken for good, in a word or a sentence; "" where it is good."""
    if sample is None:
        return in_language(Message("not read yet"), language)
    if sample.quality in {Quality.GOOD, Quality.SIMULATED}:
        return ""
    word = in_language(QUALITIES[sample.quality], language)
    return f"{word}: {in_language(sample.reason, language)}" if sample.reason else word


def moment(seconds: float, zone: ZoneInfo) -> str:
    """A moment in seconds UTC as people of this zone read it, to the second."""
    return datetime.fromtimestamp(seconds, zone).strftime("%Y-%m-%d %H:%M:%S")


def titled(titles: Mapping[str, str], language: str, name: str) -> str:
    """What people call it, in this language or else in another; else its name."""
    return titles.get(language) or next(iter(titles.values()), name)
