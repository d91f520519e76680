"""What a UART has counted of errors on its line, where the port keeps such a count.

Source: Linux, include/uapi/linux/serial.h, `struct serial_icounter_struct` (twenty ints), and
tty_ioctl(4). Ports that are none, such as pseudo-terminals, have no counters.
"""

import fcntl
import struct
from typing import Final, NamedTuple

TIOCGICOUNT: Final = 0x545D
_COUNTERS: Final = struct.Struct("20i")
_FRAMING, _OVERRUN, _PARITY, _BREAK = 6, 7, 8, 9
_WRAPS: Final = 1 << 32


class LineErrors(NamedTuple):
    """Errors that a port has counted since its driver was loaded. Each wraps at 2^32."""

    framing: int
    parity: int
    overrun: int
    breaks: int

    def since(self, before: "LineErrors") -> "LineErrors":
        """Those that have come since then."""
        pairs = zip(self, before, strict=True)
        return LineErrors(*((now - then) % _WRAPS for now, then in pairs))

    def sentence(self) -> str:
        """What they say to a person, "" where there are none."""
        words = ("framing error", "parity error", "overrun", "break")
        counted = [(count, word) for count, word in zip(self, words, strict=True) if count]
        said = [f"{count} {word}{'s' if count > 1 else ''}" for count, word in counted]
        if not said:
            return ""
        hint = "are baud rate and parity right?"
        if not (self.framing or self.parity or self.breaks):
            hint = "is the computer too busy, or is there a flow control that is not set?"
        return f"the port counted {', '.join(said)}: {hint}"


def line_errors(fd: int) -> LineErrors | None:
    """The counters of the port behind a descriptor; None where it has none."""
    try:
        raw = fcntl.ioctl(fd, TIOCGICOUNT, bytes(_COUNTERS.size))
    except OSError:
        return None
    counts = _COUNTERS.unpack(raw)
    return LineErrors(*(counts[at] % _WRAPS for at in (_FRAMING, _PARITY, _OVERRUN, _BREAK)))
