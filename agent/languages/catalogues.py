"""Saying things in the language of whoever reads them. The catalogues are read at import, once.

A catalogue is `<language>/LC_MESSAGES/labkeeper.po`, written by people; `scripts/texts` brings it up
to date with the code and compiles it. What no catalogue has is said in English.
"""

from collections.abc import Mapping
from enum import StrEnum
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar, cast

from agent.languages.heard import heard
from agent.languages.message import ENGLISH, LANGUAGES, Message, Titled

T = TypeVar("T")

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
        known = heard(text)
        return text if known is None else in_language(known, language)
    said = CATALOGUES[language].gettext(text.msgid)
    if not text.arguments:
        return said
    arguments = {name: _argument(it, language) for name, it in text.arguments.items()}
    return said.format_map(arguments)


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
        case list():
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
