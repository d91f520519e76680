"""Rehearses a recipe: simulators and an agent are started for it alone, and ended with it."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from agent.cli.client import AgentClient
from agent.cli.demo.processes import Child, running
from agent.cli.dry.answers import answer_to
from agent.cli.dry.report import Report
from agent.cli.dry.twins import Twin, rooms_of
from agent.errors import DeviceTrouble, NoAgent
from agent.languages.message import Message

UP_WITHIN_S: Final = 30.0
LOOK_EVERY_S: Final = 0.1
DRY: Final = "dry run"
ONLINE: Final = frozenset({"ready", "busy"})


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be rehearsed; everything was checked against the station."""

    config: Path
    recipe: str
    arguments: Mapping[str, Any]
    devices: Mapping[str, str]
    twins: list[Twin]
    files: list[Path]
    """Files of the station's store that are printed."""
    speed: float
    language: str
    told: Callable[[str], None] = field(default=lambda _: None)
    """Takes each line that is told while it runs."""


async def rehearse(plan: Plan) -> dict[str, Any]:
    """Run the recipe to its end, and return the job. Raises AgentError.

    SIGTERM, and SIGHUP of a terminal that is closed, cancel it: what it has started ends with it.
    """
    if (here := asyncio.current_task()) is not None:
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, here.cancel)
    with tempfile.TemporaryDirectory(prefix="labkeeper-dry-", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        await asyncio.to_thread(_copied, plan.files, folder / "files")
        async with _agent(plan, folder) as child:
            with AgentClient(folder / "agent.sock") as client:
                await _until_up(client, plan, child)
                return await _run(client, plan)


@asynccontextmanager
async def _agent(plan: Plan, folder: Path) -> AsyncIterator[Child]:
    """The agent of the rehearsal, over its rooms of simulators."""
    addresses: dict[str, str] = {}
    keys: dict[str, str] = {}
    async with AsyncExitStack() as stack:
        for number, names in enumerate(rooms_of(plan.twins)):
            told = await _room(stack, plan, folder, number, names)
            for twin in plan.twins:
                if twin.room == number:
                    addresses[twin.device] = twin.at(told["devices"][twin.name])
                    if twin.name in told["keys"]:
                        keys[twin.device] = told["keys"][twin.name]
        from agent.cli.dry.station import Rehearsed

        rehearsed = Rehearsed(
            config=str(plan.config),
            folder=str(folder),
            speed=plan.speed,
            addresses=addresses,
            keys=keys,
        )
        command = [sys.executable, "-m", "agent.cli.dry.station", json.dumps(asdict(rehearsed))]
        yield await stack.enter_async_context(running("agent", command, folder, of=DRY))


async def _room(
    stack: AsyncExitStack, plan: Plan, folder: Path, number: int, names: list[str]
) -> Any:
    """Start one room of simulators, and return where everything in it is."""
    place, only = folder / f"room{number}", ["--only", ",".join(names)]
    command = [sys.executable, "-m", "simulators", "--json", "--dir", place]
    command += [*only, "--speed", str(plan.speed)]
    name = f"simulators{number}"
    child = await stack.enter_async_context(running(name, command, folder, speaks=True, of=DRY))
    try:
        async with asyncio.timeout(UP_WITHIN_S):
            return json.loads(await child.first_line())
    except TimeoutError:
        raise child.trouble(
            Message("said nothing for {seconds:g} s", seconds=UP_WITHIN_S)
        ) from None


async def _until_up(client: AgentClient, plan: Plan, child: Child) -> None:
    """Wait until every twin answers."""
    wanted = {twin.device for twin in plan.twins}
    try:
        async with asyncio.timeout(UP_WITHIN_S):
            while not wanted <= await asyncio.to_thread(_online, client):
                if child.process.returncode is not None:
                    raise child.trouble(
                        Message("ended with {returncode}", returncode=child.process.returncode)
                    )
                await asyncio.sleep(LOOK_EVERY_S)
    except TimeoutError:
        text = Message(
            "not every simulator answers after {seconds:g} s\n{last_lines}",
            seconds=UP_WITHIN_S,
            last_lines=child.last_lines(),
        )
        raise DeviceTrouble(text) from None


def _online(client: AgentClient) -> set[str]:
    try:
        return {it["device"] for it in client.get("devices") if it["state"] in ONLINE}
    except NoAgent:
        return set()


async def _run(client: AgentClient, plan: Plan) -> dict[str, Any]:
    """Start the job, answer what it asks, and tell what it does until it ends."""
    body = {"recipe": plan.recipe, "arguments": plan.arguments, "devices": dict(plan.devices)}
    job: dict[str, Any] = await asyncio.to_thread(lambda: client.post("jobs", body=body))
    report = Report(plan.language)
    while True:
        job, events = await asyncio.to_thread(_look, client, job["job"])
        for line in report.of(job, events):
            plan.told(line)
        if job["ended"]:
            return job
        await asyncio.sleep(LOOK_EVERY_S)


def _look(client: AgentClient, name: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    for question in client.get("questions")["questions"]:
        body = {"value": answer_to(question)}
        client.post("questions", question["question"], "answer", body=body)
    job = client.get("jobs", name)
    return job, client.get("events")


def _copied(files: list[Path], folder: Path) -> None:
    folder.mkdir(parents=True)
    for file in files:
        shutil.copyfile(file, folder / file.name)
