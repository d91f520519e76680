"""A board in this process that takes numbered lines, and whose words a test may spoil."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import count

from drivers.protocol.gcode import GCode, ReportRef
from drivers.protocol.gcode_history import frame
from drivers.transport.link import Timeouts
from drivers.transport.memory import Loopback, Script

QUICK = Timeouts(turn=2.0, first_byte=0.05, next_byte=0.01, whole=0.1)
NOZZLE = ReportRef[float](float, str, "M105", r"T:(-?[\d.]+)")
BED = ReportRef[float](float, str, "M105", r"B:(-?[\d.]+)")
X = ReportRef[float](float, str, "M114", r"X:(-?[\d.]+)")
NAME = "FIRMWARE_NAME:Marlin 2.1.2 MACHINE_TYPE:Test UUID:1"


def words() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"{next(numbers):04x}"


def wire(link: Loopback, timeouts: Timeouts = QUICK) -> GCode:
    return GCode(link, timeouts, boot=0.01, nonce=words())


def script(*dialogue: tuple[str, str]) -> Script:
    """Lines in the order in which they get their numbers, and what the board says to each."""
    return Script(*((frame(n, line), said.encode()) for n, (line, said) in enumerate(dialogue, 1)))


class Board:
    """A board that takes numbered lines, tells the number of each M105 as its temperature, and
    whose words the test may hold back, lose or add to."""

    def __init__(self) -> None:
        self.last = 0
        self.taken: list[str] = []
        self.late = b""
        self.spoil: Callable[[bytes], bytes] = lambda said: said

    def handle(self, data: bytes) -> bytes:
        said = b"".join(self._line(line) for line in data.split(b"\n") if line)
        waiting, self.late = self.late, b""
        return waiting + self.spoil(said)

    def hold_back(self, said: bytes) -> bytes:
        self.late += said
        return b""

    def _line(self, raw: bytes) -> bytes:
        found = re.fullmatch(rb"N(\d+) (.*)\*(\d+)", raw)
        assert found, raw
        number, line = int(found[1]), found[2].decode()
        if line.startswith("M110"):
            self.last = int(line.partition("N")[2])
            return b"ok\n"
        if number != self.last + 1 or frame(number, line) != raw + b"\n":
            said = f"Error:Line Number is not Last Line Number+1, Last Line: {self.last}\n"
            return f"{said}Resend: {self.last + 1}\n".encode()
        self.last = number
        self.taken.append(line)
        return self._obey(number, line)

    def _obey(self, number: int, line: str) -> bytes:
        if line == "M105":
            return f"ok T:{number}.0 /0.0 B:{number}.5 /0.0\n".encode()
        if line == "M115":
            return f"{NAME}\nCap:AUTOREPORT_TEMP:0\nok\n".encode()
        if line.startswith("M118"):
            return f"{line[5:]}\nok\n".encode()
        return b"ok\n"
