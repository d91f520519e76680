"""A station that is killed again and again, with clients who want something of it all the time."""

import asyncio
import logging
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import httpx

from benchmarks.crash_books import Acknowledged, Books, not_held
from benchmarks.crash_supplies import CountedSupply, Effect

START_WITHIN_S: Final = 90.0
ENDED_WITHIN_S: Final = 60.0
LONGEST_S: Final = 1.2
"""An agent is killed at most so long after its first answer."""
EARLY: Final = 0.2
"""The share of kills that come while the agent is starting, within its usual time for that."""
WAITING: Final = 6
"""Jobs that the clients let wait."""
STEPS_V: Final = 15.9
"""Voltages go round below the supply's 16 V in steps of 1 mV, so that each tells its command."""
RECIPE: Final = """\
name: burst
version: "1"
parameters:
  start: {type: number, unit: V, low: 0, high: 16}
devices:
  supply: {driver: siglent.spd1000x, device: psu1}
steps:
  - set: {supply.output: true}
  - repeat: {times: 3, as: turn}
    steps:
      - set: {supply.voltage: =start + turn * 0.001}
finally:
  - set: {supply.output: false}
"""

Cut = Callable[[asyncio.subprocess.Process], Awaitable[None]]
"""Ends an agent without a word, and returns when what it has left can be looked at."""

log = logging.getLogger(__name__)


async def killed(process: asyncio.subprocess.Process) -> None:
    """End an agent by `kill -9`: what it has written stays."""
    process.kill()
    await process.wait()


@dataclass
class Station:
    """One station: its folder, its supplies, and what is known of it."""

    folder: Path
    supplies: list[CountedSupply]
    rng: Random
    books: Books
    cut: Cut = killed
    starts: list[float] = field(default_factory=list)
    """Seconds from each start to the first answer."""
    kills: int = 0
    unanswered: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Submissions of which nobody knows whether they arrived, by their key."""
    _numbers: int = 0

    @property
    def acknowledged(self) -> Acknowledged:
        """What it has said yes to."""
        return self.books.acknowledged

    async def round(self) -> list[str]:
        """Start the agent, keep it busy, kill it, and say what is wrong then."""
        early = self.rng.random() < EARLY and self.starts
        moment = self.rng.uniform(0, 1.1 * self.starts[-1] if early else LONGEST_S)
        wrong: list[str] = []
        async with self._agent() as process:
            if not early:
                async with self._client() as client:
                    wrong += not_held(await self._answering(client, process))
                    await self._keep_busy(client, moment)
            else:
                await asyncio.sleep(moment)
            await self.cut(process)
        self.kills += 1
        return [*wrong, *await self._audit()]

    async def end(self) -> list[str]:
        """Let everything that waits run to its end, and say what has not ended."""
        async with self._agent() as process:
            async with self._client() as client:
                wrong = not_held(await self._answering(client, process))
                await self._ready(client)
                await self._submit_unanswered(client)
                async with asyncio.timeout(ENDED_WITHIN_S):
                    while any(it["ended"] is None for it in await self._jobs(client)):
                        await self._release(client)
                        await asyncio.sleep(0.1)
            process.terminate()
            await process.wait()
        wrong += await self._audit()
        return [*wrong, *(f"job {it} has no final state" for it in sorted(self.books.unended()))]

    async def _audit(self) -> list[str]:
        for supply in self.supplies:
            await supply.until_idle()
        return await asyncio.to_thread(self.books.findings)

    @asynccontextmanager
    async def _agent(self) -> AsyncIterator[asyncio.subprocess.Process]:
        command = ("-m", "agent.cli", "run", "--config", str(self.folder / "station.yaml"))
        with (self.folder / "agent.log").open("ab") as out:
            process = await asyncio.create_subprocess_exec(
                sys.executable, *command, stdout=out, stderr=out, stdin=asyncio.subprocess.DEVNULL
            )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    def _client(self) -> httpx.AsyncClient:
        over = httpx.AsyncHTTPTransport(uds=str(self.folder / "state" / "agent.sock"))
        base = "http://labkeeper/api/v1"
        return httpx.AsyncClient(transport=over, base_url=base, timeout=10)

    async def _answering(
        self, client: httpx.AsyncClient, process: asyncio.subprocess.Process
    ) -> list[Any]:
        """Wait for the first answer: the jobs, before anybody has asked for anything."""
        began = time.monotonic()
        async with asyncio.timeout(START_WITHIN_S):
            while process.returncode is None:
                try:
                    jobs = await self._jobs(client)
                except httpx.TransportError:
                    await asyncio.sleep(0.02)
                else:
                    self.starts.append(time.monotonic() - began)
                    return jobs
        raise SystemExit(f"the agent does not start: see {self.folder / 'agent.log'}")

    async def _keep_busy(self, client: httpx.AsyncClient, seconds: float) -> None:
        """Want something of it for so long; whoever is not answered then does not know."""
        async with asyncio.TaskGroup() as tasks:
            wishes = [
                tasks.create_task(wish(client), name=wish.__name__)
                for wish in (self._start_jobs, self._set_voltages)
            ]
            await asyncio.sleep(seconds)
            for task in wishes:
                task.cancel()

    async def _start_jobs(self, client: httpx.AsyncClient) -> None:
        await self._ready(client)
        await self._submit_unanswered(client)
        while True:
            await self._release(client)
            waiting = sum(it["ended"] is None for it in await self._jobs(client))
            for _ in range(WAITING - waiting):
                await self._submit(client, *self._new_job())
            await asyncio.sleep(0.05)

    async def _set_voltages(self, client: httpx.AsyncClient) -> None:
        while True:
            volts = self._volts(1)
            answer = await client.put("/devices/psu3/settings/voltage", json={"value": volts})
            if answer.is_success:
                self.acknowledged.settings["psu3.voltage", volts] += 1
            else:
                await asyncio.sleep(0.05)

    async def _ready(self, client: httpx.AsyncClient) -> None:
        """Settle what the kill has left unknown, as a person would who has looked."""
        for supply in self.supplies:
            path = f"/devices/{supply.name}/settle"
            await client.post(path, json={"reason": "looked at after the kill"})

    async def _submit_unanswered(self, client: httpx.AsyncClient) -> None:
        for key, body in tuple(self.unanswered.items()):
            await self._submit(client, key, body)

    def _new_job(self) -> tuple[str, dict[str, Any]]:
        start, device = self._volts(4), self.rng.choice(("psu1", "psu2"))
        self._numbers += 1
        body = {"recipe": "burst", "arguments": {"start": start}, "devices": {"supply": device}}
        return f"key-{self._numbers}", body

    async def _submit(self, client: httpx.AsyncClient, key: str, body: dict[str, Any]) -> None:
        self.unanswered[key] = body
        self.acknowledged.keys.add(key)
        answer = await client.post("/jobs", json=body, headers={"Idempotency-Key": key})
        del self.unanswered[key]
        if answer.is_success:
            self.acknowledged.jobs.add(answer.json()["job"])
        else:
            log.info("%s: %s", key, answer.text)

    async def _release(self, client: httpx.AsyncClient) -> None:
        for job in await self._jobs(client):
            if job["state"] == "held":
                await client.post(f"/jobs/{job['job']}/release", json={})

    async def _jobs(self, client: httpx.AsyncClient) -> list[Any]:
        found: list[Any] = (await client.get("/jobs")).json()["jobs"]
        return found

    _next_mv: int = 0

    def _volts(self, steps: int) -> float:
        """A voltage that was not used for a long time, and the next steps above it."""
        self._next_mv = (self._next_mv + steps) % int(STEPS_V * 1000)
        return self._next_mv / 1000


@asynccontextmanager
async def station(
    seed: str, folder: Path | None = None, cut: Cut = killed
) -> AsyncIterator[Station]:
    """A station of three supplies; `seed` decides what is wanted of it, and when `cut` ends it."""
    is_ours = folder is None
    folder = folder or Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="lk-crash-"))
    (folder / "recipes").mkdir()
    (folder / "recipes" / "burst.yaml").write_text(RECIPE, "utf-8")
    async with AsyncExitStack() as stack:
        names = ("psu1", "psu2", "psu3")
        supplies = [await stack.enter_async_context(CountedSupply(name)) for name in names]

        def told() -> Counter[Effect]:
            return sum((it.told for it in supplies), Counter[Effect]())

        (folder / "station.yaml").write_text(_config(folder, supplies), "utf-8")
        made = Station(folder, supplies, Random(seed), Books(folder / "state", told), cut)
        yield made
    if is_ours:
        await asyncio.to_thread(shutil.rmtree, folder)  # where something is wrong, all of it stays


def _config(folder: Path, supplies: list[CountedSupply]) -> str:
    rows = "".join(
        f'  {it.name}: {{driver: siglent.spd1000x, address: "{it.address}", simulated: true}}\n'
        for it in supplies
    )
    return (
        f"name: crash\nstate: {folder / 'state'}\n"
        'api: {listen: "127.0.0.1:0"}\nmetrics: {listen: "127.0.0.1:0"}\n'
        f"log: {{format: json}}\ndevices:\n{rows}"
    )
