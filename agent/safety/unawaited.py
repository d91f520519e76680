"""Entries of the ledger that nobody waits for: refusals and events.

They are written in the order in which they came. What one source repeats without end is thinned,
and counted; so is what a disk that hangs or is full does not take. Nothing of it is left out in
silence: the number is in the ledger as soon as it takes something.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import Final

from agent.clock import Clock
from agent.languages.message import Message
from agent.store.chain import Head
from agent.store.entries import AGENT, Entry, EventEntry, Who
from agent.store.ledger import Ledger
from agent.store.store_errors import BadEntry, RecordingEnded

MOST_WAITING: Final = 2000
"""Entries on their way to the disk, half a megabyte or so: it hangs if there are more."""
BURST: Final = 20
WINDOW_S: Final = 60.0
"""So many entries of one kind about one thing are written in this time; the rest is counted."""
MOST_WINDOWS: Final = 500
"""Different things that are told apart; whoever asks for ever new ones is one source."""
LONGEST: Final = 200
"""Characters of a value that JSON can't hold, as it is written instead."""

log = logging.getLogger("labkeeper")


@dataclass(slots=True)
class Window:
    """What came of one kind since a moment on the monotonic clock: written, and left out."""

    since: float
    written: int = 0
    left_out: int = 0


class Unawaited:
    """Writes entries without keeping anybody waiting. Until `open` it counts them alone."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock
        self._windows: dict[tuple[str, str], Window] = {}
        self._waiting = self._lost = 0
        self._is_open = False

    def open(self) -> None:
        """The ledger takes entries from now on."""
        self._is_open = True
        self._tell_of_lost()

    def add(self, who: Who, entry: Entry) -> None:
        """Write an entry, or count it where it is one of too many. Never raises."""
        key = entry.action, entry.target
        if len(self._windows) >= MOST_WINDOWS and key not in self._windows:
            key = entry.action, "many things"
        now = self._clock.monotonic()
        window = self._windows.setdefault(key, Window(now))
        if now - window.since >= WINDOW_S:
            self._over(key, window)
            window = self._windows[key] = Window(now)
        if window.written >= BURST:
            window.left_out += 1
            return
        window.written += 1
        self._write(who, entry)

    async def run(self) -> None:
        """Tell of what was left out, when its time is over."""
        while True:
            await self._clock.sleep(WINDOW_S / 4)
            now = self._clock.monotonic()
            for key, window in tuple(self._windows.items()):
                if now - window.since >= WINDOW_S:
                    self._over(key, window)

    def end(self) -> None:
        """Tell of all that was left out."""
        for key, window in tuple(self._windows.items()):
            self._over(key, window)

    def _over(self, key: tuple[str, str], window: Window) -> None:
        del self._windows[key]
        if window.left_out:
            action, target = key
            text = Message(
                "{left_out} more like this within {window_s:g} s were left out",
                left_out=window.left_out,
                window_s=WINDOW_S,
            )
            self._write(AGENT, EventEntry(action=action, target=target, reason=text))

    def _write(self, who: Who, entry: Entry) -> None:
        if not self._is_open or self._waiting >= MOST_WAITING:
            self._lose("the disk hangs" if self._is_open else "the ledger is not open")
            return
        try:
            recorded = self._begun(who, entry)
        except RecordingEnded as error:
            self._lose(str(error))
            return
        self._waiting += 1
        recorded.add_done_callback(self._ended)

    def _begun(self, who: Who, entry: Entry) -> asyncio.Future[Head]:
        try:
            return self._ledger.record_soon(who, entry)
        except BadEntry:  # the value has no form in JSON
            plain = replace(entry, before=None, after=repr(entry.after)[:LONGEST])
            return self._ledger.record_soon(who, plain)

    def _ended(self, recorded: asyncio.Future[Head]) -> None:
        self._waiting -= 1
        if recorded.cancelled():
            return
        if error := recorded.exception():
            self._lose(str(error))
        elif self._lost:
            self._tell_of_lost()

    def _lose(self, why: str) -> None:
        """Count what is not recorded; the log tells of the first alone."""
        if not self._lost:
            log.warning("events and refusals are not recorded for now: %s", why)
        self._lost += 1

    def _tell_of_lost(self) -> None:
        lost, self._lost = self._lost, 0
        if lost:
            text = Message(
                "{lost} entries before this one were not recorded: the disk did not take them",
                lost=lost,
            )
            self._write(AGENT, EventEntry(action="record.gap", target="ledger", reason=text))
