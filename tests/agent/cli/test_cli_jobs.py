"""`labkeeper job` against an agent that is served on a real Unix socket in this process."""

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
from tests.agent.jobs_bench import LEE, JobsBench, jobs_in_memory, toys
from tests.agent.web_bench import SETTINGS, TOKEN, serving

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]

HEAD = """\
parameters:
  level: {type: number, unit: V, low: 0, high: 8}
  lot: {type: lot}
"""


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[JobsBench]:
    async with jobs_in_memory(tmp_path) as made:
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


async def test_a_job_is_started_and_followed_to_its_end(bench: JobsBench, ask: Command) -> None:
    bench.write("- set: {supply.voltage: =level}\n- log: at {level} V", head=HEAD)
    ended = await ask("job", "start", "trial", "level=3", "lot=0012", "--wait")
    assert ended.code == 0, ended.err
    assert "at 3 V" in ended.out
    [job] = bench.jobs.listing
    assert f"job {job.id} (trial) is done" in ended.out
    assert job.arguments == {"level": 3.0, "lot": "0012"}


async def test_a_job_whose_verdict_is_fail_ends_with_3(bench: JobsBench, ask: Command) -> None:
    bench.write("- measure: {warm: {value: supply.temperature, high: 1}}")
    ended = await ask("job", "start", "trial", "--wait")
    assert (ended.code, "verdict: fail" in ended.out) == (3, True)
    [job] = bench.jobs.listing
    page = await ask("job", "show", job.id)
    assert "25 °C is above 1 °C" in page.out


async def test_all_copies_are_followed_and_the_worst_says_how_it_ended(
    bench: JobsBench, ask: Command
) -> None:
    bench.write(
        "- set: {supply.voltage: 1}\n- wait: 0.5\n- measure: {it: {value: supply.voltage, high: 4}}"
    )
    started = asyncio.get_running_loop().create_task(
        ask("job", "start", "trial", "--wait", "--copies", "3")
    )
    await bench.until(lambda: len(bench.jobs.listing) == 3)
    await bench.jobs.stop(bench.jobs.listing[1].id, LEE)
    ended = await started
    assert ended.code == 3
    states = [str(job.state) for job in bench.jobs.listing]
    assert states == ["done", "stopped", "done"]
    for job in bench.jobs.listing:
        assert f"job {job.id} (trial)" in ended.out


async def test_jobs_are_listed_paused_resumed_and_stopped(bench: JobsBench, ask: Command) -> None:
    assert "no jobs" in (await ask("job", "list")).out
    bench.write("- set: {supply.output: true}\n- wait: 5")
    started = await ask("job", "start", "trial", "--device", "supply=psu2", "--json")
    name = started.json()["job"]
    job = bench.jobs.get(name)
    await bench.until_at(job, "steps.1")
    assert name in (await ask("job", "list")).out
    assert (await ask("job", "pause", name)).code == 0
    await bench.until_state(job, JobState.PAUSED)
    assert (await ask("job", "resume", name)).code == 0
    assert (await ask("job", "stop", name)).code == 0
    await bench.over(job)
    assert "psu2: safe" in (await ask("job", "show", name)).out
    again = await ask("job", "stop", name)
    assert (again.code, "is stopped already" in again.err) == (2, True)


async def test_a_question_is_listed_and_answered(bench: JobsBench, ask: Command) -> None:
    bench.write("- confirm: Ready?\n  as: ready\n- log: '{ready}'")
    await ask("job", "start", "trial")
    question = await bench.until_asked()
    assert f"{question.id}: Ready?" in (await ask("job", "answer")).out
    assert "neither yes nor no" in (await ask("job", "answer", question.id, "maybe")).err
    assert (await ask("job", "answer", question.id, "yes")).code == 0
    [job] = bench.jobs.listing
    assert bench.logged(await bench.over(job)) == ["true"]


async def test_what_is_wrong_is_said_in_a_sentence(bench: JobsBench, ask: Command) -> None:
    bench.write("- set: {supply.voltage: =level}", head=HEAD)
    for words, said in (
        (["trial", "level=x"], "'x' is not a number in V"),
        (["trial", "lebel=1"], "trial has no parameter 'lebel'; did you mean level?"),
        (["trial", "level"], "'level' is not name=value"),
        (["trial", "level=1"], "lot is missing"),
        (["trail"], "no recipe is called 'trail'"),
    ):
        ended = await ask("job", "start", *words)
        assert (ended.code, said in ended.err) == (2, True), ended.err


def test_the_help_says_that_all_copies_are_followed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["job", "start", "--help"])
    words = " ".join(capsys.readouterr().out.split())
    assert "start so many jobs of it; --wait follows one after the other" in words
