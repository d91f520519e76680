"""Run folders over HTTP: the manifest, its files, and nothing else of the disk."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from agent.web.api import build_api
from tests.agent.jobs_bench import toys
from tests.agent.runs_bench import RunsBench, runs_in_memory
from tests.agent.web_bench import SETTINGS, TOKEN, problem

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]


@asynccontextmanager
async def asked(folder: Path) -> AsyncIterator[tuple[RunsBench, httpx.AsyncClient]]:
    """Runs, and a client of their API."""
    async with runs_in_memory(folder) as bench:
        station = replace(bench.jobs.station.station, runs=bench.shelf)
        api = build_api(station, SETTINGS, TOKEN)

        async def served(scope: Scope, receive: Receive, send: Send) -> None:
            await api({**scope, "state": {}}, receive, send)

        over = httpx.ASGITransport(app=served)
        base = "http://127.0.0.1:8080/api/v1"
        async with httpx.AsyncClient(transport=over, base_url=base) as client:
            yield bench, client


async def test_every_file_that_the_manifest_names_can_be_had_and_is_what_it_says(
    tmp_path: Path,
) -> None:
    async with asked(tmp_path) as (bench, client):
        bench.jobs.write(
            "- record: [supply.voltage]\n  every: 50 ms\n  as: warm_up\n  steps:\n    - wait: 0.1"
        )
        job = await bench.jobs.start()
        await bench.folder(job)
        answer = await client.get(f"/jobs/{job.id}/run")
        assert answer.status_code == 200, answer.text
        [closed] = bench.ledger.told
        assert hashlib.sha256(answer.content).hexdigest() == closed.sha256
        listed = answer.json()["files"]
        assert "readings/warm_up.csv" in [it["name"] for it in listed]
        for it in listed:
            file = await client.get(f"/jobs/{job.id}/run/{quote(it['name'])}")
            assert (len(file.content), file.status_code) == (it["size"], 200), file.text
            assert hashlib.sha256(file.content).hexdigest() == it["sha256"]
        table = await client.get(f"/jobs/{job.id}/run/readings/warm_up.csv")
        assert table.headers["content-type"] == "text/csv; charset=utf-8"
        assert table.headers["content-disposition"].endswith("''warm_up.csv")
        beside = await client.get(f"/jobs/{job.id}/run/manifest.sha256")
        assert beside.text == f"{closed.sha256}  manifest.json\n"
        assert (await client.get(f"/jobs/{job.id}")).json()["folder"] == job.folder


@pytest.mark.parametrize(
    "file", ["../x", "..%2Fsecret", "%2Fetc%2Fhostname", "secret", ".room", "readings", "a%00b"]
)
async def test_nothing_but_what_the_manifest_names_is_given_out(tmp_path: Path, file: str) -> None:
    async with asked(tmp_path) as (bench, client):
        bench.jobs.write("- set: {supply.voltage: 1}")
        job = await bench.jobs.start()
        folder = await bench.folder(job)
        (folder / "secret").write_text("no")
        (folder.parent / "secret").write_text("no")
        problem(await client.get(f"/jobs/{job.id}/run/{file}"), 404, "no-such")


async def test_a_file_that_became_a_link_is_not_followed(tmp_path: Path) -> None:
    async with asked(tmp_path) as (bench, client):
        bench.jobs.write("- set: {supply.voltage: 1}")
        job = await bench.jobs.start()
        folder = await bench.folder(job)
        (folder / "measures.csv").unlink()
        (folder / "measures.csv").symlink_to("/etc/hostname")
        problem(await client.get(f"/jobs/{job.id}/run/measures.csv"), 500, "not-kept")


async def test_a_run_that_goes_on_or_never_was_is_a_problem_in_words(tmp_path: Path) -> None:
    async with asked(tmp_path) as (bench, client):
        bench.jobs.write("- wait: 20")
        job = await bench.jobs.start()
        await bench.jobs.until_at(job, "steps.0")
        await bench.jobs.until(lambda: job.folder)
        found = problem(await client.get(f"/jobs/{job.id}/run"), 409, "refused")
        assert "still being written" in found["detail"]
        for name in ("none", "..", "%2E%2E%2F", quote("열")):
            answer = await client.get(f"/jobs/{name}/run")
            assert answer.status_code == 404, name
