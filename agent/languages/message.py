"""A text for people that can still be said in another language when it reaches one.

It is a `str` in English, so that it passes every event, outcome, log and JSON as it is. At the
edge `agent.languages.catalogues.in_language` says the same in the language of whoever reads it.
"""

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Final, Self


class Message(str):
    """An English sentence with `{named}` places, filled in; what it was made of is remembered.

    `msgid` is the sentence before it was filled in, by which a catalogue knows it; write it as a
    literal, or the catalogues do not find it. An argument may itself be a `Message`. Where
    there are no arguments the sentence is taken as it stands, braces and all.

    Joined to other text, as by `+` or in an f-string, it is plain English: put it in as an
    argument instead.
    """

    __slots__ = ("arguments", "msgid")

    def __new__(cls, msgid: str, /, **arguments: object) -> Self:
        """Fill the sentence in. Raises KeyError where it has a place that is not given."""
        message = super().__new__(cls, msgid.format_map(arguments) if arguments else msgid)
        message.msgid = msgid
        message.arguments = arguments
        return message

    msgid: str
    arguments: dict[str, object]

    def __str__(self) -> str:
        """Itself, so that an error raised with a message still has it when it is written down."""
        return self


class Titled(str):
    """A text that config or a recipe has in several languages: English, else the first of them.

    It may be an argument of a message, as any text may.
    """

    __slots__ = ("texts",)

    def __new__(cls, texts: Mapping[str, str]) -> Self:
        """Take the texts, by language."""
        known = {language: text for language, text in texts.items() if text}
        titled = super().__new__(cls, known.get(ENGLISH) or next(iter(known.values()), ""))
        titled.texts = known
        return titled

    texts: dict[str, str]

    def __str__(self) -> str:
        """Itself, as a message is."""
        return self


def joined(texts: Iterable[str]) -> str:
    """The texts one after the other with a semicolon between them, each still a message."""
    found = [text for text in texts if text]
    return reduce(lambda one, more: Message("{one}; {more}", one=one, more=more), found or [""])


def lines(texts: Iterable[str]) -> str:
    """The texts, each on a line of its own, each still a message."""
    found = list(texts)
    return reduce(lambda one, more: Message("{one}\n{more}", one=one, more=more), found or [""])


def listed(texts: Iterable[str]) -> str:
    """The texts with a comma between them, each still a message."""
    found = [text for text in texts if text]
    return reduce(lambda one, more: Message("{one}, {more}", one=one, more=more), found or [""])


def either(texts: Iterable[str]) -> str:
    """The texts with an "or" between them, each still a message."""
    found = [text for text in texts if text]
    return reduce(lambda one, more: Message("{one} or {more}", one=one, more=more), found or [""])


def both(texts: Iterable[str]) -> str:
    """The texts with an "and" between them, each still a message."""
    found = [text for text in texts if text]
    return reduce(lambda one, more: Message("{one} and {more}", one=one, more=more), found or [""])


def N_(msgid: str) -> str:  # noqa: N802 - the name that every reader of catalogues knows
    """Mark a text for the catalogues where it is said later, as in a table of words."""
    return msgid


ENGLISH: Final = "en"
LANGUAGES: Final = ("ko", ENGLISH)
"""What the lab speaks. English is what the code says, and needs no catalogue."""
