"""VISA where the library is the matter: messages, device clear, calls that hang, foreign errors."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drivers.errors import BadAddress, ConnectFailed, DriverError, LinkClosed, LinkTimeout
from drivers.transport import visa, visa_session
from drivers.transport.link import Timeouts
from drivers.transport.visa import VisaLink
from drivers.transport.visa_errors import Border

SOON = Timeouts(turn=2.0, first_byte=0.15, next_byte=0.1, whole=0.4)
ROOT = Path(__file__).resolve().parents[2]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


class FakeLibrary:
    """The part of pyvisa that a session uses, for a USB instrument that answers in messages."""

    def __init__(self, *, clear_error: Exception | None = None) -> None:
        self.clear_error = clear_error
        self.messages: list[bytes] = []
        self.clears = 0
        self.session = 1
        self.timeout = 0.0
        self.visalib = self

    def ignore_warning(self, *codes: object) -> Any:
        return threading.Lock()  # any context manager

    def set_visa_attribute(self, name: object, state: object) -> None:
        raise AssertionError("a message has an end of its own")

    def write_raw(self, data: bytes) -> int:
        return len(data)

    def read(self, session: int, count: int) -> tuple[bytes, int]:
        from pyvisa.constants import StatusCode
        from pyvisa.errors import VisaIOError

        if not self.messages:
            raise VisaIOError(StatusCode.error_timeout)
        head, rest = self.messages[0][:count], self.messages[0][count:]
        self.messages[:1] = [rest] if rest else []
        full = StatusCode.success_max_count_read
        return head, full if rest else StatusCode.success

    def clear(self) -> None:
        if self.clear_error is not None:
            raise self.clear_error
        self.clears += 1
        self.messages.clear()

    def close(self) -> None:
        """Nothing to close."""


def usb(monkeypatch: pytest.MonkeyPatch, library: FakeLibrary) -> VisaLink:
    monkeypatch.setattr(visa_session, "opened", lambda resource, name: library)
    return VisaLink("USB0::0x2A8D::0x1601::MY1::INSTR")


class TestMessages:
    async def test_a_message_ends_where_the_instrument_says(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        library = FakeLibrary()
        async with usb(monkeypatch, library) as link:
            library.messages = [b"x" * 10_000 + b"\n", b"no line end", b"next\n"]
            assert await link.receive_until(b"\n", SOON) == b"x" * 10_000
            assert await link.receive_until(b"\n", SOON) == b"no line end"
            assert await link.receive_exactly(3, SOON) == b"nex"

    async def test_the_device_is_cleared_at_opening_and_to_get_back_in_step(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        library = FakeLibrary()
        library.messages = [b"left behind\n"]
        async with usb(monkeypatch, library) as link:
            with pytest.raises(LinkTimeout):
                await link.receive_until(b"\n", SOON)
            library.messages = [b"late\n"]
            await link.resync(0.1)
            assert link.clears
            assert library.clears == 2
            assert library.messages == []

    async def test_an_interface_without_device_clear_is_read_until_quiet(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from pyvisa.constants import StatusCode
        from pyvisa.errors import VisaIOError

        library = FakeLibrary(clear_error=VisaIOError(StatusCode.error_nonsupported_operation))
        async with usb(monkeypatch, library) as link:
            assert not link.clears
            library.messages = [b"late\n"]
            await link.resync(0.1)
            assert library.messages == []

    async def test_a_clear_that_fails_at_opening_refuses_the_link(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from pyvisa.constants import StatusCode
        from pyvisa.errors import VisaIOError

        library = FakeLibrary(clear_error=VisaIOError(StatusCode.error_resource_locked))
        with pytest.raises(ConnectFailed, match="another program has locked the instrument"):
            async with usb(monkeypatch, library):
                pass


async def test_a_serial_port_is_set_as_the_address_says_before_anything_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from pyvisa.constants import Parity, StopBits
    from pyvisa.constants import ResourceAttribute as Attribute

    library, done = FakeLibrary(), list[tuple[object, object]]()
    monkeypatch.setattr(library, "set_visa_attribute", lambda *what: done.append(what))
    monkeypatch.setattr(library, "read", lambda *_: pytest.fail("read too early"))
    monkeypatch.setattr(visa_session, "opened", lambda resource, name: library)
    options = {"baudrate": "19200", "bytesize": "7", "parity": "E", "stopbits": "1.5"}
    async with VisaLink("ASRL/dev/ttyUSB0::INSTR", "@py", options):
        assert done == [
            (Attribute.asrl_baud_rate, 19200),
            (Attribute.asrl_data_bits, 7),
            (Attribute.asrl_parity, Parity.even),
            (Attribute.asrl_stop_bits, StopBits.one_and_a_half),
        ]


class TestHangs:
    async def test_a_call_that_hangs_stops_neither_the_loop_nor_another_link(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(visa, "GRACE_S", 0.0)
        monkeypatch.setattr(visa, "WRITE_S", 0.1)
        free = threading.Event()
        sick, well = FakeLibrary(), FakeLibrary()
        monkeypatch.setattr(sick, "write_raw", lambda data: free.wait(20) and len(data))
        link = usb(monkeypatch, sick)
        async with link:
            async with usb(monkeypatch, well) as other:
                sending = asyncio.gather(link.send(b"A\n"), return_exceptions=True)
                well.messages = [b"alive\n"]
                assert await other.receive_until(b"\n", SOON) == b"alive"
                (error,) = await sending
            assert isinstance(error, LinkClosed)
            with pytest.raises(LinkClosed):
                await link.send(b"B\n")
        free.set()

    @pytest.mark.lab
    def test_a_call_that_hangs_does_not_hold_up_the_end_of_the_process(self) -> None:
        program = """
import asyncio, threading
from drivers.errors import ConnectFailed
from drivers.transport import visa, visa_session
visa.GRACE_S = 0.0
visa.GPIB_OPEN_S = 0.1
visa_session.opened = lambda resource, library: threading.Event().wait()
async def main():
    try:
        async with visa.VisaLink("GPIB0::7::INSTR"):
            print("opened")
    except ConnectFailed as error:
        print(error)
asyncio.run(main())
"""
        ran = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, capture_output=True, timeout=15, check=False
        )
        assert ran.returncode == 0
        assert ran.stdout.startswith(
            b"visa://GPIB0::7::INSTR: the VISA library did not return from a call within 0.1 s"
        )

    async def test_a_caller_who_gives_up_opening_leaves_no_session_open(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        began, free, closed = threading.Event(), threading.Event(), threading.Event()
        library = FakeLibrary()
        monkeypatch.setattr(library, "close", closed.set)

        def opened(resource: str, name: str) -> FakeLibrary:
            began.set()
            free.wait(10)
            return library

        monkeypatch.setattr(visa_session, "opened", opened)
        link = VisaLink("GPIB0::7::INSTR")
        async with asyncio.TaskGroup() as group:
            opening = group.create_task(link.__aenter__())
            await until(began.is_set)
            opening.cancel()
        free.set()
        await until(closed.is_set)


@pytest.mark.parametrize(
    ("raised", "ours", "sentence"),
    [
        (ConnectionRefusedError(111, "Connection refused"), LinkClosed, "Connection refused"),
        (BrokenPipeError(32, "Broken pipe"), LinkClosed, "Broken pipe"),
        (TimeoutError("timed out"), LinkTimeout, "no whole reply in time"),
        (ValueError("No backend available"), LinkClosed, "No backend available"),
        (TypeError(), LinkClosed, "TypeError"),
        (Exception("could not connect"), LinkClosed, "could not connect"),
    ],
)
def test_nothing_foreign_passes_the_border(
    raised: Exception, ours: type[DriverError], sentence: str
) -> None:
    with pytest.raises(ours, match=sentence), Border():
        raise raised
    with pytest.raises(ConnectFailed, match=sentence), Border(opening=True):
        raise raised


@pytest.mark.parametrize("resource", ["USB0::1::2::3::RAW", "GPIB0::INTFC", "a::b"])
def test_a_resource_that_carries_no_messages_is_refused(resource: str) -> None:
    with pytest.raises(BadAddress):
        VisaLink(resource)


def test_nothing_is_sent_out_of_turn() -> None:
    with pytest.raises(BadAddress, match="out of turn"):
        VisaLink("GPIB0::7::INSTR").send_now(b"!")
