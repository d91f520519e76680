"""`stop` of 16 devices, of which one hangs and one is gone: how soon are the others confirmed safe?

The answer, which names the two, has to come as soon; the one that hangs is then still being tried.
"""

import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import httpx

from agent.cli.demo.ports import choose
from agent.cli.demo.processes import Child, running
from agent.cli.demo.wishes import Wishes
from agent.clock import SystemClock
from benchmarks.result import Result
from benchmarks.station import config, simulators, station, until_all_answer

HEALTHY: Final = 14
GOAL_S: Final = 1.0
UP_WITHIN_S: Final = 30.0
HUNG, GONE = "psu1", "psu2"


async def measure(quick: bool) -> list[Result]:
    """Stop all of them 30 times (3 times when quick), with every output on."""
    with tempfile.TemporaryDirectory(prefix="lk-bench-") as made:
        folder, port = Path(made), choose(Wishes()).metrics
        (folder / "hung").mkdir()
        async with AsyncExitStack() as stack:
            devices = await stack.enter_async_context(
                simulators(folder, "--modbus-devices", HEALTHY)
            )
            hung = await stack.enter_async_context(_supply(folder / "hung"))
            where = json.loads(await hung.first_line())["devices"][HUNG]["tcp"]
            rows = [
                f'  {name}: {{driver: autonics.tk4, address: "modbus+tcp://{it["tcp"][0]}:{it["tcp"][1]}?unit=1"}}'
                for name, it in devices.items()
                if name.startswith("controller")
            ]
            rows.append(_row(HUNG, *where))
            rows.append(_row(GONE, "127.0.0.1", 9))  # nobody listens there
            text = f"log: {{format: json}}\n{config(folder, port, rows)}"
            agent = await stack.enter_async_context(station(folder, text))
            await until_all_answer(port, HEALTHY + 1, UP_WITHIN_S)
            rounds = [await _round(agent, hung, folder, port) for _ in range(3 if quick else 30)]
    return [_result(rounds)]


def _supply(folder: Path) -> Any:
    """A simulated supply in a process of its own, so that it can be made to hang."""
    command = [sys.executable, "-m", "simulators", "--json", "--dir", folder, "--only", HUNG]
    return running("supply", command, folder, speaks=True)


def _row(name: str, host: str, port: int) -> str:
    return f'  {name}: {{driver: siglent.spd1000x, address: "tcp://{host}:{port}"}}'


async def _round(
    agent: Child, hung: Child, folder: Path, port: int
) -> tuple[list[float], float, Sequence[str]]:
    """Seconds until each healthy one was confirmed, until the answer, and whom that names."""
    transport = httpx.AsyncHTTPTransport(uds=str(folder / "agent.sock"))
    async with httpx.AsyncClient(transport=transport, base_url="http://labkeeper") as client:
        known = [it["device"] for it in (await client.get("/api/v1/devices")).json()]
        names = [name for name in known if name not in {HUNG, GONE}]
        for name in names:
            answer = await client.put(
                f"/api/v1/devices/{name}/settings/running", json={"value": True}
            )
            answer.raise_for_status()
        os.kill(hung.process.pid, signal.SIGSTOP)
        try:
            said_before = agent.log.stat().st_size
            began, at = time.monotonic(), SystemClock().utc()
            answer = await client.post("/api/v1/stop", timeout=30)
            took = time.monotonic() - began
        finally:
            os.kill(hung.process.pid, signal.SIGCONT)
    outcomes = answer.json()["devices"]
    unsafe = sorted(name for name, it in outcomes.items() if it["status"] != "done")
    confirmed = _confirmed(agent.log.read_bytes()[said_before:], at, names)
    await until_all_answer(port, HEALTHY + 1, UP_WITHIN_S)
    return confirmed, took, unsafe


def _confirmed(log: bytes, began: float, names: Sequence[str]) -> list[float]:
    """Seconds from the request to the event that says that a device was made safe."""
    found = [json.loads(line) for line in log.splitlines() if line.startswith(b"{")]
    return [
        datetime.fromisoformat(it["time"]).timestamp() - began
        for it in found
        if it.get("event") == "stop.done" and it.get("device") in names
    ]


def _result(rounds: Sequence[tuple[list[float], float, Sequence[str]]]) -> Result:
    """Wrong where one was missing or the answer named others; else the later of two times.

    The one at which the 99th of 100 was confirmed, and the one of the slowest answer.
    """
    times = sorted(it for confirmed, _, _ in rounds for it in confirmed)
    right = all(
        len(confirmed) == HEALTHY and list(unsafe) == [HUNG, GONE]
        for confirmed, _, unsafe in rounds
    )
    p99 = times[min(len(times) - 1, int(0.99 * len(times)))] if times else float("inf")
    answers = [took for _, took, _ in rounds]
    return Result(
        name="stop_all",
        figure=(
            f"{len(times)} stops of {HEALTHY} healthy devices in {len(rounds)} rounds beside one that hangs and "
            f"one that is gone: p99 {p99 * 1000:.0f} ms, worst {max(times, default=0) * 1000:.0f} ms; the answer, "
            f"which names the two, within {max(answers):.2f} s"
        ),
        goal=f"each confirmed and the two named within {GOAL_S:g} s",
        reached=GOAL_S / max(p99, *answers) if right else 0.0,
        more={"confirmed_s": times, "answers_s": answers},
    )
