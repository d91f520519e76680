"""The agent of a rehearsal, as a process of its own: `python -m agent.cli.dry.station PLAN`.

It has the station's config, and every way to the station's devices is closed twice. Only devices with
a twin are left, each with its twin's address in place of its own; and a link is opened to one of
those addresses or to nothing. It reads no config again, speaks to no broker, and writes into the
rehearsal's folder alone.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any

from agent import logs
from agent.app import Agent
from agent.cli.dry.clock import FastClock
from agent.clock import SystemClock
from agent.errors import Refused
from agent.fleet.plan import Plan
from agent.languages.message import Message
from agent.loop import new_event_loop
from agent.settings import Station, load
from agent.settings.interlocks import Interlock
from agent.settings.values import Listener
from agent.store.folder import owned
from agent.systemd import Notifier
from agent.web.ports import bound
from agent.web.token import read_or_make_token
from drivers import Access, Address, Driver, Role


@dataclass(frozen=True, kw_only=True)
class Rehearsed:
    """What is rehearsed: addresses and keys of the twins by device, and where everything is kept."""

    config: str
    folder: str
    speed: float
    addresses: Mapping[str, str]
    keys: Mapping[str, str]


class RehearsalAgent(Agent):
    """An agent that opens links to twins alone."""

    def allow(self, addresses: Mapping[str, str]) -> None:
        """Say which addresses those are."""
        self._allowed = [Address.parse(text) for text in addresses.values()]

    @asynccontextmanager
    async def _open_driver(self, plan: Plan) -> AsyncIterator[Driver[Any]]:
        if plan.address not in self._allowed:
            raise Refused(
                Message("{name}: a dry run opens links to its simulators alone", name=plan.name)
            )
        async with super()._open_driver(plan) as driver:
            yield driver


def on_twins(station: Station, rehearsed: Rehearsed) -> Station:
    """The same station with twins in place of its devices, and nothing of it that reaches outside."""
    folder = Path(rehearsed.folder)
    devices = {
        name: replace(
            station.devices[name],
            address=Address.parse(address),
            simulated=True,
            serial_number="",
            access=Access(key_file=folder / f"{name}.key") if name in rehearsed.keys else None,
            on_shutdown="leave",
        )
        for name, address in rehearsed.addresses.items()
    }
    api = {
        "listen": Listener("127.0.0.1", 0),
        "socket": folder / "agent.sock",
        "token_file": folder / "api-token",
        "socket_role": Role.ENGINEER,
        "network": None,
    }
    return replace(
        station,
        state=folder,
        files=folder / "files",
        runs=folder / "runs",
        devices=MappingProxyType(devices),
        interlocks=MappingProxyType(rehearsable(station, devices)),
        schedules=MappingProxyType({}),  # nothing but what is rehearsed begins
        alarms=MappingProxyType(
            {name: it for name, it in station.alarms.items() if it.condition.device in devices}
        ),
        mqtt=None,
        metrics=None,
        api=station.api.model_copy(update=api),
    )


def rehearsable(station: Station, devices: Mapping[str, object]) -> dict[str, Interlock]:
    """The interlocks that look at devices with a twin, and at no others."""
    return {
        name: it
        for name, it in station.interlocks.items()
        if {condition.device for condition in it.requires} <= devices.keys()
        and set(it.trip) <= devices.keys()
    }


def main(words: list[str]) -> None:
    """Run until SIGTERM. Raises CannotStart."""
    rehearsed = Rehearsed(**json.loads(words[0]))
    folder = Path(rehearsed.folder)
    for name, key in rehearsed.keys.items():
        (folder / f"{name}.key").write_text(f"{key}\n", "utf-8")
    settings = on_twins(load(Path(rehearsed.config)), rehearsed)
    logs.configure("console", settings.log.level)
    clock = FastClock(SystemClock(), rehearsed.speed)
    with owned(settings.state), bound(settings) as ports:
        token = read_or_make_token(settings.api.token_file)
        nowhere = folder / "no-config-is-read-again"
        agent = RehearsalAgent(
            *(nowhere, settings, ports, token),
            clock=clock,
            rng=Random(),  # noqa: S311 - for jitter
            notifier=Notifier({}),
        )
        agent.allow(rehearsed.addresses)
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(agent.run())


if __name__ == "__main__":
    main(sys.argv[1:])
