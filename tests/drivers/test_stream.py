"""Bytes that have arrived: how long they are waited for, and what becomes of those that are late."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable, Coroutine
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import BadReply, ConnectFailed, LinkClosed, LinkTimeout
from drivers.transport import stream, tcp
from drivers.transport.link import Timeouts
from drivers.transport.memory import Loopback, Script
from drivers.transport.stream import Inbox
from drivers.transport.tcp import TcpLink
from simulators.faults import Fault, Faults
from simulators.serve import TcpServer
from tests.drivers.virtual_time import run

FOUR = Timeouts(first_byte=1.0, next_byte=0.3, whole=2.0)
SOON = Timeouts(first_byte=0.2, next_byte=0.1, whole=0.5)


async def fed(*arrivals: tuple[float, bytes]) -> Inbox:
    """An inbox to which bytes come at these times; those of time 0 are there already."""
    inbox = Inbox()
    for at, data in arrivals:
        if at:
            asyncio.get_running_loop().call_at(at, inbox.feed, data)
        else:
            inbox.feed(data)
    return inbox


def ended(
    reading: Callable[[Inbox], Coroutine[Any, Any, bytes]], *arrivals: tuple[float, bytes]
) -> tuple[bytes | str, float]:
    """What a reading returned, or the sentence of its time-out, and when."""

    async def read() -> tuple[bytes | str, float]:
        try:
            got: bytes | str = await reading(await fed(*arrivals))
        except LinkTimeout as error:
            got = str(error)
        return got, round(asyncio.get_running_loop().time(), 6)

    return run(read())


def line(inbox: Inbox) -> Coroutine[Any, Any, bytes]:
    return inbox.until(b"\n", FOUR)


def three(inbox: Inbox) -> Coroutine[Any, Any, bytes]:
    return inbox.exactly(3, FOUR)


@pytest.mark.parametrize("reading", [line, three])
class TestTimeouts:
    def test_nothing_ends_at_the_first_byte(self, reading: Any) -> None:
        assert ended(reading) == ("no reply within 1 s: is it on and connected?", 1.0)

    def test_a_stall_ends_at_the_next_byte(self, reading: Any) -> None:
        ending = "the reply stopped for 0.3 s after b'ab'"
        assert ended(reading, (0.9, b"a"), (1.1, b"b")) == (ending, 1.4)

    def test_bytes_that_were_there_already_count_as_the_first(self, reading: Any) -> None:
        got, at = ended(reading, (0.0, b"a"), (0.95, b"b"), (1.2, b"\n"))
        assert (got, at) in [(b"ab", 1.2), (b"ab\n", 1.2)]


def test_a_trickle_ends_at_whole() -> None:
    trickle = [(0.26 * n, b"x") for n in range(1, 20)]
    assert ended(line, *trickle) == (f"the reply was not whole after 2 s: {b'x' * 7!r}", 2.0)


def test_a_reply_in_time_is_returned_when_it_is_whole() -> None:
    assert ended(line, (0.9, b"1."), (1.1, b"5\n")) == (b"1.5", 1.1)
    assert ended(three, (0.9, b"1."), (1.1, b"5\n")) == (b"1.5", 1.1)


@given(
    lines=st.lists(st.text("ab\r\n").filter(lambda text: "\r\n" not in f"{text}\r"), max_size=4),
    cuts=st.lists(st.integers(1, 40), max_size=8),
)
def test_lines_are_the_same_however_they_are_cut(lines: list[str], cuts: list[int]) -> None:
    whole = "".join(f"{text}\r\n" for text in lines).encode()
    places = [0, *sorted(cut for cut in cuts if cut < len(whole)), len(whole)]
    arrivals = [(0.001 * end, whole[start:end]) for start, end in pairwise(places)]

    async def read() -> list[str]:
        inbox = await fed(*arrivals)
        return [(await inbox.until(b"\r\n", FOUR)).decode() for _ in lines]

    assert run(read()) == lines


def test_an_arrival_of_nothing_ends_no_waiting() -> None:
    assert ended(line, (0.1, b""), (0.2, b"1\n")) == (b"1", 0.2)


async def test_what_follows_a_reply_stays_for_the_next_reading() -> None:
    inbox = Inbox()
    inbox.feed(b"one\ntwo\nthr")
    assert await inbox.until(b"\n", SOON) == b"one"
    assert await inbox.exactly(2, SOON) == b"tw"
    assert inbox.discard() == b"o\nthr"
    assert inbox.discard() == b""


async def test_babble_without_an_end_is_no_reply(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "LONGEST_LINE", 1000)
    inbox = Inbox()
    inbox.feed(b"x" * 1002)
    with pytest.raises(BadReply, match="is the baud rate right"):
        await inbox.until(b"\n", SOON)


def test_what_arrived_before_the_end_is_still_read_and_then_the_end_is_told() -> None:
    async def read() -> None:
        inbox = await fed((0.1, b"last\nha"))
        asyncio.get_running_loop().call_at(0.2, inbox.fail, LinkClosed("unplugged"))
        asyncio.get_running_loop().call_at(0.3, inbox.fail, LinkClosed("a consequence"))
        assert await inbox.until(b"\n", FOUR) == b"last"
        for _ in range(2):
            with pytest.raises(LinkClosed, match="unplugged"):
                await inbox.until(b"\n", FOUR)
            await asyncio.sleep(0.2)

    run(read())


def test_a_reader_who_gives_up_takes_nothing_with_him() -> None:
    async def read() -> None:
        inbox = await fed((0.1, b"1."), (0.5, b"5\n"))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await inbox.until(b"\n", FOUR)
        assert await inbox.until(b"\n", FOUR) == b"1.5"

    run(read())


def test_silence_begins_anew_with_every_byte_and_swallows_it() -> None:
    async def read() -> None:
        inbox = await fed((0.2, b"late "), (0.4, b"reply\n"))
        inbox.feed(b"waiting")
        await inbox.silence(0.3, longest=5.0)
        assert asyncio.get_running_loop().time() == pytest.approx(0.7)
        assert inbox.discard() == b""

    run(read())


def test_who_never_falls_silent_is_not_waited_for_for_ever() -> None:
    async def read() -> None:
        inbox = await fed(*[(0.2 * n, b"x") for n in range(100)])
        with pytest.raises(LinkTimeout, match="babbled for 5 s"):
            await inbox.silence(0.3, longest=5.0)

    run(read())


class TestMemory:
    async def test_a_link_opened_again_knows_nothing_of_before(self) -> None:
        link = Loopback(lambda data: data)
        async with link:
            await link.send(b"old\n")
        async with link:
            await link.send(b"new\n")
            assert await link.receive_until(b"\n", SOON) == b"new"
        with pytest.raises(LinkClosed):
            link.send_now(b"!")

    async def test_a_script_takes_no_other_words_and_no_fewer(self) -> None:
        async with Script((b"A?\n", b"1\n"), (b"B?\n", b"2\n")) as script:
            await script.send(b"A?\n")
            with pytest.raises(AssertionError, match="never sent"):
                script.assert_finished()
            with pytest.raises(AssertionError, match="where the script expects"):
                await script.send(b"C?\n")
            script.assert_finished()
            with pytest.raises(AssertionError, match="after the end"):
                await script.send(b"D?\n")


class Echo:
    """Answers every line with itself."""

    def opened(self) -> bytes:
        return b""

    def handle(self, data: bytes) -> bytes:
        return data

    def advance(self, dt: float) -> bytes:
        return b""


def listening() -> socket.socket:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    return listener


async def ask(link: TcpLink, query: bytes) -> bytes:
    await link.send(query)
    return await link.receive_until(b"\n", SOON)


@pytest.mark.lab
class TestTcp:
    async def test_lines_go_there_and_back(self) -> None:
        async with TcpServer(Echo()) as server, TcpLink(server.host, server.port) as link:
            assert await ask(link, b"VOLT?\n") == b"VOLT?"
            link.send_now(b"!\n")
            assert await link.receive_exactly(2, SOON) == b"!\n"

    async def test_a_port_where_nobody_listens_is_refused_in_a_sentence(self) -> None:
        async with TcpServer(Echo()) as server:
            port = server.port
        with pytest.raises(ConnectFailed, match=r"tcp://127.0.0.1:\d+: nothing listens there"):
            async with TcpLink("127.0.0.1", port):
                pass

    async def test_a_late_reply_dies_with_its_connection(self) -> None:
        faults = Faults(random.Random(0))
        async with TcpServer(Echo(), faults) as server, TcpLink(server.host, server.port) as link:
            assert link.clears
            for n in range(3):
                faults.add(Fault(kind="delay", next=1, seconds=0.6))
                with pytest.raises(LinkTimeout):
                    await ask(link, b"OLD%d\n" % n)
                await link.resync(9.0)
                assert await ask(link, b"NEW%d\n" % n) == b"NEW%d" % n

    async def test_bytes_of_the_old_connection_never_reach_the_new_one(self) -> None:
        async with TcpServer(Echo()) as server, TcpLink(server.host, server.port) as link:
            old = link.inbox
            await link.resync(0.0)
            old.feed(b"late\n")
            assert await ask(link, b"new\n") == b"new"

    async def test_a_device_that_goes_away_is_noticed_by_who_waits(self) -> None:
        async with TcpServer(Echo()) as server, TcpLink(server.host, server.port) as link:
            asyncio.get_running_loop().call_later(0.02, server.disconnect)
            with pytest.raises(LinkClosed, match="the device closed the connection"):
                await link.receive_until(b"\n", Timeouts(first_byte=5.0))
            with pytest.raises(LinkClosed):
                await link.send(b"VOLT?\n")
            await link.resync(0.0)
            assert await ask(link, b"VOLT?\n") == b"VOLT?"

    async def test_a_device_that_stops_reading_is_a_timeout(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tcp, "WRITE_STALL_S", 0.1)
        with listening() as deaf:
            async with TcpLink(*deaf.getsockname()) as link:
                with pytest.raises(LinkTimeout, match="stopped reading"):
                    await link.send(b"x" * 20_000_000)
                with pytest.raises(LinkClosed):
                    await link.send(b"x")

    async def test_a_device_that_leaves_while_it_is_written_to_has_not_taken_it_all(self) -> None:
        loop = asyncio.get_running_loop()
        with listening() as listener:
            async with TcpLink(*listener.getsockname()) as link:
                device, _ = await loop.sock_accept(listener)
                loop.call_later(0.05, device.close)
                with pytest.raises(LinkClosed):
                    await link.send(b"x" * 20_000_000)

    async def test_resync_leaves_no_connection_behind(self) -> None:
        loop = asyncio.get_running_loop()
        with listening() as listener:
            async with TcpLink(*listener.getsockname()) as link:
                with (await loop.sock_accept(listener))[0] as device:
                    await link.resync(0.0)
                    assert await asyncio.wait_for(loop.sock_recv(device, 1), 2.0) == b""

    async def test_a_closed_link_says_so(self) -> None:
        link = TcpLink("127.0.0.1", 9)
        with pytest.raises(LinkClosed, match=r"tcp://127.0.0.1:9: the connection is closed"):
            await link.send(b"x")
