"""PrusaLink on the bench of every driver: what it says is true, and a stranger is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from drivers.errors import WrongInstrument
from drivers.printers.prusalink import PrusaLinkPrinter
from drivers.transport.http import HttpLink
from simulators.networked_server import NetworkedServer
from tests.drivers.benches_network import PrusaLinkOnBench
from tests.drivers.host_bench import with_key

pytestmark = pytest.mark.lab


@asynccontextmanager
async def reached(
    server: NetworkedServer, bench: PrusaLinkOnBench, folder: Path
) -> AsyncIterator[PrusaLinkPrinter]:
    async with server:
        link = HttpLink(f"http://127.0.0.1:{server.port}", with_key(folder, bench.key))
        async with link:
            yield PrusaLinkPrinter.over(link, timeouts=bench.quick)


async def test_every_value_is_true_at_every_step(tmp_path: Path) -> None:
    bench = PrusaLinkOnBench()
    assert set(bench.truth()) == set(PrusaLinkPrinter.readings)
    async with reached(bench.server, bench, tmp_path) as printer:
        await printer.meet()
        for step in range(1, 60):
            bench.stir(step)
            for name, value in (await printer.read(printer.readings)).items():
                assert bench.resembles(name, value), f"{name} is {value!r} at {step}"


async def test_it_can_be_made_safe_twice_and_interrupted_twice(tmp_path: Path) -> None:
    bench = PrusaLinkOnBench()
    async with reached(bench.server, bench, tmp_path) as printer:
        await printer.meet()
        bench.energise()
        for _ in range(2):
            await printer.make_safe()
            assert bench.is_safe()
        for _ in range(2):
            await printer.interrupt()
        assert len(bench.server.printer.jobs) == 2


async def test_reading_sets_nothing(tmp_path: Path) -> None:
    bench = PrusaLinkOnBench()
    async with bench.server:
        link = HttpLink(f"http://127.0.0.1:{bench.server.port}", with_key(tmp_path, bench.key))
        async with link:
            printer = PrusaLinkPrinter.over(link, timeouts=bench.quick)
            await printer.meet()
            await printer.read(printer.readings)
            heard = [data for _, kind, data, _ in link.recorder.entries() if kind == "sent"]
            assert heard
            assert bench.writes(heard) == 0
            await printer.interrupt()
            heard = [data for _, kind, data, _ in link.recorder.entries() if kind == "sent"]
            assert bench.writes(heard) == 1


async def test_a_printer_of_the_same_maker_that_prints_resin_is_refused(tmp_path: Path) -> None:
    bench = PrusaLinkOnBench()
    async with reached(bench.stranger(), bench, tmp_path) as printer:
        with pytest.raises(WrongInstrument, match="SL1"):
            await printer.meet()
