"""Every query of every dashboard is put to a real Prometheus that watches a busy station, and has an answer."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from httpx import AsyncClient as Client

from agent.clock import SystemClock
from tests.dashboard_files import Asked, asked, choices, filled, label_query
from tests.dashboards_in_trouble import ONLY_IN_TROUBLE
from tests.lab.busy_station import NAME, busy_station, entry, print_file
from tests.lab.print_station import PrintStation
from tests.lab.processes import Room
from tests.lab.test_rules_live import PROGRAM, Watch, start, watching

ANSWERED_WITHIN_S: Final = 40.0
pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(180),
    pytest.mark.skipif(not PROGRAM, reason="Debian's prometheus is not installed"),
]
Fill = Callable[[str], str]


def here(expr: str) -> str:
    """With the station chosen, and all of its devices."""
    return filled(expr, station=NAME)


def nowhere(expr: str) -> str:
    """With a station chosen that there is not."""
    return filled(expr, station="no-such-station")


def renamed(expr: str) -> str:
    """With a metric that was renamed, of each that is asked for."""
    return re.sub(r"\b(labkeeper_|process_|scrape_|up\b|ALERTS\b)", r"new_\1", here(expr))


async def test_every_panel_has_something_to_show_and_none_of_a_station_that_there_is_not(
    lab: Room, folder: Path
) -> None:
    async with watching(folder) as address, busy_station(lab, folder) as bench:
        prometheus = Watch(address)
        entries = folder / "prometheus" / "labkeeper"
        (entries / "bench-1.json").write_text(entry(bench.running.config), encoding="utf-8")
        await prometheus.until_asked('labkeeper_device_up{device="oven1"} == 1')
        async with everything_under_way(bench, prometheus, folder):
            async with Client(base_url=f"{address}/api/v1", timeout=10) as client:
                await all_are_answered(client)
                assert await answered(client, nowhere) == []
                assert await answered(client, renamed) == []
                await every_choice_is_offered(client)


@asynccontextmanager
async def everything_under_way(
    bench: PrintStation, prometheus: Watch, folder: Path
) -> AsyncIterator[None]:
    """One job has ended well and one badly, one runs, one waits; a print; a device that is lost."""
    for recipe in ("short", "failing", "long", "long"):
        await start(bench.running, recipe)
    async with bench.printing("printer1", str(print_file(folder))):
        await bench.state("printer1", "printing")
        for function, quantity in (
            ("current_dc", "current_amperes"),
            ("resistance", "resistance_ohms"),
        ):
            put = await bench.ask(
                "PUT", "/devices/dmm1/settings/function", json={"value": function}
            )
            assert put.is_success, put.text
            await prometheus.until_asked(f'labkeeper_{quantity}{{device="dmm1"}}')
        await bench.lab.control.ask("dmm1", do="stop")
        await prometheus.until_firing(alertname="DeviceOffline", device="dmm1")
        yield


async def all_are_answered(prometheus: Client) -> None:
    """Wait until each query has an answer; those that have one only in trouble may have none."""
    waiting = {it.id for it in asked()} - ONLY_IN_TROUBLE.keys()
    try:
        async with asyncio.timeout(ANSWERED_WITHIN_S):
            while waiting:
                waiting -= {it.id for it in await answered(prometheus, here, waiting)}
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise AssertionError(f"nothing to show: {sorted(waiting)}") from None


async def answered(
    prometheus: Client, fill: Fill, among: Collection[str] | None = None
) -> list[Asked]:
    """The queries that have an answer with a number in it."""
    found = [it for it in asked() if among is None or it.id in among]
    return [it for it in found if await _numbers(prometheus, fill(it.expr), it.is_instant)]


async def _numbers(prometheus: Client, expr: str, is_instant: bool) -> list[Any]:
    """All values of an answer that are numbers, over the time or at this moment as the panel asks."""
    if is_instant:
        rows = (await _told(prometheus, "query", query=expr))["result"]
        values = [it["value"] for it in rows]
    else:
        now = SystemClock().utc()
        over = {"start": f"{now - 300:.3f}", "end": f"{now:.3f}", "step": "1"}
        rows = (await _told(prometheus, "query_range", query=expr, **over))["result"]
        values = [pair for it in rows for pair in it["values"]]
    return [value for _, value in values if not math.isnan(float(value))]


async def _told(prometheus: Client, path: str, **what: str) -> Any:
    reply = await prometheus.get(f"/{path}", params=what)
    assert reply.is_success, f"Prometheus refuses {what}: {reply.text}"
    return reply.json()["data"]


async def every_choice_is_offered(prometheus: Client) -> None:
    offered = {"site": "osong", "station": NAME, "device": "oven1"}
    for uid, it in choices():
        series, label = label_query(it["query"])
        found = await _told(prometheus, f"label/{label}/values", **{"match[]": here(series)})
        assert offered[it["name"]] in found, (uid, it["name"])
        if "$station" in series:
            nobody = {"match[]": nowhere(series)}
            assert await _told(prometheus, f"label/{label}/values", **nobody) == []
