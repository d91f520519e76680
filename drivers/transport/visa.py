"""Bytes over VISA: USB-TMC, VXI-11, HiSLIP, GPIB, raw sockets and serial ports, through pyvisa.

pyvisa is slow to import and its calls block: every call of one instrument is made in a thread of
its own, so that one that hangs holds up nobody else. (pyvisa closes what is open when the
interpreter ends; a vendor's library that hangs even then is beyond us.)

What VISA can't do: it has one time-out per call. The first byte is waited for as asked, but a
reply that stalls later is noticed at the end of `whole`, not of `next_byte`. Nothing can be sent
past a running read. Serial ports run at VISA's defaults, 9600 baud 8N1: prefer `serial://`.
"""

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final, Self, TypeVar

from drivers.errors import (
    BadAddress,
    BadReply,
    ConnectFailed,
    DriverError,
    LinkClosed,
    LinkError,
    LinkTimeout,
)
from drivers.transport.address import visa_kind
from drivers.transport.link import Timeouts
from drivers.transport.visa_errors import Border
from drivers.transport.visa_thread import CallStuck, CallThread

if TYPE_CHECKING:
    from pyvisa.resources import MessageBasedResource

T = TypeVar("T")

OPEN_S: Final = 3.0
WRITE_S: Final = 2.0
GLANCE_S: Final = 0.001
"""Long enough to see what has already arrived."""
GPIB_OPEN_S: Final = 30.0
"""A GPIB interface takes this long to notice that the instrument is switched off."""
SLICE_S: Final = 0.25
"""How long one read of a socket may take: between two of them a closed connection is seen."""
GRACE_S: Final = 2.0
"""How much later than asked a call may return before its thread is given up."""
CHUNK: Final = 4096
LONGEST_LINE: Final = 1 << 28
"""Bytes after which a reply without an end is babble; waveforms are long."""


class VisaLink:
    """One instrument behind a VISA resource. `library` is pyvisa's: "@py", or a path of a vendor's.

    `clears` becomes false when the interface turns out to have no device clear, as pyvisa-py's
    USB has not.
    """

    def __init__(self, resource: str, library: str = "@py") -> None:
        self.name = f"visa://{resource}"
        self._session = _Session(resource, library)
        self.clears = self._session.clears
        self._thread: CallThread | None = None
        self._stuck: CallThread | None = None

    @property
    def is_stuck(self) -> bool:
        """Whether a call has not returned yet: until then this instrument can't be opened anew."""
        return self._stuck is not None and self._stuck.is_alive

    async def __aenter__(self) -> Self:
        if self.is_stuck:
            raise ConnectFailed(
                f"{self.name}: the VISA library never returned from a call; restart the agent"
            )
        self._thread = CallThread(self.name)
        try:
            await self._call(self._session.open, GPIB_OPEN_S)
        except BaseException:
            self._leave()
            raise
        self.clears = self._session.clears
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._thread is not None:
            try:
                with suppress(LinkError):  # whatever it says, the session is not used again
                    await self._call(self._session.close, OPEN_S)
            finally:
                self._leave()

    async def send(self, data: bytes) -> None:
        """Send all of `data`. Raises LinkClosed, or LinkTimeout when the device stops reading."""
        await self._call(partial(self._session.write, data), WRITE_S)

    def send_now(self, data: bytes) -> None:
        """Refuse: VISA can't write while it reads. Raises BadAddress."""
        raise BadAddress(f"{self.name}: VISA sends nothing out of turn; use serial:// or tcp://")

    async def receive_until(self, end: bytes, timeouts: Timeouts) -> bytes:
        """Return one message, or one line up to `end`, without `end`."""
        return await self._call(partial(self._session.line, end, timeouts), timeouts.whole)

    async def receive_exactly(self, count: int, timeouts: Timeouts) -> bytes:
        """Return the next `count` bytes, whatever they are."""
        return await self._call(partial(self._session.block, count, timeouts), timeouts.whole)

    def discard(self) -> bytes:
        """Return what `send` found unasked on the line since the last call, and threw away."""
        unasked, self._session.unasked = self._session.unasked, b""
        return unasked

    async def resync(self, quiet: float) -> None:
        """Clear the device; on a raw socket connect anew; elsewhere read until it is quiet."""
        longest = GPIB_OPEN_S if self.clears else quiet + 10.0
        await self._call(partial(self._session.resync, quiet), longest)

    async def _call(self, job: Callable[[], T], within: float) -> T:
        """Make a blocking call; what it raises arrives as one of our errors."""
        if self._thread is None:
            raise LinkClosed(f"{self.name}: the link is closed")
        try:
            return await self._thread.call(job, within + GRACE_S)
        except DriverError as error:
            raise type(error)(f"{self.name}: {error}") from error
        except CallStuck:
            self._stuck = self._thread
            self._leave()
            raise LinkClosed(f"{self.name}: the VISA library does not return from a call") from None

    def _leave(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.end(self._session.close)


class _Session:
    """What blocks: runs in the instrument's thread, and raises only our errors."""

    def __init__(self, resource: str, library: str) -> None:
        self.unasked = b""
        self._name, self._library, self._kind = resource, library, visa_kind(resource)
        self.clears = self._kind != "serial"
        self._resource: MessageBasedResource | None = None

    def open(self) -> None:
        with Border(opening=True):
            self._resource = _opened(self._name, self._library)
            if self._kind == "message":
                self._clear()  # an answer that an earlier program left behind
            if self._kind == "socket":
                # pyvisa-py 0.8.1 "opens" ports that refuse. A read shows it, and unlike another
                # connection to the port it disturbs no instrument that takes only one.
                self._glance()

    def close(self) -> None:
        resource, self._resource = self._resource, None
        if resource is not None:
            with Border():
                resource.close()

    def write(self, data: bytes) -> None:
        with Border():
            if self._kind != "message":
                self.unasked += self._glance()
            resource = self._open_resource()
            resource.timeout = WRITE_S * 1000
            if (sent := resource.write_raw(data)) != len(data):
                raise LinkTimeout(f"only {sent} of {len(data)} bytes could be sent")

    def line(self, end: bytes, timeouts: Timeouts) -> bytes:
        from pyvisa.constants import StatusCode

        deadline = time.monotonic() + timeouts.whole
        stream, full = self._kind != "message", StatusCode.success_max_count_read
        got = bytearray()
        with Border():
            self._end_at(end)
            # One byte of a stream, to see that an answer begins; a message comes in one.
            status = self._read(got, 1 if stream else CHUNK, timeouts.first_byte)
            while (not got.endswith(end)) if stream else (status == full):
                if len(got) > LONGEST_LINE:
                    raise BadReply(f"{len(got)} bytes came without {end!r}")
                status = self._read(got, CHUNK, deadline - time.monotonic())
        return bytes(got).removesuffix(end)

    def block(self, count: int, timeouts: Timeouts) -> bytes:
        deadline = time.monotonic() + timeouts.whole
        got = bytearray()
        with Border():
            self._end_at(None)
            while len(got) < count:
                left = deadline - time.monotonic()
                seconds = left if got else min(timeouts.first_byte, left)
                self._read(got, min(CHUNK, count - len(got)) if got else 1, seconds)
        return bytes(got)

    def resync(self, quiet: float) -> None:
        if self._kind == "socket":
            self.close()
            self.open()
        elif self.clears:
            self._clear()
        if not self.clears:
            with Border():
                self._glance(quiet, longest=quiet + 10.0)

    def _clear(self) -> None:
        from pyvisa.constants import StatusCode
        from pyvisa.errors import VisaIOError

        with Border():
            try:
                self._open_resource().clear()
            except VisaIOError as error:
                if error.error_code != StatusCode.error_nonsupported_operation:
                    raise
                self.clears = False

    def _glance(self, quiet: float = GLANCE_S, longest: float = 1.0) -> bytes:
        """Read until nothing has come for `quiet` seconds; LinkTimeout after `longest`."""
        deadline = time.monotonic() + longest
        seen = bytearray()
        self._end_at(None)
        while time.monotonic() < deadline:
            try:
                with Border():  # one by one: what a read got before its time-out is lost
                    self._read(seen, 1 if self._kind != "message" else CHUNK, quiet)
            except LinkTimeout:
                return bytes(seen)
        raise LinkTimeout(f"the device babbled for {longest:g} s")

    def _read(self, got: bytearray, count: int, seconds: float) -> int:
        """Make one VISA read and return its status. Raises LinkTimeout when no time is left."""
        from pyvisa.constants import StatusCode

        if seconds <= 0:
            raise LinkTimeout("the reply was not whole in time")
        # Only while waiting for a single byte: of more, pyvisa-py loses what came before a time-out.
        while self._kind == "socket" and count == 1 and seconds > SLICE_S:
            seconds -= SLICE_S
            with suppress(LinkTimeout), Border():
                return self._read(got, count, SLICE_S)
            self._see_hang_up()
        resource = self._open_resource()
        resource.timeout = max(1, round(seconds * 1000))
        with resource.ignore_warning(
            StatusCode.success_max_count_read, StatusCode.success_device_not_present
        ):
            data, status = resource.visalib.read(resource.session, count)
        got += data
        return status

    def _see_hang_up(self) -> None:
        """Raise LinkClosed when the other end is gone, for which pyvisa-py waits to the time-out."""
        resource = self._open_resource()
        sessions = getattr(resource.visalib, "sessions", {})
        line = getattr(sessions.get(resource.session), "interface", None)
        if isinstance(line, socket.socket):
            with suppress(BlockingIOError):
                if not line.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT):
                    raise LinkClosed("the instrument closed the connection")

    def _end_at(self, end: bytes | None) -> None:
        """Let reads of a stream return at the last byte of `end`, or regardless of what comes."""
        from pyvisa.constants import ResourceAttribute as Attribute

        if self._kind == "message":
            return  # it has an end of its own
        resource = self._open_resource()
        if end is not None:
            resource.set_visa_attribute(Attribute.termchar, end[-1])
        resource.set_visa_attribute(Attribute.termchar_enabled, end is not None)

    def _open_resource(self) -> "MessageBasedResource":
        if self._resource is None:
            raise LinkClosed("the session is closed")
        return self._resource


def _opened(resource: str, library: str) -> "MessageBasedResource":
    import pyvisa
    from pyvisa.resources import MessageBasedResource

    manager = pyvisa.ResourceManager(library)
    found = manager.open_resource(resource, open_timeout=round(OPEN_S * 1000))
    if not isinstance(found, MessageBasedResource):
        found.close()
        raise ConnectFailed(f"a {type(found).__name__} takes no messages")
    return found
