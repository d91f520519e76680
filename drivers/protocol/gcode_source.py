"""The lines of a file on their way to the board: read piece by piece, without comments and blanks."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Final

from drivers.errors import DriverError
from drivers.protocol.gcode_history import code_of

READ_AHEAD: Final = 4000
"""Lines of the file that wait to be sent, below which the next piece is read."""

_ASKING: Final = re.compile(r"M0*[01](?![\d.])(.*)")
"""M0 and M1 wait for a person and stop the link until then: the host asks instead of sending them."""

_FEED: Final = re.compile(r"F\s*(\d+(?:\.\d*)?)")


@dataclass(frozen=True, slots=True)
class Modes:
    """How the board understands coordinates at this place of the file. `feed` is in mm/min or in/min."""

    absolute: bool = True
    absolute_e: bool = True
    inches: bool = False
    feed: float | None = None


MODES: Final = {
    "G90": {"absolute": True, "absolute_e": True},
    "G91": {"absolute": False, "absolute_e": False},
    "M82": {"absolute_e": True},
    "M83": {"absolute_e": False},
    "G20": {"inches": True},
    "G21": {"inches": False},
}
"""What each code changes. In Marlin G90 and G91 are for the filament as well."""


@dataclass(slots=True)
class Row:
    """One line that is sent: its number in the file, and where it ends there, in bytes."""

    text: str
    number: int
    offset: int


def prepared(line: str) -> str:
    """The line without comment and blanks at its ends; "" where nothing is left."""
    return line.partition(";")[0].strip()


class FileSource:
    """The rows of one file, as `gcode_stream.Source`.

    `is_held` says that none is to be sent now. `asks` is what an M0 or M1 asks the person, None
    where none stands next; `answered` goes on behind it. `begun` is told when the board has the
    first of them.
    """

    def __init__(
        self,
        pieces: AsyncIterator[bytes],
        is_held: Callable[[], bool],
        begun: Callable[[], None] = lambda: None,
    ) -> None:
        self._pieces, self._is_held, self._begun = pieces, is_held, begun
        self._raw: deque[bytes] = deque()
        self._rest = b""
        self._number = self._offset = 0
        self._next: Row | None = None
        self._flying: deque[Row] = deque()
        self._is_over = False
        self._error: DriverError | None = None
        self._some, self._room = asyncio.Event(), asyncio.Event()
        self.last: Row | None = None  # the last one that the board has
        self.count = 0  # lines that it has
        self.modes = Modes()
        self.asks: str | None = None

    async def read(self) -> None:
        """Read the whole file, always a little ahead. Raises nothing: `more` raises what goes wrong."""
        try:
            async for piece in self._pieces:
                *whole, self._rest = (self._rest + piece).split(b"\n")
                self._raw.extend(whole)
                self._some.set()
                self._room.clear()
                if len(self._raw) > READ_AHEAD:
                    await self._room.wait()
            if self._rest:
                self._raw.append(self._rest)
        except DriverError as error:
            self._error = error
        finally:
            self._is_over = True
            self._some.set()

    async def more(self) -> bool:
        """Wait until there is a line, and return whether there is. Raises what reading raised."""
        while not self._look():
            if self._is_over:
                if self._error is not None:
                    raise self._error
                return False
            self._some.clear()
            await self._some.wait()
        return True

    def line(self) -> str | None:
        """See `gcode_stream.Source`."""
        if self._is_held() or not self._look() or self._next is None or self.asks is not None:
            return None
        return self._next.text

    def sent(self) -> None:
        """See `gcode_stream.Source`."""
        row, self._next = self._next, None
        if row is not None:
            self._flying.append(row)
            self._heed(row.text)

    def taken(self) -> None:
        """See `gcode_stream.Source`."""
        if self._flying:
            self.last = self._flying.popleft()
            self.count += 1
            if self.count == 1:
                self._begun()

    def answered(self) -> None:
        """Go on behind the M0 or M1 that stands next."""
        if self.asks is not None:
            self.asks, self._next = None, None

    @property
    def offset(self) -> int:
        """Bytes of the file up to the last line that the board has."""
        return self.last.offset if self.last is not None else 0

    def _look(self) -> bool:
        """Find the next line, unless it is known; return whether there is one."""
        while self._next is None and self._raw:
            raw = self._raw.popleft()
            self._number += 1
            self._offset += len(raw) + 1
            if len(self._raw) <= READ_AHEAD:
                self._room.set()
            if text := prepared(raw.decode("utf-8", "replace").removeprefix("\ufeff")):
                self._next = Row(text, self._number, self._offset)
                asked = _ASKING.match(text)
                self.asks = asked[1].strip() if asked else None
        return self._next is not None

    def _heed(self, text: str) -> None:
        """Follow the modes, so that a pause can restore them."""
        code = code_of(text)
        if code in MODES:
            self.modes = replace(self.modes, **MODES[code])
        elif text[0] == "G" and "F" in text and (found := _FEED.search(text)):
            feed = float(found[1])
            if feed != self.modes.feed:
                self.modes = replace(self.modes, feed=feed)
