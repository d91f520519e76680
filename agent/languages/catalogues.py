"""Saying things in the language of whoever reads them. The catalogues are read at import, once.

A catalogue is `<language>/LC_MESSAGES/labkeeper.po`, written by people; `scripts/texts` brings it up
to date with the code and compiles it. What no catalogue has is said in English.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar, cast

from agent.languages.heard import heard
from agent.languages.known_again import LONGEST, AsWritten, known_again
from agent.languages.message import ENGLISH, LANGUAGES, Message, Titled

T = TypeVar("T")

OF_OURS: Final = frozenset({"what", "ends", "kind", "state"})
"""Places of sentences that no device's name and no value stands in."""
FOLDER: Final = Path(__file__).parent


def _read(language: str) -> NullTranslations:
    path = FOLDER / language / "LC_MESSAGES" / "labkeeper.mo"
    if language == ENGLISH or not path.exists():
        return NullTranslations()
    with path.open("rb") as file:
        return GNUTranslations(file)


CATALOGUES: Final[Mapping[str, NullTranslations]] = MappingProxyType(
    {language: _read(language) for language in LANGUAGES}
)


def in_language(text: str, language: str) -> str:
    """The text in one of LANGUAGES; a plain `str`, such as a device's own words, as it is."""
    if isinstance(text, Titled):
        return text.texts.get(language) or text
    if language == ENGLISH:
        return str(text)
    if not isinstance(text, Message):
        return _known(text, language)
    said = CATALOGUES[language].gettext(text.msgid)
    if not text.arguments:
        return said
    arguments = {name: _argument(it, language) for name, it in text.arguments.items()}
    return said.format_map(arguments)


def _known(text: str, language: str) -> str:
    """A text that came as plain words, where they are ours; else the text as it is."""
    if "\n" in text:
        return _known_lines(text, language)
    if " " not in text or len(text) > LONGEST:
        return text
    return _known_line(text, language)


def _known_lines(text: str, language: str) -> str:
    """Paragraphs, each in one go, or else line by line."""
    if "\n\n" in text:
        parts = re.split(r"\n\n\s*", text)
        said = "\n\n".join(_known(it, language) for it in parts)
        return text if said == "\n\n".join(parts) else said
    whole = " ".join(text.split())
    if (known := _known_line(whole, language)) != whole:
        return known
    return "\n".join(_known(it, language) for it in text.split("\n"))


@lru_cache(maxsize=4096)
def _known_line(text: str, language: str) -> str:
    """One sentence, or what it is about and the sentence, or some with a semicolon between them."""
    catalogue = CATALOGUES[language]
    for it in (text, text[:1].lower() + text[1:]):  # such as what the operating system says
        if (said := catalogue.gettext(it)) != it:
            return said
    if message := heard(text):
        return in_language(message, language)
    if known := known_again(text):
        places = {name: _place(name, it, language) for name, it in known.places.items()}
        return catalogue.gettext(known.msgid).format_map(places)
    for between in ("; ", ": "):
        first, found, rest = text.partition(between)
        if found:
            return f"{_known(first, language)}{between}{_known(rest, language)}"
    return text


def _place(name: str, text: str, language: str) -> AsWritten:
    """What stands in a place; a single word is one of ours only where we say what was done or is."""
    is_ours = name in OF_OURS and " " not in text and text
    return AsWritten(CATALOGUES[language].gettext(text) if is_ours else _known(text, language))


def _argument(value: object, language: str) -> object:
    """What stands in a message; a member of an enumeration is one of `agent.languages.words`."""
    match value:
        case StrEnum():
            return CATALOGUES[language].gettext(value.value)
        case str():
            return in_language(value, language)
        case None | bool() | int() | float() | list() | tuple() | dict():
            return value
    return in_language(str(value), language)  # one of ours: it says itself as a message


def all_in_language(value: T, language: str) -> T:
    """The same with every text in its mappings and lists in one of LANGUAGES."""
    return cast(T, _whole(value, language))


def _whole(value: object, language: str) -> object:
    match value:
        case str():
            return in_language(value, language)
        case Mapping():
            return {key: _whole(it, language) for key, it in value.items()}
        case list() | tuple():
            return [_whole(it, language) for it in value]
    return value


def wanted(accepted: str, otherwise: str) -> str:
    """The language of LANGUAGES that an `Accept-Language` header likes best, else `otherwise`."""
    liked = [_range(part) for part in accepted[:200].split(",")]
    for language, weight in sorted(liked, key=lambda it: -it[1]):
        if weight > 0 and language in LANGUAGES:
            return language
    return otherwise


def _range(part: str) -> tuple[str, float]:
    """One language range of RFC 9110 12.5.4 and its weight; 0 where it is not understood."""
    name, _, more = part.strip().partition(";")
    key, _, number = more.strip().partition("=")
    try:
        weight = float(number) if key.strip() == "q" else 1.0
    except ValueError:
        weight = 0.0
    return name.strip().lower().partition("-")[0], weight
