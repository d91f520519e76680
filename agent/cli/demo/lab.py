"""The demo from start to end: broker, simulators, agent; then something to see, until it is enough."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, Final

from agent.cli import output
from agent.cli.client import AgentClient
from agent.cli.demo.cube import cube
from agent.cli.demo.folder import folder_for, prepared
from agent.cli.demo.guide import Place
from agent.cli.demo.parts import broker_on, simulators_in
from agent.cli.demo.ports import DemoPorts, choose
from agent.cli.demo.processes import Child, running
from agent.cli.demo.station import DEVICES
from agent.cli.demo.wishes import Wishes
from agent.cli.watching import Picture, show_devices, titles_of
from agent.errors import DeviceTrouble, NoAgent
from agent.languages.message import Message

UP_WITHIN_S: Final = 30.0
LOOK_EVERY_S: Final = 0.1
PRINTED: Final = "demo.gcode"
ONLINE: Final = frozenset({"ready", "busy"})


def run_demo(wishes: Wishes) -> None:
    """Run the demo until Ctrl-C, SIGTERM, a closed terminal or its time. Raises AgentError."""
    ports = choose(wishes)
    with folder_for(wishes.folder) as folder, prepared(folder):
        asyncio.run(_until_told(_demo(wishes, ports, folder)))


async def _until_told(work: Coroutine[Any, Any, None]) -> None:
    """Do the work until Ctrl-C, SIGTERM or SIGHUP, which a terminal sends when it is closed.

    A second signal changes nothing: the end is under way.
    """
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, told.set)
    async with asyncio.TaskGroup() as tasks:
        demo = tasks.create_task(work, name="demo")
        waiting = tasks.create_task(told.wait(), name="signals")
        await asyncio.wait([demo, waiting], return_when=asyncio.FIRST_COMPLETED)
        demo.cancel()
        waiting.cancel()


async def _demo(wishes: Wishes, ports: DemoPorts, folder: Path) -> None:
    """Start everything, show it, and end it in the opposite order."""
    async with (
        broker_on(ports.broker, folder) as broker,
        simulators_in(folder, wishes.speed) as (room, told),
    ):
        config = folder / "station.yaml"
        config.write_text(told.station_file(folder, ports, broker=broker is not None), "utf-8")
        command = [sys.executable, "-m", "agent.cli", "run", "--config", config]
        async with running("agent", command, folder) as agent:
            children = [child for child in (broker, room, agent) if child is not None]
            place = Place(
                folder=folder,
                config=config,
                socket=folder / "agent.sock",
                ports=ports,
                broker=broker is not None,
                control=told.control,
                pids={child.name: child.process.pid for child in children},
            )
            await _while_they_live(children, _visit(wishes, place, agent))


async def _while_they_live(children: Sequence[Child], work: Coroutine[Any, Any, None]) -> None:
    """Do the work; a child that ends before its end ends the work, too."""
    async with asyncio.TaskGroup() as tasks:
        watches = [tasks.create_task(it.lives(), name=f"{it.name} lives") for it in children]
        visit = tasks.create_task(work, name="visit")
        await asyncio.wait([visit])
        for watch in watches:
            watch.cancel()


async def _visit(wishes: Wishes, place: Place, agent: Child) -> None:
    """Wait until all is up, set something going, say where to look, and show it."""
    with AgentClient(place.socket) as client:
        await _until_up(client, agent)
        done = await asyncio.to_thread(_set_going, client)
    if wishes.as_json:
        output.line(place.as_line())
    else:
        output.line(place.as_text(done))
    limit = asyncio.timeout(wishes.seconds)
    try:
        async with limit:
            await (asyncio.Event().wait() if wishes.as_json else _show_table(place))
    except TimeoutError:
        if not limit.expired():
            raise


async def _show_table(place: Place) -> None:
    names = frozenset(DEVICES)
    titles = await asyncio.to_thread(titles_of, place.socket, names)
    await show_devices(place.socket, Picture(names, titles))


async def _until_up(client: AgentClient, agent: Child) -> None:
    """Wait until every device answers. Raises DeviceTrouble: which one does not, and why."""
    missing: list[str] = [Message("the agent has not been asked yet")]
    try:
        async with asyncio.timeout(UP_WITHIN_S):
            while missing:
                missing = await asyncio.to_thread(_missing, client)
                await asyncio.sleep(LOOK_EVERY_S if missing else 0)
    except TimeoutError:
        reasons = "; ".join(missing)
        raise DeviceTrouble(
            Message(
                "not everything is up after {seconds:g} s: {reasons}\n{last_lines}",
                seconds=UP_WITHIN_S,
                reasons=reasons,
                last_lines=agent.last_lines(),
            )
        ) from None


def _missing(client: AgentClient) -> list[str]:
    """What is not up yet, each with its reason."""
    try:
        devices = {device["device"]: device for device in client.get("devices")}
    except NoAgent as error:
        return [str(error)]
    return [
        Message(
            "{name} is {state}: {reason}",
            name=name,
            state=devices[name]["state"],
            reason=devices[name]["reason"],
        )
        if name in devices
        else Message("{name} is not known", name=name)
        for name in DEVICES
        if name not in devices or devices[name]["state"] not in ONLINE
    ]


def _set_going(client: AgentClient) -> list[str]:
    """Add a file, heat the oven and switch the supply on, as any client could; return what was done."""
    program = cube().encode()
    client.send("files", PRINTED, body=[program], size=len(program), replace="true")
    done: list[str] = [Message("files: {printed} is there to be printed", printed=PRINTED)]
    for device, setting, value, what in (
        ("oven1", "setpoint", 80.0, Message("the oven is to hold 80 °C")),
        ("oven1", "running", True, Message("it heats")),
        ("psu1", "voltage", 5.0, Message("the supply is to hold 5 V")),
        ("psu1", "output", True, Message("its output is on")),
    ):
        client.put("devices", device, "settings", setting, body={"value": value})
        done.append(
            Message("{device}.{setting}: {text}", device=device, setting=setting, text=what)
        )
    return done
