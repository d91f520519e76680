"""Sentences that come as plain text, known again by their words: from drivers, from disk, from another process.

Every sentence of the catalogues is looked for by the rarest of its words, so that a text is held
against a handful of them. The list of them is compiled beside the catalogues, and read with them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from string import Formatter
from types import MappingProxyType
from typing import Final, NamedTuple

LIST: Final = Path(__file__).with_name("sentences.json")
"""By its rarest word, each sentence with places; `scripts/compile_texts.py` writes it."""
FEWEST_LETTERS: Final = 10
"""Letters that a sentence has itself; with less of them anything might be it by chance."""
LONGEST: Final = 600
WORD: Final = re.compile(r"[A-Za-z']{2,}")
_SENTENCES: Final[Mapping[str, list[str]]] = MappingProxyType(
    json.loads(LIST.read_text("utf-8")) if LIST.exists() else {}
)
NUMBER: Final = r"[-+\d.,e%]+"


class Known(NamedTuple):
    """A sentence of the catalogues, and what stands in its places, as it was written."""

    msgid: str
    places: Mapping[str, str]


class AsWritten(str):
    """What stood in a place: it was given its form before, and has it still."""

    __slots__ = ()

    def __format__(self, form: str, /) -> str:
        return str(self)

    def __repr__(self) -> str:
        return str(self)


@lru_cache(maxsize=4096)
def known_again(text: str) -> Known | None:
    """The sentence that a text is, with one or more places; else None."""
    if len(text) > LONGEST or " " not in text:
        return None
    for msgid in _candidates(text):
        if found := _pattern(msgid).fullmatch(text):
            return Known(msgid, found.groupdict())
    return None


def key_words(msgids: list[str]) -> dict[str, list[str]]:
    """The sentences that may be known again, by the rarest word of each, the longest ones first."""
    usable = [it for it in msgids if _is_telling(it)]
    counts: dict[str, int] = {}
    for word in (word for it in usable for word in set(_words(it))):
        counts[word] = counts.get(word, 0) + 1
    found: dict[str, list[str]] = {}
    for it in sorted(usable, key=lambda it: (-len("".join(_words(it))), it)):
        found.setdefault(min(_words(it), key=lambda word: (counts[word], word)), []).append(it)
    return found


def _is_telling(msgid: str) -> bool:
    """Whether it has a place, and enough of its own to be told from anything else."""
    words = _words(msgid)
    has_place = any(name is not None for _, name, _, _ in Formatter().parse(msgid))
    return has_place and len(words) > 1 and sum(map(len, words)) >= FEWEST_LETTERS


def _words(msgid: str) -> list[str]:
    """The words that a sentence has itself, outside of its places."""
    return [word for text, _, _, _ in Formatter().parse(msgid) for word in WORD.findall(text)]


def _candidates(text: str) -> Iterator[str]:
    """The sentences that have a word of the text as their rarest one, the most telling first."""
    found = {it for word in set(WORD.findall(text)) for it in _SENTENCES.get(word, ())}
    yield from sorted(found, key=lambda it: (-len("".join(_words(it))), it))


@lru_cache(maxsize=512)
def _pattern(msgid: str) -> re.Pattern[str]:
    parts, seen = "", set[str]()
    for text, place, form, _ in Formatter().parse(msgid):
        parts += re.escape(text)
        if place in seen:
            parts += f"(?P={place})"
        elif place is not None:
            seen.add(place)
            parts += f"(?P<{place}>{NUMBER if form else '.*?'})"
    return re.compile(parts, re.DOTALL)
