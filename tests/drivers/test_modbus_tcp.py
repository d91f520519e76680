from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import BadReply, ConnectFailed, LinkClosed, LinkTimeout
from drivers.transport.link import Bank, Timeouts
from drivers.transport.memory import Loopback, Script
from drivers.transport.modbus_tcp import TcpBus
from drivers.transport.tcp import TcpLink
from simulators.modbus import TcpGateway
from simulators.modbus_block import BlockDevice
from tests.drivers.modbus_examples import READS, WRITES
from tests.drivers.modbus_line import LOST, PROMPT, QUICK, TOO_LATE, TWICE, Fate, tcp_line
from tests.drivers.virtual_time import run


def message(text: str, number: int = 1, unit: int = 1) -> bytes:
    body = bytes([unit]) + bytes.fromhex(text)
    return number.to_bytes(2, "big") + bytes(2) + len(body).to_bytes(2, "big") + body


@pytest.mark.parametrize(("bank", "start", "count", "asked", "answered", "values"), READS)
async def test_reads_as_in_the_examples_of_the_specification(
    bank: Bank, start: int, count: int, asked: str, answered: str, values: list[int]
) -> None:
    script = Script((message(asked), message(answered)))
    async with TcpBus(script).unit(1) as unit:
        assert await unit.fetch(bank, start, count, QUICK) == values
    script.assert_finished()


@pytest.mark.parametrize(("bank", "start", "values", "asked", "answered"), WRITES)
async def test_writes_as_in_the_examples_of_the_specification(
    bank: Bank, start: int, values: list[int], asked: str, answered: str
) -> None:
    script = Script((message(asked), message(answered)))
    async with TcpBus(script).unit(1) as unit:
        await unit.store(bank, start, values, QUICK)
    script.assert_finished()


@pytest.mark.parametrize(
    "wrong",
    [
        message("04 02 000A", unit=2),
        message("03 02 000A"),
        message("04 04 000A 000B"),
        message("04 04 000A"),
        b"\x00\x01\x00\x01" + message("04 02 000A")[4:],  # not Modbus's protocol number
        b"\x00\x01\x00\x00\x01\x00" + message("04 02 000A")[6:],  # longer than a PDU can be
    ],
)
def test_a_reply_that_does_not_fit_the_request_is_no_value(wrong: bytes) -> None:
    async def scenario() -> None:
        async with TcpBus(Loopback(lambda _: wrong)).unit(1) as unit:
            with pytest.raises(BadReply):
                await unit.fetch("input", 8, 1, QUICK)

    run(scenario())


@given(st.binary(max_size=40))
def test_random_bytes_are_never_a_value(noise: bytes) -> None:
    async def scenario() -> None:
        async with TcpBus(Loopback(lambda _: noise)).unit(1) as unit:
            with pytest.raises((BadReply, LinkTimeout)):
                await unit.fetch("input", 8, 1, QUICK)

    run(scenario())


@pytest.mark.parametrize("fate", [TOO_LATE, TWICE])
def test_an_old_reply_is_skipped_and_the_connection_stays(fate: Fate) -> None:
    line = tcp_line(fates=[fate])

    async def scenario() -> None:
        bus = TcpBus(line)
        async with bus.unit(1) as unit:
            with suppress(LinkTimeout):
                assert await unit.fetch("input", 1, 1, QUICK) == [1]
            patient = Timeouts(first_byte=1.0, next_byte=0.02, whole=1.0)
            assert await unit.fetch("input", 2, 1, patient) == [2]
        assert bus.counters.late_replies == 1

    run(scenario())
    assert line.opened == 1


def test_a_reply_in_two_parts_with_a_time_out_between_keeps_the_stream_aligned() -> None:
    line = tcp_line(fates=[LOST])

    async def scenario() -> None:
        async with TcpBus(line).unit(1) as unit:
            late = message("04 02 0001")
            asyncio.get_running_loop().call_later(0.05, line.unasked, late[:8])
            with pytest.raises(LinkTimeout):
                await unit.fetch("input", 1, 1, QUICK)
            line.unasked(late[8:])
            assert await unit.fetch("input", 2, 1, QUICK) == [2]

    run(scenario())
    assert line.opened == 1


def test_a_header_that_can_be_none_costs_the_connection_and_no_more() -> None:
    line = tcp_line(fates=[Fate(spoil=lambda reply: b"\xff" * len(reply))])

    async def scenario() -> None:
        async with TcpBus(line).unit(1) as unit:
            with pytest.raises(BadReply):
                await unit.fetch("input", 1, 1, QUICK)
            assert await unit.fetch("input", 2, 1, QUICK) == [2]

    run(scenario())
    assert line.opened == 2


def test_the_number_of_a_request_given_up_is_not_used_again_while_its_reply_may_come() -> None:
    line = tcp_line(fates=[PROMPT, LOST])

    async def scenario() -> None:
        bus = TcpBus(line)
        async with bus.unit(1) as unit:
            await unit.fetch("input", 1, 1, QUICK)
            with pytest.raises(LinkTimeout):
                await unit.fetch("input", 1, 1, QUICK)
            for _ in range(2):
                bus._last = 0  # 65,536 requests later
                await unit.fetch("input", 1, 1, QUICK)
                await unit.fetch("input", 1, 1, QUICK)
                await asyncio.sleep(100.0)

    run(scenario())
    assert [data[1] for _, data in line.sent] == [1, 2, 1, 3, 1, 2]


def test_a_write_is_sent_once_whatever_becomes_of_its_reply() -> None:
    line = tcp_line(fates=[LOST])

    async def scenario() -> None:
        async with TcpBus(line).unit(1) as unit:
            with pytest.raises(LinkTimeout) as caught:
                await unit.store("holding", 5, [77], QUICK)
            assert caught.value.sent
            assert await unit.fetch("holding", 5, 1, QUICK) == [77]

    run(scenario())
    assert len(line.requests(6)) == 1


def test_a_dead_unit_behind_a_gateway_does_not_disturb_another() -> None:
    line = tcp_line(BlockDevice(1, 10), BlockDevice(2, 10))
    line.dead = {2}

    async def scenario() -> None:
        bus = TcpBus(line)
        async with bus.unit(1) as well, bus.unit(2) as dead:
            for address in range(10):
                with pytest.raises(LinkTimeout):
                    await dead.fetch("input", address, 1, QUICK)
                assert await well.fetch("input", address, 1, QUICK) == [address]

    run(scenario())
    assert line.opened == 1


def break_header(at: int, bits: int) -> Callable[[bytes], bytes]:
    return lambda reply: reply[:at] + bytes([reply[at] ^ bits]) + reply[at + 1 :]


broken = st.builds(break_header, st.integers(2, 3), st.integers(1, 255))
delays = st.floats(0.0, 0.45).map(lambda delay: Fate(delay=delay))
fates = st.one_of(
    st.just(PROMPT), st.just(LOST), st.just(TWICE), delays, broken.map(lambda how: Fate(spoil=how))
)


@settings(max_examples=50)
@given(st.lists(fates, max_size=60), st.randoms(use_true_random=False))
def test_no_fault_ever_makes_a_wrong_value(dealt: list[Fate], dice: random.Random) -> None:
    line = tcp_line(fates=dealt)

    async def scenario() -> None:
        async with TcpBus(line).unit(1) as unit:
            for _ in range(40):
                address = dice.randrange(900)
                with suppress(LinkTimeout, BadReply):
                    assert await unit.fetch("input", address, 1, QUICK) == [address]
            line.fates = iter([])
            await asyncio.sleep(20.0)  # one machine answers everything in order
            assert await unit.fetch("input", 5, 1, QUICK) == [5]

    run(scenario())


@given(st.integers(0, 40))
def test_a_cancelled_caller_leaves_the_bus_in_step(steps: int) -> None:
    line = tcp_line(fates=[TOO_LATE])

    async def scenario() -> None:
        async with TcpBus(line).unit(1) as unit, asyncio.TaskGroup() as tasks:
            caller = tasks.create_task(unit.fetch("input", 8, 1, QUICK))
            for _ in range(steps):
                await asyncio.sleep(0)
            caller.cancel()
            patient = Timeouts(first_byte=1.0, next_byte=0.02, whole=1.0)
            assert await unit.fetch("input", 9, 1, patient) == [9]

    run(scenario())


async def test_a_server_that_is_not_there_is_a_failed_connection_for_each_unit(
    unused_tcp_port: int,
) -> None:
    bus = TcpBus(TcpLink("127.0.0.1", unused_tcp_port))
    for number in (1, 2):
        with pytest.raises(ConnectFailed):
            await bus.unit(number).__aenter__()


@pytest.mark.lab
async def test_over_a_real_socket_units_share_one_connection_and_survive_its_loss() -> None:
    connections: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        gateway = TcpGateway([BlockDevice(1, 200), BlockDevice(2, 200)])
        while data := await reader.read(4096):
            writer.write(gateway.handle(data))
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        bus = TcpBus(TcpLink("127.0.0.1", server.sockets[0].getsockname()[1]))
        async with bus.unit(1) as one:
            async with bus.unit(2) as two:
                answers = await asyncio.gather(
                    *(unit.fetch("input", at, 3, QUICK) for unit in (one, two) for at in range(50))
                )
                assert answers == [[at, at + 1, at + 2] for at in [*range(50), *range(50)]]
                assert len(connections) == 1
                connections[0].transport.abort()
                with pytest.raises(LinkClosed):
                    await two.fetch("input", 1, 1, QUICK)
            async with bus.unit(2) as two:
                assert await two.fetch("input", 1, 1, QUICK) == [1]
                with pytest.raises(LinkClosed):
                    await one.fetch("input", 1, 1, QUICK)


def test_a_connection_on_which_nobody_answers_any_more_is_given_up_by_all_its_units() -> None:
    """A gateway that lost its power says no goodbye, and does not know the connection afterwards."""
    line = tcp_line(*(BlockDevice(number, 200) for number in range(1, 7)))
    bus, answered = TcpBus(line), set()
    line.clears = True

    async def device(number: int) -> None:
        while True:
            with suppress(LinkTimeout, LinkClosed):
                async with bus.unit(number) as unit:
                    while True:
                        assert await unit.fetch("input", number, 1, QUICK) == [number]
                        answered.add(number)
                        await asyncio.sleep(0.5)
            await asyncio.sleep(0.25)

    async def scenario() -> None:
        async with asyncio.TaskGroup() as tasks:
            devices = [tasks.create_task(device(number)) for number in range(1, 7)]
            await asyncio.sleep(2.0)
            assert len(answered) == 6
            line.dead = set(range(1, 7))
            await asyncio.sleep(3.0)
            assert line.opened > 1, "somebody has tried another connection"
            answered.clear()
            line.dead = {4}
            opened = line.opened
            await asyncio.sleep(5.0)
            assert answered == {1, 2, 3, 5, 6}
            assert line.opened <= opened + 1, "one silent unit costs the others no connection"
            for each in devices:
                each.cancel()

    run(scenario())
