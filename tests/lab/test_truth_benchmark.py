"""The truth benchmark can fail, and the stack that it measures does not."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from benchmarks.truth import Sum
from benchmarks.truth_fates import KINDS, LATEST, PACES, Fates
from benchmarks.truth_reader import Tally, read_lines
from drivers.protocol.scpi_dialogue import Dialogue
from drivers.transport.modbus_rtu import RtuBus

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

RTU = "modbus+rtu://{}?baudrate=115200&unit=1"
TCP = "tcp://127.0.0.1:{}"
VISA = "visa://TCPIP0::127.0.0.1::{}::SOCKET"
OVER = {"rtu": RTU, "tcp": TCP, "visa": VISA}


@asynccontextmanager
async def devices(address: str, lines: int) -> AsyncIterator[list[str]]:
    """Addresses of truth devices, a fifth of whose replies meets a fault."""
    kind = "rtu" if address == RTU else "scpi"
    options = ["--lines", str(lines), "--seed", "7", "--rates", "0.2"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.truth_devices", kind, *options),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    try:
        yield [address.format(place) for place in json.loads(await process.stdout.readline())]
    finally:
        process.terminate()
        await process.communicate()


async def read(address: str, lines: int, count: int) -> list[Tally]:
    async with devices(address, lines) as addresses:
        return await read_lines(addresses, count)


async def nothing(*_: Any, **__: Any) -> None:
    """What a guard does that was taken out."""


@pytest.mark.parametrize("over", OVER)
async def test_no_value_is_wrong_when_a_fifth_of_the_replies_meets_a_fault(over: str) -> None:
    tallies = await read(OVER[over], lines=8, count=250 if over == "rtu" else 100)
    assert sum(tally.wrong for tally in tallies) == 0
    assert all(tally.errors for tally in tallies)  # there was something to be deceived by
    assert all(tally.good for tally in tallies)


async def test_without_the_fence_the_benchmark_finds_wrong_values_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(RtuBus, "_settle", nothing)
    monkeypatch.setattr(RtuBus, "_wait_out", nothing)
    tallies = await read(RTU, lines=8, count=50)
    assert sum(tally.wrong for tally in tallies) > 0


async def test_without_getting_back_in_step_the_benchmark_finds_wrong_values_on_a_socket(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Dialogue, "resync", nothing)
    tallies = await read(TCP, lines=8, count=50)
    assert sum(tally.wrong for tally in tallies) > 0


@pytest.mark.parametrize("protocol", PACES)
def test_every_kind_of_fault_is_dealt_at_the_rate_that_was_asked_for(protocol: str) -> None:
    fates = Fates(PACES[protocol], 1, rates=(0.2,), flips=range(128, 256))
    for _ in range(10_000):
        fates.deal(b"1000\n")
    assert set(fates.counts) == set(KINDS)
    assert 0.18 < fates.counts.total() / 10_000 < 0.22
    assert max(fates.counts.values()) < 1.3 * min(fates.counts.values())


def test_a_fault_costs_the_time_that_nobody_can_save() -> None:
    pace = PACES["rtu"]
    fates = Fates(pace, 1, rates=(0.5,), flips=range(1, 256))
    for _ in range(500):
        dealt = fates.deal(b"1000\n")
        leaves = [at for at, _ in dealt.pieces]
        assert leaves == sorted(leaves)
        cost = pace.device + dealt.fault
        assert cost >= (leaves[-1] if leaves else pace.first_byte)
        assert pace.device <= dealt.busy <= cost or not leaves
        assert cost <= LATEST * pace.first_byte


def test_a_wrong_value_is_counted_whatever_line_it_came_over() -> None:
    quiet = {"necessary_s": 1.0, "faults": {"late": 1}}
    line = {"good": 8, "wrong": 0, "errors": {"LinkTimeout": 1}, "seconds": 2.0}
    found = Sum()
    found.add([line, {**line, "wrong": 1, "leisurely": True}], [quiet, quiet])
    assert (found.wrong, found.exchanges, found.faults) == (1, 19, Counter(late=2))
    assert found.goodput == 0.5  # of the line alone that never pauses
