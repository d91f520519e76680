"""VISA through pyvisa-py, over real sockets and a pty."""

from __future__ import annotations

import asyncio
import fcntl
import random
import termios
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from drivers.errors import ConnectFailed, LinkClosed, LinkTimeout
from drivers.power.siglent_spd1000x import Spd1000x
from drivers.protocol.scpi import Scpi
from drivers.transport import visa
from drivers.transport.link import Timeouts
from drivers.transport.visa import VisaLink
from drivers.transport.visa_calls import Answer, Call
from drivers.transport.visa_process import CallProcess
from drivers.transport.visa_session import Session
from drivers.transport.visa_thread import CallThread
from simulators.faults import Fault, Faults
from simulators.serve import PtyServer, TcpServer
from simulators.siglent_spd1000x import SiglentSpd1000x

LATE = 0.6
"""Seconds of delay of a reply that is long overdue, also where this process had no processor for a while."""
SOON = Timeouts(turn=2.0, first_byte=0.15, next_byte=0.1, whole=0.4)


class Teller:
    """Answers `name?` with `name`, and says by itself whatever it is told to."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.to_say = b""

    def opened(self) -> bytes:
        return b""

    def handle(self, data: bytes) -> bytes:
        self.heard.append(data)
        return data.replace(b"?", b"") if b"?" in data else b""

    def advance(self, dt: float) -> bytes:
        said, self.to_say = self.to_say, b""
        return said


def socket_of(server: TcpServer) -> str:
    return f"TCPIP0::127.0.0.1::{server.port}::SOCKET"


@asynccontextmanager
async def opened(server: TcpServer) -> AsyncIterator[VisaLink]:
    """A link to a server which has taken the connection; the kernel takes it for the server before."""
    async with VisaLink(socket_of(server)) as link:
        await until(lambda: server._transport is not None)
        yield link


async def ask(link: VisaLink, query: bytes) -> bytes:
    await link.send(query)
    return await link.receive_until(b"\n", SOON)


def has_heard(link: VisaLink) -> bool:
    """Whether something has arrived at our end, and lies unread."""
    assert isinstance(link._calls, CallThread)
    line = link._calls._session._line
    assert line is not None
    return fcntl.ioctl(line._line, termios.FIONREAD, bytes(4)) != bytes(4)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.mark.lab
class TestSocket:
    async def test_a_line_comes_without_its_end(self) -> None:
        async with TcpServer(Teller()) as server, opened(server) as link:
            assert await ask(link, b"VOLT?\n") == b"VOLT"

    async def test_a_block_may_hold_line_ends(self) -> None:
        async with TcpServer(Teller()) as server, opened(server) as link:
            await link.send(b"a\nb\nc?\n")
            assert await link.receive_exactly(5, SOON) == b"a\nb\nc"

    async def test_a_port_where_nobody_listens_is_refused_in_a_sentence(self) -> None:
        async with TcpServer(Teller()) as server:
            resource = socket_of(server)
        with pytest.raises(ConnectFailed, match="SOCKET: Connection refused"):
            async with VisaLink(resource):
                pass

    async def test_nothing_in_time_is_a_timeout_at_the_first_byte(self) -> None:
        loop = asyncio.get_running_loop()
        async with TcpServer(Teller()) as server, opened(server) as link:
            began = loop.time()
            with pytest.raises(LinkTimeout):
                await link.receive_until(b"\n", Timeouts(first_byte=0.1, whole=3.0))
            assert 0.09 < loop.time() - began < 2.5

    async def test_a_reply_that_stalls_is_a_timeout_at_the_next_byte(self) -> None:
        teller = Teller()
        async with TcpServer(teller) as server, opened(server) as link:
            teller.to_say = b"5.0"
            with pytest.raises(LinkTimeout, match=r"stopped for 0\.05 s"):
                await link.receive_until(b"\n", Timeouts(first_byte=5.0, next_byte=0.05, whole=9.0))

    async def test_what_is_asked_on_a_quiet_line_waits_for_no_look_at_it(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with TcpServer(Teller()) as server, opened(server) as link:
            monkeypatch.setattr(Session, "_glance", None)
            assert await ask(link, b"VOLT?\n") == b"VOLT"

    async def test_a_question_and_its_answer_are_one_call(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with TcpServer(Teller()) as server, opened(server) as link:
            made: list[str] = []
            answer = Session.answer

            def counted(session: Session, call: Call) -> Answer:
                made.append(call.method)
                return answer(session, call)

            monkeypatch.setattr(Session, "answer", counted)
            assert await Scpi(link, SOON).ask("VOLT?") == "VOLT"
            assert made == ["line"]
            assert [kind for _, kind, *_ in link.recorder.entries()][1:] == ["sent", "received"]

    async def test_what_came_unasked_before_a_question_is_not_its_answer(self) -> None:
        teller = Teller()
        async with TcpServer(teller) as server, opened(server) as link:
            teller.to_say = b"BOOT\n"
            await until(lambda: has_heard(link))
            assert await link.query(b"VOLT?\n", b"\n", SOON) == b"VOLT"
            assert link.discard() == b"BOOT\n"

    async def test_a_closed_link_says_that_nothing_was_sent(self) -> None:
        link = VisaLink("TCPIP0::127.0.0.1::9::SOCKET")
        for asking in (link.send(b"VOLT?\n"), link.query(b"VOLT?\n", b"\n", SOON)):
            with pytest.raises(LinkClosed) as closed:
                await asking
            assert not closed.value.sent

    async def test_a_process_with_very_many_files_open_has_another_make_the_calls(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """pyvisa-py waits with select(2), which takes no descriptor beyond 1023."""
        monkeypatch.setattr(visa, "SELECTABLE", 0)
        async with TcpServer(Teller()) as server, opened(server) as link:
            assert isinstance(link._calls, CallProcess)
            assert await ask(link, b"VOLT?\n") == b"VOLT"

    async def test_a_late_reply_dies_with_its_connection(self) -> None:
        faults = Faults(random.Random(0))
        async with TcpServer(Teller(), faults) as server, opened(server) as link:
            assert link.clears
            for n in range(4):
                faults.add(Fault(kind="delay", next=1, seconds=LATE))
                await link.send(b"OLD%d?\n" % n)
                with pytest.raises(LinkTimeout):
                    await link.receive_until(b"\n", SOON)
                await link.resync(0.1)
                assert await ask(link, b"NEW%d?\n" % n) == b"NEW%d" % n

    async def test_what_comes_unasked_is_thrown_away_and_told(self) -> None:
        teller = Teller()
        async with TcpServer(teller) as server, opened(server) as link:
            teller.to_say = b"BOOT\n"
            await until(lambda: has_heard(link))
            assert await ask(link, b"VOLT?\n") == b"VOLT"
            assert link.discard() == b"BOOT\n"
            assert link.discard() == b""

    async def test_a_connection_that_was_cut_comes_back_by_resync(self) -> None:
        async with TcpServer(Teller()) as server, opened(server) as link:
            await server.stop()
            with pytest.raises((LinkClosed, LinkTimeout)):
                await ask(link, b"VOLT?\n")
            with pytest.raises(ConnectFailed):
                await link.resync(0.1)
            await server.start()
            await link.resync(0.1)
            assert await ask(link, b"VOLT?\n") == b"VOLT"

    async def test_a_supply_is_driven_over_it_as_over_any_link(self) -> None:
        async with TcpServer(SiglentSpd1000x()) as server, opened(server) as link:
            supply = Spd1000x.over(link)
            assert (await supply.meet()).model == "SPD1168X"
            await supply.voltage.write(3.5)
            assert await supply.voltage.read() == 3.5

    async def test_a_late_reply_never_becomes_the_value_of_another_query(self) -> None:
        faults = Faults(random.Random(0))
        async with (
            TcpServer(SiglentSpd1000x(), faults) as server,
            opened(server) as link,
        ):
            wire = Scpi(link, SOON)
            await wire.hello()
            for _ in range(4):
                faults.add(Fault(kind="delay", next=1, seconds=LATE))
                with pytest.raises(LinkTimeout):
                    await wire.ask("CH1:CURR?")
                assert await wire.ask("CH1:VOLT?") == "0.000"

    async def test_a_link_opens_again_after_it_was_closed(self) -> None:
        async with TcpServer(Teller()) as server:
            link = VisaLink(socket_of(server))
            for _ in range(2):
                async with link:
                    assert await ask(link, b"VOLT?\n") == b"VOLT"
                with pytest.raises(LinkClosed):
                    await link.send(b"VOLT?\n")


@pytest.mark.lab
class TestSerial:
    async def test_opening_sends_nothing_and_lines_come_back(self, tmp_path: Path) -> None:
        teller = Teller()
        async with PtyServer(teller, tmp_path / "port"):
            async with VisaLink(f"ASRL{tmp_path}/port::INSTR") as link:
                assert not link.clears
                assert teller.heard == []
                assert await ask(link, b"VOLT?\n") == b"VOLT"

    async def test_resync_reads_until_the_line_is_quiet(self, tmp_path: Path) -> None:
        faults = Faults(random.Random(0))
        faults.add(Fault(kind="delay", next=1, seconds=0.25))
        async with (
            PtyServer(Teller(), tmp_path / "port", faults),
            VisaLink(f"ASRL{tmp_path}/port::INSTR") as link,
        ):
            await link.send(b"OLD?\n")
            with pytest.raises(LinkTimeout):
                await link.receive_until(b"\n", SOON)
            await link.resync(0.3)
            assert await ask(link, b"NEW?\n") == b"NEW"

    async def test_the_line_is_set_as_the_address_says(self, tmp_path: Path) -> None:
        options = {"baudrate": "19200", "stopbits": "2"}
        async with PtyServer(Teller(), tmp_path / "port"):
            async with VisaLink(f"ASRL{tmp_path}/port::INSTR", "@py", options):
                with (tmp_path / "port").open("rb", buffering=0) as port:
                    _, _, cflag, _, speed, _, _ = termios.tcgetattr(port)
        assert speed == termios.B19200
        assert cflag & termios.CSTOPB

    async def test_a_port_that_is_not_there_is_refused_in_a_sentence(self, tmp_path: Path) -> None:
        with pytest.raises(ConnectFailed, match="No such file"):
            async with VisaLink(f"ASRL{tmp_path}/nothing::INSTR"):
                pass
