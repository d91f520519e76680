"""A Modbus RTU unit on a line of its own, true to the baud rate: `python -m benchmarks.rtu_device BAUD`.

A pty has no speed, so the line is made here: 11 bits a character, for the request (which a pty
delivers whole, and which counts as under way from then on) as for the reply, whose characters
come out one by one. After the request the unit keeps 3.5 characters of silence, by which it knows
that the frame has ended, and thinks for 2 ms. Hardware needs no time to wake up; so this program
spins from when a request may come, and shortly before each character is due. It sleeps otherwise:
a program that only spins is soon made to wait for others. Where there are two cores it keeps to the
last, and who asks to the first.

It answers functions 3, 4 and 8 (sub-function 0). A request that begins before 3.5 characters of
silence have passed would be taken for the end of the last frame, and is never answered.

Source: MODBUS over Serial Line V1.02, 2.5.1 (characters and frames).
"""

import os
import select
import struct
import sys
import tty
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import Final

from benchmarks.registers import register
from simulators.modbus import crc16

UNIT: Final = 1
TURN_ROUND_S: Final = 2e-3
BITS: Final = 11
REQUEST_SIZE: Final = 8
ECHO: Final = 8
SPIN_S: Final = 250e-6
"""How long before its time to stop sleeping: a process wakes up a fraction of it late."""
TIMER_SLACK: Final = Path("/proc/self/timerslack_ns")
"""Nanoseconds that the kernel may add to a sleep. Source: proc(5)."""
SOON_S: Final = 10e-3
"""How long after a reply the next request is waited for awake."""


def silence(baud: int) -> float:
    """Seconds between frames: 3.5 characters, and 1.75 ms above 19,200 baud (2.5.1.1)."""
    return 1.75e-3 if baud > 19_200 else 3.5 * BITS / baud


def settle_on(core: int) -> None:
    """Keep this thread to one of the cores it may use, if it may use several: the unit to the last.

    Else who asks is now and then put behind the unit that spins, for some milliseconds.
    """
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(0, {cores[core]})


class Line:
    """One end of a pty, at the speed of a line."""

    def __init__(self, baud: int) -> None:
        self._end, port = os.openpty()
        tty.setraw(port)
        os.set_blocking(self._end, False)
        self.name = os.ttyname(port)  # the port stays open here, and so outlives who uses it
        self._character, self._silence = BITS / baud, silence(baud)
        self._idle_from = 0.0

    def request(self) -> bytes:
        """The next request. It keeps the silence; one that does not is dropped."""
        while True:
            begun = self._await_bytes()
            data = b""
            while len(data) < REQUEST_SIZE:
                self._await_bytes()
                data += os.read(self._end, REQUEST_SIZE - len(data))
            if begun >= self._idle_from + self._silence:
                self._idle_from = begun + REQUEST_SIZE * self._character
                return data

    def reply(self, frame: bytes) -> None:
        """Send the characters of a frame, each when its last bit would be through."""
        due = self._idle_from + self._silence + TURN_ROUND_S
        for n in range(len(frame)):
            due += self._character
            _sleep_until(due)
            os.write(self._end, frame[n : n + 1])
        self._idle_from = due

    def _await_bytes(self) -> float:
        """When bytes were there, on the clock of this process."""
        early = self._idle_from + self._silence - SPIN_S - perf_counter()
        if early > 0 and select.select([self._end], [], [], early)[0]:
            return perf_counter()
        while perf_counter() < self._idle_from + SOON_S:
            if select.select([self._end], [], [], 0)[0]:
                return perf_counter()
        select.select([self._end], [], [])
        return perf_counter()


def _sleep_until(due: float) -> None:
    if (rest := due - SPIN_S - perf_counter()) > 0:
        select.select([], [], [], rest)
    while perf_counter() < due:
        pass


def answer(request: bytes) -> bytes:
    """The reply to a request. What is none that we send is a mistake, and raises."""
    unit, function, address, count = struct.unpack_from(">BBHH", request)
    if unit != UNIT or crc16(request[:-2]) != request[-2:]:
        raise ValueError(f"{request.hex(' ')} is no request to unit {UNIT}")
    if function == ECHO:
        return request
    values = [register(unit, address + n) for n in range(count)]
    frame = struct.pack(f">BBB{count}H", unit, function, 2 * count, *values)
    return frame + crc16(frame)


def main() -> None:
    """Answer until terminated."""
    with suppress(OSError):  # without it, it sleeps up to 50 µs longer
        TIMER_SLACK.write_text("1", "ascii")
    settle_on(-1)
    line = Line(int(sys.argv[1]))
    print(line.name, flush=True)
    while True:
        line.reply(answer(line.request()))


if __name__ == "__main__":
    main()
