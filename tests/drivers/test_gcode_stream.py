"""Streaming: every line arrives once and in order, whatever the wire does, and nothing stalls."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import LinkClosed
from drivers.printers.marlin import MarlinPrinter
from drivers.survey import Buffers, Profile
from simulators.faults import Faults
from simulators.marlin import BoardOptions
from simulators.marlin import MarlinPrinter as SimulatedPrinter
from tests.drivers.faulty_cable import Cable
from tests.drivers.marlin_bench import GCodeFile
from tests.drivers.virtual_time import run

KNOWN = Profile(buffers=Buffers(lines=4, bytes=128))
TIMEOUTS: Mapping[str, float] = MappingProxyType(
    {"first_byte": 2.0, "next_byte": 0.1, "whole": 5.0}
)
LONGEST_STALL_S = 3 * TIMEOUTS["whole"] + 1.0
"""Three tries of a fence, each as long as an exchange may take at most."""


def lines(count: int) -> list[str]:
    """Short moves, each unlike every other."""
    return [
        f"G1 X{n % 180 + 10} Y{n // 180 % 180 + 10} E{n / 100:.2f} F60000" for n in range(count)
    ]


class PacedCable(Cable):
    """A cable on which bytes take their time to the board, as on a serial line of 250,000 baud."""

    RATE = 25_000.0
    _free_at = 0.0

    def send_now(self, data: bytes) -> None:
        if not self._player._connected:
            raise LinkClosed("the cable is out").unsent()
        loop = asyncio.get_running_loop()
        self._free_at = max(self._free_at, loop.time())
        for line in data.splitlines(keepends=True):
            self._free_at += len(line) / self.RATE
            loop.call_at(self._free_at, self._player.hear, line)


@dataclass
class Troubles:
    """What goes wrong, each with a probability of 0 to 1."""

    corrupt: float = 0.0
    lose_ok: float = 0.0
    split: float = 0.0
    halve: float = 0.0


class Watch:
    """Sees how long the board ever waited for the next line of the file."""

    def __init__(self, simulated: SimulatedPrinter) -> None:
        self._simulated = simulated
        self.longest = 0.0

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        count, since = 0, loop.time()
        while True:
            await asyncio.sleep(0.1)
            if len(self._simulated.received) != count:
                count, since = len(self._simulated.received), loop.time()
            self.longest = max(self.longest, loop.time() - since)


async def printed(
    wanted: list[str], options: BoardOptions, troubles: Troubles, profile: Profile, seed: int
) -> tuple[SimulatedPrinter, MarlinPrinter, Watch]:
    """Print the lines in virtual time while the troubles happen."""
    simulated = SimulatedPrinter(replace(options, min_extrude=0.0))
    cable = PacedCable(simulated, Faults(random.Random(seed)), clears=False)
    async with cable:
        printer = MarlinPrinter.over(cable, timeouts=TIMEOUTS, profile=profile)
        await printer.meet()
        simulated.forget()
        simulated.corrupt_lines(troubles.corrupt, seed)
        simulated.lose_oks(troubles.lose_ok, seed + 1)
        simulated.split_lines(troubles.split, seed + 2)
        simulated.halve_lines(troubles.halve, 0.01, seed + 3)
        watch = Watch(simulated)
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(watch.run(), name="watch")
            await printer.print(GCodeFile(*wanted))
            watching.cancel()
    return simulated, printer, watch


def of_the_file(simulated: SimulatedPrinter) -> list[str]:
    return [line for line in simulated.received if line.startswith("G1")]


@pytest.mark.parametrize("advanced", [True, False], ids=["advanced ok", "plain ok"])
@pytest.mark.parametrize("profile", [KNOWN, Profile()], ids=["buffers known", "unknown"])
def test_a_program_arrives_as_it_is_in_the_file(advanced: bool, profile: Profile) -> None:
    async def scenario() -> None:
        wanted = lines(2000)
        options = BoardOptions(advanced_ok=advanced)
        simulated, printer, _ = await printed(wanted, options, Troubles(), profile, 1)
        assert of_the_file(simulated) == wanted
        assert simulated.lost_bytes == 0
        assert printer.wire.lines.resends == 0
        assert printer.wire.lines.lost_oks == 0

    run(scenario())


@settings(max_examples=10)
@given(
    seed=st.integers(0, 2**32 - 1),
    troubles=st.builds(
        Troubles,
        corrupt=st.sampled_from([0.0, 0.01, 0.05]),
        lose_ok=st.sampled_from([0.0, 0.01, 0.05]),
        split=st.sampled_from([0.0, 0.01]),
        halve=st.sampled_from([0.0, 0.01, 0.2]),
    ),
    advanced=st.booleans(),
    again=st.booleans(),
    parser=st.booleans(),
    keepalive=st.booleans(),
    known=st.booleans(),
)
def test_whatever_the_wire_does_each_line_arrives_once_and_in_order(
    seed: int,
    troubles: Troubles,
    advanced: bool,
    again: bool,
    parser: bool,
    keepalive: bool,
    known: bool,
) -> None:
    async def scenario() -> None:
        wanted = lines(400)
        options = BoardOptions(
            advanced_ok=advanced,
            ok_after_resend=again,
            emergency_parser=parser,
            host_keepalive=keepalive,
        )
        simulated, _, watch = await printed(
            wanted, options, troubles, KNOWN if known else Profile(), seed
        )
        assert of_the_file(simulated) == wanted
        assert watch.longest <= LONGEST_STALL_S

    run(scenario())


@pytest.mark.timeout(120)
def test_ten_thousand_lines_survive_a_bad_cable() -> None:
    """The short form; `scripts/bench gcode_faults` prints a hundred thousand."""

    async def scenario() -> None:
        wanted = lines(10_000)
        troubles = Troubles(corrupt=0.01, lose_ok=0.01, split=0.01, halve=0.01)
        simulated, printer, watch = await printed(wanted, BoardOptions(), troubles, KNOWN, 7)
        assert of_the_file(simulated) == wanted
        assert int(simulated.counts()["damaged"]) > 50  # type: ignore[call-overload]
        assert printer.wire.lines.resends > 50
        assert watch.longest <= LONGEST_STALL_S

    run(scenario())
