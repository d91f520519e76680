"""What the agent hands to a driver when it opens its link: the key, the profile, the limits."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agent.app import Agent
from agent.clock import SystemClock
from agent.fleet.plan import Plan
from agent.settings import load
from drivers import Access, Address, Bound, Limits, Profile, Span
from drivers.printers.moonraker import MoonrakerPrinter


async def test_a_printer_on_the_network_gets_its_key_and_its_profile(tmp_path: Path) -> None:
    config, key = tmp_path / "station.yaml", tmp_path / "key"
    config.write_text(f"name: a\nstate: {tmp_path}/state\n", "utf-8")
    key.write_text("open sesame\n", "utf-8")
    agent = await asyncio.to_thread(_agent_of, config)
    plan = Plan(
        name="printer2",
        driver_name="printers.moonraker",
        driver_class=MoonrakerPrinter,
        address=Address.parse("http://127.0.0.1:9"),
        limits=Limits({"nozzle_target": Span(high=240.0, high_source="station.yaml:7")}),
        profile=Profile(feed=Bound(9000.0, "station.yaml:9")),
        access=Access(key_file=key),
    )
    async with agent._open_driver(plan) as driver:
        assert driver.profile is plan.profile
        assert driver.limits is plan.limits
        assert driver.wire.link._key == "open sesame"


async def test_what_trips_is_at_work_before_there_is_any_device(tmp_path: Path) -> None:
    config = tmp_path / "station.yaml"
    device = '{driver: siglent.spd1000x, address: "tcp://127.0.0.1:9"}'
    config.write_text(f"name: a\nstate: {tmp_path}/state\ndevices: {{psu1: {device}}}\n", "utf-8")
    agent = await asyncio.to_thread(_agent_of, config)
    begun: list[str] = []

    def start(_: Plan) -> None:
        begun.extend(task.get_name() for task in agent._background)
        raise InterruptedError

    async def nothing(*_: object) -> None:
        pass

    agent.fleet = cast(Any, SimpleNamespace(start=start))
    agent.leases, agent.jobs = (
        cast(Any, SimpleNamespace(recall=nothing, begin=nothing, listing=())),
    ) * 2
    agent.runs = agent._keeper = cast(Any, SimpleNamespace(run=nothing, begin=nothing))
    async with asyncio.TaskGroup() as agent._tasks:
        with pytest.raises(InterruptedError):
            await agent._start(cast(Any, SimpleNamespace(gate=SimpleNamespace(stop=None))))
        await asyncio.sleep(0)  # what was begun begins, so that it can be ended
        for task in agent._background:
            task.cancel()
    assert "interlocks" in begun


def _agent_of(config: Path) -> Agent:
    """As the agent is made before its loop begins; to open a link it needs no listener."""
    ports = cast(Any, None)
    return Agent(config, load(config), ports, "token", clock=SystemClock(), rng=Random(1))
