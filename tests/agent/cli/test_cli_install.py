"""What an installation asks of the agent that runs: jobs, devices at work, and the queue."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent import cli
from agent.cli import installing
from agent.cli.installing import Service
from agent.install.root import StepFailed
from agent.jobs.states import JobState
from agent.web.api import build_api
from agent.web.listeners import bind_unix
from tests.agent.jobs_bench import LEE, JobsBench, toys
from tests.agent.restart_bench import life
from tests.agent.web_bench import SETTINGS, TOKEN, serving

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[JobsBench]:
    async with life(tmp_path) as made:
        api = build_api(made.station.station, SETTINGS, TOKEN)
        async with serving(api, await asyncio.to_thread(bind_unix, tmp_path / "agent.sock")):
            yield made


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(tmp_path / "agent.sock")


async def test_a_job_that_runs_is_named_with_its_recipe(bench: JobsBench, service: Service) -> None:
    assert await asyncio.to_thread(service.doing) == []
    bench.write("- set: {supply.voltage: 1}\n- wait: 60")
    job = await bench.start()
    await bench.until_state(job, JobState.RUNNING)
    assert await asyncio.to_thread(service.doing) == [f"job {job.id} (trial) is running"]
    await bench.jobs.stop(job.id, LEE)
    await bench.over(job)
    assert await asyncio.to_thread(service.doing) == []


async def test_the_queue_is_held_and_let_go_but_not_where_a_person_holds_it(
    bench: JobsBench, service: Service
) -> None:
    assert await asyncio.to_thread(service.hold, "labkeeper 2 is being installed")
    assert not await asyncio.to_thread(service.hold, "again")  # it is held already
    bench.write("- set: {supply.voltage: 1}")
    job = await bench.start()
    assert job.state is JobState.QUEUED
    await asyncio.to_thread(service.let_go)
    assert (await bench.over(job)).state is JobState.DONE


async def test_which_version_runs_is_what_the_agent_says(
    bench: JobsBench, service: Service
) -> None:
    said = await asyncio.to_thread(service.version)
    assert said[0].isdecimal()


def test_where_no_agent_runs_nothing_is_in_the_way(service: Service) -> None:
    assert service.doing() == []
    assert service.version() == ""
    assert service.hold("x") is False


def test_a_service_that_runs_and_does_not_answer_is_not_taken_for_idle(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installing, "SYSTEMD_RUNS", tmp_path)
    monkeypatch.setattr(installing, "tried", lambda command: "")  # systemctl says: active
    with pytest.raises(StepFailed, match="but the service runs: say --socket, or stop it first"):
        service.doing()


@pytest.mark.parametrize("mask", [0o077, 0o000])
def test_what_root_installs_can_be_read_by_the_agent_whatever_roots_umask_is(
    tmp_path: Path, mask: int
) -> None:
    before = os.umask(mask)
    try:
        root = installing.root_of(tmp_path, dry=False)
        root.write("/opt/labkeeper/x/y", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "opt/labkeeper/x").stat().st_mode & 0o777 == 0o755


def test_a_refusal_is_a_sentence_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    code = cli.main(["update", str(tmp_path / "no.tar"), "--root", str(tmp_path)])
    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert said.err.startswith("labkeeper: ")
    assert "no.tar can't be read as a bundle" in said.err
