"""Devices for the truth benchmark: every value tells which question it answers.

`python -m benchmarks.truth_devices rtu|scpi --lines N` prints where its lines are, as one JSON
list, and serves until SIGTERM. Then it prints, for each line, the readings that were asked for,
the seconds they necessarily took, and the faults that were dealt. Those seconds include what the
device itself was late by, as any process is that the machine wakes up.

* rtu: a pseudo-terminal each. Function 3 for one register gives its address; function 8/0 gives
  the query back.
* scpi: a TCP port each, one client at a time, the newest. `ECHO? n` gives n; `*IDN?` a name.

A device does one thing after the other: while a reply is late, the next request waits. Fates
fall on every reply, those to `*IDN?` and function 8 included. What is counted as necessary are
the readings, and what faults cost whoever waits for any reply. To ask something else than
readings, so as to get back in step, is the reader's own expense.
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import select
import signal
import socket
import sys
import time
import tty
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Final, NoReturn

from benchmarks.truth_fates import PACES, RATES, Fates
from simulators.modbus import crc16

IDENTITY: Final = b"Truth,Echo,0001,1.0\n"
REQUEST: Final = 8
"""Bytes of the two requests that a truth device knows: read a register, return the query."""


class Line(ABC):
    """One connector of one device."""

    def __init__(self, fates: Fates) -> None:
        self.fates = fates
        self.free_at = 0.0
        self.readings = 0
        self.necessary = 0.0
        self._received = b""

    @property
    @abstractmethod
    def place(self) -> str | int:
        """Where a reader finds it: the path of a terminal, or a port."""

    @abstractmethod
    def watched(self) -> Sequence[int]:
        """The descriptors to wait on."""

    @abstractmethod
    def requests(self, fd: int) -> list[tuple[bytes, bool]]:
        """Read what has come; of each whole request the reply, and whether it is a reading."""

    @abstractmethod
    def sender(self) -> Callable[[bytes], None]:
        """How to send to whoever is connected now; without effect when it has gone by then."""

    def answer(self, fd: int, now: float) -> Iterator[tuple[float, bytes, bool]]:
        """Take requests up, one after the other.

        Of each piece of the replies: when it has to leave, and whether a reading ends with it.
        """
        for reply, is_reading in self.requests(fd):
            begun = max(now, self.free_at)
            dealt = self.fates.deal(reply)
            self.free_at = begun + dealt.busy
            if is_reading:
                self.readings += 1
                self.necessary += self.fates.pace.plain + dealt.fault
            elif begun == now:  # not in the shadow of a fault that is counted already
                self.necessary += dealt.fault
            for number, (after, piece) in enumerate(dealt.pieces, 1):
                yield begun + after, piece, is_reading and number == len(dealt.pieces)

    def account(self) -> dict[str, object]:
        """What was asked of it, and what became of it."""
        return {
            "readings": self.readings,
            "necessary_s": self.necessary,
            "faults": dict(self.fates.counts),
        }


class RtuLine(Line):
    """A Modbus RTU unit on a pseudo-terminal of its own."""

    def __init__(self, fates: Fates) -> None:
        super().__init__(fates)
        self._master, self._slave = os.openpty()  # held open: readers come and go
        tty.setraw(self._slave)

    @property
    def place(self) -> str:
        return os.ttyname(self._slave)

    def watched(self) -> Sequence[int]:
        return (self._master,)

    def requests(self, fd: int) -> list[tuple[bytes, bool]]:
        self._received += os.read(fd, 4096)
        found = []
        while len(self._received) >= REQUEST:
            frame, self._received = self._received[:REQUEST], self._received[REQUEST:]
            if crc16(frame[:-2]) != frame[-2:]:
                self._received = b""
            elif frame[1] == 8:
                found.append((frame, False))
            else:
                body = frame[:2] + b"\x02" + frame[2:4]
                found.append((body + crc16(body), True))
        return found

    def sender(self) -> Callable[[bytes], None]:
        return self._send

    def _send(self, piece: bytes) -> None:
        os.write(self._master, piece)


class ScpiLine(Line):
    """An instrument on a TCP port of its own."""

    def __init__(self, fates: Fates) -> None:
        super().__init__(fates)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._client: socket.socket | None = None

    @property
    def place(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def watched(self) -> Sequence[int]:
        own = self._listener.fileno()
        return (own,) if self._client is None else (own, self._client.fileno())

    def requests(self, fd: int) -> list[tuple[bytes, bool]]:
        if fd == self._listener.fileno():
            self._accept()
            return []
        if self._client is None or fd != self._client.fileno():
            return []  # it was replaced while others were served
        try:
            data = self._client.recv(4096)
        except BlockingIOError:  # the descriptor was that of the client before
            return []
        except ConnectionError:
            data = b""
        if not data:
            self._hang_up()
            return []
        *lines, self._received = (self._received + data).split(b"\n")
        return [self._reply(line) for line in lines]

    @staticmethod
    def _reply(line: bytes) -> tuple[bytes, bool]:
        if line == b"*IDN?":
            return IDENTITY, False
        return line.removeprefix(b"ECHO? ").strip() + b"\n", True

    def _accept(self) -> None:
        self._hang_up()
        self._client, _ = self._listener.accept()
        self._client.setblocking(False)
        self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _hang_up(self) -> None:
        self._received = b""
        if self._client is not None:
            self._client.close()
            self._client = None

    def sender(self) -> Callable[[bytes], None]:
        client = self._client

        def send(piece: bytes) -> None:
            if client is not None and client is self._client:
                try:
                    client.sendall(piece)
                except ConnectionError:
                    self._hang_up()

        return send


@dataclass(order=True)
class Due:
    """A piece of a reply, and when it has to leave."""

    at: float
    order: int
    piece: bytes = field(compare=False)
    send: Callable[[bytes], None] = field(compare=False)
    ends: Line | None = field(compare=False)


def serve(lines: Sequence[Line]) -> NoReturn:
    """Serve for ever, with the precision of `select`, which is that of the kernel's timers."""
    due: list[Due] = []
    order = count()
    while True:
        owners = {fd: line for line in lines for fd in line.watched()}
        wait = None if not due else max(0.0, due[0].at - time.monotonic())
        ready, _, _ = select.select(list(owners), [], [], wait)
        for fd in ready:
            line = owners[fd]
            for at, piece, ends in line.answer(fd, time.monotonic()):
                owner = line if ends else None
                heapq.heappush(due, Due(at, next(order), piece, line.sender(), owner))
        while due and due[0].at <= (now := time.monotonic()):
            first = heapq.heappop(due)
            first.send(first.piece)
            if first.ends is not None:
                first.ends.necessary += now - first.at


def main() -> None:
    """Serve until SIGTERM, and then account for it."""
    options = _options()
    pace = PACES[options.kind]
    kind, flips = (RtuLine, range(1, 256)) if options.kind == "rtu" else (ScpiLine, range(128, 256))
    rates = tuple(options.rates)
    lines: list[Line] = [
        kind(Fates(pace, seed, rates=rates, flips=flips))
        for seed in range(options.seed, options.seed + options.lines)
    ]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    _say([line.place for line in lines])
    try:
        serve(lines)
    finally:
        _say([line.account() for line in lines])


def _say(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="truth_devices", description=__doc__)
    parser.add_argument("kind", choices=("rtu", "scpi"))
    parser.add_argument("--lines", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rates", type=float, nargs="+", default=RATES)
    return parser.parse_args()


if __name__ == "__main__":
    main()
