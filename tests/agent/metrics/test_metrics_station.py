"""The page of a whole station: every metric of the table, and none beside it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trustme
from prometheus_client.metrics_core import Metric as Family

from agent.clock import SystemClock
from agent.fleet.board import Board
from agent.jobs.job_tally import JobTally
from agent.metrics import page_of
from agent.metrics.definitions import METRICS
from agent.metrics.device_metrics import READINGS, VALUES
from agent.metrics.devices import WRITTEN
from agent.metrics.itself import LoopLag
from agent.metrics.metric import SUFFIX
from agent.metrics.station_page import Scraped
from agent.settings.certificate import expiry_of
from agent.spread import Spread
from agent.store.chain import EMPTY
from agent.store.disk_watch import Room
from tests.agent.metrics_bench import families

BY_HAND = {
    *(f"labkeeper_{name}" for name in WRITTEN),
    *(metric.name for metric in (*VALUES.metrics, *READINGS.metrics)),
}


DEVICES = (
    SimpleNamespace(name="psu1", enabled=True, calibrated_until=date(2027, 3, 31)),
    SimpleNamespace(name="dmm1", enabled=True, calibrated_until=None),
    SimpleNamespace(name="gone", enabled=False, calibrated_until=date(2027, 3, 31)),
)


class NoBroker:
    """Counts of a session that has done nothing."""

    connected = False
    connects = published = refused = waiting = dropped = 0


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    path = tmp_path / "door.pem"
    made = trustme.CA().issue_cert("bench.example")
    made.cert_chain_pems[0].write_to_path(str(path))
    return path


def _station(certificate: Path, mqtt: Any = None) -> Scraped:
    network = SimpleNamespace(certificate=certificate)
    station: Any = SimpleNamespace(
        board=Board(),
        workers={},
        version="0.1.0",
        clock=SystemClock(),
        interlocks=SimpleNamespace(standing=tuple, trips={}),
        traffic=dict,
        jobs=SimpleNamespace(listing=(), questions=(), held=None, tally=JobTally()),
        ledger=SimpleNamespace(
            head=EMPTY,
            commits=Spread((1.0,)),
            provenance=SimpleNamespace(config_hash="c0ffee"),
        ),
        disk=SimpleNamespace(room=Room(0.5, 1e9, "half of it"), probe=SimpleNamespace(silent=3.0)),
        alarms=SimpleNamespace(all={}),
        start=SimpleNamespace(
            config_read=12.5,
            settings=SimpleNamespace(
                api=SimpleNamespace(network=network),
                mqtt=mqtt,
                devices={it.name: it for it in DEVICES},
            ),
        ),
    )
    return page_of(station, NoBroker())


async def _page(certificate: Path) -> dict[str, Family]:
    scraped = _station(certificate)
    await scraped.itself.look()
    return {it.name: it for it in families(scraped.page.text("openmetrics"), "openmetrics")}


async def test_every_metric_of_the_table_is_told_and_no_other(certificate: Path) -> None:
    found = await _page(certificate)
    names = {f"{it.name}{SUFFIX.get(it.type, '')}" for it in found.values()}
    counted = {name for name in names if name.startswith("labkeeper_")}
    assert counted | BY_HAND == set(METRICS)
    assert not counted & BY_HAND
    assert {"process_cpu_seconds_total", "process_resident_memory_bytes"} <= names


async def test_heads_say_what_the_table_says(certificate: Path) -> None:
    for family in (await _page(certificate)).values():
        if family.name.startswith("labkeeper_"):
            metric = METRICS[f"{family.name}{SUFFIX.get(family.type, '')}"]
            assert (family.type, family.unit) == (metric.kind, metric.unit), family.name
            assert family.documentation == metric.about
            for sample in family.samples:
                assert sample.labels.keys() - {"le"} == set(metric.labels), family.name


async def test_the_agent_tells_of_its_config_certificate_threads_and_tasks(
    certificate: Path,
) -> None:
    found = {
        sample.name: (sample.value, sample.labels)
        for family in (await _page(certificate)).values()
        for sample in family.samples
    }
    assert found["labkeeper_config_info"] == (1.0, {"sha256": "c0ffee"})
    assert found["labkeeper_config_timestamp_seconds"][0] == 12.5
    assert found["labkeeper_build_info"] == (1.0, {"version": "0.1.0"})
    assert found["labkeeper_threads"][0] >= 2
    assert found["labkeeper_tasks"][0] >= 1
    value, door = found["labkeeper_certificate_expiry_timestamp_seconds"]
    assert (value, door) == (expiry_of(certificate), {"door": "network"})
    assert value > 1_700_000_000
    ends = found["labkeeper_calibration_expiry_timestamp_seconds"]
    assert ends == (datetime(2027, 4, 1, tzinfo=UTC).timestamp(), {"device": "psu1"})


async def test_the_certificate_that_is_shown_to_the_broker_is_told_where_there_is_one(
    certificate: Path,
) -> None:
    async def doors(mqtt: Any) -> list[str]:
        scraped = _station(certificate, mqtt)
        await scraped.itself.look()
        told = {it.name: it for it in families(scraped.page.text("openmetrics"), "openmetrics")}
        samples = told["labkeeper_certificate_expiry_timestamp_seconds"].samples
        assert {it.value for it in samples} == {expiry_of(certificate)}
        return [it.labels["door"] for it in samples]

    tls = SimpleNamespace(certificate=certificate)
    assert await doors(SimpleNamespace(tls=tls)) == ["network", "mqtt"]
    tls.certificate = None
    assert await doors(SimpleNamespace(tls=tls)) == ["network"]
    assert await doors(SimpleNamespace(tls=None)) == ["network"]


def test_a_certificate_that_cannot_be_read_has_no_end(tmp_path: Path) -> None:
    (tmp_path / "none.pem").write_text("no certificate")
    assert expiry_of(tmp_path / "none.pem") is None
    assert expiry_of(tmp_path / "missing.pem") is None


async def test_a_disk_that_hangs_holds_no_scrape_up_and_takes_one_thread(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scraped, release, begun = _station(certificate), threading.Event(), []
    monkeypatch.setattr("agent.metrics.itself.LOOK_WITHIN_S", 0.01)

    def hangs(path: Path) -> None:
        begun.append(path)
        release.wait(20)

    monkeypatch.setattr("agent.metrics.itself.expiry_of", hangs)
    try:
        for _ in range(3):
            await scraped.itself.look()
        assert begun == [certificate]
        assert b"labkeeper_build_info" in scraped.page.text()
    finally:
        release.set()


class LateClock(SystemClock):
    """Lets each sleep take 30 ms longer than asked for, and none take any time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept = asyncio.Event()

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds + 0.03
        if self.now > 5:
            self.slept.set()
        await asyncio.sleep(0)


async def test_a_loop_that_comes_late_is_seen_in_the_histogram() -> None:
    clock = LateClock()
    lag = LoopLag(clock)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(lag.run())
        await clock.slept.wait()
        running.cancel()
    [family] = lag.families()
    counts: Mapping[str, float] = {
        it.labels["le"]: it.value for it in family.samples if "le" in it.labels
    }
    assert counts["0.025"] == 0
    assert counts["0.05"] == counts["+Inf"] >= 9
