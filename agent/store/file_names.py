"""What a file of the store may be called. A name is never a path, and has one spelling."""

import unicodedata
from typing import Final

from agent.languages.message import N_, Message
from agent.store.file_errors import BadName

ENDINGS: Final = (".gcode", ".gco", ".g", ".nc", ".ngc", ".txt")
"""Written in small or capital letters."""
LONGEST_NAME: Final = 200
"""Bytes of UTF-8. File systems take 255, of which the names of our own files need some more."""
MOST_SHOWN: Final = 80
GARBLED: Final = "\N{REPLACEMENT CHARACTER}"
"""What is read where bytes were not UTF-8: the name is not the one that was meant."""


def stored_name(name: str) -> str:
    """The one spelling (NFC) of a name, by which the file is known.

    Macs spell Korean with one code point for each letter (NFD), most others with one for each
    syllable (NFC); they look the same. Source: Unicode Standard Annex #15.

    Raises:
        BadName: A file of the store may not be called so; the sentence says what it may be called.
    """
    shown = f"{name[:MOST_SHOWN]!r}"
    if len(name) > 4 * LONGEST_NAME:  # no spelling of a name that may be is so long
        raise _bad(
            N_("{shown}…: a name may have {longest_name} bytes"), shown, longest_name=LONGEST_NAME
        )
    one = unicodedata.normalize("NFC", name)
    if one in {"", ".", ".."} or "/" in one or "\\" in one:
        raise _bad(
            N_("{shown} is not a plain file name: give the name alone, without a folder"), shown
        )
    if not one.isprintable() or GARBLED in one:
        raise _bad(
            N_("{shown} is not a plain file name: a character in it can't be printed"), shown
        )
    if one.startswith("."):
        raise _bad(
            N_("{shown} is not a plain file name: it begins with a dot, as hidden files do"), shown
        )
    if (size := len(one.encode())) > LONGEST_NAME:
        raise _bad(
            N_("{shown}… has {size} bytes; a name may have {longest_name}"),
            shown,
            size=size,
            longest_name=LONGEST_NAME,
        )
    if not one.lower().endswith(ENDINGS):
        raise _bad(N_("{shown} ends in none of {endings}"), shown, endings=", ".join(ENDINGS))
    return one


def _bad(text: str, shown: str, **more: object) -> BadName:
    return BadName(Message(text, shown=shown, **more))
