"""Whether the bytes are text at all: what can be told without looking at lines."""

from __future__ import annotations

from codecs import BOM_UTF8, getincrementaldecoder
from typing import Final

MAGIC: Final = {
    b"\x1f\x8b": "it is compressed (gzip): unpack it first",
    b"PK\x03\x04": "it is an archive (ZIP or 3MF): unpack it, or export G-code from the slicer",
    b"GCDE": "it is binary G-code (bgcode): export it as plain G-code",
    b"\xff\xfe": "it is written in UTF-16: save it as UTF-8",
    b"\xfe\xff": "it is written in UTF-16: save it as UTF-8",
}
"""How files begin that are taken for G-code by mistake."""

HEAD: Final = 4
"""Bytes that tell all of these apart."""

BINARY: Final = "it is binary: there is no program in it that a printer reads"


def disguise(head: bytes) -> str:
    """What a file is that begins so, and what to do with it; "" for text. `head` is HEAD long."""
    return next((text for magic, text in MAGIC.items() if head.startswith(magic)), "")


class Utf8:
    """Follows the bytes in pieces, and finds the first line that is no UTF-8."""

    def __init__(self) -> None:
        self._decoder = getincrementaldecoder("utf-8")()
        self._lines = 0
        self._is_waiting = False  # for the rest of a character
        self.bad_line: int | None = None

    def feed(self, piece: bytes, *, is_last: bool = False) -> None:
        """Look at the next bytes."""
        if self.bad_line is not None or (piece.isascii() and not self._is_waiting and not is_last):
            self._lines += piece.count(b"\n")
            return
        waiting: bytes = self._decoder.getstate()[0]
        try:
            self._decoder.decode(piece, is_last)
        except UnicodeDecodeError as error:
            before = (waiting + piece)[: error.start]
            self.bad_line = self._lines + before.count(b"\n") + 1
        else:
            self._is_waiting = bool(self._decoder.getstate()[0])
        self._lines += piece.count(b"\n")


def without_mark(line: bytes) -> bytes:
    """The first line without the byte order mark that some editors put before it."""
    return line.removeprefix(BOM_UTF8)
