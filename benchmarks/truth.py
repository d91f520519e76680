"""Truth under fire: one wrong value fails, and how much of the possible rate is left.

Devices that give every question its own answer lose, delay, duplicate, garble, cut and split up
to 20 % of their replies (benchmarks.truth_fates), on pseudo-terminals (Modbus RTU) and on TCP
ports (SCPI). The stack of the agent reads from them (benchmarks.truth_reader), and in the same
run, in turns, pymodbus's RTU client and pyvisa-py's sockets do.

Goodput is the share of time that could not have been saved:

    goodput = necessary seconds ÷ seconds from the first reading to the last, over all lines

    necessary seconds =
        for each reading that the device was asked for, the silence that the line needs before
        a frame (RTU above 19,200 baud: 1.75 ms) and the device's time for a reply, as measured
        + for each fault what it makes whoever waits wait longer: of a lost reply the rest of
        the time-out, of a late one until it came, of a cut one the time-out between two bytes,
        of a split one the pause

The reader asks the next reading as soon as the last has ended, so the same number of good values
in the necessary time would be the theoretical rate. What is asked only to get back in step is
not necessary, and counts against us, as does our processor time; a fault that falls on it counts
like any other, unless the device is still busy with the one before. There is no such figure for
the peers: who takes the last answer for the next one waits for nothing, and pymodbus keeps no
silence. One line in eight pauses after errors, so that late replies also meet a quiet line; it
counts for truth alone.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks import peers
from benchmarks.result import Result
from benchmarks.truth_fates import PACES
from benchmarks.truth_reader import LEISURE

LINES: Final = 8
ROUNDS: Final = 5
EXCHANGES: Final = 100_000
"""Readings of ours in one round, of each protocol; five rounds of two make a million."""
PEER_EXCHANGES: Final = 8_000
QUICK_EXCHANGES: Final = 10_000
QUICK_PEER_EXCHANGES: Final = 1_600
GOAL: Final = 0.85

ROOT: Final = Path(__file__).parents[1]
PEERS: Final = Path(__file__).parent / "peers_programs"
ADDRESSES: Final = {
    "rtu": ("modbus+rtu://{}?baudrate=115200&unit=1",),
    "scpi": ("tcp://127.0.0.1:{}", "visa://TCPIP0::127.0.0.1::{}::SOCKET"),
}
"""How the same devices are addressed; several share the exchanges of a round evenly."""
PEER: Final = {
    "rtu": ("pymodbus", PEERS / "truth_pymodbus.py"),
    "scpi": ("pyvisa-py", PEERS / "truth_pyvisa.py"),
}


@dataclass
class Sum:
    """What one reader gave over all rounds."""

    exchanges: int = 0
    good: int = 0
    wrong: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    necessary: float = 0.0
    seconds: float = 0.0
    worst: float = 1.0

    def add(self, found: Sequence[dict[str, Any]], accounts: Sequence[dict[str, Any]]) -> None:
        """Add one round: what the reader found, and what the devices say, line by line."""
        necessary = seconds = 0.0
        for line, account in zip(found, accounts, strict=True):
            self.good += line["good"]
            self.wrong += line["wrong"]
            self.errors.update(line["errors"])
            self.faults.update(account["faults"])
            if not line.get("leisurely"):
                necessary += account["necessary_s"]
                seconds += line["seconds"]
        self.exchanges = self.good + self.wrong + self.errors.total()
        self.necessary += necessary
        self.seconds += seconds
        self.worst = min(self.worst, necessary / seconds)

    @property
    def goodput(self) -> float:
        """The share of the time that was necessary."""
        return self.necessary / self.seconds if self.seconds else 0.0

    def as_dict(self) -> dict[str, Any]:
        """The same in plain words and numbers."""
        return {**vars(self), "errors": dict(self.errors), "faults": dict(self.faults)}

    @property
    def wrong_share(self) -> float:
        """Wrong values among all that were returned as values."""
        return self.wrong / max(1, self.good + self.wrong)


async def measure(quick: bool) -> list[Result]:
    """Read a million values (20,000 when quick), half of them from each protocol."""
    return [await _measure(protocol, quick) for protocol in ("rtu", "scpi")]


async def _measure(protocol: str, quick: bool) -> Result:
    ours = {address: Sum() for address in ADDRESSES[protocol]}
    peer = Sum()
    for number in range(1 if quick else ROUNDS):
        for address, found in ours.items():
            count = (QUICK_EXCHANGES if quick else EXCHANGES) // LINES // len(ours)
            await _round(found, protocol, number, _reader(address, count))
        count = (QUICK_PEER_EXCHANGES if quick else PEER_EXCHANGES) // LINES
        await _round(peer, protocol, number, _peer(protocol, count))
    return _result(protocol, ours, peer)


def _reader(address: str, count: int) -> tuple[list[str], str]:
    command = [sys.executable, "-m", "benchmarks.truth_reader", "--count", str(count)]
    return command, address


def _peer(protocol: str, count: int) -> tuple[list[str], str]:
    timeout = PACES[protocol].first_byte
    return [peers.interpreter(), str(PEER[protocol][1]), str(count), str(timeout)], "{}"


async def _round(total: Sum, protocol: str, number: int, reader: tuple[list[str], str]) -> None:
    """Let one reader read from new devices, which deal the same fates to each reader."""
    command, address = reader
    devices = [sys.executable, "-m", "benchmarks.truth_devices", protocol]
    devices += ["--lines", str(LINES), "--seed", str(1000 * number)]
    async with _running(devices) as device:
        places = json.loads(await _line(device, devices))
        reading = [*command, *(address.format(place) for place in places)]
        async with _running(reading) as process:
            found = json.loads(await _line(process, reading))
        device.terminate()
        total.add(found, json.loads(await _line(device, devices)))


@asynccontextmanager
async def _running(command: Sequence[str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a program, and end it when it has not ended by itself."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, cwd=ROOT, limit=1 << 20
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()  # its pipe is read to the end: else it stays open


async def _line(process: asyncio.subprocess.Process, command: Sequence[str]) -> bytes:
    """The next line that a program prints. Ends the run when the program ends without."""
    line = await process.stdout.readline() if process.stdout else b""
    if not line:
        sys.exit(f"truth: {' '.join(command[:4])} … ended without a result; its errors are above")
    return line


def _result(protocol: str, ours: dict[str, Sum], peer: Sum) -> Result:
    wrong = sum(found.wrong for found in ours.values())
    exchanges = sum(found.exchanges for found in ours.values())
    slowest = min(found.goodput for found in ours.values())
    shares = ", ".join(
        f"{found.goodput:.1%} over {address.partition('://')[0]} (worst round {found.worst:.1%})"
        for address, found in ours.items()
    )
    return Result(
        name=f"truth_{protocol}",
        figure=(
            f"{wrong} wrong values in {exchanges:,} exchanges, goodput {shares}; "
            f"{PEER[protocol][0]}: {peer.wrong:,} wrong of {peer.good + peer.wrong:,} values "
            f"({peer.wrong_share:.1%}){_load()}"
        ),
        goal=f"no wrong value, goodput at least {GOAL:.0%}",
        reached=0.0 if wrong else slowest / GOAL,
        more={
            **{address: found.as_dict() for address, found in ours.items()},
            PEER[protocol][0]: peer.as_dict(),
            "pace": asdict(PACES[protocol]),
            "lines": LINES,
            "leisurely_lines": LINES // LEISURE,
        },
    )


def _load() -> str:
    """What to say of a machine that has more to do than it has processors for."""
    load, processors = os.getloadavg()[0], os.cpu_count() or 1
    if load <= processors:
        return ""
    return f"; the machine was busy, a load of {load:.1f} on {processors} processors"
