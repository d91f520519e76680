"""The flight recorder of a line: the last exchanges, kept in memory for the day of the fault.

A line has one recorder for as long as the station knows it: it outlives connections, and units
of one bus share it. Recording is on the path of every byte, so that it appends to a row of bytes
and nothing more; whenever a row is full it is compressed, which a dialogue that repeats itself
bears well: 200 exchanges of a controller take some 10 KB, where objects for them would take 70.
Formatting is for whoever asks. It is used from the event loop alone.
"""

import asyncio
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Final, Literal, NamedTuple, TypeAlias, get_args

MOST_EXCHANGES: Final = 200
"""Sendings that are shown, with all that came after each of them."""
MOST_ENTRIES: Final = 800
"""Entries that are shown, of whatever kind: four for each exchange."""
MOST_BYTES: Final = 256 * 1024
"""Bytes of all entries together, before they are compressed, each with its HEAD."""
LONGEST_ENTRY: Final = 4096
"""Bytes kept of one sending or arrival; a longer one is cut, and says how long it was."""
ROW: Final = 2048
"""Bytes from which on a row of entries is compressed: some 25 exchanges, in 25 µs."""

Kind: TypeAlias = Literal["sent", "received", "opened", "closed", "asked", "noted"]
"""`asked` is what the driver was asked for, `noted` a remark of a link; both are UTF-8 text."""

Entry: TypeAlias = tuple[float, Kind, bytes, int]
"""Monotonic seconds, what happened, its first bytes, and how many there were before it was cut."""

Clock: TypeAlias = Callable[[], float]

HEAD: Final = struct.Struct("<dBI")
"""Before the bytes of an entry: when, which kind, and how many bytes there were."""
_KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
_SENT, _RECEIVED, _OPENED, _CLOSED, _ASKED, _NOTED = range(len(_KINDS))
_LARGEST_ROW: Final = ROW + HEAD.size + LONGEST_ENTRY


class Row(NamedTuple):
    """Entries that are compressed, and what they hold."""

    sendings: int
    size: int
    packed: bytes


class Recorder:
    """The last MOST_EXCHANGES exchanges of one line, in no more than MOST_BYTES of memory.

    Args:
        now: The monotonic clock; a loop of virtual time hands in its own, by `opened`.
    """

    __slots__ = ("_row", "_rows", "_sendings", "now")

    def __init__(self, now: Clock = time.monotonic) -> None:
        self.now = now
        self._row = bytearray()
        self._sendings = 0  # in this row
        self._rows: list[Row] = []

    def sent(self, data: bytes) -> None:
        """Keep what is being handed to the line."""
        self._sendings += 1
        self._keep(_SENT, data)

    def received(self, data: bytes) -> None:
        """Keep what has arrived, believed or not."""
        self._keep(_RECEIVED, data)

    def opened(self, now: Clock | None = None) -> None:
        """Say that the line has been opened; `now` is the clock from here on."""
        if now is not None:
            usual = getattr(now, "__func__", None) is asyncio.BaseEventLoop.time
            self.now = time.monotonic if usual else now  # the same, without a call in between
        self._keep(_OPENED, b"")

    def closed(self) -> None:
        """Say that the line is closed, by us."""
        self._keep(_CLOSED, b"")

    def asked(self, what: str) -> None:
        """Keep what a driver is asked for: "psu1 read voltage", with its arguments as JSON."""
        self._keep(_ASKED, what.encode(errors="backslashreplace"))

    def noted(self, remark: str) -> None:
        """Keep a remark of the link, such as that it gets back in step."""
        self._keep(_NOTED, remark.encode(errors="backslashreplace"))

    def entries(self) -> tuple[Entry, ...]:
        """The last MOST_EXCHANGES exchanges, oldest first, and what came before the first of fewer."""
        rows = [zlib.decompress(row.packed, -zlib.MAX_WBITS) for row in self._rows]
        entries = tuple(it for row in (*rows, bytes(self._row)) for it in _entries(row))
        entries = entries[-MOST_ENTRIES:]
        sendings = [index for index, entry in enumerate(entries) if entry[1] == "sent"]
        if len(sendings) <= MOST_EXCHANGES:
            return entries
        return entries[sendings[-MOST_EXCHANGES] :]

    def _keep(self, kind: int, data: bytes) -> None:
        row, size = self._row, len(data)
        row += HEAD.pack(self.now(), kind, size)
        row += data if size <= LONGEST_ENTRY else data[:LONGEST_ENTRY]
        if len(row) >= ROW:
            self._begin_row()

    def _begin_row(self) -> None:
        """Compress the row that is full, and forget the oldest ones that are too many."""
        rows, row = self._rows, self._row
        rows.append(Row(self._sendings, len(row), _compressed(row)))
        row.clear()
        self._sendings = 0
        sendings, size = sum(it.sendings for it in rows), sum(it.size for it in rows)
        while size > MOST_BYTES - _LARGEST_ROW or sendings - rows[0].sendings >= MOST_EXCHANGES:
            oldest = rows.pop(0)
            sendings, size = sendings - oldest.sendings, size - oldest.size


def _compressed(row: bytearray) -> bytes:
    """With a window and tables of the size of a row, which take 12 KB instead of 256."""
    deflate = zlib.compressobj(1, zlib.DEFLATED, -11, 4)
    return deflate.compress(row) + deflate.flush()


def _entries(row: bytes) -> Iterator[Entry]:
    at = 0
    while at < len(row):
        when, kind, size = HEAD.unpack_from(row, at)
        at += HEAD.size
        data = row[at : at + min(size, LONGEST_ENTRY)]
        at += len(data)
        yield when, _KINDS[kind], data, size
