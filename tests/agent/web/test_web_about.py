"""What the agent is and how it is, over HTTP."""

from __future__ import annotations

import platform
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from agent.clock import SystemClock
from agent.station import Start, Written
from agent.store.ledger_pages import LedgerPages
from drivers import catalogue
from tests.agent.api_bench import client_of
from tests.agent.bench import station_in_memory
from tests.agent.ledger_bench import PROVENANCE, opened


@dataclass
class Session:
    """A session with a broker, as it stands, which takes what is published or does not."""

    connected: bool
    denied: str | None = None

    async def tried(self) -> Written:
        return Written("lab/v1/bench-1/reply/doctor", self.denied)


class LateClock(SystemClock):
    """A clock by which each sleep takes longer than it should, as on a loop that is held up."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds + 0.25


async def test_versions_are_those_of_what_is_installed(tmp_path: Path) -> None:
    async with station_in_memory(folder=tmp_path) as bench, client_of(bench.station) as client:
        found = (await client.get("/about")).json()
        assert (found["agent"], found["python"]) == (
            version("labkeeper"),
            platform.python_version(),
        )
        libraries = {it["name"]: it for it in found["libraries"]}
        assert libraries["fastapi"]["version"] == version("fastapi")
        assert libraries["fastapi"]["licence"]
        assert {it["name"] for it in found["drivers"]} >= set(catalogue.DRIVERS)
        assert {it["from"] for it in found["drivers"] if it["name"] in catalogue.DRIVERS} == {
            "labkeeper"
        }


async def test_the_config_in_force_is_told_with_its_hash_and_when_it_was_read(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as ledger, station_in_memory(folder=tmp_path) as bench:
        settings: Any = SimpleNamespace(file=Path("/etc/station.yaml"))
        start = Start(monotonic=0.0, config_read=1_790_000_000.25, settings=settings)
        station = replace(bench.station, ledger=ledger, start=start)
        async with client_of(station) as client:
            assert (await client.get("/about")).json()["config"] == {
                "file": "/etc/station.yaml",
                "sha256": PROVENANCE.config_hash,
                "read": "2026-09-21T14:13:20.250Z",
            }
        async with client_of(replace(station, ledger=None)) as client:
            assert (await client.get("/about")).json()["config"]["sha256"] is None


async def test_health_says_what_works_and_what_does_not(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger, station_in_memory(folder=tmp_path) as bench:
        well = replace(
            bench.station,
            ledger=ledger,
            ledger_pages=LedgerPages(tmp_path),
            broker=Session(connected=True),
        )
        async with client_of(well) as client:
            found = (await client.get("/about")).json()["health"]
            assert found["database"] == {"recording": True, "readable": True, "why": ""}
            assert (found["broker"], found["uptime"], found["disk"]) == ("connected", None, None)
            assert 0 <= found["loop_lag"] < 5
        settings: Any = SimpleNamespace(file=Path("x"))
        start = Start(monotonic=40.0, config_read=0.0, settings=settings)
        ill = replace(
            well,
            ledger=None,
            ledger_pages=LedgerPages(tmp_path / "gone"),
            broker=Session(connected=False),
            clock=LateClock(),
            start=start,
        )
        async with client_of(ill) as client:
            found = (await client.get("/about")).json()["health"]
            assert (found["database"]["recording"], found["database"]["readable"]) == (False, False)
            assert "gone" in found["database"]["why"]
            assert (found["broker"], found["uptime"]) == ("disconnected", 60.0)
            assert found["loop_lag"] == 0.25
        async with client_of(replace(well, broker=None)) as client:
            assert (await client.get("/about")).json()["health"]["broker"] == "off"


async def test_whether_the_broker_lets_the_agent_write_is_tried_only_for_who_asks(
    tmp_path: Path,
) -> None:
    async with station_in_memory(folder=tmp_path) as bench:
        denied = replace(bench.station, broker=Session(connected=True, denied="Not authorized"))
        async with client_of(denied) as client:
            assert (await client.get("/about")).json()["health"]["written"] is None
            assert (await client.get("/about?write=true")).json()["health"]["written"] == {
                "topic": "lab/v1/bench-1/reply/doctor",
                "denied": "Not authorized",
            }
        lost = replace(bench.station, broker=Session(connected=False))
        async with client_of(lost) as client:
            assert (await client.get("/about?write=true")).json()["health"]["written"] is None
