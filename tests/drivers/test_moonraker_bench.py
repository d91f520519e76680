"""Moonraker on the bench of every driver: what it says is true, and a stranger is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from drivers.errors import BadReply
from drivers.printers.moonraker import MoonrakerPrinter
from drivers.transport.http import HttpLink
from simulators.networked_server import NetworkedServer
from tests.drivers.benches_moonraker import MoonrakerOnBench
from tests.drivers.host_bench import with_key

pytestmark = pytest.mark.lab


@asynccontextmanager
async def reached(
    server: NetworkedServer, bench: MoonrakerOnBench, folder: Path
) -> AsyncIterator[tuple[HttpLink, MoonrakerPrinter]]:
    async with server:
        link = HttpLink(f"http://127.0.0.1:{server.port}", with_key(folder, bench.key))
        async with link:
            yield link, MoonrakerPrinter.over(link, timeouts=bench.quick)


async def test_every_value_is_true_at_every_step(tmp_path: Path) -> None:
    bench = MoonrakerOnBench()
    assert set(bench.truth()) == set(MoonrakerPrinter.readings)
    async with reached(bench.server, bench, tmp_path) as (_, printer):
        await printer.meet()
        for step in range(1, 60):
            bench.stir(step)
            for name, value in (await printer.read(printer.readings)).items():
                assert bench.resembles(name, value), f"{name} is {value!r} at {step}"


async def test_a_setting_comes_back_at_once_as_it_was_set(tmp_path: Path) -> None:
    bench = MoonrakerOnBench()
    async with reached(bench.server, bench, tmp_path) as (_, printer):
        await printer.meet()
        for name, (values, _) in bench.values.items():
            for value in values:
                await getattr(printer, name).write(value)
                assert await getattr(printer, name).read() == value
                assert bench.truth()[name] == value


async def test_a_setting_and_an_act_are_sent_once(tmp_path: Path) -> None:
    bench = MoonrakerOnBench()
    async with reached(bench.server, bench, tmp_path) as (link, printer):
        await printer.meet()
        await printer.nozzle_target.write(100.0)
        await printer.part_fan(40.0)
        heard = [data for _, kind, data, _ in link.recorder.entries() if kind == "sent"]
    assert bench.writes(heard) == 2
    assert bench.printer.board.fan == pytest.approx(0.4, abs=0.01)


async def test_it_can_be_made_safe_twice_and_interrupted_twice(tmp_path: Path) -> None:
    bench = MoonrakerOnBench()
    async with reached(bench.server, bench, tmp_path) as (_, printer):
        await printer.meet()
        bench.energise()
        assert not bench.is_safe()
        for _ in range(2):
            await printer.make_safe()
            assert bench.is_safe()
        for _ in range(2):
            await printer.interrupt()
        assert not bench.server.printer.halted


async def test_another_kind_of_host_is_refused(tmp_path: Path) -> None:
    bench = MoonrakerOnBench()
    async with reached(bench.stranger(), bench, tmp_path) as (_, printer):
        with pytest.raises(BadReply, match="no Moonraker answers here"):
            await printer.meet()
