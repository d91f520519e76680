"""Hosts of printers on the bench of every driver: what they say is true, and a stranger is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from drivers.errors import BadReply, DriverError, WrongInstrument
from drivers.printers.moonraker import MoonrakerPrinter
from drivers.printers.octoprint import OctoPrintPrinter
from drivers.printers.printer import Printer
from drivers.printers.prusalink import PrusaLinkPrinter
from drivers.transport.http import HttpLink
from simulators.networked_server import NetworkedServer
from tests.drivers.benches_moonraker import MoonrakerOnBench
from tests.drivers.benches_network import NetworkBench, OctoPrintOnBench, PrusaLinkOnBench
from tests.drivers.host_bench import with_key

pytestmark = pytest.mark.lab

MOONRAKER = (MoonrakerPrinter, MoonrakerOnBench)
PRUSALINK = (PrusaLinkPrinter, PrusaLinkOnBench)
OCTOPRINT = (OctoPrintPrinter, OctoPrintOnBench)
HOSTS = pytest.mark.parametrize(
    ("kind", "on_bench"),
    [MOONRAKER, PRUSALINK, OCTOPRINT],
    ids=["moonraker", "prusalink", "octoprint"],
)

Kind = type[Printer[Any]]


@asynccontextmanager
async def reached(
    kind: Kind, bench: NetworkBench, folder: Path, server: NetworkedServer | None = None
) -> AsyncIterator[tuple[HttpLink, Printer[Any]]]:
    """A driver at the host of the bench, or at another."""
    async with server or bench.server as there:
        link = HttpLink(f"http://127.0.0.1:{there.port}", with_key(folder, bench.key))
        async with link:
            yield link, kind.over(link, timeouts=bench.quick)


def sent(link: HttpLink) -> list[bytes]:
    return [data for _, kind, data, _ in link.recorder.entries() if kind == "sent"]


@HOSTS
async def test_every_value_is_true_at_every_step(
    tmp_path: Path, kind: Kind, on_bench: type[NetworkBench]
) -> None:
    bench = on_bench()
    assert set(bench.truth()) == set(kind.readings)
    async with reached(kind, bench, tmp_path) as (_, printer):
        await printer.meet()
        for step in range(1, 60):
            bench.stir(step)
            for name, value in (await printer.read(printer.readings)).items():
                assert bench.resembles(name, value), f"{name} is {value!r} at {step}"


@pytest.mark.parametrize(("kind", "on_bench"), [MOONRAKER, OCTOPRINT])
async def test_a_setting_comes_back_at_once_as_it_was_set(
    tmp_path: Path, kind: Kind, on_bench: type[NetworkBench]
) -> None:
    bench = on_bench()
    bench.server.printer.abandon("taken away")  # nothing is set while somebody else prints
    async with reached(kind, bench, tmp_path) as (_, printer):
        await printer.meet()
        assert bench.values
        for name, (values, _) in bench.values.items():
            for value in values:
                await getattr(printer, name).write(value)
                assert await getattr(printer, name).read() == value
                assert bench.truth()[name] == value


@HOSTS
async def test_reading_sets_nothing_and_an_act_is_sent_once(
    tmp_path: Path, kind: Kind, on_bench: type[NetworkBench]
) -> None:
    bench = on_bench()
    async with reached(kind, bench, tmp_path) as (link, printer):
        await printer.meet()
        await printer.read(printer.readings)
        assert bench.writes(sent(link)) == 0
        if bench.act is None:  # there is nothing else that PrusaLink can be told
            await printer.interrupt()
        else:
            bench.server.printer.abandon("taken away")
            name, arguments = bench.act
            await getattr(printer, name)(**arguments)
        assert bench.writes(sent(link)) == 1


@HOSTS
async def test_it_can_be_made_safe_twice_and_interrupted_twice(
    tmp_path: Path, kind: Kind, on_bench: type[NetworkBench]
) -> None:
    bench = on_bench()
    async with reached(kind, bench, tmp_path) as (_, printer):
        await printer.meet()
        bench.energise()
        assert not bench.is_safe()
        for _ in range(2):
            await printer.make_safe()
            assert bench.is_safe()
        jobs = len(bench.server.printer.jobs)
        for _ in range(2):
            await printer.interrupt()
        assert not bench.server.printer.halted
        assert len(bench.server.printer.jobs) == jobs


@pytest.mark.parametrize(
    ("kind", "on_bench", "error", "words"),
    [
        (*MOONRAKER, BadReply, "no Moonraker answers here"),
        (*PRUSALINK, WrongInstrument, "SL1"),
        (*OCTOPRINT, WrongInstrument, "Moonraker"),
    ],
)
async def test_another_kind_of_host_is_refused(
    tmp_path: Path,
    kind: Kind,
    on_bench: type[NetworkBench],
    error: type[DriverError],
    words: str,
) -> None:
    bench = on_bench()
    async with reached(kind, bench, tmp_path, bench.stranger()) as (_, printer):
        with pytest.raises(error, match=words):
            await printer.meet()
