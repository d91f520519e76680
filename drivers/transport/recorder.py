"""The flight recorder of a line: the last exchanges, kept in memory for the day of the fault.

A line has one recorder for as long as the station knows it: it outlives connections, and units
of one bus share it. Recording is on the path of every byte, so that it appends and nothing more;
formatting is for whoever asks. It is used from the event loop alone.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Literal, TypeAlias

MOST_EXCHANGES: Final = 200
"""Sendings that are shown, with all that came after each of them."""
MOST_ENTRIES: Final = 800
"""Entries that are kept, of whatever kind: four for each exchange."""
MOST_BYTES: Final = 256 * 1024
"""Memory of all entries together, in bytes, each counted with BOOKKEEPING."""
LONGEST_ENTRY: Final = 4096
"""Bytes kept of one sending or arrival; a longer one is cut, and says how long it was."""
BOOKKEEPING: Final = 136
"""Bytes of a tuple, a float and the header of a bytes object."""

_SMALL: Final = 64  # bytes up to which entries need not be counted: their number bounds them
_MOST_LARGE: Final = MOST_BYTES - MOST_ENTRIES * (_SMALL + BOOKKEEPING)

Kind: TypeAlias = Literal["sent", "received", "opened", "closed", "asked", "noted"]
"""`asked` is what the driver was asked for, `noted` a remark of a link; both are UTF-8 text."""

Entry: TypeAlias = tuple[float, Kind, bytes, int]
"""Monotonic seconds, what happened, its first bytes, and how many there were before it was cut.

A tuple and no class, because one is made for every sending and every arrival.
"""

Clock: TypeAlias = Callable[[], float]


class Recorder:
    """The last MOST_EXCHANGES exchanges of one line, in no more than MOST_BYTES of memory.

    Args:
        now: The monotonic clock; a loop of virtual time hands in its own, by `opened`.
    """

    def __init__(self, now: Clock = time.monotonic) -> None:
        self.now = now
        self._entries: deque[Entry] = deque(maxlen=MOST_ENTRIES)
        self._keep = self._entries.append
        self._new_large = 0  # bytes of large entries that came since they were last counted

    def sent(self, data: bytes) -> None:
        """Keep what is being handed to the line."""
        size = len(data)
        if size > _SMALL:
            self._keep_large("sent", data)
        else:
            self._keep((self.now(), "sent", data, size))

    def received(self, data: bytes) -> None:
        """Keep what has arrived, believed or not."""
        size = len(data)
        if size > _SMALL:
            self._keep_large("received", data)
        else:
            self._keep((self.now(), "received", data, size))

    def opened(self, now: Clock | None = None) -> None:
        """Say that the line has been opened; `now` is the clock from here on."""
        if now is not None:
            usual = getattr(now, "__func__", None) is asyncio.BaseEventLoop.time
            self.now = time.monotonic if usual else now  # the same, without a call in between
        self._keep_large("opened", b"")

    def closed(self) -> None:
        """Say that the line is closed, by us."""
        self._keep_large("closed", b"")

    def asked(self, what: str) -> None:
        """Keep what a driver is asked for: "psu1 read voltage", with its arguments as JSON."""
        self._keep_large("asked", what.encode())

    def noted(self, remark: str) -> None:
        """Keep a remark of the link, such as that it gets back in step."""
        self._keep_large("noted", remark.encode())

    def entries(self) -> tuple[Entry, ...]:
        """The last MOST_EXCHANGES exchanges, oldest first, and what came before the first of fewer."""
        entries = tuple(self._entries)
        sendings = [index for index, entry in enumerate(entries) if entry[1] == "sent"]
        if len(sendings) <= MOST_EXCHANGES:
            return entries
        return entries[sendings[-MOST_EXCHANGES] :]

    def _keep_large(self, kind: Kind, data: bytes) -> None:
        kept = data[:LONGEST_ENTRY]
        self._keep((self.now(), kind, kept, len(data)))
        if len(kept) > _SMALL:
            self._new_large += len(kept)
            if self._new_large > _MOST_LARGE // 2:
                self._forget_large()

    def _forget_large(self) -> None:
        """Forget from the beginning, until large entries take up half of what they may."""
        entries = self._entries
        large = sum(len(entry[2]) for entry in entries if len(entry[2]) > _SMALL)
        while large > _MOST_LARGE // 2:
            _, _, data, _ = entries.popleft()
            large -= len(data) if len(data) > _SMALL else 0
        self._new_large = 0
