"""The station's side of the truth benchmark: drivers that know what each answer must be.

`python -m benchmarks.truth_reader --count N ADDRESS …` reads N values from each address, all
lines at once, by the stack that the agent uses, and prints one JSON list: for each line the good
and the wrong values, the errors by kind, and the seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from agent.loop import new_event_loop
from benchmarks.truth_fates import PACES, Pace
from drivers import Address
from drivers.driver import Driver
from drivers.errors import DriverError, LinkClosed
from drivers.protocol import modbus, scpi
from drivers.protocol.modbus import Modbus
from drivers.protocol.registers import U16
from drivers.transport.lines import Lines

CHANNELS: Final = range(1000, 1200)
"""Registers, or numbers to be echoed: each value is its own question."""
WHOLE_S: Final = 0.25
"""The longest that a reply may be late: a few of the latest, one behind the other."""
LEISURE: Final = 8
"""One line in so many pauses after an error, so that replies also come late to a quiet line."""
LONGEST_PAUSE: Final = 3
"""Time-outs that such a pause takes at most; how much of it, is as random as the next channel."""


class Registers(Driver[Modbus]):
    """A unit whose registers hold their own addresses."""


class Echo(scpi.ScpiDriver):
    """An instrument that gives back the number in the question."""

    identity = r"Truth,Echo,.*"


def _with_readings(driver: type[Driver[Any]]) -> type[Driver[Any]]:
    """The driver with a reading for each channel, as if it had been written out."""
    fields: dict[str, Any] = {}
    for channel in CHANNELS:
        doc = f"Always {channel}."
        fields[name_of(channel)] = (
            modbus.reading(channel, U16, bank="holding", doc=doc)
            if driver is Registers
            else scpi.reading(f"ECHO? {channel}", doc=doc)
        )
    return type(driver.__name__, (driver,), {**fields, "__doc__": driver.__doc__})


def name_of(channel: int) -> str:
    """The reading that must give this number."""
    return f"channel_{channel}"


@dataclass
class Tally:
    """What one line gave. Only the good values and the seconds tell how fast it was."""

    good: int = 0
    wrong: int = 0
    errors: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    leisurely: bool = False

    @property
    def exchanges(self) -> int:
        """Values and errors together."""
        return self.good + self.wrong + sum(self.errors.values())

    def note(self, error: DriverError) -> None:
        """Count an error by its kind."""
        kind = type(error).__name__
        self.errors[kind] = self.errors.get(kind, 0) + 1


def timeouts(pace: Pace) -> Mapping[str, float]:
    """The four time-outs of the drivers for devices of this pace."""
    return {
        "turn": 10.0,
        "first_byte": pace.first_byte,
        "next_byte": pace.next_byte,
        "whole": WHOLE_S,
    }


async def read_lines(addresses: Sequence[str], count: int) -> list[Tally]:
    """Read `count` values from each address, all at once."""
    lines = Lines()
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_read_line(lines, address, count, place))
            for place, address in enumerate(addresses)
        ]
    return [task.result() for task in tasks]


async def _read_line(lines: Lines, text: str, count: int, place: int) -> Tally:
    address = Address.parse(text)
    registers = address.carries == "registers"
    kind, pace = (Registers, PACES["rtu"]) if registers else (Echo, PACES["scpi"])
    link = lines.link(address)
    device = _with_readings(kind).over(link, timeouts=timeouts(pace))
    tally = Tally(leisurely=place % LEISURE == LEISURE - 1)
    channels = _channels(count, place)
    now, began = asyncio.get_running_loop().time, 0.0
    while tally.exchanges < count:
        try:
            async with link:
                await device.meet()
                began = began or now()
                await _read_on(device, channels, tally, LONGEST_PAUSE * pace.first_byte)
        except DriverError as error:  # the link is gone: another turn opens it again
            tally.note(error)
        tally.seconds = now() - began if began else 0.0
    return tally


async def _read_on(
    device: Driver[Any], channels: Iterator[int], tally: Tally, pause: float
) -> None:
    """Read one channel after the other. Raises LinkClosed."""
    for channel in channels:
        if not await _ask(device, channel, tally) and tally.leisurely:
            await asyncio.sleep(pause * (channel - CHANNELS[0]) / len(CHANNELS))


def _channels(count: int, seed: int) -> Iterator[int]:
    """Channels in an order without a pattern; never the same twice in a row."""
    dice, last = random.Random(seed), CHANNELS[0]
    for _ in range(count):
        step = dice.randrange(1, len(CHANNELS))
        last = CHANNELS[(CHANNELS.index(last) + step) % len(CHANNELS)]
        yield last


async def _ask(device: Driver[Any], channel: int, tally: Tally) -> bool:
    """Read one value, and say whether it came. Raises LinkClosed."""
    name = name_of(channel)
    try:
        value = (await device.read([name]))[name]
    except LinkClosed:
        raise
    except DriverError as error:
        value = error
    if isinstance(value, DriverError):
        tally.note(value)
        return False
    if value == channel:
        tally.good += 1
    else:
        tally.wrong += 1
    return True


def main() -> None:
    """Read, and print what came."""
    parser = argparse.ArgumentParser(prog="truth_reader", description=__doc__)
    parser.add_argument("addresses", nargs="+", metavar="ADDRESS")
    parser.add_argument("--count", type=int, required=True)
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        tallies = runner.run(read_lines(options.addresses, options.count))
    sys.stdout.write(json.dumps([asdict(tally) for tally in tallies]) + "\n")


if __name__ == "__main__":
    main()
