"""The ledger over HTTP: page by page and filtered, its head, verified, and as a file."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.cli.ledger_export import write
from agent.store import database as store
from agent.store import ledger_pages, verify_alone
from agent.store.chain import Head
from agent.store.database import reading
from agent.store.entries import EventEntry, Stage
from agent.store.head_file import NAME as HEAD_NAME
from agent.store.head_file import HeadFile
from agent.store.ledger import Ledger
from agent.store.ledger_pages import LedgerPages
from agent.store.rows import rows
from agent.store.store_errors import NotRead
from tests.agent.api_bench import client_of
from tests.agent.bench import station_in_memory
from tests.agent.ledger_bench import KIM, LEE, happening, opened
from tests.agent.tamper import Tamper, cut, delete, edit, forge_row, insert, tampering
from tests.agent.web_bench import problem


@asynccontextmanager
async def asked(folder: Path) -> AsyncIterator[tuple[Ledger, httpx.AsyncClient]]:
    """A ledger of seven rows in `folder`, and a client of its API."""
    async with opened(folder) as ledger, station_in_memory(folder=folder) as bench:
        intent = await ledger.intend(KIM, "set", "psu1.voltage", before=5.0, after=6.0, job="j-7")
        await ledger.ended(intent, Stage.CONFIRMED, after=6.0)
        said = 'the "lamp" went Dim, 램프'
        await ledger.record(LEE, EventEntry(action="device.said", target="oven1", reason=said))
        for number in range(3):
            await ledger.record(KIM, happening(number))
        station = replace(bench.station, ledger=ledger, ledger_pages=LedgerPages(folder))
        async with client_of(station) as client:
            yield ledger, client


async def page(client: httpx.AsyncClient, **wanted: str) -> tuple[list[int], Any]:
    answer = await client.get("/ledger", params=wanted)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    return [row["seq"] for row in found["rows"]], found["next"]


async def test_rows_come_newest_first_page_by_page_and_oldest_first_from_a_row(
    tmp_path: Path,
) -> None:
    async with asked(tmp_path) as (_, client):
        assert await page(client, limit="3") == ([7, 6, 5], 4)
        assert await page(client, limit="3", cursor="4") == ([4, 3, 2], 1)
        assert await page(client, limit="3", cursor="1") == ([1], None)
        assert await page(client, order="oldest", cursor="4", limit="2") == ([4, 5], 6)
        assert await page(client, order="oldest", cursor="6", limit="2") == ([6, 7], None)
        assert await page(client, order="oldest", cursor="99") == ([], None)
        assert await page(client, cursor="99", limit="1") == ([7], 6)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"action": "set"}, [3, 2]),
        ({"device": "psu1"}, [7, 6, 5, 3, 2]),
        ({"device": "psu1.voltage"}, [3, 2]),
        ({"device": "psu"}, []),
        ({"job": "j-7"}, [3, 2]),
        ({"who": "lee"}, [4]),
        ({"origin": "api"}, [4]),
        ({"kind": "command"}, [3, 2]),
        ({"who": "김하나", "kind": "event"}, [7, 6, 5]),
        ({"text": 'THE "LAMP"'}, [4]),
        ({"text": "램프"}, [4]),
        ({"text": "software_version"}, []),
        ({"since": "2026-09-21"}, [7, 6, 5, 4, 3, 2, 1]),
        ({"since": "2026-09-22T00:00Z"}, []),
        ({"until": "2026-09-21T14:13:20Z"}, []),
    ],
    ids=str,
)
async def test_a_filter_gives_the_rows_that_fit_it_and_no_other(
    tmp_path: Path, wanted: dict[str, str], found: list[int]
) -> None:
    async with asked(tmp_path) as (_, client):
        assert await page(client, **wanted) == (found, None)


async def test_a_page_looks_through_a_bounded_stretch_and_says_where_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_pages, "LOOKED_AT", 2)
    async with asked(tmp_path) as (_, client):
        assert await page(client, action="set") == ([], 5)
        assert await page(client, action="set", cursor="5") == ([], 3)
        assert await page(client, action="set", cursor="3") == ([3, 2], 1)
        assert await page(client, action="set", cursor="1") == ([], None)
        assert await page(client, action="set", order="oldest") == ([2], 3)


@pytest.mark.parametrize(
    "wanted", [{"limit": 0}, {"limit": 1001}, {"cursor": 0}, {"since": "now"}, {"kind": "x"}]
)
async def test_what_is_no_filter_is_refused_in_words(tmp_path: Path, wanted: Any) -> None:
    async with asked(tmp_path) as (_, client):
        [where] = wanted
        assert (
            where in problem(await client.get("/ledger", params=wanted), 422, "bad-value")["detail"]
        )


async def test_the_head_is_the_last_row(tmp_path: Path) -> None:
    async with asked(tmp_path) as (ledger, client):
        found = (await client.get("/ledger/head")).json()
        assert found == ledger.head.form()
        [last] = (await client.get("/ledger", params={"limit": 1})).json()["rows"]
        assert (last["seq"], last["hash"]) == (found["seq"], found["hash"])


async def test_a_verification_says_what_is_wrong_and_in_which_row(tmp_path: Path) -> None:
    async with asked(tmp_path) as (ledger, client):
        kept = str(ledger.head)
        whole = (await client.post("/ledger/verify", json={"heads": [kept]})).json()
        assert (whole["verified"], whole["rows"], whole["findings"]) == (True, 7, [])
        other = str(Head(3, bytes(32)))
        wrong = (await client.post("/ledger/verify", json={"heads": [other]})).json()
        assert [it["seq"] for it in wrong["findings"]] == [3]
        no_head = await client.post("/ledger/verify", json={"heads": ["812:xy"]})
        assert "is no head" in problem(no_head, 422, "bad-value")["detail"]
    await asyncio.to_thread(_altered, tmp_path)
    async with station_in_memory(folder=tmp_path) as bench:
        station = replace(bench.station, ledger_pages=LedgerPages(tmp_path))
        async with client_of(station) as client:
            altered = (await client.post("/ledger/verify", json={})).json()
            assert not altered["verified"]
            assert [it["seq"] for it in altered["findings"]] == [4]
            assert "was altered" in altered["findings"][0]["text"]


def _altered(folder: Path) -> None:
    with tampering(folder) as connection:
        edit(connection, 4, 100)


async def test_one_verification_runs_at_a_time_and_does_not_hold_the_agent_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asyncio.Event()

    async def slowly(*arguments: Any) -> dict[str, Any]:
        begun.set()
        return await verify_alone.verified(*arguments)

    monkeypatch.setattr(ledger_pages, "verified", slowly)
    async with asked(tmp_path) as (_, client), asyncio.TaskGroup() as tasks:
        first = tasks.create_task(client.post("/ledger/verify", json={}))
        await begun.wait()
        second = await client.post("/ledger/verify", json={})
        problem(second, 409, "refused")
        assert not first.done()
        assert (await client.get("/station")).status_code == 200
        assert (await first).json()["verified"]


async def test_a_verification_that_takes_too_long_is_ended_and_its_process_with_it(
    tmp_path: Path,
) -> None:
    hang = ("-c", "import time; time.sleep(60)")
    with pytest.raises(NotRead, match="not read through"):
        await verify_alone.verified(tmp_path, tmp_path, program=hang, within=0.2)


@pytest.mark.parametrize(("form", "ending"), [("csv", ".csv"), ("jsonl", ".jsonl")])
@pytest.mark.parametrize("piece", [1, 3, 2000])
async def test_the_export_is_byte_by_byte_that_of_the_command_line(
    tmp_path: Path, form: str, ending: str, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_pages, "PIECE", piece)
    async with asked(tmp_path) as (_, client):
        answer = await client.get("/ledger/export", params={"format": form})
        assert answer.headers["content-disposition"].endswith(f"-bench-1.{form}")
        one = await client.get("/ledger/export", params={"format": "jsonl", "who": "lee"})
        assert [json.loads(line)["seq"] for line in one.text.splitlines()] == [4]
    assert answer.content == await asyncio.to_thread(_as_the_cli, tmp_path, ending)


def _as_the_cli(folder: Path, ending: str) -> bytes:
    path = folder / f"as-the-cli{ending}"
    with reading(folder / store.NAME) as connection:
        write(path, rows(connection), replace=False)
    return path.read_bytes()


async def test_where_no_ledger_is_kept_or_none_can_be_read_is_said(tmp_path: Path) -> None:
    async with station_in_memory(folder=tmp_path) as bench:
        async with client_of(replace(bench.station, ledger=None)) as client:
            for path in ("/ledger", "/ledger/head", "/ledger/export"):
                problem(await client.get(path), 404, "no-such")
            problem(await client.post("/ledger/verify", json={}), 404, "no-such")
        station = replace(bench.station, ledger_pages=LedgerPages(tmp_path / "gone"))
        async with client_of(station) as client:
            for path in ("/ledger", "/ledger/export"):
                problem(await client.get(path), 500, "not-kept")
            problem(await client.post("/ledger/verify", json={}), 500, "not-kept")
    assert not (tmp_path / HEAD_NAME).exists()


async def until_beside(folder: Path, seq: int) -> None:
    """Wait until the head is written beside the ledger: without it a tail that is cut off leaves no trace."""
    async with asyncio.timeout(10):
        beside = HeadFile(folder / HEAD_NAME)
        while (head := await asyncio.to_thread(beside.read)) is None or head.seq < seq:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("tamper", [edit, forge_row, delete, insert, cut])
async def test_a_verification_is_told_in_korean_to_whoever_asks_for_that(
    tmp_path: Path, tamper: Tamper
) -> None:
    async with asked(tmp_path) as (_, client):
        await until_beside(tmp_path, (await client.get("/ledger/head")).json()["seq"])
        with tampering(tmp_path) as connection:
            tamper(connection, 4, 3)
        found = await client.post("/ledger/verify", json={}, headers={"Accept-Language": "ko"})
        findings = [it["text"] for it in found.json()["findings"]]
        assert findings
        assert [it for it in findings if not re.search("[가-힣]", it)] == []
