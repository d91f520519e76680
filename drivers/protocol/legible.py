"""Whether what came is text at all: what isn't, was sent at another speed or came over a bad cable."""

from typing import Final

BAUD_HINT: Final = "that is no text: are baud rate and parity right?"


def is_legible(raw: bytes) -> bool:
    """Whether these bytes are printable ASCII, tabs, ends of lines, or the NUL of a board that starts."""
    return all(0x20 <= byte < 0x7F or byte in b"\t\r\n\0" for byte in raw)


def hint(raw: bytes) -> str:
    """What to add to a complaint about these bytes; "" for text."""
    return "" if is_legible(raw) else f" ({raw[:40]!r} came: {BAUD_HINT})"
