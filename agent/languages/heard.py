"""Sentences that drivers say most, known again by their shape: drivers themselves speak no languages.

So are those of the process that verifies the ledger, which sends them as JSON. The others are left to
`agent.languages.known_again`, which goes by words alone: what is here has too few of them, or is met
most.

What is not known again stays as it is. A device's own words are never among these.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from string import Formatter
from typing import Final

from agent.languages.heard_of_files import OF_FILES, SHAPES_OF_FILES
from agent.languages.heard_of_ledgers import OF_LEDGERS, SHAPES_OF_LEDGERS
from agent.languages.heard_of_values import OF_VALUES, SHAPES_OF_VALUES
from agent.languages.message import N_, Message

SENTENCES: Final = (
    N_("no reply within {seconds} s: is it on and connected?"),
    N_("no reply within {seconds} s"),
    N_("the reply was not whole in time"),
    N_("the link was busy for {seconds} s"),
    N_("the controller does not answer: is it on hold, or in an alarm?"),
    N_("{link}: no answer within {seconds} s"),
    N_("{link}: the device has stopped reading"),
    N_("{link}: the connection was lost"),
    N_("{link}: the device closed the connection"),
    N_("{link}: the connection is closed"),
    N_("{link}: the port is closed"),
    N_("{link}: its last connection is not closed yet"),
)
"""As drivers write them; a test finds each of them there."""

SHAPES: Final = {"seconds": r"[\d.e+-]+", "link": r"\S+"}
LONGEST: Final = 300


def _pattern(sentence: str, shapes: Mapping[str, str]) -> re.Pattern[str]:
    parts = (
        re.escape(text) + (f"(?P<{place}>{shapes[place]})" if place else "")
        for text, place, _, _ in Formatter().parse(sentence)
    )
    return re.compile("".join(parts))


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Made when the first text is to be known, and not by everybody who imports this."""
    return tuple(
        (_pattern(sentence, SHAPES | shapes), sentence)
        for sentences, shapes in (
            (SENTENCES, SHAPES),
            (OF_FILES, SHAPES_OF_FILES),
            (OF_LEDGERS, SHAPES_OF_LEDGERS),
            (OF_VALUES, SHAPES_OF_VALUES),
        )
        for sentence in sentences
    )


@lru_cache(maxsize=512)
def heard(text: str) -> Message | None:
    """The message that a driver's sentence is, also after the request that it is about; else None."""
    if len(text) > LONGEST:
        return None
    for pattern, sentence in _patterns():
        if found := pattern.fullmatch(text):
            places = found.groupdict()
            return Message(sentence, **places)
    what, colon, why = text.partition(": ")
    known = heard(why) if colon else None
    return Message("{what}: {why}", what=what, why=known) if known else None
