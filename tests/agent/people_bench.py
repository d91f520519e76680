"""People of a station in memory, kept in a real database, and browsers that sign in there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import httpx
import pytest

from agent.clock import Clock, SystemClock
from agent.fleet.events import EventLog
from agent.people.passwords import Passwords
from agent.people.people import People
from agent.people.people_errors import SignInFailed
from agent.people.session import Rules
from agent.roles import Actor
from agent.settings import Api, Oidc
from agent.store.database import NAME, Database
from agent.store.entries import Provenance
from agent.store.ledger import Ledger
from agent.web.api import build_api
from agent.web.listeners import bind_tcp, bind_unix
from drivers import Role
from tests.agent.bench import Bench, station_in_memory
from tests.agent.web_bench import SETTINGS, TOKEN, serving

HERE = "127.0.0.1"
CHEAP = {"rounds": 1, "kib": 64}
PASSWORD = "correct horse battery"
WRONG = "wrong horse battery"
ROOT = Actor(name="root", origin="cli", role=Role.ADMINISTRATOR)
PEOPLE = {
    "ob": Role.OBSERVER,
    "kim": Role.TECHNICIAN,
    "lee": Role.ENGINEER,
    "cho": Role.QA,
    "park": Role.ADMINISTRATOR,
}


class HandClock(SystemClock):
    """A clock that a test winds on; sleeping is real."""

    def __init__(self) -> None:
        self.ahead = self.set_ahead = 0.0
        self._real = SystemClock()

    def utc(self) -> float:
        return self._real.utc() + self.ahead + self.set_ahead

    def monotonic(self) -> float:
        return self._real.monotonic() + self.ahead

    def wind(self, seconds: float) -> None:
        """Let so much time pass at once."""
        self.ahead += seconds


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


async def refused(work: Callable[[], Awaitable[object]], times: int) -> None:
    """Do something so many times that is refused as a sign-in."""
    for _ in range(times):
        with pytest.raises(SignInFailed):
            await work()


@asynccontextmanager
async def people_in(
    folder: Path,
    clock: HandClock,
    *names: str,
    rules: Rules | None = None,
    oidc: Oidc | None = None,
) -> AsyncIterator[People]:
    """The people of a state folder, those of `names` added, until the context ends."""
    async with Database(folder / NAME, clock) as database:
        ledger = Ledger(
            database,
            clock=clock,
            rng=Random(1),
            provenance=Provenance(boot_id="a", software_version="0", config_hash="c"),
            is_clock_synced=lambda: True,
        )
        await ledger.begin("bench-1")
        yield await people_over(ledger, clock, *names, rules=rules, oidc=oidc)


async def people_over(
    ledger: Ledger,
    clock: Clock,
    *names: str,
    rules: Rules | None = None,
    oidc: Oidc | None = None,
) -> People:
    """The people whose accounts are beside this ledger, those of `names` added."""
    passwords = Passwords(**CHEAP)
    events, rules = EventLog(clock), rules or Rules()
    people = People(ledger, clock, events, rules, passwords=passwords, oidc=oidc)
    await people.run()
    for name in names:
        if people.accounts.get(name) is None:
            await people.accounts.add(ROOT, name, PEOPLE[name], PASSWORD)
    return people


async def ledger_of(people: People) -> list[tuple[str, str, str, str]]:
    """Who did what to whom, as the ledger has it: name, origin, action, object."""
    rows = await people.accounts.ledger.rows()
    bodies = [row.entry for row in rows]
    return [
        (it["actor"]["name"], it["actor"]["origin"], it["action"], it["object"]) for it in bodies
    ]


@dataclass
class House:
    """A served station with people. `browser` makes a browser; `unix` is the socket."""

    bench: Bench
    people: People
    clock: HandClock
    port: int
    path: Path
    unix: httpx.AsyncClient
    servers: list[asyncio.Task[None]]
    _stack: AsyncExitStack

    async def browser(self, name: str = "", password: str = PASSWORD) -> httpx.AsyncClient:
        """A browser with cookies of its own; signed in where a name is given."""
        base = f"http://127.0.0.1:{self.port}/api/v1"
        client = await self._stack.enter_async_context(httpx.AsyncClient(base_url=base))
        if name:
            answer = await client.post("/session", json={"name": name, "password": password})
            assert answer.status_code == 200, answer.text
            client.headers["X-CSRF-Token"] = answer.json()["csrf"]
        return client


@asynccontextmanager
async def house(
    folder: Path, *names: str, settings: Api = SETTINGS, rules: Rules | None = None
) -> AsyncIterator[House]:
    """Serve a station of one toy with people until the context ends."""
    clock, store = HandClock(), folder / "files"
    store.mkdir(exist_ok=True)
    async with AsyncExitStack() as stack:
        people = await stack.enter_async_context(
            people_in(folder, clock, *names, rules=rules, oidc=settings.oidc)
        )
        bench = await stack.enter_async_context(station_in_memory(folder=store))
        station = replace(bench.station, people=people, clock=clock)
        api = build_api(station, settings, TOKEN)
        unix = await asyncio.to_thread(bind_unix, folder / "agent.sock")
        tcp = bind_tcp("127.0.0.1:0", "api.listen")
        tasks = [await stack.enter_async_context(serving(api, sock)) for sock in (unix, tcp)]
        over = httpx.AsyncHTTPTransport(uds=str(folder / "agent.sock"))
        base = "http://localhost/api/v1"
        client = await stack.enter_async_context(httpx.AsyncClient(transport=over, base_url=base))
        port = tcp.getsockname()[1]
        yield House(bench, people, clock, port, folder / "agent.sock", client, tasks, stack)
