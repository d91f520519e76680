"""The history of runs over HTTP: listed and chosen, verified, and plotted while they run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from agent.store import run_pages
from agent.store.entries import AGENT, EventEntry
from agent.store.ledger_pages import LedgerPages
from agent.store.run_manifest import RUN_CLOSED, SIDECAR
from agent.store.run_shelf import RunShelf
from tests.agent.api_bench import client_of
from tests.agent.bench import station_in_memory
from tests.agent.jobs_bench import toys
from tests.agent.ledger_bench import opened
from tests.agent.runs_bench import closed_folder, runs_in_memory
from tests.agent.web_bench import problem

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]


@asynccontextmanager
async def asked(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Three runs that have ended, one that is open, and a client of their API."""
    shelf = folder / "runs"
    await asyncio.to_thread(_filled, shelf)
    async with station_in_memory(folder=folder) as bench:
        pages = LedgerPages(folder)
        station = replace(bench.station, runs=RunShelf(shelf), ledger_pages=pages)
        async with client_of(station) as client:
            yield client


def _filled(shelf: Path) -> None:
    for number in (1, 2, 3):
        ending = {"verdict": "fail" if number == 2 else "pass", "began": f"2026-11-2{number}T09:00"}
        closed_folder(shelf, f"2026112{number}-090000-{number}", ending)
    open_one = closed_folder(shelf, "20261124-090000-4").folder
    (open_one / "manifest.json").unlink()


async def jobs(client: httpx.AsyncClient, **wanted: Any) -> tuple[list[str], str | None]:
    answer = await client.get("/runs", params=wanted)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    return [it["job"][6:8] for it in found["runs"]], found["next"]


async def test_runs_come_newest_first_page_by_page(tmp_path: Path) -> None:
    async with asked(tmp_path) as client:
        assert await jobs(client) == (["24", "23", "22", "21"], None)
        first, following = await jobs(client, limit=3)
        assert (first, following) == (["24", "23", "22"], "20261121-090000-1_시험")
        assert await jobs(client, limit=3, cursor=following) == (["21"], None)
        [newest, *_] = (await client.get("/runs")).json()["runs"]
        assert (newest["state"], newest["by"], newest["parameters"]) == (
            "open",
            "kim",
            {"lot": "L-3"},
        )


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"verdict": "fail"}, ["22"]),
        ({"state": "open"}, ["24"]),
        ({"recipe": "시험", "state": "done"}, ["23", "22", "21"]),
        ({"recipe": "other"}, []),
        ({"by": "kim", "since": "2026-11-22"}, ["23", "22"]),
        ({"since": "2026-11-22", "until": "2026-11-23T00:00Z"}, ["22"]),
        ({"text": "l-3", "verdict": "pass", "state": "done"}, ["23", "21"]),
        ({"text": "사이클", "verdict": "fail"}, ["22"]),
        ({"text": "L-4"}, []),
    ],
    ids=str,
)
async def test_runs_are_chosen_by_what_they_were(
    tmp_path: Path, wanted: dict[str, str], found: list[str]
) -> None:
    async with asked(tmp_path) as client:
        assert (await jobs(client, **wanted))[0] == found


async def test_a_page_looks_at_so_many_folders_and_says_where_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_pages, "LOOKED_AT", 2)
    async with asked(tmp_path) as client:
        found, following = await jobs(client, verdict="fail")
        assert found == []
        assert await jobs(client, verdict="fail", cursor=following) == (["22"], None)


async def test_a_manifest_that_somebody_spoiled_is_a_line_that_says_little(tmp_path: Path) -> None:
    async with asked(tmp_path) as client:
        path = tmp_path / "runs" / "20261123-090000-3_시험" / "manifest.json"
        text = json.loads(await asyncio.to_thread(path.read_text, "utf-8"))
        text.update(recipe="x", by=7, parameters={"a": "\ud800", "b": [1]}, verdict=None)
        await asyncio.to_thread(path.write_text, json.dumps(text), "utf-8")
        [_, spoiled, *_] = (await client.get("/runs")).json()["runs"]
        assert (spoiled["recipe"], spoiled["by"], spoiled["verdict"]) == ("", "", "none")
        assert spoiled["parameters"] == {"a": "\\ud800"}


async def test_a_run_is_verified_against_its_manifest_and_the_ledger(tmp_path: Path) -> None:
    job = "20261123-090000-3"
    async with asked(tmp_path) as client:
        folder = tmp_path / "runs" / f"{job}_시험"
        digest = (await asyncio.to_thread((folder / SIDECAR).read_text)).split()[0]
        async with opened(tmp_path) as ledger:
            entry = EventEntry(
                action=RUN_CLOSED, target="시험", after={"manifest": digest}, job=job
            )
            await ledger.record(AGENT, entry)
        whole = (await client.post(f"/jobs/{job}/run/verify", json={})).json()
        assert (whole["verified"], whole["manifest"], whole["faults"]) == (True, digest, [])
        assert "has this very manifest" in whole["notes"][0]
        await asyncio.to_thread((folder / "measures.csv").write_text, "forged")
        altered = (await client.post(f"/jobs/{job}/run/verify", json={})).json()
        assert not altered["verified"]
        assert [it["file"] for it in altered["faults"]] == ["measures.csv"]
        problem(await client.post("/jobs/none/run/verify", json={}), 404, "no-such")


async def test_what_a_job_records_can_be_plotted_while_it_runs_and_afterwards(
    tmp_path: Path,
) -> None:
    async with runs_in_memory(tmp_path) as bench:
        station = replace(bench.jobs.station.station, runs=bench.shelf)
        async with client_of(station) as client:
            bench.jobs.write(
                "- record: [supply.voltage]\n  every: 50 ms\n  as: warm_up\n  steps:\n"
                "    - wait: 20"
            )
            job = await bench.jobs.start()
            path = f"/jobs/{job.id}/records/warm_up"

            async def has_rows() -> bool:
                answer = await client.get(path)
                return answer.status_code == 200 and answer.json()["rows"] > 3

            await until(has_rows)
            assert (await client.get(f"/jobs/{job.id}/records")).json() == {"records": ["warm_up"]}
            [series] = (await client.get(path, params={"points": 2})).json()["series"]
            assert (series["name"], series["unit"]) == ("supply.voltage", "V")
            assert len([it for it in series["values"] if it is not None]) <= 2
            await client.post(f"/jobs/{job.id}/stop", json={})
            await bench.folder(job)
            assert (await client.get(path)).json()["rows"] > 3
            for name in ("other", quote("../measures", safe=""), "%00"):
                answer = await client.get(f"/jobs/{job.id}/records/{name}")
                assert answer.status_code == 404, name
            problem(await client.get(path, params={"points": 1}), 422, "bad-value")


async def until(holds: Any) -> None:
    """Wait for rows on the disk, of which no event tells."""
    async with asyncio.timeout(10):
        while not await holds():
            await asyncio.sleep(0.02)
