"""`labkeeper queue` and `labkeeper job log` against an agent whose jobs are on a disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.cli import main
from agent.jobs.states import JobState
from agent.web.api import build_api
from agent.web.listeners import bind_unix
from tests.agent.cli_bench import Command, Ended
from tests.agent.jobs_bench import JobsBench, toys
from tests.agent.restart_bench import life
from tests.agent.web_bench import SETTINGS, TOKEN, serving

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[JobsBench]:
    async with life(tmp_path) as made:
        path = tmp_path / "agent.sock"
        monkeypatch.setenv("LABKEEPER_SOCKET", str(path))
        monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
        api = build_api(made.station.station, SETTINGS, TOKEN)
        async with serving(api, await asyncio.to_thread(bind_unix, path)):
            yield made


@pytest.fixture
def ask(bench: JobsBench, capsys: pytest.CaptureFixture[str]) -> Command:
    async def command(*words: str) -> Ended:
        code = await asyncio.to_thread(main, words)
        return Ended(code, *capsys.readouterr())

    return command


async def test_the_queue_is_held_put_in_another_order_and_released(
    bench: JobsBench, ask: Command
) -> None:
    bench.write("- set: {supply.voltage: 1}")
    assert (await ask("queue", "list")).out == "no job waits\n"
    held = await ask("queue", "hold", "--reason", "the lab is being cleaned")
    assert "the queue is held by" in held.out
    assert "the lab is being cleaned" in held.out
    await ask("job", "start", "trial")
    first = await ask("job", "start", "trial", "--priority", "5", "--copies", "2")
    assert "the first of 2 copies, is queued" in first.out
    plain, one, two = (job.id for job in bench.jobs.listing)
    assert await order(ask) == [one, two, plain]
    assert (await ask("queue", "move", plain, "--first")).code == 0
    assert await order(ask) == [plain, one, two]
    assert (await ask("queue", "move", two, "--before", one)).code == 0
    assert await order(ask) == [plain, two, one]
    await ask("queue", "hold", one)
    assert (await ask("queue", "release")).code == 0
    await bench.over(bench.jobs.get(two))
    assert await order(ask) == [one]
    assert (await ask("queue", "release", one)).code == 0
    assert (await bench.over(bench.jobs.get(one))).state is JobState.DONE
    wrong = await ask("queue", "move", one, "--last")
    assert (wrong.code, "it is done" in wrong.err) == (2, True)


async def order(ask: Command) -> list[str]:
    """The jobs of the queue, as `queue list` has them."""
    return [job["job"] for job in (await ask("queue", "list", "--json")).json()["jobs"]]


async def test_a_job_begins_no_earlier_than_was_said_and_a_time_needs_its_zone(
    bench: JobsBench, ask: Command
) -> None:
    bench.write("- log: x")
    start = ("job", "start", "trial", "--not-before")
    wrong = await ask(*start, "2099-01-01T00:00")
    assert (wrong.code, "is not a time with its zone" in wrong.err) == (2, True)
    assert (await ask(*start, "2099-01-01T00:00+09:00")).code == 0
    [job] = bench.jobs.listing
    assert job.state is JobState.QUEUED
    assert "2098-12-31T15:00" in (await ask("queue", "list")).out


async def test_a_key_makes_a_second_try_harmless(bench: JobsBench, ask: Command) -> None:
    bench.write("- log: x")
    for _ in range(2):
        assert (await ask("job", "start", "trial", "--key", "tuesday-1")).code == 0
    assert len(bench.jobs.listing) == 1
    other = await ask("job", "start", "trial", "--key", "tuesday-1", "--held")
    assert (other.code, "the key tuesday-1 belongs to job" in other.err) == (2, True)


async def test_what_is_on_record_of_a_job_is_shown_and_followed_to_its_end(
    bench: JobsBench, ask: Command
) -> None:
    bench.write("- measure: {it: {value: supply.voltage, high: 9}}\n- log: half\n- wait: 0.3")
    await ask("job", "start", "trial")
    [job] = bench.jobs.listing
    followed = await ask("job", "log", job.id, "--follow")
    assert followed.code == 0, followed.err
    for said in ("submitted", "running", "step steps.0 begun", "it = ", "log: half", "done"):
        assert said in followed.out
    assert (await ask("job", "log", job.id)).out == followed.out
    nothing = await ask("job", "log", "x")
    assert (nothing.code, "there is no job x" in nothing.err) == (2, True)


async def test_a_device_is_reserved_listed_and_given_back(bench: JobsBench, ask: Command) -> None:
    assert (await ask("reserve")).out == "no device is reserved\n"
    assert "say for how long and why" in (await ask("reserve", "psu1")).err
    soon = ("reserve", "psu1", "--for", "15min", "--reason", "changing the leads")
    assert "psu1 is reserved by" in (await ask(*soon)).out
    [lease] = bench.station.reservations.leases.values()
    assert lease.until - lease.since == 15 * 60
    assert "changing the leads" in (await ask("reserve")).out
    wrong = await ask("reserve", "psu1", "--for", "soon", "--reason", "x")
    assert (wrong.code, "--for:" in wrong.err) == (2, True)
    assert (await ask("unreserve", "psu1")).out == "psu1 is free again\n"
    assert "did you mean" in (await ask("unreserve", "psu11")).err
