"""How much of a serial line a print takes, and how soon a stop leaves on it.

A file of short moves, whose lines are 42 bytes long on the wire, is printed by a whole agent, which
polls 64 Modbus devices ten times a second meanwhile, has one that takes a connection and never
answers, and is scraped every second. The printer is a process of its own behind a terminal as slow
as the line. Goal: 99 % of the line at 115,200 and
250,000 baud with the firmware's buffers known, no under-run of its planner, and 1.6 times the rate
of one line at a time, which is printed in the same run.

A stop is asked for in the middle of such a print, again and again. Goal: the emergency stop has
arrived at the board no later than 5 ms and the time of one line after it was asked for, in 99 of
100 cases.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from socket import create_server
from statistics import mean, median
from typing import Final

from agent.cli.client import AgentClient
from agent.cli.demo.ports import choose
from agent.cli.demo.wishes import Wishes
from agent.errors import AgentError
from benchmarks.contest import Program, program
from benchmarks.result import Result
from benchmarks.station import config, cpu_seconds, page, simulators, station, until_all_answer
from drivers.protocol.gcode_history import frame

BAUDS: Final = (115_200, 250_000)
DEVICES: Final = 64
LINE: Final = 42
"""Bytes of a line with number, checksum and line end."""
LONGER: Final = 1.002
"""The time of a move, in times of its line: it is just as fast as the line can feed it."""
LINE_GOAL, RATIO_GOAL = 0.99, 1.6
STOP_GOAL_S: Final = 0.005
ALL_UP_WITHIN_S: Final = 60.0
ROUNDS: Final = 5
GREETING: Final = 3
"""Number of the first move: each program is numbered anew, and has two lines before its moves."""
WAYS: Final = {
    "window": "buffers: {lines: 4, bytes: 128}",
    "single": "buffers: {lines: 1, bytes: 16}",
}


@dataclass
class Runs:
    """What was measured at one speed: shares of the line by way of sending, in every round."""

    shares: dict[str, list[float]] = field(default_factory=lambda: {way: [] for way in WAYS})
    underruns: int = 0
    lost: int = 0
    cpu: list[float] = field(default_factory=list)
    stops: list[float] = field(default_factory=list)


async def measure(quick: bool) -> list[Result]:
    """Print for 10 s in each of 5 rounds (4 s in one when quick), and stop 100 prints (5)."""
    seconds, rounds, stops = (4.0, 1, 5) if quick else (10.0, ROUNDS, 100)
    found = {baud: await _at(baud, seconds, rounds, stops) for baud in BAUDS}
    return [_streaming(found), _stopping(found)]


async def _at(baud: int, seconds: float, rounds: int, stops: int) -> Runs:
    runs = Runs()
    with tempfile.TemporaryDirectory(prefix="lk-bench-") as made, ExitStack() as stack:
        folder = Path(made)
        boards = {
            way: stack.enter_context(
                program(sys.executable, "benchmarks.gcode_device", baud, folder / way)
            )
            for way in WAYS
        }
        for board in boards.values():
            board.said()
        write(folder, baud, seconds)
        async with _agent(folder, baud) as (port, pid):
            socket = folder / "agent.sock"
            scraping = asyncio.get_running_loop().create_task(_scrape_for_ever(port), name="scrape")
            try:
                for _ in range(rounds):
                    for way, board in boards.items():
                        await _print(runs, socket, way, board, pid, baud)
                for _ in range(stops):
                    await _stop(runs, socket, boards["window"])
            finally:
                scraping.cancel()
    return runs


@asynccontextmanager
async def _agent(folder: Path, baud: int) -> AsyncIterator[tuple[int, int]]:
    """The agent with its devices and both printers; its metrics' port and its process."""
    async with simulators(folder, "--modbus-devices", DEVICES) as devices:
        with create_server(("127.0.0.1", 0)) as deaf:  # who connects waits for ever
            places = {it: at["tcp"] for it, at in devices.items() if it.startswith("controller")}
            rows = _rows(folder, baud, {**places, "deaf": deaf.getsockname()})
            port = choose(Wishes()).metrics
            async with station(folder, config(folder, port, rows)) as agent:
                await until_all_answer(port, DEVICES + len(WAYS), ALL_UP_WITHIN_S)
                yield port, agent.process.pid


def _rows(folder: Path, baud: int, places: Mapping[str, tuple[str, int]]) -> list[str]:
    return [
        *(
            f'  {name}: {{driver: autonics.tk4, address: "modbus+tcp://{host}:{at}?unit=1", '
            "poll: {temperature: 0.1, heating_output: 0.1}}"
            for name, (host, at) in places.items()
        ),
        *(
            f'  {way}: {{driver: printers.marlin, address: "serial://{folder / way}?baudrate={baud}", '
            f"printer: {{{buffers}}}}}"
            for way, buffers in WAYS.items()
        ),
    ]


async def _scrape_for_ever(port: int) -> None:
    """Scrape, and leave the page unread: to parse it here would hold up who asks for a stop."""
    while True:
        await page(port)
        await asyncio.sleep(1.0)


async def _print(runs: Runs, socket: Path, way: str, board: Program, pid: int, baud: int) -> None:
    """Print the file once, and note how much of the line it took from the first move to the last."""
    await asyncio.to_thread(board.asked, "begin")
    loop = asyncio.get_running_loop()
    began, used = loop.time(), cpu_seconds(pid)
    await asyncio.to_thread(_run, socket, way)
    cpu = (cpu_seconds(pid) - used) / (loop.time() - began)
    told = await asyncio.to_thread(board.asked, "tell")
    runs.shares[way].append(told["bytes"] * 10 / baud / told["seconds"])
    if way == "window":
        runs.cpu.append(cpu)
        runs.underruns += told["underruns"]
        runs.lost += told["lost_bytes"]


async def _stop(runs: Runs, socket: Path, board: Program) -> None:
    """Stop a print in its middle, and note how long the emergency stop took to arrive."""
    await asyncio.to_thread(board.asked, "begin")
    loop = asyncio.get_running_loop()
    printing = loop.run_in_executor(None, _ended, socket)
    await _until(lambda: board.asked("tell")["moves"] >= 100)
    with AgentClient(socket) as client:
        await asyncio.to_thread(client.get, "devices", "window")  # it is connected
        asked = loop.time()
        await asyncio.to_thread(client.stop, "window")
        await printing
        told = await asyncio.to_thread(board.asked, "reset")
        runs.stops.append(told["stopped_at"] - asked)
        await asyncio.to_thread(client.post, "devices", "window", "reconnect")
        await _until(lambda: client.get("devices", "window")["state"] == "ready")


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(ALL_UP_WITHIN_S):
        while True:
            if await asyncio.to_thread(holds):
                return
            await asyncio.sleep(0.05)


def _run(socket: Path, way: str) -> None:
    with AgentClient(socket) as client:
        client.post("plates", way, "clear")  # each print marks its plate
        client.post(
            *("devices", way, "commands", "print"),
            body={"arguments": {"file": "moves.gcode"}},
            within=600.0,
        )


def _ended(socket: Path) -> None:
    with suppress(AgentError):  # it is stopped: that is how it is to end
        _run(socket, "window")


def write(folder: Path, baud: int, seconds: float) -> None:
    """Write a file of moves that takes so long, whose lines have 42 bytes on average when sent."""
    files = folder / "files"
    files.mkdir()
    rows = [_row(n) for n in range(int(seconds * baud / 10 / LINE))]
    length = mean(len(frame(n + GREETING, row)) for n, row in enumerate(rows))
    feed = 0.2 / (LONGER * length * 10 / baud) * 60  # mm/min, for moves of 0.2 mm
    text = "\n".join(["G92 E0", f"G1 F{feed:.3f}", *rows, ""])
    (files / "moves.gcode").write_text(text, "ascii")


def _row(n: int) -> str:
    """Move n, which goes back and forth on one straight, as long as its number leaves room for it."""
    at = 50 + (n % 400) * 0.2 if n // 400 % 2 == 0 else 130 - (n % 400) * 0.2
    return f"G1 X{at:09.5f} Y100.0000 E".ljust(LINE - 7 - len(str(n + GREETING)), "0")


def _streaming(found: dict[int, Runs]) -> Result:
    parts, worst, ratio = [], [], []
    for baud, runs in found.items():
        window, single = runs.shares["window"], runs.shares["single"]
        parts.append(
            f"{baud:,} Bd: {median(window):.1%} of the line (worst round {min(window):.1%}), "
            f"{median(window) / median(single):.2f} times one line at a time, "
            f"{runs.underruns} under-runs, {median(runs.cpu):.0%} of a core"
        )
        worst.append(median(window) / LINE_GOAL)
        ratio.append(median(window) / median(single) / RATIO_GOAL)
    clean = not any(runs.underruns or runs.lost for runs in found.values())
    return Result(
        name="streaming",
        figure="; ".join(parts),
        goal="99 % of the line, no under-run, 1.6 times one line at a time",
        reached=min(*worst, *ratio) if clean else 0.0,
        more={str(baud): json.loads(json.dumps(vars(runs))) for baud, runs in found.items()},
    )


def _stopping(found: dict[int, Runs]) -> Result:
    parts, shares, more = [], [], {}
    for baud, runs in found.items():
        beyond = sorted(it - LINE * 10 / baud for it in runs.stops)
        p99 = beyond[ceil(0.99 * len(beyond)) - 1]
        parts.append(
            f"{baud:,} Bd: {p99 * 1000:.1f} ms beyond one line at p99 of {len(beyond)}, "
            f"{median(beyond) * 1000:.1f} ms at the median"
        )
        shares.append(STOP_GOAL_S / max(p99, 1e-6))
        more[str(baud)] = beyond
    return Result(
        name="stopping",
        figure="; ".join(parts),
        goal="5 ms beyond one line's time",
        reached=min(shares),
        more=more,
    )
