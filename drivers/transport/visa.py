"""Bytes over VISA: USB-TMC, VXI-11, HiSLIP, GPIB, raw sockets and serial ports, through pyvisa.

VISA's calls block, and a vendor's library may not return from one at all. So none is made in the
event loop. With pyvisa-py, which heeds its time-outs, each instrument has a thread of its own;
with any other library, a process of its own, which can be ended. An instrument of which a thread
has hung gets a process from then on, and so does one that connects when this process has very many
files open.

Nothing can be sent past a running read. Serial ports run at 9600 baud 8N1 unless the address says
otherwise: prefer `serial://`.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Final, Self

from drivers.errors import BadAddress, ConnectFailed, DriverError, LinkClosed, LinkError
from drivers.transport.address import visa_kind
from drivers.transport.link import Timeouts
from drivers.transport.recorder import Recorder
from drivers.transport.visa_calls import Answer, Call
from drivers.transport.visa_process import CallProcess
from drivers.transport.visa_session import NO_OPTIONS, WRITE_S, Session
from drivers.transport.visa_thread import Caller, CallStuck, CallThread

OPEN_S: Final = 10.0
GPIB_OPEN_S: Final = 30.0
"""A GPIB interface takes this long to notice that the instrument is switched off."""
CLOSE_S: Final = 3.0
GRACE_S: Final = 2.0
"""How much later than asked a call may return before its thread or process is given up."""
PURE: Final = "@py"
"""How the name of pyvisa-py ends, the one library that can be trusted to return."""
SELECTABLE: Final = 1024 - 64
"""Descriptors up to which pyvisa-py can wait on one: it uses select(2), here with some to spare."""


def _has_room() -> bool:
    """Whether what is opened next gets a number that pyvisa-py can wait on."""
    probe = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    os.close(probe)
    return probe < SELECTABLE


class VisaLink:
    """One instrument behind a VISA resource. `library` is pyvisa's: "@py", or a path of a vendor's.

    `options` are those of a serial line, as an address has them. `clears` becomes false when the
    interface turns out to have no device clear.
    """

    def __init__(
        self, resource: str, library: str = PURE, options: Mapping[str, str] = NO_OPTIONS
    ) -> None:
        self.name = f"visa://{resource}"
        self.clears = visa_kind(resource) != "serial"
        self.recorder = Recorder()
        """Of this instrument. Who makes the link may put one in its place that outlives it."""
        self.has_hung = False
        """Whether a call has ever not returned: keep this link then, for it knows what to do."""
        self._resource, self._library, self._options = resource, library, options
        self._unasked = b""
        self._calls: Caller | None = None
        self._killed: CallProcess | None = None

    async def __aenter__(self) -> Self:
        if self._calls is not None:
            raise ConnectFailed(f"{self.name}: its last connection is not closed yet")
        self._unasked = b""
        self._calls = await self._caller()
        try:
            await self._open()
        except BaseException:
            await self._leave()
            raise
        self.recorder.opened()
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._calls is not None:
            try:
                with suppress(LinkError):  # whatever it says, the session is not used again
                    await self._call(Call(method="close"), CLOSE_S)
            finally:
                self.recorder.closed()
                await self._leave()

    async def send(self, data: bytes) -> None:
        """Send all of `data`. Raises LinkClosed, or LinkTimeout when the device stops reading."""
        self.recorder.sent(data)
        await self._call(Call(method="write", data=data), WRITE_S)

    def send_now(self, data: bytes) -> None:
        """Refuse: VISA can't write while it reads. Raises BadAddress."""
        raise BadAddress(f"{self.name}: VISA sends nothing out of turn; use serial:// or tcp://")

    async def receive_until(self, end: bytes, timeouts: Timeouts) -> bytes:
        """Return one message, or one line up to `end`, without `end`."""
        call = Call(method="line", end=end, timeouts=timeouts)
        return (await self._received(call, timeouts.whole)).removesuffix(end)

    async def query(self, data: bytes, end: bytes, timeouts: Timeouts) -> bytes:
        """Send, and return what answers: `send` and `receive_until` in one call of the library's.

        To hand a call over and its answer back costs as much as the rest of it.
        """
        self.recorder.sent(data)
        call = Call(method="line", data=data, end=end, timeouts=timeouts)
        return (await self._received(call, WRITE_S + timeouts.whole)).removesuffix(end)

    async def receive_exactly(self, count: int, timeouts: Timeouts) -> bytes:
        """Return the next `count` bytes, whatever they are."""
        call = Call(method="block", count=count, timeouts=timeouts)
        return await self._received(call, timeouts.whole)

    def discard(self) -> bytes:
        """Return what `send` found unasked on the line since the last call, and threw away."""
        unasked, self._unasked = self._unasked, b""
        return unasked

    async def resync(self, quiet: float) -> None:
        """Clear the device; on a raw socket connect anew; elsewhere read until it is quiet."""
        self.recorder.noted("getting back in step")
        longest = self._open_s if self.clears else quiet + 10.0
        await self._received(Call(method="resync", quiet=quiet), longest)

    @property
    def _open_s(self) -> float:
        return GPIB_OPEN_S if "GPIB" in self._resource.upper() else OPEN_S

    async def _open(self) -> None:
        try:
            await self._call(Call(method="open"), self._open_s)
        except LinkClosed as error:  # it hung or crashed; nothing was sent
            raise ConnectFailed(str(error)) from error

    async def _caller(self) -> Caller:
        if self._library.endswith(PURE) and not self.has_hung and _has_room():
            return CallThread(self.name, Session(self._resource, self._library, self._options))
        if self._killed is not None and not await self._killed.gone():
            raise ConnectFailed(
                f"{self.name}: a call of the VISA library hangs in the system's own driver, and "
                "its process can't be ended; unplug the instrument's interface"
            )
        try:
            return await CallProcess.start(self.name, self._resource, self._library, self._options)
        except LinkError as error:
            raise ConnectFailed(f"{self.name}: {error}") from error

    async def _received(self, call: Call, within: float) -> bytes:
        data = (await self._call(call, within)).data
        if data:
            self.recorder.received(data)
        return data

    async def _call(self, call: Call, within: float) -> Answer:
        """Have a call made; what it raises arrives as one of our errors."""
        if self._calls is None:
            raise LinkClosed(f"{self.name}: the link is closed").unsent()
        try:
            answer = await self._calls.call(call, within + GRACE_S)
        except DriverError as error:
            raise error.during(self.name) from error
        except CallStuck:
            raise LinkClosed(f"{self.name}: {await self._give_up(within + GRACE_S)}") from None
        self.clears = answer.clears
        if answer.unasked:
            self.recorder.received(answer.unasked)
            self._unasked += answer.unasked
        return answer

    async def _give_up(self, waited: float) -> str:
        """Use the thread or process no more that hangs; return what to say of it."""
        hung, self.has_hung = self._calls, True
        await self._leave()
        said = f"the VISA library did not return from a call within {waited:g} s"
        if isinstance(hung, CallProcess):
            self._killed = hung
            return f"{said}; its process was ended, and connecting starts another"
        return f"{said}; from now on its calls are made in a process of their own"

    async def _leave(self) -> None:
        calls, self._calls = self._calls, None
        if calls is not None:
            await calls.end()
