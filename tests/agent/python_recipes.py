"""Recipes in Python on toys: good ones, and such as nobody should write."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Annotated

from agent.errors import AgentError, Refused
from agent.jobs.recipes.device_roles import DeviceRole
from agent.jobs.recipes.parameters import Parameter
from agent.jobs.recipes.python_recipe import DeviceDesk, JobDesk, PythonRecipe, recipe
from agent.settings import Title
from drivers import Span

Supply = Annotated[DeviceDesk, DeviceRole(driver=("toy.supply",), device="psu1")]
Other = Annotated[DeviceDesk, DeviceRole(driver=("toy.supply",), device="psu2")]
HERE = Path(__file__)
NOTHING: dict[str, int] = {}


@recipe(version="1", title=Title(ko="전체", en="Whole"))
async def whole(
    job: JobDesk, supply: Supply, level: Annotated[float, Span(0, 8, "V")] = 3.0
) -> None:
    """Every kind of call."""
    await job.record("supply.voltage", every=0.05)
    await supply.set("voltage", level)
    await supply.set("output", True)
    measured = await supply.read("voltage")
    if not await job.measure("reached", measured, unit="V", low=level - 0.1, high=level + 0.1):
        raise Refused("it has not been reached")
    passed = await job.measure("too_much", measured, unit="V", high=1.0)
    thick = await job.input("두께는?", "How thick?", Parameter(type="number", low=0.0, high=5.0))
    sure = await job.confirm("확실합니까?", "Sure {really}?")
    await job.log("끝", f"passed {passed}, {thick}, {sure}, =not {{an}} expression")
    await job.call("inner", level=1.5)


@recipe(version="1")
async def breaks(job: JobDesk, supply: Supply) -> None:
    """A mistake of its author."""
    await supply.set("output", True)
    NOTHING["no such key"]


@recipe(version="1")
async def refused(job: JobDesk, supply: Supply) -> None:
    """What a device does not take."""
    await supply.set("voltage", 500.0)


@recipe(version="1")
async def prepared(job: JobDesk, supply: Supply) -> None:
    """It knows what it does after a refusal."""
    try:
        await supply.set("voltage", 500.0)
    except AgentError as error:
        await job.log("거부", f"{type(error).__name__}")
    try:
        async with asyncio.timeout(0.05):
            await job.wait(60)
    except TimeoutError:
        await job.log("시간", "it took too long")


@recipe(version="1")
async def patient(job: JobDesk, supply: Supply) -> None:
    """It cleans up behind itself."""
    try:
        await supply.set("output", True)
        await job.wait(60)
    finally:
        await supply.set("voltage", 1.0)
        await job.log("정리", "cleaned up")


@recipe(version="1")
async def stubborn(job: JobDesk, supply: Supply) -> None:
    """It does not want to end."""
    while True:
        try:
            await supply.set("voltage", 2.0)
            await job.wait(0.01)
        except asyncio.CancelledError:
            pass


@recipe(version="1")
async def blocking(job: JobDesk, supply: Supply) -> None:
    """It keeps the loop for itself."""
    began = time.perf_counter()
    while time.perf_counter() < began + 0.3:
        pass
    await supply.set("voltage", 1.0)


@recipe(version="1")
async def side_by_side(job: JobDesk, supply: Supply, other: Other) -> None:
    """Two devices at once."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(supply.ramp("voltage", 0.2, per_second=2.0, every=0.05))
        tasks.create_task(other.set("voltage", 2.0))
        tasks.create_task(job.wait(0.2))


@recipe(version="1")
async def greedy(job: JobDesk, supply: Supply) -> None:
    """It calls what it has no device for."""
    await job.call("foreign")


@recipe(version="1")
async def round_and_round(job: JobDesk, supply: Supply) -> None:
    """It is called by what it calls."""
    await job.call("calls_back")


@recipe(version="1")
async def undeterred(job: JobDesk, supply: Supply) -> None:
    """It goes on when what it calls has failed, and calls it again."""
    for _ in range(2):
        try:
            await job.call("inner")
        except AgentError as error:
            await job.log("실패", str(error))
        await supply.set("voltage", 3.0)


@recipe(version="1")
async def caller(job: JobDesk, supply: Supply) -> None:
    """It calls by name what calls another."""
    await job.call("outer")


@recipe(version="1")
async def secretive(job: JobDesk, supply: Supply) -> None:
    """What it calls is not known before."""
    await job.call("in" + "ner"[:3])


Printer = Annotated[DeviceDesk, DeviceRole(driver=("toy.printer",), device="printer1")]


@recipe(version="1")
async def heedless(job: JobDesk, printer: Printer) -> None:
    """It would print on whatever lies on the plate."""
    await printer.do("print", file="part.gcode")


RECIPES = [name for name, it in list(globals().items()) if isinstance(it, PythonRecipe)]
