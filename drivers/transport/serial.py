"""Serial lines: ports of this computer, and those behind `rfc2217://` and `socket://` (POSIX).

pyserial opens and configures the port. From then on a port with a descriptor is read and written
by the event loop; only `rfc2217://`, which has none, keeps two threads.
"""

import asyncio
import contextlib
import errno
import fcntl
import termios
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from drivers.errors import BadReply, ConnectFailed, DriverError, LinkClosed, LinkTimeout
from drivers.transport.address import Address
from drivers.transport.descriptor import Descriptor
from drivers.transport.holder import holders
from drivers.transport.line_errors import LineErrors, line_errors
from drivers.transport.link import Timeouts
from drivers.transport.stream import StreamLink
from drivers.transport.threads import Port, ThreadedPort, in_thread

if TYPE_CHECKING:
    import serial

OPEN_S = 10.0
READ_TICK_S = 0.1

REASONS: Final[Mapping[int, str]] = {
    errno.EACCES: "permission denied: add the agent's user to the group dialout",
    errno.EPERM: "permission denied: add the agent's user to the group dialout",
    errno.ENOENT: "there is no such port: is the cable plugged in?",
    errno.ENODEV: "there is no such port: is the cable plugged in?",
    errno.ENXIO: "there is no such port: is the cable plugged in?",
    errno.EBUSY: "another program holds the port: close it there",
    errno.EAGAIN: "another program holds the port: close it there",
    errno.EINVAL: "the port can't do these settings",
    errno.ENOTTY: "this is not a serial port",
    errno.EISDIR: "this is not a serial port",
    errno.EIO: "the port fails: unplug it and plug it in again",
}
"""What a person does about an error of the operating system."""

_REFUSALS: Final = (OSError, ValueError, NotImplementedError, termios.error)
"""What pyserial raises, and lets through, when a port or a setting of it is not to be had."""

_NO_LOW_LATENCY: Final = {errno.ENOTTY, errno.EINVAL, errno.EPERM, errno.EOPNOTSUPP}
"""Ptys and some adapters have no latency timer; waiting up to 16 ms longer is then all that is lost."""


class SerialLink(StreamLink):
    """A serial line, for this process alone (advisory lock and TIOCEXCL).

    `options` are those of drivers.transport.address, as text; without any it is 115200 baud 8N1.
    `dtr` is decided before the port opens, because many boards reset when DTR rises:

        on      raise DTR and RTS, as most programs do
        off     drop both right after opening
        leave   keep what the system does, and keep DTR up when closing: a board that was reset
                by the first opening is not reset by later ones
    """

    def __init__(self, place: str, options: Mapping[str, str]) -> None:
        super().__init__(f"serial://{place}")
        self._place, self._options = place, options
        self._port: serial.SerialBase | None = None
        self._line: Descriptor | ThreadedPort | None = None
        self._counted: LineErrors | None = None

    async def send(self, data: bytes) -> None:
        """Send all of `data`. Raises LinkClosed, or LinkTimeout when the device stops reading."""
        line = self._connected()
        self.recorder.sent(data)
        await line.write(data)

    async def receive_until(self, end: bytes, timeouts: Timeouts) -> bytes:
        """See Inbox.until; an error says what the port has counted of errors on the line."""
        try:
            return await self.inbox.until(end, timeouts)
        except (LinkTimeout, BadReply) as error:
            raise self._with_counts(error) from error

    async def receive_exactly(self, count: int, timeouts: Timeouts) -> bytes:
        """See Inbox.exactly; an error says what the port has counted of errors on the line."""
        try:
            return await self.inbox.exactly(count, timeouts)
        except LinkTimeout as error:
            raise self._with_counts(error) from error

    def _with_counts(self, error: DriverError) -> DriverError:
        """The same error, with the port's own errors since it was opened or last said them."""
        before, self._counted = self._counted, self._count()
        if before is None or self._counted is None:
            return error
        said = self._counted.since(before).sentence()
        return type(error)(f"{error}; {said}") if said else error

    def _count(self) -> LineErrors | None:
        return line_errors(self._line.fd) if isinstance(self._line, Descriptor) else None

    def send_now(self, data: bytes) -> None:
        """Send before anything that still waits in this process. Raises LinkClosed."""
        line = self._connected()
        self.recorder.sent(data)
        line.write_now(data)

    @property
    def character(self) -> float:
        """Seconds that one byte takes on the line, start, parity and stop bits with it."""
        return Address("serial", self._place, 0, self._options).character

    def drop_unsent(self) -> None:
        """Take back what still waits here or in the kernel, but for what the adapter holds itself."""
        if isinstance(self._line, Descriptor):
            self._line.drop()

    def _connected(self) -> Descriptor | ThreadedPort:
        if self._line is None:
            raise LinkClosed(f"{self.name}: the port is closed").unsent()
        return self._line

    async def _open(self) -> None:
        """Open the port. Raises ConnectFailed, which says what to do about it."""
        opening = partial(_opened, self._place, self._options)
        try:
            async with asyncio.timeout(OPEN_S):
                self._port = await in_thread(opening, f"open {self._place}", undo=_close)
        except TimeoutError:
            raise ConnectFailed(f"{self.name}: the port did not open in {OPEN_S:g} s") from None
        except _REFUSALS as error:
            raise ConnectFailed(f"{self.name}: {await self._refusal(error)}") from error
        if self._place.startswith("rfc2217://"):
            self._line = ThreadedPort(cast(Port, self._port), self.name, self.inbox)
        else:
            self._line = Descriptor(self._port.fileno(), self.name, self.inbox)
        self._counted = self._count()

    async def _refusal(self, error: BaseException) -> str:
        """The sentence for a port that does not open; it names who holds the port, if that is known."""
        if _number(error) not in {errno.EBUSY, errno.EAGAIN}:
            return _reason(error)
        who = await in_thread(partial(holders, self._place), f"who holds {self._place}")
        return f"{who} holds the port: close it there" if who else _reason(error)

    async def _close(self) -> None:
        line, self._line = self._line, None
        port, self._port = self._port, None
        try:
            if line is not None:
                await line.stop()
        finally:
            if port is not None:
                await in_thread(partial(_close, port), f"close {self._place}")


def _opened(place: str, options: Mapping[str, str]) -> "serial.SerialBase":
    """Open the port and keep others out. It may block, as an adapter's driver or a gateway may."""
    import serial

    dtr = options.get("dtr", "on")
    port = serial.serial_for_url(
        place,
        do_not_open=True,
        baudrate=int(options.get("baudrate", "115200")),
        bytesize=int(options.get("bytesize", "8")),
        parity=options.get("parity", "N"),
        stopbits=float(options.get("stopbits", "1")),
        rtscts=options.get("rtscts") == "on",
        xonxoff=options.get("xonxoff") == "on",
        dsrdtr=dtr == "leave",  # to pyserial this says only that DTR is not its business
        timeout=READ_TICK_S,
    )
    if dtr == "off":
        port.dtr = port.rts = False
    local = "://" not in place
    if local:
        port.exclusive = True
    port.open()
    try:
        if local:
            _claim(port, keep_dtr=dtr == "leave")
    except BaseException:
        port.close()
        raise
    return port


def _claim(port: "serial.SerialBase", *, keep_dtr: bool) -> None:
    """Refuse other programs; let a read of nothing be told from the end; ask for low latency."""
    fd = port.fileno()
    fcntl.ioctl(fd, termios.TIOCEXCL)
    settings = termios.tcgetattr(fd)
    settings[6][termios.VMIN] = 1  # with 0 an empty line reads as the end of the file
    if keep_dtr:
        settings[2] &= ~termios.HUPCL
    termios.tcsetattr(fd, termios.TCSANOW, settings)
    try:
        port.set_low_latency_mode(True)  # type: ignore[attr-defined]  # Linux has it
    except ValueError as error:
        if _number(error) not in _NO_LOW_LATENCY:
            raise


def _close(port: "serial.SerialBase") -> None:
    """Close without waiting for output that the device no longer reads."""
    with contextlib.suppress(
        OSError, termios.error, ValueError
    ):  # an unplugged port has no claim left
        fd = port.fileno()
        fcntl.ioctl(fd, termios.TIOCNXCL)
        termios.tcflush(fd, termios.TCOFLUSH)
    port.close()


def _reason(error: BaseException) -> str:
    """The sentence for an error of pyserial, which often wraps the one that says more."""
    number = _number(error)
    if number in REASONS:
        return REASONS[number]
    return REASONS[errno.EINVAL] + f" ({error})" if isinstance(error, ValueError) else str(error)


def _number(error: BaseException | None) -> int:
    while error is not None:
        if isinstance(error, OSError) and error.errno is not None:
            return error.errno
        if isinstance(error, termios.error):
            return int(error.args[0])
        error = error.__context__
    return 0
