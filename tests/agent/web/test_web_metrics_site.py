"""The page for Prometheus and the one for health, on a listener of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from agent.fleet.states import DeviceState
from agent.metrics import BrokerCounts, StationPage, metrics_app
from agent.web.listeners import bind_tcp
from agent.web.metrics_site import build_metrics_site
from tests.agent.bench import PLAN, named
from tests.agent.metrics_bench import scraped
from tests.agent.web_bench import (
    Web,
    problem,
    served,
    serving,
)

pytestmark = pytest.mark.lab


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    async with served(PLAN, named("psu2"), folder=tmp_path) as found:
        yield found


@dataclass
class Counts:
    """What a session with a broker counts."""

    connected: bool = True
    connects: int = 1
    published: int = 0
    refused: int = 0
    waiting: int = 0
    dropped: int = 0


@pytest.fixture
def broker() -> Counts:
    return Counts()


@pytest.fixture
async def site(web: Web, broker: BrokerCounts) -> AsyncIterator[httpx.AsyncClient]:
    listener = bind_tcp("127.0.0.1:0", "metrics.listen")
    metrics = metrics_app(StationPage(web.bench.board, web.bench.station.workers))
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with serving(build_metrics_site(web.bench.station, metrics, broker), listener):
        async with httpx.AsyncClient(base_url=base) as client:
            yield client


async def test_the_metrics_page_has_the_devices(site: httpx.AsyncClient) -> None:
    answer = await site.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'labkeeper_device_up{device="psu1"} 1.0' in answer.text
    newer = await site.get("/metrics", headers={"Accept": "application/openmetrics-text"})
    assert newer.text.endswith("# EOF\n")


@pytest.mark.parametrize("accepted", ["text/plain", "application/openmetrics-text"])
async def test_a_page_in_slices_and_compressed_is_the_page_as_a_whole(
    accepted: str, web: Web, site: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = scraped(StationPage(web.bench.board, web.bench.station.workers))
    expected = {name for name, _ in whole}
    for limit in ("devices.AT_ONCE", "readings.BLOCKS", "exposition.PIECE", "exposition.PACKED"):
        monkeypatch.setattr(f"agent.metrics.{limit}", 1)
    asked = {"Accept": accepted, "Accept-Encoding": "gzip"}
    answer = await site.get("/metrics", headers=asked)
    assert answer.headers["content-encoding"] == "gzip"
    lines = answer.text.splitlines()
    heads = [line for line in lines if line.startswith("# TYPE")]
    assert len(set(heads)) == len(heads)
    names = {line.partition("{")[0].partition(" ")[0] for line in lines if line[0] != "#"}
    assert names >= expected
    assert [line for line in lines if line == "# EOF"] == ["# EOF"] * ("openmetrics" in accepted)
    assert sum(line.startswith("labkeeper_device_up{") for line in lines) == 2


async def test_health_counts_the_devices_that_answer_and_knows_the_broker(
    web: Web, site: httpx.AsyncClient, broker: Counts
) -> None:
    assert (await site.get("/health")).json() == {
        "status": "ok",
        "station": "bench-1",
        "version": "0.0.0",
        "devices": {"total": 2, "up": 2},
        "mqtt": "connected",
    }
    web.bench.simulators["psu2"].unplugged = True
    await web.bench.until_state("psu2", DeviceState.OFFLINE)
    broker.connected = False
    later = (await site.get("/health")).json()
    assert later["devices"] == {"total": 2, "up": 1}
    assert later["mqtt"] == "disconnected"


async def test_the_metrics_site_has_two_pages_and_one_name(site: httpx.AsyncClient) -> None:
    problem(await site.get("/"), 404, "no-such")
    problem(await site.get("/api/v1/stop"), 404, "no-such")
    problem(await site.post("/metrics"), 405, "wrong-method")
    for page in ("/metrics", "/health"):
        problem(await site.get(page, headers={"Host": "evil.example"}), 421, "wrong-host")
