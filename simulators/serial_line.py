"""A serial line at the speed of its baud rate, in both directions, in real time.

Both directions keep to a schedule: byte n of a busy period is due n / rate after its begin. How
late this process looks at the schedule moves no byte of it, so there is no drift; what became due
meanwhile is caught up with at once. One look moves a burst of some milliseconds, not one byte.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from simulators.faults import Disconnect

BITS_PER_BYTE: Final = 10
"""A start bit, eight data bits, a stop bit."""

BURST_S: Final = 0.001
"""Bytes on their way out leave in bursts of so much line time at the most, in seconds."""

HELD_S: Final = 0.004
"""By so much line time is read ahead of what has arrived, in seconds: it outlasts a late look."""

_HELD_AT_LEAST: Final = 16  # the buffer of a 16550 UART

Deliver = Callable[[bytes | Disconnect], None]


class Outgoing:
    """Sends pieces when they are due, and never one before an earlier one.

    With `bytes_per_second`, bytes leave as a serial line of that speed would let them.
    """

    def __init__(self, deliver: Deliver, bytes_per_second: float | None) -> None:
        self._deliver = deliver
        self._rate = bytes_per_second
        self._burst = 0 if bytes_per_second is None else max(1, int(bytes_per_second * BURST_S))
        self._queue: deque[tuple[float, bytes | Disconnect]] = deque()
        self._free_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def post(self, at: float, piece: bytes | Disconnect) -> None:
        """Send a piece at the loop's time `at`, or when everything before it has been sent."""
        due = max(self._free_at, at)
        for part in self._parts(piece):
            if self._rate is not None and isinstance(part, bytes):
                due += len(part) / self._rate
            self._queue.append((due, part))
        self._free_at = due
        if self._timer is None:
            self._send_due()

    def clear(self) -> None:
        """Throw away what has not been sent: its connection is gone."""
        self._queue.clear()
        self._free_at = 0.0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _parts(self, piece: bytes | Disconnect) -> list[bytes | Disconnect]:
        """Cut bytes into what a slow line sends in one burst."""
        size = self._burst
        if not size or isinstance(piece, Disconnect) or len(piece) <= size:
            return [piece]
        return [piece[i : i + size] for i in range(0, len(piece), size)]

    def _send_due(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        now = loop.time()
        while self._queue and self._queue[0][0] <= now:
            self._deliver(self._next(now))
        if self._queue and self._timer is None:
            self._timer = loop.call_at(self._queue[0][0], self._send_due)

    def _next(self, now: float) -> bytes | Disconnect:
        """Take what is due now: of a slow line all bytes in one piece."""
        first = self._queue.popleft()[1]
        if self._rate is None or isinstance(first, Disconnect):
            return first
        due = [first]
        while self._queue and self._queue[0][0] <= now:
            part = self._queue[0][1]
            if isinstance(part, Disconnect):
                break
            due.append(part)
            self._queue.popleft()
        return b"".join(due)


class Incoming:
    """Carries what a host has written to the instrument, at `bytes_per_second`.

    What the line cannot carry yet stays in the host's kernel, until its write blocks. `held` bytes
    of it are taken ahead of time, as the buffer in an adapter does; never fewer than the line
    carries in `HELD_S`, or a late look at the schedule would make the line pause.

    `read(most)` gives what is there, up to `most` bytes, and b"" when there is nothing.
    `deliver(data, at)` gets whole lines and the rest, each with the loop's time at which its last
    byte arrived. `watch(wanted)` is told whether `pump` is to be called when something is there.
    """

    def __init__(
        self,
        bytes_per_second: float,
        held: int,
        read: Callable[[int], bytes],
        deliver: Callable[[bytes, float], None],
        watch: Callable[[bool], None],
    ) -> None:
        self._rate = bytes_per_second
        self.held = max(held, round(bytes_per_second * HELD_S), _HELD_AT_LEAST)
        self._read, self._deliver, self._watch = read, deliver, watch
        self._wire = bytearray()
        self._starts_at = 0.0  # when the line takes up the first byte of the wire, or became free
        self._more = False  # whether the host's kernel has more: what came next did not wait
        self._watching = False
        self._epoch = 0  # rises when the line is stopped, perhaps by what it delivers
        self._timer: asyncio.TimerHandle | None = None
        self.forget()

    def forget(self, seek: bytes = b"") -> None:
        """Begin to count anew, and look out for certain bytes."""
        self.arrived = 0
        """Bytes that have arrived since."""
        self.first_at: float | None = None
        """The loop's time at which the first of them began to arrive."""
        self.last_at = 0.0
        """The loop's time at which the last of them had arrived."""
        self.idle_seconds = 0.0
        """Seconds between the two in which the line carried nothing."""
        self.seen_at: float | None = None
        """The loop's time at which the bytes that are sought had arrived first."""
        self._seek, self._tail = seek, b""

    @property
    def share(self) -> float:
        """Of the time between the first byte and the last, the part in which the line was busy."""
        if self.first_at is None or self.last_at <= self.first_at:
            return 0.0
        return self.arrived / self._rate / (self.last_at - self.first_at)

    def counts(self) -> dict[str, object]:
        """What was counted since `forget`, as JSON can carry it; times are of the loop, in s."""
        return {
            "bytes": self.arrived,
            "first_at": self.first_at,
            "last_at": self.last_at,
            "idle_seconds": self.idle_seconds,
            "share": self.share,
            "seen_at": self.seen_at,
        }

    def start(self) -> None:
        """Begin to listen."""
        self._starts_at = 0.0
        self.pump()

    def stop(self) -> None:
        """Listen no more; what is on the wire is lost."""
        self._epoch += 1
        self._wire.clear()
        self._more = False
        self._set_watching(False)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def flush(self) -> None:
        """Let arrive at once all that is on the wire or waits for it: its sender is gone."""
        epoch = self._epoch
        now = asyncio.get_running_loop().time()
        self._hand_on(now)
        while self._epoch == epoch and self._wire:
            self._hand_on(now, everything=True)
            if self._epoch == epoch and self._more:
                data = self._read(self.held)
                self._wire += data
                self._more = len(data) == self.held

    def pump(self, now: float | None = None) -> None:
        """Hand on what has arrived by now, and let the line take up what it can carry next.

        Whoever lets time pass for the instrument pumps up to the same moment `now` before.
        """
        epoch = self._epoch
        now = asyncio.get_running_loop().time() if now is None else now
        while epoch == self._epoch:
            self._hand_on(now)
            room = self.held - len(self._wire)
            if epoch != self._epoch or room <= 0:
                break
            data = self._read(room)
            if epoch != self._epoch:
                return
            self._take_up(data, now)
            self._more = len(data) == room
            if not self._more or self._starts_at + 1 / self._rate > now:
                break  # else this look was so late that some of it has arrived already
        if epoch == self._epoch:
            self._plan()

    def _take_up(self, data: bytes, now: float) -> None:
        if not data:
            return
        if not self._wire and not self._more and now > self._starts_at:
            if self.first_at is not None:
                self.idle_seconds += now - self.last_at
            self._starts_at = now
        if self.first_at is None:
            self.first_at = self._starts_at
        self._wire += data

    def _hand_on(self, now: float, *, everything: bool = False) -> None:
        wire = self._wire
        count = len(wire)
        if not everything:
            # A thousandth of a byte: the timer may be early by the loop's resolution.
            count = min(count, int((now - self._starts_at) * self._rate + 0.001))
        if count <= 0:
            return
        epoch = self._epoch
        data = bytes(wire[:count])
        del wire[:count]
        began = self._starts_at
        self._starts_at = self.last_at = began + count / self._rate
        self.arrived += count
        if self._seek and self.seen_at is None:
            self._look_for_them(data, began)
        done = 0
        while done < count and epoch == self._epoch:
            end = data.find(b"\n", done) + 1 or count
            self._deliver(data[done:end], min(began + end / self._rate, now))
            done = end

    def _look_for_them(self, data: bytes, began: float) -> None:
        """Look for the bytes that are sought, which may have begun in the data before."""
        found = (self._tail + data).find(self._seek)
        if found >= 0:
            self.seen_at = began + (found + len(self._seek) - len(self._tail)) / self._rate
        self._tail = (self._tail + data)[-len(self._seek) :]

    def _plan(self) -> None:
        """Look again when a line is whole, or when there is room for half a read more."""
        self._set_watching(not self._more)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        wire = self._wire
        if not wire:
            return
        ahead = wire.find(b"\n") + 1 or len(wire)
        if self._more:
            ahead = min(ahead, self.held // 2 + 1)
        due = self._starts_at + ahead / self._rate
        self._timer = asyncio.get_running_loop().call_at(due, self.pump)

    def _set_watching(self, wanted: bool) -> None:
        if wanted != self._watching:
            self._watching = wanted
            self._watch(wanted)
