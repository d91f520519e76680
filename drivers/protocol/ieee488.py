"""How values are spelled in SCPI messages: numbers, booleans, strings, errors, parameters.

Sources: IEEE 488.2-1992 chapters 7.7 (data sent to an instrument) and 8.7 (data it answers);
SCPI-1999 volume 1, 7.2.1.4 and 7.2.1.5 (infinity and not-a-number), and volume 2, 21.8 (error
queue). A reply is taken whole or not at all: "5.0" is a number, "5.0V" and "5.0,1" are not.
"""

import math
import re
from enum import Enum
from typing import Final, NamedTuple, TypeVar

from drivers.errors import BadReply, DeviceError, WrongType

E = TypeVar("E", bound=Enum)

NOT_A_NUMBER: Final = 9.91e37
INFINITY: Final = 9.9e37

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_QUOTED = re.compile(r'"(?:[^"]|"")*"' + r"|'(?:[^']|'')*'")
_ERROR = re.compile(r"([+-]?[0-9]{1,5})(?:\s*,\s*|\s+)(\S.*)")
_MNEMONIC = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class QueuedError(NamedTuple):
    """One entry of an instrument's error queue; `code` 0 says that the queue is empty."""

    code: int
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


def number(text: str) -> float:
    """Read a decimal number (NR1, NR2 or NR3).

    Raises:
        DeviceError: It is SCPI's sign for "beyond the range" or "not a number".
        BadReply: It is anything else.
    """
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        raise BadReply(f"{text!r} is not a number")
    if value == NOT_A_NUMBER:
        raise DeviceError(f"the instrument has no valid reading ({text})")
    if abs(value) >= INFINITY:
        raise DeviceError(f"overrange: the input is beyond the range ({text})")
    return value


def boolean(text: str) -> bool:
    """Read 0, 1, OFF or ON. Raises BadReply."""
    try:
        return {"0": False, "1": True, "OFF": False, "ON": True}[text.upper()]
    except KeyError:
        raise BadReply(f"{text!r} is neither on nor off") from None


def string(text: str) -> str:
    """Read a string in single or double quotes, which stand doubled inside. Raises BadReply."""
    if not _QUOTED.fullmatch(text):
        raise BadReply(f"{text!r} is not a quoted string")
    return text[1:-1].replace(text[0] * 2, text[0])


def member(kind: type[E], text: str) -> E:
    """Find the member of an Enum whose value, a mnemonic or a number, is spelled so.

    Raises:
        DeviceError: It is a quoted string that `kind` lacks: the instrument is in a state that
            its driver does not know.
        BadReply: It is nothing of the kind.
    """
    quoted = _QUOTED.fullmatch(text) is not None
    plain = string(text) if quoted else text
    for candidate in kind:
        if isinstance(candidate.value, str):
            found = plain.upper() == candidate.value.upper()
        else:
            found = not quoted and number(plain) == candidate.value
        if found:
            return candidate
    if quoted:
        raise DeviceError(f"the instrument says {text}, which its driver does not know")
    raise BadReply(f"{text!r} is none of {', '.join(str(c.value) for c in kind)}")


def queued_error(text: str) -> QueuedError:
    """Read an answer of SYSTem:ERRor?, `-113,"Undefined header"` or `0 No Error`. Raises BadReply."""
    found = _ERROR.fullmatch(text)
    if not found:
        raise BadReply(f"{text!r} is not an entry of the error queue")
    return QueuedError(int(found[1]), found[2].strip("\"'"))


def parameter(value: float | bool | str | Enum) -> str:
    """Spell a number, a boolean, or a mnemonic such as MAX or CH1, alone or as an Enum's value.

    Raises:
        WrongType: It is not finite, or a text that could end one parameter and begin another.
    """
    value = value.value if isinstance(value, Enum) else value
    if isinstance(value, bool):
        return "ON" if value else "OFF"
    if isinstance(value, int | float):
        if not math.isfinite(value):
            raise WrongType(f"{value} can't be sent as a number")
        return format(value, ".12g").upper()
    if not (isinstance(value, str) and _MNEMONIC.fullmatch(value)):
        raise WrongType(f"{value!r} is not a mnemonic such as MAX")
    return value


def quoted(text: str) -> str:
    """Spell a string parameter.

    Simple parsers split a message at `;` even inside quotes, so that a semicolon in a text could
    smuggle in a command of its own: it is refused.

    Raises:
        WrongType: The text has a semicolon, a control character, or a character beyond ASCII.
    """
    if not (text.isascii() and text.isprintable()) or ";" in text:
        raise WrongType(f"{text!r} has a character that can't be sent: only ASCII, and no ';'")
    return '"' + text.replace('"', '""') + '"'
