"""Long lists in pages: every item once, in its order, and a cursor that is gone is said."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.web.paging import page_of
from agent.web.problems import Problem
from tests.agent.api_bench import client_of
from tests.agent.bench import station_in_memory
from tests.agent.jobs_bench import jobs_in_memory, toys
from tests.agent.web_bench import problem

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]


@given(st.lists(st.text(min_size=1), unique=True), st.integers(1, 7))
def test_pages_have_every_item_once_in_its_order(items: list[str], limit: int) -> None:
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page, cursor = page_of(items, str, cursor, limit)
        assert len(page) <= limit
        found += page
    assert found == items


def test_without_a_limit_it_is_everything_and_a_cursor_that_is_gone_is_said() -> None:
    assert page_of(["a", "b"], str, "", None) == (["a", "b"], None)
    assert page_of(["a", "b"], str, "b", None) == (["b"], None)
    with pytest.raises(Problem, match="'c' is not listed any more"):
        page_of(["a", "b"], str, "c", 1)


async def test_jobs_come_in_pages(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench, client_of(bench.station.station) as client:
        bench.write("- log: hello")
        ids = [(await bench.start()).id for _ in range(3)]
        first = (await client.get("/jobs", params={"limit": 2})).json()
        assert ([it["job"] for it in first["jobs"]], first["next"]) == (ids[:2], ids[2])
        rest = (await client.get("/jobs", params={"limit": 2, "cursor": ids[2]})).json()
        assert ([it["job"] for it in rest["jobs"]], rest["next"]) == (ids[2:], None)
        gone = await client.get("/jobs", params={"cursor": "none"})
        problem(gone, 422, "bad-value")


async def test_files_and_events_come_in_pages(tmp_path: Path) -> None:
    async with station_in_memory(folder=tmp_path) as bench, client_of(bench.station) as client:
        for name in ("a.gcode", "b.gcode", "다.gcode"):
            await asyncio.to_thread((tmp_path / name).write_text, "G28\n")
        first = (await client.get("/files", params={"limit": 2})).json()
        assert ([it["name"] for it in first["files"]], first["next"]) == (
            ["a.gcode", "b.gcode"],
            "다.gcode",
        )
        rest = (await client.get("/files", params={"cursor": first["next"]})).json()
        assert ([it["name"] for it in rest["files"]], rest["next"]) == (["다.gcode"], None)
        for number in range(3):
            bench.events.add("test.said", str(number))
        two = (await client.get("/events", params={"limit": 2})).json()
        assert len(two) == 2
        later = (await client.get("/events", params={"after": two[-1]["number"]})).json()
        assert later[0]["number"] == two[-1]["number"] + 1
