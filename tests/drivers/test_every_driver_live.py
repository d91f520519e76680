"""Every driver over every link that reaches its instrument: real sockets and pseudo-terminals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from drivers.errors import NotMeasured, RequestError, WrongInstrument
from drivers.transport.address import Address
from drivers.transport.lines import Lines
from drivers.transport.link import Link, RegisterLink
from simulators.faults import Fault
from simulators.instrument import Instrument
from simulators.serve import PtyServer, TcpServer
from tests.drivers.bench import Bench, Recorder
from tests.drivers.every_driver import BENCHES, WAYS, bad, good
from tests.drivers.interrogation import Station

pytestmark = [pytest.mark.lab, pytest.mark.parametrize(("name", "scheme"), WAYS)]

TICK_S = 0.005
TERMINALS = {"serial", "modbus+rtu"}


class Served:
    """An instrument on the connector that an address of this scheme reaches."""

    def __init__(self, instrument: Instrument, scheme: str, folder: Path) -> None:
        self.recorder = Recorder(instrument)
        self.server: PtyServer | TcpServer
        if scheme in TERMINALS:
            self.server = PtyServer(self.recorder, folder / "port", tick=TICK_S)
        else:
            self.server = TcpServer(self.recorder, tick=TICK_S)
        self._scheme = scheme

    def address(self) -> Address:
        (where,) = self.server.address().values()
        place = where if isinstance(where, str) else f"{where[0]}:{where[1]}"
        return Address.parse(f"{self._scheme}://{place}")


class Live(Station):
    """A station on a served instrument, by a link made from its address."""

    def __init__(self, name: str, served: Served, bench: Bench) -> None:
        link = cast(Link | RegisterLink, Lines().link(served.address()))
        super().__init__(name, bench, link, bench.quick)
        self.served, self.name = served, name
        self.size_read = 0

    def size(self) -> int:
        return self.bench.size(self.served.recorder.heard)


@pytest.fixture
async def live(name: str, scheme: str, tmp_path: Path) -> AsyncIterator[Live]:
    bench = BENCHES[name]()
    served = Served(bench.instrument(scheme), scheme, tmp_path)
    async with served.server, Live(name, served, bench) as station:
        yield station


@pytest.fixture
async def stranger(name: str, scheme: str, tmp_path: Path) -> AsyncIterator[Live]:
    bench = BENCHES[name]()
    served = Served(bench.impostor(scheme), scheme, tmp_path)
    async with served.server:
        station = Live(name, served, bench)
        yield station
        await station.leave()


async def test_it_meets_its_instrument_and_every_value_is_true(live: Live) -> None:
    for step in (1, 2):
        live.bench.stir(step)
        values = await live.driver.read(list(live.driver.readings))
        for field, value in values.items():
            kind = live.driver.readings[field].form.type
            if field in live.bench.local:
                assert type(value) is kind or isinstance(value, NotMeasured)
            else:
                assert live.bench.resembles(field, value), f"{field} is {value!r}"


async def test_another_instrument_is_refused(stranger: Live) -> None:
    with pytest.raises(WrongInstrument):
        await stranger.connect()
    assert stranger.bench.writes(stranger.served.recorder.heard) == 0


async def test_every_setting_comes_back_as_it_was_set(live: Live) -> None:
    for setting in type(live.driver).settings().values():
        bound = getattr(live.driver, setting.name)
        for value in good(live.name, setting):
            await bound.write(value)
            assert await bound.read() == value
            assert live.bench.truth()[setting.name] == value


async def test_what_is_refused_sends_nothing(live: Live) -> None:
    first, *_ = live.asked()
    await size_of_a_read(live, first)  # with all that came before it
    alone = await size_of_a_read(live, first)
    for setting in type(live.driver).settings().values():
        for value in bad(setting):
            with pytest.raises(RequestError):
                await getattr(live.driver, setting.name).write(value)
    assert await size_of_a_read(live, first) == alone, "the read alone, and nothing before it"


async def size_of_a_read(live: Live, name: str) -> int:
    """How much the instrument hears up to the end of a read since the last one ended."""
    before = live.size_read
    await live.driver.read([name])
    live.size_read = live.size()
    return live.size_read - before


async def test_it_can_be_made_safe_twice_and_interrupted_twice(live: Live) -> None:
    live.bench.energise()
    for _ in range(2):
        await live.driver.make_safe()
        assert live.bench.is_safe()
    for _ in range(2):
        await live.driver.interrupt()
    assert live.bench.is_safe()


async def test_faults_on_the_line_make_no_wrong_value(live: Live) -> None:
    late = Fault(kind="delay", next=1, seconds=live.bench.quick["first_byte"] + 0.1)
    lost, cut, dropped = (Fault(kind=k, next=1) for k in ("lose", "cut", "disconnect"))
    names = prompt(live)
    for fault in (lost, cut, dropped, late):
        live.served.server.faults.add(fault)
        await live.interrogate(rounds=3, names=names)
    live.served.server.faults.clear()
    assert live.failures
    assert not live.wrong
    async with asyncio.timeout(20):  # a port that went away takes its time to come back
        while not await live.reconnect():
            await asyncio.sleep(0.1)
    assert await live.recovers(), live.failures[-3:]


def prompt(live: Live) -> list[str]:
    """The readings that the instrument need not think about for seconds."""
    readings = live.driver.readings
    return [name for name in live.asked() if not getattr(readings[name].ref, "patience", 0.0)]
