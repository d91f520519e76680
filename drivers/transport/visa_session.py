"""One VISA session: every call in it blocks, and raises only our errors.

It runs in a thread or in a process of its own, and is the only file that knows pyvisa, which is
slow to import.

VISA has one time-out per call. The first byte is waited for as asked, but a reply that stalls
later is noticed at the end of `whole`, not of `next_byte`; on pyvisa-py's sockets, which can be
looked at, it is noticed as it should be.
"""

import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from drivers.errors import BadReply, ConnectFailed, DriverError, LinkClosed, LinkTimeout
from drivers.transport.address import visa_kind
from drivers.transport.link import Timeouts
from drivers.transport.visa_calls import Answer, Call
from drivers.transport.visa_errors import Border
from drivers.transport.visa_socket import SocketView

if TYPE_CHECKING:
    from pyvisa.resources import MessageBasedResource

CONNECT_S: Final = 3.0
WRITE_S: Final = 2.0
GLANCE_S: Final = 0.001
"""Long enough to see what has already arrived."""
SLICE_S: Final = 0.25
"""How long one read of a socket may take: between two of them a closed connection is seen."""
CHUNK: Final = 4096
LONGEST_LINE: Final = 1 << 28
"""Bytes after which a reply without an end is babble; waveforms are long."""
NO_OPTIONS: Final[Mapping[str, str]] = MappingProxyType({})
PARITIES: Final = {"N": "none", "E": "even", "O": "odd", "M": "mark", "S": "space"}
STOP_BITS: Final = {"1": "one", "1.5": "one_and_a_half", "2": "two"}
"""What an address says, and what pyvisa calls it."""


class Session:
    """The calls of one instrument; used by one thread at a time.

    `options` are those of a serial line: `baudrate`, `bytesize`, `parity` and `stopbits` as an
    address has them. `clears` becomes false when the interface turns out to have no device clear,
    as pyvisa-py's USB has not.
    """

    def __init__(
        self, resource: str, library: str, options: Mapping[str, str] = NO_OPTIONS
    ) -> None:
        self._name, self._library, self._options = resource, library, options
        self._kind = visa_kind(resource)
        self.clears = self._kind != "serial"
        self._unasked = b""
        self._resource: MessageBasedResource | None = None
        self._line: SocketView | None = None
        self._ignoring = ExitStack()  # warnings of pyvisa
        self._end: bytes | None = b""  # at which reads return; b"" until that is set
        self._patience = -1.0  # seconds that a call may take; negative until that is set

    def answer(self, call: Call) -> Answer:
        """Carry out a call. Raises LinkError and BadReply."""
        data = b""
        match call.method:
            case "open":
                self.open()
            case "close":
                self.close()
            case "write":
                self.write(call.data)
            case "line":
                if call.data:
                    self.write(call.data)
                data = self.line(call.end, call.timeouts)
            case "block":
                data = self.block(call.count, call.timeouts)
            case "resync":
                data = self.resync(call.quiet)
        unasked, self._unasked = self._unasked, b""
        return Answer(data=data, unasked=unasked, clears=self.clears)

    def open(self) -> None:
        with Border(opening=True):
            self._resource = opened(self._name, self._library)
            self._end, self._patience = b"", -1.0
            self._line = SocketView.of(self._resource)
            self._ignore_what_is_no_trouble(self._resource)
            if self._kind == "serial":
                _set_line(self._resource, self._options)
            if self._kind == "message":
                self._clear()  # an answer that an earlier program left behind
            if self._kind == "socket":
                # pyvisa-py 0.8.1 "opens" ports that refuse. Elsewhere a read shows it, and unlike
                # another connection to the port it disturbs no instrument that takes only one.
                if self._line is None:
                    self._glance()
                else:
                    self._line.must_be_connected()

    def _ignore_what_is_no_trouble(self, resource: "MessageBasedResource") -> None:
        from pyvisa.constants import StatusCode

        ignored = resource.ignore_warning(
            StatusCode.success_max_count_read, StatusCode.success_device_not_present
        )
        self._ignoring.enter_context(ignored)  # for as long as it is open: each time costs time

    def close(self) -> None:
        resource, self._resource, self._line = self._resource, None, None
        ignoring, self._ignoring = self._ignoring, ExitStack()
        ignoring.close()
        if resource is not None:
            with Border():
                resource.close()

    def write(self, data: bytes) -> None:
        with Border():
            self._look_for_unasked()
            resource = self._patient(WRITE_S)
            if (sent := resource.write_raw(data)) != len(data):
                raise LinkTimeout(f"only {sent} of {len(data)} bytes could be sent")

    def _look_for_unasked(self) -> None:
        """Take what has come before anything is sent. Raises LinkTimeout, unsent, for babble."""
        line = self._line
        if self._kind == "message" or (line is not None and line.is_quiet()):
            return
        try:
            self._unasked += self._glance()
        except DriverError as error:
            raise error.unsent() from error

    def line(self, end: bytes, timeouts: Timeouts) -> bytes:
        """Return one message, or one line of a stream with its `end`."""
        from pyvisa.constants import StatusCode

        deadline = time.monotonic() + timeouts.whole
        stream, full = self._kind != "message", StatusCode.success_max_count_read
        got = bytearray()
        with Border():
            self._end_at(end)
            status = self._read_on(got, timeouts.first_byte, timeouts.first_byte)
            while (not got.endswith(end)) if stream else (status == full):
                if len(got) > LONGEST_LINE:
                    raise BadReply(f"{len(got)} bytes came without {end!r}")
                status = self._read_on(got, timeouts.next_byte, deadline - time.monotonic())
        return bytes(got)

    def _read_on(self, got: bytearray, wait: float, left: float) -> int:
        """Read what comes next of a reply, and return the status of the read.

        Of a stream that can't be looked at one byte, to see that an answer begins, and then up to
        its end; a message comes in one.

        Raises:
            LinkTimeout: Nothing came for `wait` seconds, as far as that can be seen; or at all for
                `left` seconds.
            LinkClosed: The other end is gone.
        """
        if self._kind == "message":
            return self._read(got, CHUNK, left)
        line = self._line
        if line is None:
            return self._read(got, CHUNK if got else 1, left)
        if arrived := line.arrived(min(wait, left)):  # and is there for the taking
            return self._read(got, arrived, WRITE_S)
        began = f"the reply stopped for {wait:g} s" if got else f"no reply within {wait:g} s"
        raise LinkTimeout(began if left >= wait else "the reply was not whole in time")

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

    def resync(self, quiet: float) -> bytes:
        """Get back in step, and return what was thrown away."""
        if self._kind == "socket":
            self.close()
            self.open()
        elif self.clears:
            self._clear()
        if self.clears:
            return b""
        with Border():
            return self._glance(quiet, longest=quiet + 10.0)

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
        if seconds <= 0:
            raise LinkTimeout("the reply was not whole in time")
        # Only while waiting for a single byte: of more, pyvisa-py loses what came before a time-out.
        while self._kind == "socket" and count == 1 and seconds > SLICE_S:
            seconds -= SLICE_S
            with suppress(LinkTimeout), Border():
                return self._read(got, count, SLICE_S)
            if (line := self._line) is not None:
                line.see_hang_up()
        resource = self._patient(seconds)
        data, status = resource.visalib.read(resource.session, count)
        got += data
        return status

    def _end_at(self, end: bytes | None) -> None:
        """Let reads of a stream return at the last byte of `end`, or regardless of what comes."""
        from pyvisa.constants import ResourceAttribute as Attribute

        if self._kind == "message":
            return  # it has an end of its own
        resource = self._open_resource()
        if end == self._end:
            return
        if end is not None:
            resource.set_visa_attribute(Attribute.termchar, end[-1])
        resource.set_visa_attribute(Attribute.termchar_enabled, end is not None)
        self._end = end

    def _patient(self, seconds: float) -> "MessageBasedResource":
        """The resource, whose next call may take so long. Setting that takes a call by itself."""
        resource = self._open_resource()
        if seconds != self._patience:
            resource.timeout = max(1, round(seconds * 1000))
            self._patience = seconds
        return resource

    def _open_resource(self) -> "MessageBasedResource":
        if self._resource is None:
            raise LinkClosed("the session is closed")
        return self._resource


def load() -> None:
    """Import what a session needs. Raises ImportError."""
    import pyvisa.resources  # noqa: F401 - for the others, who then need not wait for it


def opened(resource: str, library: str) -> "MessageBasedResource":
    """Open a resource of a library. Raises what they raise, and ConnectFailed."""
    import pyvisa
    from pyvisa.resources import MessageBasedResource

    manager = pyvisa.ResourceManager(library)
    found = manager.open_resource(resource, open_timeout=round(CONNECT_S * 1000))
    if not isinstance(found, MessageBasedResource):
        found.close()
        raise ConnectFailed(f"a {type(found).__name__} takes no messages")
    return found


def _set_line(resource: "MessageBasedResource", options: Mapping[str, str]) -> None:
    """Set what the address says of the serial line, and leave the rest at VISA's 9600 baud 8N1."""
    from pyvisa.constants import Parity, StopBits
    from pyvisa.constants import ResourceAttribute as Attribute

    if baudrate := options.get("baudrate"):
        resource.set_visa_attribute(Attribute.asrl_baud_rate, int(baudrate))
    if bits := options.get("bytesize"):
        resource.set_visa_attribute(Attribute.asrl_data_bits, int(bits))
    if parity := options.get("parity"):
        resource.set_visa_attribute(Attribute.asrl_parity, Parity[PARITIES[parity]])
    if stop := options.get("stopbits"):
        resource.set_visa_attribute(Attribute.asrl_stop_bits, StopBits[STOP_BITS[stop]])
